"""Settings of a channel: how each is typed, what it means, and its field in a form."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.cards import Choice, Field
from bot.commands.setting_values import (
    WEEKDAYS,
    on_off,
    one_of,
    read_always,
    read_frequency,
    read_hour,
    read_most,
    read_quiet,
    read_role,
    read_size,
    read_weekday,
    read_zone,
)
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, ChannelSettings
from bot.policy.schedule import digest_hour


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One setting of a channel."""

    name: str
    """Name as it is typed: `name:value`."""
    group: str
    """Heading under which it is shown."""
    label: str
    help: str
    example: str
    """A value, as it would be typed."""
    read: Callable[[str], Any]
    """Parses a typed value. Raises UserError that says what can be typed."""
    typed: Callable[[ChannelSettings], str]
    """Returns the present value as it would be typed."""
    meaning: Callable[[ChannelSettings], str]
    """Returns the meaning of the present value, in a sentence."""
    field: str = ""
    """Name of its field of ChannelSettings, if different."""
    choices: tuple[Choice, ...] = ()
    optional: bool = False
    """Whether it makes sense only on platforms whose `PlatformSettings.channel_settings` name it."""

    def changed(self, settings: ChannelSettings, typed: str) -> ChannelSettings:
        """Return the settings with a new value. Raises UserError if the value is invalid."""
        changes: dict[str, Any] = {self.field or self.name: self.read(typed.strip())}
        return replace(settings, **changes)

    def form_field(self, settings: ChannelSettings) -> Field:
        """Return its field in a form."""
        return Field(self.name, self.label, self.typed(settings), self.help, self.choices)


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
        return f"Weekly digests arrive on Monday, because {WEEKDAYS[settings.weekday]} is off."
    return f"Weekly digests arrive on {WEEKDAYS[settings.weekday]}."


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
        "every", WHEN, "Schedule", "for subscriptions that set no schedule", "daily",
        read_frequency, lambda s: s.every, lambda s: _FREQUENCIES[s.every],
        choices=_choices(("now", "as they come"), ("daily", "once a day"), ("weekly", "once a week")),
    ),
    SettingSpec(
        "hour", WHEN, "Digest at", "the hour of digests, 0–23", "18",
        read_hour, lambda s: str(s.hour), _hour_meaning,
    ),
    SettingSpec(
        "day", WHEN, "Weekly digest on", "the day of weekly digests", "friday",
        read_weekday, lambda s: WEEKDAYS[s.weekday].lower(), _day_meaning, field="weekday",
        choices=tuple(Choice(day.lower(), day) for day in WEEKDAYS),
    ),
    SettingSpec(
        "zone", WHEN, "Time zone", "a city, like Europe/Berlin", "Berlin",
        read_zone, lambda s: s.zone, lambda s: f"Times are in {s.zone}.",
    ),
    SettingSpec(
        "quiet", WHEN, "Quiet hours", "from one hour to another, like 22-7, or off", "22-7",
        read_quiet, lambda s: "{}-{}".format(*s.quiet) if s.quiet else "off", _quiet_meaning,
    ),
    SettingSpec(
        "weekends", WHEN, "Weekends", "post on Saturdays and Sundays, or wait until Monday", "off",
        on_off("weekends"), lambda s: "on" if s.weekends else "off",
        lambda s: "Papers arrive on weekends too." if s.weekends else "Nothing arrives on Saturdays and Sundays.",
        choices=_SWITCH,
    ),
    SettingSpec(
        "digest", HOW_MUCH, "Digest size", "more new papers than this in six hours become one message", "10",
        read_size, lambda s: str(s.digest_size),
        lambda s: f"More than {s.digest_size} new papers in six hours become one message.", field="digest_size",
    ),
    SettingSpec(
        "most", HOW_MUCH, "Papers a day", "post the best ones only and fold the rest, like 3, or off", "3",
        read_most, lambda s: str(s.most) if s.most else "off", _most_meaning,
    ),
    SettingSpec(
        "always", HOW_MUCH, "Always post", "subscriptions whose papers are posted even above the limit, like #1,#3, or none",
        "#1", read_always, lambda s: ",".join(f"#{number}" for number in s.always) or "none", _always_meaning,
    ),
    SettingSpec(
        "detail", LOOK, "Cards", "compact, or full with the abstract", "full",
        one_of("detail", "compact", "full"), lambda s: s.detail,
        lambda s: "Cards are compact." if s.detail == "compact" else "Cards show the abstract.",
        choices=_choices(("compact", "compact"), ("full", "full, with the abstract")),
    ),
    SettingSpec(
        "edits", LOOK, "Update cards", "update posted cards when upvotes or code change a lot", "on",
        on_off("edits"), lambda s: "on" if s.edits else "off",
        lambda s: "Posted cards are updated, twice at most." if s.edits else "Posted cards stay as they are.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "links", LOOK, "Cards for links", "a card below each link to a paper that people post here", "off",
        on_off("links"), lambda s: "on" if s.links else "off",
        lambda s: "Links to papers get a card." if s.links else "Links to papers stay as they are.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "threads", LOOK, "Threads", "open a thread for each card", "on",
        on_off("threads"), lambda s: "on" if s.threads else "off",
        lambda s: "Each card gets a thread." if s.threads else "Cards get no threads.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "embeds", LOOK, "Classic embeds", "classic embeds instead of the modern card layout", "on",
        on_off("embeds"), lambda s: "on" if s.embeds else "off",
        lambda s: "Classic embeds." if s.embeds else "Modern card layout.",
        choices=_SWITCH, optional=True,
    ),
    SettingSpec(
        "publish", WHO, "Publish", "in announcement channels: publish posts to followers", "yes",
        on_off("publish"), lambda s: "yes" if s.publish else "no",
        lambda s: "Posts in announcement channels are published to followers." if s.publish
        else "Posts in announcement channels aren't published to followers.",
        choices=_choices(("yes", "yes"), ("no", "no")), optional=True,
    ),
    SettingSpec(
        "ping", WHO, "Role to ping", "a role to notify of each post, or none", "@readers",
        read_role, lambda s: s.ping or "none",
        lambda s: "A role is notified of each post." if s.ping else "No role is notified.", optional=True,
    ),
    SettingSpec(
        "editors", WHO, "Who can edit", "default, everyone, or managers of the channel", "managers",
        one_of("editors", "default", "everyone", "managers"), lambda s: s.editors, lambda s: _EDITORS[s.editors],
        choices=_choices(("default", "as usual here"), ("everyone", "everyone"), ("managers", "managers only")),
        optional=True,
    ),
)  # fmt: skip


