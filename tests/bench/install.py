"""Measure the size and import time of an installation: the base, each extra, and the previous release.

    python -m tests.bench.install --json

uv installs each one from this checkout into a new virtual environment. Needs uv and a package index.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.startup import release, time_of
from tests.program import ROOT

EXTRAS: Mapping[str, str] = {"": "bot.app", "sentry": "sentry_sdk", "mcp": "mcp.server"}
"""Extra, or "" for the base -> the module to import."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.install", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        figures = {
            extra or "base": measured(Path(folder) / f"now-{extra}", ROOT, extra, args.times)
            for extra in EXTRAS
        }
        source = Path(folder) / "source"
        source.mkdir()
        commit = release(source)
        figures[f"previous release ({commit})"] = measured(Path(folder) / "before", source, "", args.times)
    sys.stdout.write((json.dumps(figures) if args.json else json.dumps(figures, indent=2)) + "\n")


def measured(place: Path, source: Path, extra: str, times: int) -> Mapping[str, float]:
    """Install `source` with an extra in `place`, and measure the installation."""
    python = str(place / "bin" / "python")
    wanted = f"{source}[{extra}]" if extra else str(source)
    subprocess.run(("uv", "venv", "--quiet", "--python", sys.executable, str(place)), check=True)
    subprocess.run(
        ("uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python, wanted), check=True
    )
    (site,) = place.glob("lib/python*/site-packages")
    took = [time_of("-c", f"import {EXTRAS[extra]}", source=place, python=python) for _ in range(times)]
    return {
        "megabytes": round(sum(one.stat().st_size for one in site.rglob("*") if _counts(one)) / 1e6, 1),
        "packages": len(list(site.glob("*.dist-info"))),
        f"import_{EXTRAS[extra].partition('.')[0]}_cpu_s": round(
            statistics.median(one.processor for one in took), 3
        ),
    }


def _counts(path: Path) -> bool:
    """Whether the path is an installed file, rather than a compiled one."""
    return path.is_file() and path.suffix != ".pyc"


if __name__ == "__main__":
    main()
