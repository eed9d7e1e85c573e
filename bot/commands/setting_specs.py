"""The channel's settings: how each is typed, what it means, and what a form asks."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.cards import Choice, Field
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, ChannelSettings, Frequency
from bot.policy.schedule import digest_hour, find_zone, near_zones
from bot.store.subscriptions import LIMIT

MAX_DIGEST_THRESHOLD = 50
"""Messages, or papers a day, that a channel may want at most."""

_HOUR = re.compile(r"(\d{1,2})(?:[:.h]?00)?\s*(am|pm|h|uhr|o['’]clock)?", re.IGNORECASE)
_UNTIL = re.compile("-|–|—|to|until", re.IGNORECASE)
_OFFSET = re.compile(r"\A(?:utc|gmt)? *+[+-] *+[0-9:]++", re.IGNORECASE)
"""A time zone by its distance from UTC, which knows no summer time."""
_ROLE = re.compile(r"(?:<(?:@&|!subteam\^))?([a-z0-9]{1,32})(?:\|[^>]*)?>?", re.IGNORECASE | re.ASCII)
_NOTHING = {"", "off", "no", "none", "never"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One setting of a channel."""

    name: str
    """As it is typed: `name:value`."""
    group: str
    """The heading that it is shown under."""
    label: str
    help: str
    example: str
    """A value, as it would be typed."""
    read: Callable[[str], Any]
    """A typed value as the setting's own. Raises UserError that says what may be typed."""
    typed: Callable[[ChannelSettings], str]
    """The present value as it would be typed."""
    meaning: Callable[[ChannelSettings], str]
    """What the present value means, in a sentence."""
    field: str = ""
    """Its field of ChannelSettings, if that has another name."""
    choices: tuple[Choice, ...] = ()
    optional: bool = False
    """Makes sense only on platforms whose `PlatformSettings.channel_settings` name it."""

    def changed(self, settings: ChannelSettings, typed: str) -> ChannelSettings:
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
    if said and (said[2] or "").lower() in {"am", "pm"} and 1 <= hour <= 12:
        hour = hour % 12 + (12 if said[2].lower() == "pm" else 0)
    if hour > 23:
        raise UserError(f"“{typed}” isn't an hour. Use 0–23.", hint="/paper settings hour:9")
    return hour


def _quiet(typed: str) -> tuple[int, int] | None:
    if typed.lower() in _NOTHING:
        return None
    hours = [hour.strip() for hour in _UNTIL.split(typed, maxsplit=1)]
    if len(hours) != 2 or not all(hours):
        raise UserError(
            "Quiet hours go from one hour to another, like 22-7. Or type “off”.",
            hint="/paper settings quiet:22-7",
        )
    begin, end = _hour(hours[0]), _hour(hours[1]) if hours[1] != "24" else 0
    if begin == end:
        raise UserError(
            "Quiet hours need to begin and end at different hours.", hint="/paper settings quiet:22-7"
        )
    return begin, end


def _weekday(typed: str) -> int:
    names = [day.lower() for day in _WEEKDAYS]
    found = [n for n, name in enumerate(names) if len(typed) >= 2 and name.startswith(typed.lower())]
    if len(found) != 1:
        raise UserError(f"“{typed}” isn't a day of the week.", hint="/paper settings day:monday")
    return found[0]


def _zone(typed: str) -> str:
    if not typed:
        return "UTC"
    zone = find_zone(typed)
    if zone is None:
        near = () if _OFFSET.fullmatch(typed) else near_zones(typed)
        raise UserError(
            f"I don't know the time zone “{typed}”. Use a city, like Europe/Berlin.",
            hint=f"/paper settings zone:{near[0]}" if near else "/paper settings zone:Europe/Berlin",
        )
    return zone


def _role(typed: str) -> str:
    if typed.lower() in _NOTHING:
        return ""
    said = _ROLE.fullmatch(typed)
    if said is None:
        raise UserError(
            "“ping:” takes a role: mention it, type its id, or “none”.", hint="/paper settings ping:none"
        )
    return said[1].upper()


