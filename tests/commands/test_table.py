"""The table of commands is complete, fits every platform, and is in the README."""

from pathlib import Path

import pytest

from bot.commands.core import HANDLERS
from bot.commands.specs import CommandSpec
from bot.commands.table import COMMANDS, find, markdown, shown

README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_command_has_one_handler() -> None:
    assert list(HANDLERS) == [spec.name for spec in COMMANDS]


def test_names_and_aliases_of_commands_are_unique() -> None:
    names = [name for spec in COMMANDS for name in (spec.name, *spec.aliases)]
    assert len(names) == len(set(names))
    assert all(find(name.upper()) is not None for name in names)
    assert find("nonsense") is None


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_a_command_fits_every_platform(spec: CommandSpec) -> None:
    # Discord: names of 32 lower-case letters, descriptions of 100 characters, 25 options, 25 choices.
    assert len([visible for visible in shown() if not visible.typed]) <= 25
    assert len(spec.options) <= 25
    for name, help_ in [(spec.name, spec.summary), *((option.name, option.help) for option in spec.options)]:
        assert name.islower()
        assert name.isalpha()
        assert len(name) <= 32
        assert 1 <= len(help_) <= 100
    assert all(len(option.choices) <= 25 for option in spec.options)
    assert all((option.kind == "choice") == bool(option.choices) for option in spec.options)
    assert sum(option.free for option in spec.options) <= 1
    required = [option.required for option in spec.options]
    assert required == sorted(required, reverse=True), "Discord wants required options first"
    assert spec.example.split()[0] == spec.name


def test_the_readme_shows_the_table() -> None:
    if not README.exists():
        pytest.skip("no README here")
    assert markdown() in README.read_text(encoding="utf-8"), f"put this into README.md:\n{markdown()}"