OPTIONAL_SETTINGS = frozenset(spec.name for spec in SETTING_SPECS if spec.optional)
"""Names of the settings that only some platforms have."""


NOT_IN_PERSONAL_CHANNELS = frozenset({"threads", "embeds", "publish", "ping", "editors"})
"""Names of the settings that make no sense in a person's own channel."""


def specs_for(channel_settings: frozenset[str], channel: ChannelRef) -> tuple[SettingSpec, ...]:
    """Return the settings that make sense in a channel, on a platform with these optional ones."""
    here = channel_settings - NOT_IN_PERSONAL_CHANNELS if channel.person else channel_settings
    return tuple(spec for spec in SETTING_SPECS if not spec.optional or spec.name in here)


def changed_settings(
    settings: ChannelSettings, typed: Iterable[tuple[str, str]], specs: Sequence[SettingSpec]
) -> ChannelSettings:
    """Return the settings after these changes, each of one of the specs. Raises UserError for the first invalid one."""
    by_name, typed = {spec.name: spec for spec in specs}, list(typed)
    for name, value in typed:
        try:
            settings = by_name[name].changed(settings, value)
        except UserError as error:
            others = (f" {other}:{other_value}" for other, other_value in typed if other != name)
            raise UserError(str(error), hint=f"{error.hint}{''.join(others)}" if error.hint else "") from None
    return settings


def difference(old: ChannelSettings, new: ChannelSettings) -> list[SettingSpec]:
    """Return the settings whose value differs."""
    return [spec for spec in SETTING_SPECS if spec.typed(old) != spec.typed(new)]
