"""The access check of each way to read or change a channel: `python -m tests.access_table` prints the table.

docs/security.md contains it; `python -m tests.access_table --write` updates it there. `tests/commands/test_access.py`
tries every row as a person who left the channel, and as one who can no longer edit it.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.commands.access import REMEMBERED_FOR
from bot.commands.table import COMMANDS
from bot.ports import Core

PAGE = Path(__file__).resolve().parents[1] / "docs" / "security.md"
HEAD = "| entry point | checked with the platform first |"
TABLE = re.compile(rf"^{re.escape(HEAD)}\n(?:\|.*\n)+", re.MULTILINE)

PORTS = {
    "handle": "as its command, below: a command as typed, a button, a form",
    "handle_text": "as its command, below: a typed line",
    "complete": "membership: suggestions while typing",
    "saved": "nothing: a person's own list",
}
"""Methods of the core that a person can reach through a platform -> the core's check."""
PLATFORM_ONLY = {
    "greeting",
    "settings",
    "subscriptions",
    "show_links",
    "pause",
    "resume",
    "pause_workspace",
    "resume_workspace",
    "forget",
    "move",
}
"""Methods that the adapter calls on its own account, never with something that a person typed or pressed."""

FOR_CHANNEL = "nothing for oneself; for the channel (`to:channel`, or the list) "
OF_LIST = "nothing for one's own list; for the channel's (`here`) membership"
INSIDE: Mapping[str, str] = {
    "save": OF_LIST,
    "saved": OF_LIST,
    "show": "nothing for the card; membership in each channel of which it says that the paper was posted there",
    "zotero": "nothing: a person's own list and key",
    "savepapers": "nothing: one's own list",
    "watch": FOR_CHANNEL + "membership, and the right to edit if it changes something",
    "unwatch": FOR_CHANNEL + "membership, and the right to edit",
}
"""Commands that work anywhere, and do their own checks before they act on a channel."""


def methods() -> set[str]:
    """Return all entry points of the core."""
    return {name for name, _ in inspect.getmembers(Core, inspect.isfunction) if not name.startswith("_")}


def rows() -> Iterator[tuple[str, str]]:
    """Return each entry point and its check."""
    for name in sorted(methods() & PORTS.keys()):
        yield f"`Core.{name}`", PORTS[name]
    for name in sorted(methods() & PLATFORM_ONLY):
        yield f"`Core.{name}`", "nothing: the adapter calls it for itself, never for a person"
    for spec in COMMANDS:
        checks = [] if spec.anywhere else ["membership"]
        checks += ["the right to edit (with options)"] if spec.changes and not spec.anywhere else []
        elsewhere = INSIDE.get(spec.name, "nothing: works in any place, and shows no channel's state")
        yield f"`/paper {spec.name}`", ", ".join(checks) or elsewhere


def table() -> str:
    """Return all rows as a Markdown table."""
    lines = (f"| {name} | {checks} |" for name, checks in rows())
    return "\n".join((HEAD, "|---|---|", *lines)) + "\n"


def main() -> None:
    """Print the table, or write it into docs/security.md."""
    if "--write" in sys.argv:
        before = PAGE.read_text("utf-8")
        PAGE.write_text(TABLE.sub(lambda _: table(), before), "utf-8")
    else:
        sys.stdout.write(f"{table()}\nAn answer counts for {REMEMBERED_FOR:.0f} seconds.\n")


if __name__ == "__main__":
    main()
