"""Run the README's one-liners in clean environments, on each supported Python of this machine.

    python -m tests.deploy.pythons [--only 3.13]

Needs uv, git and a package index; takes a minute per Python. Prints a line for each way; exits with 1 if one failed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.program import ROOT

OLDEST, NEWEST = 11, 20
SOURCE = f"git+file://{ROOT}"
SHOWN = "matched diffusion (#1)"
"""A text that the tour shows."""
PATIENCE = 600
"""Timeout in seconds for one command."""


class Failed(Exception):
    """A way to install didn't lead to the tour, or to the one clear error line."""


@dataclass(frozen=True, slots=True)
class Clean:
    """An interpreter, and an empty home folder."""

    python: Path
    folder: Path

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command without this checkout's environment."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        env = {**inherited, "PAPERBOY_DATA_DIR": str(self.folder / "data"), **more}
        words = tuple(map(str, command))
        return subprocess.run(
            words, env=env, cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def must(self, *command: str | Path, **more: str) -> str:
        """Run a command that must succeed. Returns its output. Raises Failed."""
        done = self.run(*command, **more)
        if done.returncode:
            raise Failed(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def venv(self) -> Path:
        """Create an environment, and return the folder of its programs."""
        self.must(self.python, "-m", "venv", self.folder / "venv")
        return self.folder / "venv" / "bin"

    def install(self, *what: str | Path) -> None:
        """Install into the environment that `venv` created, with uv, which is faster than pip."""
        python = self.folder / "venv" / "bin" / "python"
        self.must("uv", "pip", "install", "--quiet", "--python", python, *what)


def uvx(clean: Clean) -> None:
    """`uvx --from git+… paperboy demo`."""
    _shows_the_tour(
        clean.must("uvx", "--quiet", "--python", clean.python, "--from", SOURCE, "paperboy", "demo")
    )


def pipx(clean: Clean) -> None:
    """`pipx install git+…`, then `paperboy demo`."""
    places = {"PIPX_HOME": str(clean.folder / "pipx"), "PIPX_BIN_DIR": str(clean.folder / "bin")}
    clean.must("uvx", "--quiet", "pipx", "install", "--quiet", "--python", clean.python, SOURCE, **places)
    _shows_the_tour(clean.must(clean.folder / "bin" / "paperboy", "demo"))


def pip(clean: Clean) -> None:
    """`pip install git+…` in a new virtual environment, then `paperboy demo` and `paperboy --version`."""
    programs = clean.venv()
    clean.must(programs / "pip", "install", "--quiet", SOURCE)
    _shows_the_tour(clean.must(programs / "paperboy", "demo"))
    if not clean.must(programs / "paperboy", "--version").startswith("paperboy "):
        raise Failed("it doesn't print its version")


def foreign_first(clean: Clean) -> None:
    """Foreign packages called `adapters` and `bot` were installed before: ours replace them."""
    programs = clean.venv()
    clean.install(*_foreign(clean.folder))
    clean.install(SOURCE)
    _shows_the_tour(clean.must(programs / "paperboy", "demo"))


def foreign_later(clean: Clean) -> None:
    """A foreign package is installed over ours: one clear line, and the exit code for a wrong set-up."""
    programs = clean.venv()
    clean.install(SOURCE)
    for package in _foreign(clean.folder):
        clean.install("--reinstall-package", "paperboy", SOURCE)
        clean.install(package)
        _names_the_other(clean.run(programs / "paperboy", "demo"), package.name)


def foreign_path(clean: Clean) -> None:
    """A foreign package precedes ours on PYTHONPATH."""
    programs = clean.venv()
    clean.install(SOURCE)
    for package in _foreign(clean.folder):
        done = clean.run(programs / "paperboy", "demo", PYTHONPATH=str(package))
        _names_the_other(done, package.name)


WAYS: Mapping[str, Callable[[Clean], None]] = {
    "uvx": uvx,
    "pipx": pipx,
    "pip": pip,
    "foreign packages first": foreign_first,
    "foreign packages later": foreign_later,
    "foreign packages on the path": foreign_path,
}


def _foreign(folder: Path) -> Iterator[Path]:
    """Create projects with foreign packages that have our names."""
    for name in ("adapters", "bot"):
        package = folder / "foreign" / name / name
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(
            '"""Adapters for transformers."""\nraise SystemExit("imported")\n'
        )
        (package.parent / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            f'[project]\nname = "{name}"\nversion = "1"\n[tool.setuptools]\npackages = ["{name}"]\n'
        )
        yield package.parent


def _shows_the_tour(shown: str) -> None:
    if SHOWN not in shown:
        raise Failed(f"it doesn't show the tour:\n{shown}")


def _names_the_other(done: subprocess.CompletedProcess[str], name: str) -> None:
    lines = done.stderr.count("\n")
    if (done.returncode, done.stdout, lines) != (78, "", 1) or f"under the name “{name}”" not in done.stderr:
        raise Failed(f"no clear line about {name}: {done.returncode}\n{done.stdout}{done.stderr}")


def pythons() -> Mapping[str, Path]:
    """Return version -> interpreter, for those on this machine."""
    found: dict[str, Path] = {}
    shims = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in range(OLDEST, NEWEST):
        name = f"python3.{minor}"
        places = [
            *shims.glob(f"versions/3.{minor}.*/bin/python"),
            *map(Path, filter(None, [shutil.which(name)])),
        ]
        if places:
            found[f"3.{minor}"] = places[0]
    return found


def main() -> None:
    """Try every way on every Python."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.pythons", description=__doc__)
    parser.add_argument("--only", help="one version, such as 3.13")
    args = parser.parse_args()
    failures = 0
    for number, python in pythons().items():
        if args.only not in {None, number}:
            continue
        for name, way in WAYS.items():
            began = time.monotonic()
            with TemporaryDirectory() as folder:
                try:
                    way(Clean(python, Path(folder)))
                    outcome = "ok"
                except Failed as failure:
                    failures += 1
                    outcome = f"FAILED {failure}"
            sys.stdout.write(f"{number}  {name}  {time.monotonic() - began:.0f} s  {outcome}\n")
            sys.stdout.flush()
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
