"""Parses a command as a person types it: `/paper subscribe "language model" -survey every:daily`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import zip_longest

from bot.commands.clarification import (
    ask_what_is_meant,
    refuse_options_of_others,
)
from bot.commands.option_forms import QUOTED, refuse_unusual, usual_form, without_quoted
from bot.commands.other_names import SORTS, setting_named
from bot.commands.setting_specs import OPTIONAL_SETTINGS, SETTING_SPECS
from bot.commands.specs import CommandSpec, OptionSpec
from bot.commands.table import find
from bot.commands.unknown import MIN_NAME_SIMILARITY, unknown
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, User
from bot.query import narrow
from bot.query.terms import FIELDS


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command with its entry in the table."""

    spec: CommandSpec
    command: Command

    @property
    def free_text(self) -> str:
        """The text of a line that belongs to no named option; positions of errors refer to it."""
        return self.command.options.get(self.spec.free.name, "") if self.spec.free else ""

    @property
    def line(self) -> str:
        """The command as it would be typed after `/paper`."""
        return f"{self.spec.name} {self.free_text}{self.named_options}".rstrip()

    @property
    def named_options(self) -> str:
        """The other options as they are typed, each after a space."""
        options = self.command.options
        return "".join(f" {_as_typed(o, options[o.name])}" for o in self.spec.named if o.name in options)


MAX_LINE = 1000
"""Maximum number of characters in a line. A query can have 256; a longer line was pasted by mistake."""

INVOCATION = re.compile(r"\A(?:/?paper(?:boy)?(?:\s+|$))+", re.IGNORECASE)
_NAMED = re.compile(r"(?<!\S)([A-Za-z]{1,20}):(\S+)")
_WITHOUT_COLON = re.compile(r"([A-Za-z]{1,20})(?:(?:\s*=\s*|\s+|:\s*)(\S+)|:)?")
_DAYS = re.compile(r"([0-9]{1,4})([dw])[a-z]{0,4}", re.IGNORECASE)
_A_TIME = re.compile(r"day|week|month|year|now|[0-9]", re.IGNORECASE)
_NUMBER = re.compile(r"#?(?<!\s)\s*+([0-9]{1,9})")


def parse_line(line: str, user: User, channel: ChannelRef) -> ParsedCommand:
    """Parse a line with or without `/paper` before it; a bare `/paper` asks for help.

    Raises UserError with the nearest valid line as its hint.
    """
    if len(line) > MAX_LINE:
        raise UserError(f"That is too long. A command has at most {MAX_LINE} characters.", hint="/paper help")
    text = INVOCATION.sub("", narrow(line).strip(), count=1)
    name = text.split(maxsplit=1)[0] if text else "help"
    rest = text[len(name) :].strip()
    spec = find(name)
    if spec is None:
        raise unknown(name, rest)
    return ParsedCommand(spec, Command(spec.name, user, channel, _options(spec, rest)))


def resolve_command(command: Command) -> ParsedCommand:
    """Return a command from a platform's form or button with its spec. Raises UserError for an unknown name."""
    spec = find(command.name)
    if spec is None:
        raise unknown(command.name, "")
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
    """Return the number if `text` is only a subscription's number, `#3` or `3`; else None."""
    number = _NUMBER.fullmatch(text.strip())
    return int(number[1]) if number else None


