"""The channel's settings, each with how it is typed, what it means, and what a form asks."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.cards import Choice, Field
from bot.domain.errors import UserError
from bot.domain.models import ChannelSettings, Frequency
from bot.policy.schedule import digest_hour, find_zone, near_zones

MOST_APART = 50

_HOUR = re.compile(r"(\d{1,2})(?::?00)?\s*(am|pm)?", re.IGNORECASE)
_QUIET = re.compile(r"(.+?)\s*(?:-|–|—|to|until)\s*(.+)", re.IGNORECASE)
_ROLE = re.compile(r"(?:<(?:@&|!subteam\^))?([a-z0-9]{1,32})(?:\|[^>]*)?>?", re.IGNORECASE | re.ASCII)
_NOTHING = {"", "off", "no", "none", "never"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting."""

    name: str
    """As it is typed: `name:value`."""
    label: str
    help: str
    read: Callable[[str], Any]
    """A typed value as the setting's own. Raises UserError that says what may be typed."""
    typed: Callable[[ChannelSettings], str]
    """The present value as it would be typed."""
    said: Callable[[ChannelSettings], str]
    """What the present value means, in a sentence."""
    field: str = ""
    """Of ChannelSettings, where it is not called as the knob."""
    choices: tuple[Choice, ...] = ()

    def turned(self, settings: ChannelSettings, typed: str) -> ChannelSettings:
        """The settings with a new value. Raises UserError."""
        changes: dict[str, Any] = {self.field or self.name: self.read(typed.strip())}
        return replace(settings, **changes)

    def asked(self, settings: ChannelSettings) -> Field:
        """As a form asks for it."""
        return Field(self.name, self.label, self.typed(settings), self.help, self.choices)


def _one_of(name: str, *values: str) -> Callable[[str], str]:
    def read(typed: str) -> str:
        value = typed.lower() or values[0]
        if value not in values:
            *firsts, last = values
            raise UserError(f"“{name}:” is {', '.join(firsts)} or {last}, not “{typed}”.")
        return value

    return read


def _on_off(name: str) -> Callable[[str], bool]:
    words = {"on": True, "yes": True, "off": False, "no": False}

    def read(typed: str) -> bool:
        if typed.lower() not in words:
            raise UserError(f"“{name}:” is on or off, not “{typed}”.", hint=f"/paper settings {name}:on")
        return words[typed.lower()]

    return read


def _hour(typed: str) -> int:
    said = _HOUR.fullmatch(typed)
    hour = int(said[1]) if said else 24
    if said and said[2] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if said[2].lower() == "pm" else 0)
    if hour > 23:
        raise UserError(f"“{typed}” is no full hour: 0 to 23.", hint="/paper settings hour:9")
    return hour


def _quiet(typed: str) -> tuple[int, int] | None:
    if typed.lower() in _NOTHING:
        return None
    said = _QUIET.fullmatch(typed)
    if said is None:
        raise UserError(
            "Quiet hours are from one hour to another, or off.", hint="/paper settings quiet:22-7"
        )
    begin, end = _hour(said[1]), _hour(said[2]) if said[2] != "24" else 0
    if begin == end:
        raise UserError("Quiet hours begin and end at different hours.", hint="/paper settings quiet:22-7")
    return begin, end


def _weekday(typed: str) -> int:
    names = [day.lower() for day in _WEEKDAYS]
    found = [n for n, name in enumerate(names) if len(typed) >= 2 and name.startswith(typed.lower())]
    if len(found) != 1:
        raise UserError(f"“{typed}” is no day of the week.", hint="/paper settings day:monday")
    return found[0]


def _zone(typed: str) -> str:
    if not typed:
        return "UTC"
    zone = find_zone(typed)
    if zone is None:
        near = near_zones(typed)
        raise UserError(
            f"There is no time zone “{typed}”. It is a city's name, such as Europe/Berlin.",
            hint=f"/paper settings zone:{near[0]}" if near else "/paper settings zone:Europe/Berlin",
        )
    return zone


def _role(typed: str) -> str:
    if typed.lower() in _NOTHING:
        return ""
    said = _ROLE.fullmatch(typed)
    if said is None:
        raise UserError(
            "“ping:” takes a role: mention it, or give its id; or none.", hint="/paper settings ping:none"
        )
    return said[1].upper()


