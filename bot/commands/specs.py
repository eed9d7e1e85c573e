"""Types of the `/paper` table: a command, its options and how they are typed."""

from dataclasses import dataclass
from typing import Literal

Group = Literal["Follow", "Find", "Papers", "This channel"]
Kind = Literal["query", "subscription", "title", "text", "choice", "integer"]
"""A `subscription` is its number (`#3`) or its query; a `title` is a text for which papers' titles are offered."""


MAX_OPTIONS_SHOWN = 5
"""Maximum number of options that a usage line lists: with more it is too long to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """An option of a command."""

    name: str
    help: str
    kind: Kind
    free: bool = False
    """Whether it takes a line's free text, as at most one of a command does. The others are typed as `name:value`."""
    required: bool = False
    choices: tuple[str, ...] = ()
    """The first one is the default, unless the channel's settings say otherwise."""
    also: tuple[str, ...] = ()
    """Additional values that only buttons send."""
    hidden: bool = False
    """Whether only buttons send it."""
    sample: str = ""
    """A value to show how it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """One command. `summary` says what it does, in a short line that begins with a verb."""

    name: str
    summary: str
    example: str
    group: Group = "Papers"
    """Heading under which the help lists it."""
    aliases: tuple[str, ...] = ()
    options: tuple[OptionSpec, ...] = ()
    changes: bool = False
    """Whether it changes something in the channel and so needs the right to edit, unless it is sent without options."""
    posts: bool = False
    """Whether it leads to posts in the channel: a platform checks first whether it can post there."""
    anywhere: bool = False
    """Whether it makes sense outside a channel that Paperboy was added to, as in a direct message."""
    hidden: bool = False
    """Whether only buttons send it."""
    typed: bool = False
    """Whether it can only be typed. Where commands are forms, another command's option does the same."""
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
        """Its usage line: `subscribe <query> [every:now|daily|weekly]`."""
        shown = [option for option in self.options if not option.hidden]
        if len(shown) > MAX_OPTIONS_SHOWN:
            return f"{self.name} [name:value …]"
        return " ".join((self.name, *map(_usage, shown)))

    @property
    def short_usage(self) -> str:
        """Its usage line without the options that are typed as `name:value`."""
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
