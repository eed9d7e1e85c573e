"""Converts papers to JSON and back, and merges several descriptions of a paper. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from types import NoneType
from typing import Any

from bot.domain.life import MAX_EVENTS, Event
from bot.domain.models import Paper

WATCHED = (
    "title",
    "abstract",
    "authors",
    "categories",
    "sources",
    "organization",
    "upvotes",
    "rank",
    "code_url",
    "withdrawn",
    "events",
)
"""Fields that queries look at, and events: if one of these changes, a young paper is matched again."""
OF_ANY_AGE = ("withdrawn", "events")
"""Fields whose change is announced however old the paper is: watchers, and cards that were posted long ago, need it."""
LIVE = ("upvotes", "comments", "code_url", "code_stars", "project_url", "rank")
"""Fields that change over time: the latest description counts, whichever source it is from."""

MAX_CITING = 3000
"""Maximum number of works stored as citing a paper, in 42 kB: more than are requested."""

_TEXT_OR_NONE = (str, NoneType)

Change = dict[str, tuple[Any, Any]]
"""Field -> (value before, value after)."""

_TUPLES = ("authors", "categories", "sources", "keywords", "openalex", "upvotes_over_time")
_NAMES = tuple(field.name for field in fields(Paper))
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "title", "abstract", "url", "published"), (str,)),
    **dict.fromkeys((*_TUPLES, "events"), (list,)),
    **dict.fromkeys(("code_stars", "upvotes", "comments", "rank", "versions"), (int, NoneType)),
    **dict.fromkeys(("withdrawn", "backfilled"), (bool, NoneType)),
}
"""JSON types of the fields; all others are text or missing."""


def dump(paper: Paper) -> str:
    """Return a paper as one line of JSON, without its empty fields. Equal papers give equal lines."""
    values = {name: getattr(paper, name) for name in _NAMES}
    values["published"] = paper.published.isoformat()
    values["events"] = _event_rows(paper.events)
    return as_line(
        {name: value for name, value in values.items() if value is not None and value not in ((), [])}
    )


def load(text: str) -> Paper:
    """The inverse of `dump`; fields that a newer version added are ignored.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    values = {"authors": []} | json.loads(text)
    return Paper(**{name: _value(name, values[name]) for name in _NAMES if name in values})


def load_readable(texts: Iterable[str]) -> Iterator[Paper]:
    """Yield the papers whose records can be read; `Papers.get` reports the others."""
    for text in texts:
        try:
            yield load(text)
        except (ValueError, KeyError, TypeError):
            continue


def merge(old: Paper | None, new: Paper) -> Paper:
    """Return a paper merged with another description of it, from another source or from the same one again.

    The source that listed it first can revise its text, and so can a new version on arXiv; others only fill in missing
    fields. Of the `LIVE` fields the newest value counts. Merging the same description twice changes nothing.
    """
    if old is None:
        return new
    is_first_source = new.sources[:1] == old.sources[:1]
    if new.versions is None and (old.versions or 0) > 1:
        new = replace(new, title="", abstract="", authors=())  # it may describe an earlier version
    elif old.versions and (new.versions or 0) > old.versions:
        old = replace(old, title="", abstract="", authors=())
    merged: dict[str, Any] = {}
    for name in _NAMES:
        present, offered = getattr(old, name), getattr(new, name)
        replaces = is_first_source or name in LIVE or _missing(present)
        merged[name] = offered if replaces and not _missing(offered) else present
    if new.comment is not None:
        merged["comment"] = new.comment
    merged["versions"] = max(old.versions or 0, new.versions or 0) or None
    merged["withdrawn"] = _withdrawn(old.withdrawn, new.withdrawn)
    merged["openalex"] = _joined(new.openalex, old.openalex)[:MAX_CITING]
    merged["events"] = _joined_events(old.events, new.events)
    merged["sources"] = (*old.sources, *(source for source in new.sources if source not in old.sources))
    merged["categories"] = _joined(merged["categories"], (*old.categories, *new.categories))
    return Paper(**merged)


def _joined_events(old: tuple[Event, ...], new: tuple[Event, ...]) -> tuple[Event, ...]:
    known = {event.key for event in old}
    return (*old, *(event for event in new if event.key not in known))[-MAX_EVENTS:]


def _withdrawn(old: bool | None, new: bool | None) -> bool | None:
    """Return the merged value; False ("no longer withdrawn") only if the paper was withdrawn before."""
    if new is None:
        return old
    return True if new else (None if old is None else False)


def changes(old: Paper, new: Paper) -> Change:
    """Return the `WATCHED` fields in which two states of a paper differ."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in WATCHED}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def dump_change(change: Change) -> str:
    """Return a change as JSON; "" for no change."""
    if "events" in change:
        before, after = change["events"]
        change = change | {"events": (_event_rows(before), _event_rows(after))}
    return as_line(change) if change else ""


def _event_rows(events: Iterable[Event]) -> list[tuple[str, str, str, str]]:
    return [(event.kind, event.key, event.at.isoformat(), event.text) for event in events]


def _event(row: Any) -> Event:
    kind, key, at, text, *_ = row
    return Event(kind, str(key), datetime.fromisoformat(at), str(text))


def rewind(paper: Paper, text: str) -> tuple[Paper, Paper | None]:
    """Return the paper after and before a change written by `dump_change`; before is None for a new paper.

    Fields that a newer version added are ignored. Raises ValueError, KeyError, TypeError or AttributeError if the
    change can't be read.
    """
    if not text:
        return paper, None
    change = {name: pair for name, pair in json.loads(text).items() if name in _NAMES}
    after = {name: _value(name, pair[1]) for name, pair in change.items()}
    before = {name: _value(name, pair[0]) for name, pair in change.items()}
    return replace(paper, **after), replace(paper, **before)


def _joined(first: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))


def _missing(value: object) -> bool:
    return value is None or value in ((), "")  # 0 upvotes are not missing


def _value(name: str, stored: object) -> Any:
    value: Any = stored
    if not isinstance(stored, _TYPES.get(name, _TEXT_OR_NONE)):
        raise TypeError(f"{name} is {type(stored).__name__}")
    if name == "published":
        return datetime.fromisoformat(value)
    if name == "events":
        return tuple(map(_event, value))
    if name not in _TUPLES:
        return value
    if {*map(type, value)} - {str}:
        raise TypeError(f"{name} has elements that aren't text")
    return tuple(value)


def as_line(value: object) -> str:
    """Return a value as one line of JSON. Equal values give equal lines."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
