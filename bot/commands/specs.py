"""What a command of the `/paper` table is: its name, its options, how it is typed."""

from dataclasses import dataclass
from typing import Literal

Group = Literal["Follow", "Find", "Papers", "This channel"]
Kind = Literal["query", "subscription", "title", "text", "choice", "integer"]
"""A `subscription` is its number (`#3`) or its query; a `title` is a text for which papers' titles are offered."""


MAX_OPTIONS_SHOWN = 5
"""Options above which a usage line is too long to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """An option of a command."""

    name: str
    help: str
    kind: Kind
    free: bool = False
    """Takes a typed line's free text. The others are typed as `name:value`; at most one of a command is free."""
    required: bool = False
    choices: tuple[str, ...] = ()
    """The first one is the default, unless the channel's settings say otherwise."""
    also: tuple[str, ...] = ()
    """Values that only buttons give."""
    hidden: bool = False
    """Only buttons give it."""
    sample: str = ""
    """A value to show how it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """One command. `summary` is what it does, in a short line that begins with a verb."""

    name: str
    summary: str
    example: str
    group: Group = "Papers"
    """Where the help lists it."""
    aliases: tuple[str, ...] = ()
    options: tuple[OptionSpec, ...] = ()
    changes: bool = False
    """Changes something in the channel, unless it is given without options: needs the right to edit."""
    posts: bool = False
    """Leads to posts in the channel: a platform checks first whether it can post there."""
    anywhere: bool = False
    """Makes sense outside a channel that Paperboy was added to, as in a direct message."""
    hidden: bool = False
    """Only buttons give it."""
    typed: bool = False
    """It can only be typed. Where commands are forms, another command's option does the same."""
    on_message: str = ""
    """Its name in the menu of a message, on platforms that have one; its free option then gets the papers' ids."""

    @property
    def free(self) -> OptionSpec | None:
        """The option that takes the free text of a line."""
        return next((option for option in self.options if option.free), None)

    @property
    def named(self) -> tuple[OptionSpec, ...]:
        """The options that are typed as `name:value`."""
        return tuple(option for option in self.options if not option.free)

    @property
    def usage(self) -> str:
        """How it is typed: `subscribe <query> [every:now|daily|weekly]`."""
        shown = [option for option in self.options if not option.hidden]
        if len(shown) > MAX_OPTIONS_SHOWN:
            return f"{self.name} [name:value …]"
        return " ".join((self.name, *map(_usage, shown)))

    @property
    def short_usage(self) -> str:
        """The same without what is typed as `name:value`."""
        return " ".join((self.name, *map(_usage, (self.free,) if self.free else ())))


QUERY_OR_NUMBER = "its number, like #3, or its query"
PAGE = OptionSpec(name="page", help="which page of a long list", kind="integer", hidden=True)
EXPORT = OptionSpec(
    name="export",
    help="a file for a reference manager or LaTeX",
    kind="choice",
    choices=("bibtex", "ris", "csl", "md"),
)


def _usage(option: OptionSpec) -> str:
    placeholder = {"subscription": "#number or query", "integer": "number"}.get(option.kind, option.name)
    values = "|".join(option.choices) or option.sample or f"<{placeholder}>"
    form = values if option.free else f"{option.name}:{values}"
    return form if option.required else f"[{form}]"
