PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCHES := startup idle delivery matching polling lookback ack discord_posts feeds completeness
ifneq ($(wildcard ../shared/data),)
BENCHES += search similar taste flood signal text summary bibliography  # on recorded data
endif

.PHONY: install run test test-dates faults check audit fix demo bench manifests pictures lock clean

install: $(STAMP)

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@# setuptools warns of folders with our packages' names; they are our packages
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: install  ## run the bot (in the terminal, until Slack or Discord is connected)
	@exec $(BIN)/paperboy run

demo: install  ## a scripted tour of a bundled sample, offline
	@exec $(BIN)/paperboy demo

test: install  ## every test
	$(BIN)/python -m pytest -n auto

test-dates: install  ## every test on a weekend, at midnight, at the new year, at a clock change, on a leap day (needs faketime)
	$(BIN)/python -m tests.dates

faults: install  ## every fault at full size: processes killed, servers restarted; about 15 minutes
	$(BIN)/python -m tests.faults

check: install  ## format, lint, types, import contracts, dead code, unsafe calls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/bandit -q -ll -c pyproject.toml -r bot adapters

audit: install  ## known weaknesses of the locked libraries; needs a package index with advisories
	$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip

fix: install  ## format, and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tests.readme

bench: install  ## the benchmarks; each is `python -m tests.bench.<name> --json`
	@for bench in $(BENCHES); do $(BIN)/python -m tests.bench.$$bench --json || exit 1; done

manifests: install  ## the files that Slack apps are made from, after a change of the command table
	$(BIN)/python -m tests.adapters.slack.manifests

pictures: install  ## cards as Discord and Slack show them, in build/pictures (needs Chromium)
	$(BIN)/python -m tests.pictures build/pictures

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 -q --extra sentry pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 -q --all-extras --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