def _size(typed: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", typed) or not 1 <= int(typed) <= MAX_DIGEST_THRESHOLD:
        raise UserError(
            f"“digest:” takes a number from 1 to {MAX_DIGEST_THRESHOLD}.", hint="/paper settings digest:5"
        )
    return int(typed)


def _most(typed: str) -> int:
    if typed.lower() in _NOTHING:
        return 0
    if not re.fullmatch("[0-9]{1,3}", typed) or not 1 <= int(typed) <= MAX_DIGEST_THRESHOLD:
        raise UserError(
            f"“most:” takes a number of papers a day from 1 to {MAX_DIGEST_THRESHOLD}, or off.",
            hint="/paper settings most:3",
        )
    return int(typed)


def _always(typed: str) -> tuple[int, ...]:
    if typed.lower() in _NOTHING:
        return ()
    numbers = [number.lstrip("#") for number in re.split("[ ,]+", typed)]
    if len(numbers) > LIMIT or not all(re.fullmatch("[0-9]{1,9}", number) for number in numbers):
        raise UserError(
            "“always:” takes numbers of subscriptions, like #1,#3, or none.", hint="/paper settings always:#1"
        )
    return tuple(sorted({int(number) for number in numbers}))


def _most_meaning(settings: ChannelSettings) -> str:
    if not settings.most:
        return "Every matching paper is posted."
    if settings.every != "now":
        best = "the best paper" if settings.most == 1 else f"the best {settings.most} papers"
        return f"A digest names {best}, and counts the others in one line."
    if settings.most == 1:
        return "The best paper of a day is posted. The others are folded into one line."
    return f"The best {settings.most} papers of a day are posted. The others are folded into one line."


def _always_meaning(settings: ChannelSettings) -> str:
    if not settings.always:
        return "Every subscription counts toward that limit."
    numbers = ", ".join(f"#{number}" for number in settings.always)
    return f"Papers of {numbers} are always posted."


def _frequency(typed: str) -> Frequency:
    return cast("Frequency", _one_of("every", "now", "daily", "weekly")(typed))


def _quiet_meaning(settings: ChannelSettings) -> str:
    if settings.quiet is None:
        return "No quiet hours."
    return "Quiet from {:02}:00 to {:02}:00. Papers found then arrive afterwards in one message.".format(
        *settings.quiet
    )


def _hour_meaning(settings: ChannelSettings) -> str:
    hour = digest_hour(settings)
    moved = f", after quiet hours ({settings.hour:02}:00 is quiet)" if hour != settings.hour else ""
    return f"Digests arrive at {hour:02}:00{moved}."


def _day_meaning(settings: ChannelSettings) -> str:
    if settings.weekday >= 5 and not settings.weekends:
        return f"Weekly digests arrive on Monday, because {_WEEKDAYS[settings.weekday]} is off."
    return f"Weekly digests arrive on {_WEEKDAYS[settings.weekday]}."


_FREQUENCIES = {
    "now": "New papers are posted as they come, unless a subscription says otherwise.",
    "daily": "New papers arrive in a daily digest, unless a subscription says otherwise.",
    "weekly": "New papers arrive in a weekly digest, unless a subscription says otherwise.",
}
_EDITORS = {
    "default": "{platform}'s permissions decide who can edit.",
    "everyone": "Everyone here can change what is posted.",
    "managers": "Only people who manage this channel can change what is posted.",
}


def _choices(*pairs: tuple[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(value, label) for value, label in pairs)


_SWITCH = _choices(("on", "on"), ("off", "off"))
WHEN, HOW_MUCH, LOOK, WHO = "When", "How much", "How it looks", "Who"

SETTING_SPECS: tuple[SettingSpec, ...] = (
    SettingSpec(
        "every", WHEN, "Schedule", "for subscriptions without a schedule of their own", "daily",
        _frequency, lambda s: s.every, lambda s: _FREQUENCIES[s.every],
        choices=_choices(("now", "as they come"), ("daily", "once a day"), ("weekly", "once a week")),
    ),
    SettingSpec(
        "hour", WHEN, "Digest at", "the hour of digests, 0–23", "18",
        _hour, lambda s: str(s.hour), _hour_meaning,
    ),
    SettingSpec(
        "day", WHEN, "Weekly digest on", "the day of weekly digests", "friday",
        _weekday, lambda s: _WEEKDAYS[s.weekday].lower(), _day_meaning, field="weekday",
        choices=tuple(Choice(day.lower(), day) for day in _WEEKDAYS),
    ),
    SettingSpec(
        "zone", WHEN, "Time zone", "a city, like Europe/Berlin", "Berlin",
        _zone, lambda s: s.zone, lambda s: f"Times are in {s.zone}.",
    ),
    SettingSpec(
        "quiet", WHEN, "Quiet hours", "from one hour to another, like 22-7, or off", "22-7",
        _quiet, lambda s: "{}-{}".format(*s.quiet) if s.quiet else "off", _quiet_meaning,
    ),
    SettingSpec(
        "weekends", WHEN, "Weekends", "post on Saturdays and Sundays, or wait until Monday", "off",
        _on_off("weekends"), lambda s: "on" if s.weekends else "off",
        lambda s: "Papers arrive on weekends too." if s.weekends else "Nothing arrives on Saturdays and Sundays.",
        choices=_SWITCH,
    ),
    SettingSpec(
        "digest", HOW_MUCH, "Digest size", "more new papers than this in six hours become one message", "10",
        _size, lambda s: str(s.digest_size),
        lambda s: f"More than {s.digest_size} new papers in six hours become one message.", field="digest_size",
    ),
    SettingSpec(
        "most", HOW_MUCH, "Papers a day", "post the best ones only and fold the rest, like 3, or off", "3",
        _most, lambda s: str(s.most) if s.most else "off", _most_meaning,
    ),
    SettingSpec(
        "always", HOW_MUCH, "Always post", "subscriptions whose papers are posted whatever the limit, like #1,#3, or none",
        "#1", _always, lambda s: ",".join(f"#{number}" for number in s.always) or "none", _always_meaning,
    ),
    SettingSpec(
        "detail", LOOK, "Cards", "compact, or full with the abstract", "full",
        _one_of("detail", "compact", "full"), lambda s: s.detail,
        lambda s: "Cards are compact." if s.detail == "compact" else "Cards show the abstract.",
        choices=_choices(("compact", "compact"), ("full", "full, with the abstract")),
    ),
    SettingSpec(
        "edits", LOOK, "Update cards", "update posted cards when upvotes or code change a lot", "on",
        _on_off("edits"), lambda s: "on" if s.edits else "off",
        lambda s: "Posted cards are updated, twice at most." if s.edits else "Posted cards stay as they are.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "links", LOOK, "Cards for links", "a card below each link to a paper that people post here", "off",
        _on_off("links"), lambda s: "on" if s.links else "off",
        lambda s: "Links to papers get a card." if s.links else "Links to papers stay as they are.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "threads", LOOK, "Threads", "open a thread for each card", "on",
        _on_off("threads"), lambda s: "on" if s.threads else "off",
        lambda s: "Each card gets a thread." if s.threads else "Cards get no threads.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "embeds", LOOK, "Classic embeds", "classic embeds instead of the modern card layout", "on",
        _on_off("embeds"), lambda s: "on" if s.embeds else "off",
        lambda s: "Classic embeds." if s.embeds else "Modern card layout.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "publish", WHO, "Publish", "in announcement channels: publish posts to followers", "yes",
        _on_off("publish"), lambda s: "yes" if s.publish else "no",
        lambda s: "Posts in announcement channels are published to followers." if s.publish
        else "Posts in announcement channels aren't published to followers.",
        choices=_choices(("yes", "yes"), ("no", "no")), optional=True,
    ),
    SettingSpec(
        "ping", WHO, "Role to ping", "a role to notify of each post, or none", "@readers",
        _role, lambda s: s.ping or "none",
        lambda s: "A role is notified of each post." if s.ping else "No role is notified.", optional=True,
    ),
    SettingSpec(
        "editors", WHO, "Who can edit", "default, everyone, or managers of the channel", "managers",
        _one_of("editors", "default", "everyone", "managers"), lambda s: s.editors, lambda s: _EDITORS[s.editors],
        choices=_choices(("default", "as usual here"), ("everyone", "everyone"), ("managers", "managers only")),
        optional=True,
    ),
)  # fmt: skip


OPTIONAL_SETTINGS = frozenset(spec.name for spec in SETTING_SPECS if spec.optional)
"""Names of the settings that only some platforms have."""


OF_A_ROOM = frozenset({"threads", "embeds", "publish", "ping", "editors"})
"""Names of the settings that make no sense in a person's own channel."""


def specs_for(channel_settings: frozenset[str], channel: ChannelRef) -> tuple[SettingSpec, ...]:
    """The settings that make sense in a channel, on a platform with these optional ones."""
    here = channel_settings - OF_A_ROOM if channel.person else channel_settings
    return tuple(spec for spec in SETTING_SPECS if not spec.optional or spec.name in here)


def changed_settings(
    settings: ChannelSettings, typed: Iterable[tuple[str, str]], specs: Sequence[SettingSpec]
) -> ChannelSettings:
    """The settings after these changes, each of one of the specs. Raises UserError for the first that is impossible."""
    by_name, typed = {spec.name: spec for spec in specs}, list(typed)
    for name, value in typed:
        try:
            settings = by_name[name].changed(settings, value)
        except UserError as error:
            others = (f" {other}:{said}" for other, said in typed if other != name)
            raise UserError(str(error), hint=f"{error.hint}{''.join(others)}" if error.hint else "") from None
    return settings


def difference(old: ChannelSettings, new: ChannelSettings) -> list[SettingSpec]:
    """The settings whose value differs."""
    return [spec for spec in SETTING_SPECS if spec.typed(old) != spec.typed(new)]
