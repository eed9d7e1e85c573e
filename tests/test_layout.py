"""The core names no platform: a platform declares what it needs from the core."""

import ast
import re
from pathlib import Path

import pytest

from adapters import PLATFORMS

BOT = Path(__file__).parent.parent / "bot"
# Words with a second meaning: a terminal, an address, and the command `/paper webhook`.
PLATFORM = re.compile("|".join(sorted({*PLATFORMS} - {"console", "email", "webhook"})), re.IGNORECASE)
EXAMPLES = {BOT / "__main__.py", BOT / "cli" / "data.py"}
"""Files whose strings name a platform as an example for people: the help of the command line."""


def names_and_strings(source: str) -> list[str]:
    """Yield all identifiers and string literals of a module, except docstrings."""
    tree = ast.parse(source)
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                found.append(text)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.append(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.append(name)
            case ast.alias(name=name):
                found.append(name)
    return found


@pytest.mark.parametrize("path", sorted(BOT.rglob("*.py")), ids=lambda path: str(path.relative_to(BOT)))
def test_the_core_names_no_platform(path: Path) -> None:
    if path in EXAMPLES:
        return
    assert [text for text in names_and_strings(path.read_text()) if PLATFORM.search(text)] == []


def test_a_planted_platform_name_is_found() -> None:
    assert names_and_strings('"""Slack."""\nDISCORD_KEY = "pb:slack"') == ["DISCORD_KEY", "pb:slack"]
