"""Reads a command as a person types it: `/paper subscribe "language model" -survey every:daily`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain

from bot.commands.table import CommandSpec, OptionSpec, find, shown
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, User


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command with its entry in the table."""

    spec: CommandSpec
    command: Command

    @property
    def free_text(self) -> str:
        """The text of a line that belongs to no named option; an error's place refers to it."""
        return self.command.options.get(self.spec.free.name, "") if self.spec.free else ""

    @property
    def named_options(self) -> str:
        """The other options as they are typed, each after a space."""
        given = self.command.options
        return "".join(f" {o.name}:{given[o.name]}" for o in self.spec.named if o.name in given)


LONGEST = 1000
"""Characters of a line. A query may have 256; whatever is longer was pasted by mistake."""

INVOCATION = re.compile(r"\A/?paper(?:boy)?(?:\s+|$)", re.IGNORECASE)
_QUOTED = r"[\"“”„‟«»＂][^\"“”„‟«»＂]*[\"“”„‟«»＂]"
"""Phones put curly quotes where straight ones were meant."""
_NUMBER = re.compile(r"#?\s*([0-9]{1,9})")


def parse_line(line: str, user: User, channel: ChannelRef) -> ParsedCommand:
    """The command that `line` says, with or without `/paper` before it; a bare `/paper` asks for help.

    Raises UserError with the nearest valid line as its hint.
    """
    if len(line) > LONGEST:
        raise UserError(f"That is too long: at most {LONGEST} characters.", hint="/paper help")
    said = INVOCATION.sub("", line.strip(), count=1)
    name = said.split(maxsplit=1)[0] if said else "help"
    rest = said[len(name) :].strip()
    spec = find(name)
    if spec is None:
        raise _unknown(name, rest)
    return ParsedCommand(spec, Command(spec.name, user, channel, _options(spec, rest)))


def resolve_command(command: Command) -> ParsedCommand:
    """A command that a platform's form or button gave, with its spec. Raises UserError for an unknown name."""
    spec = find(command.name)
    if spec is None:
        raise _unknown(command.name, "")
    return ParsedCommand(spec, replace(command, name=spec.name))


def check_options(spec: CommandSpec, command: Command) -> None:
    """Raises UserError that says which option is missing or wrong."""
    for option in spec.options:
        value = command.options.get(option.name, "").strip()
        if option.required and not value:
            raise UserError(
                f"“{spec.name}” needs a {option.name}: {option.help}.", hint=f"/paper {spec.example}"
            )
        if value:
            _check(option, value, spec, command.options)


def number_in(text: str) -> int | None:
    """The subscription's number that `text` is: `#3` or `3`."""
    number = _NUMBER.fullmatch(text.strip())
    return int(number[1]) if number else None


def _options(spec: CommandSpec, rest: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if spec.named:
        names = "|".join(re.escape(option.name) for option in spec.named)
        # Within quotes nothing is an option; a quote that is never closed quotes nothing.
        pattern = re.compile(rf"{_QUOTED}|(?<!\S)({names}):\s*(\S+)", re.IGNORECASE)
        for match in pattern.finditer(rest):
            if match[1]:
                _add(found, match[1].lower(), match[2].lower())
        rest = pattern.sub(lambda match: "" if match[1] else match[0], rest)
    text = rest.strip()
    if text and spec.free is None:
        raise UserError(f"“{spec.name}” stands alone.", hint=f"/paper {spec.name}")
    if text and spec.free is not None:
        found[spec.free.name] = text.lower() if spec.free.kind == "choice" else text
    return found


def _add(found: dict[str, str], name: str, value: str) -> None:
    if name in found and found[name] != value:
        raise UserError(f"“{name}:” is there twice: {found[name]} and {value}. Keep one.")
    found[name] = value


def _check(option: OptionSpec, value: str, spec: CommandSpec, given: Mapping[str, str]) -> None:
    if option.kind == "integer" and not re.fullmatch("[0-9]{1,6}", value):
        raise UserError(f"“{option.name}:” is a number, not “{value}”.", hint=f"/paper {spec.name}")
    if option.kind == "choice" and value not in option.choices + option.also:
        *firsts, last = option.choices
        near = next(iter(get_close_matches(value, option.choices, n=1, cutoff=0.4)), last)
        text = given.get(spec.free.name, "") if spec.free and not option.free else ""
        name, right = (option.name, near) if option.free else (f"{option.name}:", f"{option.name}:{near}")
        raise UserError(
            f"“{name}” is {', '.join(firsts)} or {last}, not “{value}”.",
            hint=" ".join(filter(None, ("/paper", spec.name, text, right))),
        )


def _unknown(name: str, rest: str) -> UserError:
    near = get_close_matches(name.casefold(), _names(), n=1)
    spec = find(near[0]) if near else None
    if spec is not None:
        hint = f"/paper {spec.name} {rest if spec.free else ''}".rstrip()
        return UserError(f"There is no command “{name}”. Did you mean this?", hint=hint)
    wish = f"{name} {rest}".rstrip()
    return UserError(
        f"There is no command “{name}”. To follow that, subscribe to it.", hint=f"/paper subscribe {wish}"
    )


def _names() -> Iterable[str]:
    return chain.from_iterable((spec.name, *spec.aliases) for spec in shown())