def _options(spec: CommandSpec, rest: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if spec.named:
        names = "|".join(re.escape(option.name) for option in spec.named)
        # Quoted text contains no options; a quote that is never closed quotes nothing.
        pattern = re.compile(
            rf"(?<!\S)(?P<name>{names}):\s*(?P<value>{QUOTED}(?!\S)|\S+)|{QUOTED}", re.IGNORECASE
        )
        named = [match for match in pattern.finditer(rest) if match[1]]
        free, end = "", 0
        for match, following in zip_longest(named, named[1:]):
            free += rest[end : match.start()]
            value, end = _unquoted(match["value"]), match.end()
            words = rest[end : following.start() if following else len(rest)]
            if spec.free is None and words.strip() and ":" not in words:
                value, end = f"{value} {words.strip()}", end + len(words)  # zone:New York
            _add(found, match["name"].lower(), value, spec)
        rest = free + rest[end:]
    text = rest.strip()
    if text and spec.free is None:
        raise _unexpected(spec, text)
    if text and spec.free is not None:
        try:
            _refuse_unintended(spec, text, sure="sure" in found)
        except UserError as error:
            raise _with_options(error, spec, found) from None
        found[spec.free.name] = text.lower() if spec.free.kind == "choice" else text
    return found


def _refuse_unintended(spec: CommandSpec, text: str, *, sure: bool) -> None:
    """Raises UserError for a free text that is probably not meant as it is; its hint is the likely line."""
    if spec.free is not None and spec.free.kind != "choice":
        _refuse_settings(spec, usual_form(text))
        refuse_options_of_others(spec, usual_form(text))
        refuse_unusual(spec, text)
    _refuse_mistyped_options(spec, text)
    if not sure:
        ask_what_is_meant(spec, text)
    _refuse_subscribe_options(spec, text)
    _refuse_empty_option(spec, text)


def _with_options(error: UserError, spec: CommandSpec, options: Mapping[str, str]) -> UserError:
    """Return the error with the options that were typed added to its hint."""
    if not error.hint.startswith(f"/paper {spec.name} "):
        return error
    lost = (option for option in spec.named if option.name in options and not option.hidden)
    more = "".join(f" {_as_typed(o, options[o.name])}" for o in lost if f" {o.name}:" not in error.hint)
    return UserError(str(error), hint=f"{error.hint}{more}", at=error.at)


def _unquoted(value: str) -> str:
    return value[1:-1] if re.fullmatch(QUOTED, value) else value


def _add(found: dict[str, str], name: str, value: str, spec: CommandSpec) -> None:
    if any(option.name == name and option.kind == "choice" for option in spec.named):
        value = value.lower()
    if name in found and found[name] != value:
        raise UserError(f"“{name}:” appears twice: {found[name]} and {value}. Keep one.")
    found[name] = value


def _unexpected(spec: CommandSpec, text: str) -> UserError:
    """Return the error for words after a command that takes none."""
    names = [option.name for option in spec.named if not option.hidden]
    if not names:
        return UserError(f"“{spec.name}” doesn't take any words.", hint=f"/paper {spec.name}")
    if match := _WITHOUT_COLON.fullmatch(text):
        name, value = match[1].casefold(), match[2]
        if name in names:
            return UserError(
                f"Type it as name:value, like {name}:{value or _sample(spec, name)}.",
                hint=f"/paper {spec.name} {name}:{value or _sample(spec, name)}",
            )
        if not value and (owner := next((o for o in spec.named if name in o.choices[1:]), None)):
            return UserError(
                f"Type it as name:value, like {owner.name}:{name}.",
                hint=f"/paper {spec.name} {owner.name}:{name}",
            )
    name, colon, value = text.split(maxsplit=1)[0].partition(":")
    other = setting_named(name.casefold()) if spec.name == "settings" else None
    near = [other] if other else get_close_matches(name.casefold(), names, n=1, cutoff=MIN_NAME_SIMILARITY)
    hint = f"/paper {spec.name} {near[0]}:{value}" if near and colon and value else f"/paper {spec.name}"
    meant = f" Did you mean “{near[0]}”?" if near else ""
    kind = "setting" if spec.name == "settings" else "option"
    listed = [one for one in names if one not in OPTIONAL_SETTINGS]  # a platform may not have the others
    return UserError(f"I don't know the {kind} “{name}”.{meant} There is {', '.join(listed)}.", hint=hint)


def _sample(spec: CommandSpec, name: str) -> str:
    """Return a value of a setting or option, as it would be typed."""
    if spec.name == "settings":
        return next(one.example for one in SETTING_SPECS if one.name == name)
    option = next(option for option in spec.named if option.name == name)
    return option.sample or (option.choices[-1] if option.choices else "1")


def _refuse_settings(spec: CommandSpec, text: str) -> None:
    """Raises UserError for a channel's setting that was typed into a query: `subscribe rag hour:9`."""
    settings = find("settings")
    if spec.free is None or spec.free.kind not in {"query", "subscription"} or settings is None:
        return
    own = {option.name for option in spec.named}
    names = "|".join(option.name for option in settings.named if option.name not in own)
    unquoted = without_quoted(text)
    if match := re.search(rf"(?<!\S)({names}):(\S+)", unquoted, re.IGNORECASE):
        if spec.name == "preview" and match[1].casefold() in {"every", "always"}:
            raise UserError(
                f"“{match[1]}:” is an option of subscribe, not a part of a query.",
                hint=f"/paper subscribe {text}",
            )
        raise UserError(
            f"“{match[1]}:” is a setting of the channel, not a part of a query.",
            hint=f"/paper settings {match[1].lower()}:{match[2]}",
        )


def _refuse_mistyped_options(spec: CommandSpec, text: str) -> None:
    """Raises UserError for an option whose name is mistyped in a query: `subscribe rag evry:daily`."""
    if spec.free is None or spec.free.kind == "choice":
        return
    names = [option.name for option in spec.named if not option.hidden]
    for match in _NAMED.finditer(without_quoted(text)):
        name = match[1].casefold()
        near = get_close_matches(name, names, n=1, cutoff=MIN_NAME_SIMILARITY)
        if near and name not in FIELDS:
            line = f"{text[: match.start()]}{near[0]}:{match[2]}{text[match.end() :]}"
            raise UserError(
                f"I don't know “{match[1]}:”. Did you mean “{near[0]}:”?", hint=f"/paper {spec.name} {line}"
            )


def _refuse_subscribe_options(spec: CommandSpec, text: str) -> None:
    """Raises UserError for an option of subscribe after a command that takes only a name: `org openai every:daily`."""
    match = re.search(r"(?<!\S)(?:every|always):\S+", without_quoted(text), re.IGNORECASE)
    if spec.name in {"author", "org"} and match:
        name = text.replace(match[0], "").strip()
        quoted = f'"{name}"' if " " in name and '"' not in name else name
        hint = f"/paper subscribe {spec.name}:{quoted} {match[0]}"
        raise UserError(f"“{match[0]}” is an option of subscribe.", hint=hint)


def _refuse_empty_option(spec: CommandSpec, text: str) -> None:
    """Raises UserError for an option's name without a value: `save 2405.01234 note:`."""
    for option in spec.named:
        if not option.hidden and re.search(rf"(?:^|\s){option.name}:\Z", text, re.IGNORECASE):
            value = option.sample or (option.choices[-1] if option.choices else "7")
            line = text[: -len(option.name) - 1].strip()
            raise UserError(
                f"“{option.name}:” needs a value right after it.",
                hint=f"/paper {spec.name} {line} {option.name}:{value}".replace("  ", " "),
            )


def _check(option: OptionSpec, value: str, spec: CommandSpec, options: Mapping[str, str]) -> None:
    if option.kind == "integer" and not re.fullmatch("[0-9]{1,6}", value):
        match = _DAYS.fullmatch(value)
        days = (
            str(int(match[1]) * (7 if match[2].casefold() == "w" else 1))
            if match and option.name == "days"
            else ""
        )
        raise UserError(
            f"“{option.name}:” needs a whole number, not “{value}”.",
            hint=_line_with(spec, options, option, days),
        )
    if option.kind == "choice" and value not in option.choices + option.also:
        if spec.name == "trending" and not (
            _A_TIME.search(value) or get_close_matches(value, option.choices, n=1)
        ):
            raise UserError(
                "“trending” takes day, week or month. For the most upvoted papers of a subject, search.",
                hint=f"/paper search {value} sort:top",
            )
        *firsts, last = option.choices
        meant = [SORTS[value]] if option.name == "sort" and value in SORTS else []
        near = meant or get_close_matches(value, option.choices, n=1)
        values = f"{', '.join(firsts)} or {last}, not “{value}”."
        raise UserError(
            f"Type {values}" if option.free else f"“{option.name}:” is {values}",
            hint=_line_with(spec, options, option, near[0] if near else ""),
        )


def _line_with(spec: CommandSpec, options: Mapping[str, str], option: OptionSpec, value: str) -> str:
    """Return the line that was typed, with another value of one option; without that option if `value` is empty."""
    values = {**options, option.name: value}
    free = values.get(spec.free.name, "") if spec.free else ""
    named = (_as_typed(o, values[o.name]) for o in spec.named if values.get(o.name))
    return " ".join(filter(None, ("/paper", spec.name, free, *named)))


def _as_typed(option: OptionSpec, value: str) -> str:
    return f'{option.name}:"{value}"' if " " in value else f"{option.name}:{value}"