def _size(typed: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", typed) or not 1 <= int(typed) <= MOST_APART:
        raise UserError(f"“digest:” takes a number from 1 to {MOST_APART}.", hint="/paper settings digest:5")
    return int(typed)


def _rhythm(typed: str) -> Frequency:
    return cast("Frequency", _one_of("every", "now", "daily", "weekly")(typed))


def _quiet_said(settings: ChannelSettings) -> str:
    if settings.quiet is None:
        return "No quiet hours."
    return "Quiet from {:02}:00 to {:02}:00: what comes then is posted afterwards, in one message.".format(
        *settings.quiet
    )


def _hour_said(settings: ChannelSettings) -> str:
    hour = digest_hour(settings)
    moved = f", when the quiet hours end, for {settings.hour:02}:00 is quiet" if hour != settings.hour else ""
    return f"Digests come at {hour:02}:00{moved}."


def _day_said(settings: ChannelSettings) -> str:
    if settings.weekday >= 5 and not settings.weekends:
        return f"Weekly digests come on Monday, for {_WEEKDAYS[settings.weekday]} is off."
    return f"Weekly digests come on {_WEEKDAYS[settings.weekday]}."


_RHYTHMS = {
    "now": "New papers are posted as they come, unless a subscription says otherwise.",
    "daily": "New papers come in a daily digest, unless a subscription says otherwise.",
    "weekly": "New papers come in a weekly digest, unless a subscription says otherwise.",
}
_EDITORS = {
    "default": "The platform's own custom says who may change this.",
    "everyone": "Everyone here may change what is posted.",
    "managers": "Only people who may manage this channel can change what is posted.",
}


def _choices(*pairs: tuple[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in pairs)


_SWITCH = _choices(("on", "on"), ("off", "off"))

KNOBS: tuple[Knob, ...] = (
    Knob("every", "Schedule", "for subscriptions that name none", _rhythm, lambda s: s.every,
         lambda s: _RHYTHMS[s.every],
         choices=_choices(("now", "as they come"), ("daily", "once a day"), ("weekly", "once a week"))),
    Knob("hour", "Digest at", "the hour of digests, 0 to 23", _hour, lambda s: str(s.hour), _hour_said),
    Knob("day", "Weekly digest on", "the day of weekly digests", _weekday,
         lambda s: _WEEKDAYS[s.weekday].lower(), _day_said, field="weekday",
         choices=tuple(Choice(day.lower(), day) for day in _WEEKDAYS)),
    Knob("zone", "Time zone", "a city, as in Europe/Berlin", _zone, lambda s: s.zone,
         lambda s: f"Hours are those of {s.zone}."),
    Knob("quiet", "Quiet hours", "from one hour to another, as in 22-7, or off", _quiet,
         lambda s: "{}-{}".format(*s.quiet) if s.quiet else "off", _quiet_said),
    Knob("weekends", "Weekends", "on, or off: then nothing comes on Saturdays and Sundays", _on_off("weekends"),
         lambda s: "on" if s.weekends else "off",
         lambda s: "Weekends are like other days." if s.weekends else "Nothing comes on Saturdays and Sundays.",
         choices=_SWITCH),
    Knob("digest", "Digest size", "more new papers at once than that become one message", _size,
         lambda s: str(s.digest_size),
         lambda s: f"More than {s.digest_size} new papers at once become one message.", field="digest_size"),
    Knob("detail", "Cards", "compact, or full with the abstract", _one_of("detail", "compact", "full"),
         lambda s: s.detail,
         lambda s: "Cards are compact." if s.detail == "compact" else "Cards show the abstract.",
         choices=_choices(("compact", "compact"), ("full", "full, with the abstract"))),
    Knob("edits", "Update cards", "bring posted cards up to date when votes or code change much", _on_off("edits"),
         lambda s: "on" if s.edits else "off",
         lambda s: "Posted cards are brought up to date, twice at most." if s.edits else "Posted cards stay as they are.",
         choices=_SWITCH),
    Knob("threads", "Threads", "a thread for each card, where the platform opens them", _on_off("threads"),
         lambda s: "on" if s.threads else "off",
         lambda s: "Each card gets a thread." if s.threads else "Cards get no threads.", choices=_SWITCH),
    Knob("embeds", "Classic embeds", "on Discord: embeds in the place of components", _on_off("embeds"),
         lambda s: "on" if s.embeds else "off",
         lambda s: "Cards are classic embeds, on Discord." if s.embeds else "Cards are components, on Discord.",
         choices=_SWITCH),
    Knob("ping", "Role to ping", "a role that is notified of each post, or none", _role, lambda s: s.ping or "none",
         lambda s: "A role is notified of each post." if s.ping else "Nobody is notified by name."),
    Knob("editors", "Who may change this", "default, everyone, or managers of the channel",
         _one_of("editors", "default", "everyone", "managers"), lambda s: s.editors,
         lambda s: _EDITORS[s.editors],
         choices=_choices(("default", "as usual here"), ("everyone", "everyone"), ("managers", "managers only"))),
)  # fmt: skip


def turned(settings: ChannelSettings, typed: Iterable[tuple[str, str]]) -> ChannelSettings:
    """The settings after these changes, by the knobs' names. Raises UserError for the first that can't be."""
    knobs = {knob.name: knob for knob in KNOBS}
    for name, value in typed:
        settings = knobs[name].turned(settings, value)
    return settings


def difference(old: ChannelSettings, new: ChannelSettings) -> list[Knob]:
    """The knobs whose value differs."""
    return [knob for knob in KNOBS if knob.typed(old) != knob.typed(new)]
