"""A paper as JSON, and what becomes of it when sources list it again. Pure."""

import json
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from bot.domain.models import Paper

WATCHED = (
    "title",
    "abstract",
    "authors",
    "categories",
    "sources",
    "upvotes",
    "rank",
    "code_url",
    "withdrawn",
)
"""What queries look at: where one of these changes, a young paper is matched again."""
LIVE = ("upvotes", "code_url", "code_stars", "project_url", "rank")
"""Facts that move on, whoever tells the latest."""

Change = dict[str, tuple[Any, Any]]
"""Field -> (former value, present value)."""

_TUPLES = ("authors", "categories", "sources")
_NAMES = tuple(field.name for field in fields(Paper))


def dump(paper: Paper) -> str:
    """A paper as one line of JSON, without what it lacks. Equal papers give equal lines."""
    values = {name: getattr(paper, name) for name in _NAMES}
    values["published"] = paper.published.isoformat()
    return as_line({name: value for name, value in values.items() if value is not None and value != ()})


def load(text: str) -> Paper:
    """The inverse of `dump`; fields that a newer version added are left out."""
    values = {"authors": []} | json.loads(text)
    return Paper(**{name: _value(name, values[name]) for name in _NAMES if name in values})


def merge(old: Paper | None, new: Paper) -> Paper:
    """What is known of a paper once another source, or the same one again, has described it.

    The source that listed it first keeps the word about its text, and may revise it; others fill in what is
    missing. Of `LIVE` facts the newest counts. Merging the same description twice changes nothing.
    """
    if old is None:
        return new
    author = new.sources[:1] == old.sources[:1]
    merged: dict[str, Any] = {}
    for name in _NAMES:
        present, offered = getattr(old, name), getattr(new, name)
        takes = author or name in LIVE or _missing(present)
        merged[name] = offered if takes and not _missing(offered) else present
    merged["sources"] = (*old.sources, *(source for source in new.sources if source not in old.sources))
    merged["categories"] = _joined(merged["categories"], (*old.categories, *new.categories))
    return Paper(**merged)


def changes(old: Paper, new: Paper) -> Change:
    """The `WATCHED` fields in which two states of a paper differ."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in WATCHED}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def dump_change(change: Change) -> str:
    """A change as JSON; nothing for no change."""
    return as_line(change) if change else ""


def rewind(paper: Paper, text: str) -> tuple[Paper, Paper | None]:
    """The paper after and before a change written by `dump_change`; before is None for a new paper."""
    if not text:
        return paper, None
    change = json.loads(text)
    after = {name: _value(name, pair[1]) for name, pair in change.items()}
    before = {name: _value(name, pair[0]) for name, pair in change.items()}
    return replace(paper, **after), replace(paper, **before)


def _joined(first: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))


def _missing(value: object) -> bool:
    return value is None or value in ((), "")  # 0 upvotes are not missing


def _value(name: str, value: Any) -> Any:
    if name == "published":
        return datetime.fromisoformat(value)
    return tuple(value) if name in _TUPLES else value


def as_line(value: object) -> str:
    """JSON as records are written: equal values give equal lines."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
