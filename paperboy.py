"""The `paperboy` command: checks that Python finds Paperboy's own packages, then runs its command line.

PyPI has other packages that install a `bot` or an `adapters`, and any of them can replace ours.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("bot", "adapters")
EX_CONFIG = 78
"""sysexits.h: the configuration is wrong. Supervisors should not restart the program."""


def main() -> None:
    """Run the command line; print one line and exit with 78 if another package has replaced ours."""
    for name in PACKAGES:
        if not _is_ours(name):
            sys.stderr.write(
                f"paperboy: another package is installed under the name “{name}” ({_place(name)}), which Paperboy "
                "needs for itself. Install Paperboy in its own environment: pipx or uv tool does that.\n"
            )
            sys.exit(EX_CONFIG)
    from bot.__main__ import main as run

    run()


def _is_ours(name: str) -> bool:
    """Check without importing: another package may fail, or take seconds."""
    try:
        return "Paperboy" in Path(_place(name)).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return False


def _place(name: str) -> str:
    spec = find_spec(name)
    return "nowhere" if spec is None or spec.origin is None else spec.origin


if __name__ == "__main__":
    main()
