"""Derives a paper's events from two successive states of it. Pure.

Only a known value can change: the first arXiv record that we read of a paper makes no event.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.domain.life import MAX_EVENTS, Event, EventKind
from bot.domain.models import Paper
from bot.text.changes import in_words, word_changes
from bot.text.mentions import code_link
from bot.text.sentences import shorten
from bot.text.venues import Acceptance, acceptance_of

MILESTONES = (100, 250, 500, 1000, 2500)
"""Numbers of upvotes that make an event."""
MAX_TEXT = 400
"""Maximum length of an event's text, since the outbox stores it."""
MAX_NAMES = 3
"""Maximum number of added, or removed, authors listed by name."""


def with_events(before: Paper | None, after: Paper, at: datetime) -> Paper:
    """Return the later state, with the events since the earlier one added to its history."""
    if after.code_url is None and (link := code_link(after.comment or "") or _code_in_abstract(after)):
        after = replace(after, code_url=link)
    if before is None:
        return after
    known = {event.key for event in after.events}
    new = tuple(event for event in _events(before, after, at) if event.key not in known)
    return replace(after, events=(*after.events, *new)[-MAX_EVENTS:]) if new else after


def new_events(before: Paper | None, after: Paper) -> list[Event]:
    """Return the events that `after` has in addition to those of `before`."""
    known = {event.key for event in before.events} if before else {event.key for event in after.events}
    return [event for event in after.events if event.key not in known]


def _code_in_abstract(paper: Paper) -> str | None:
    return code_link(paper.abstract) if paper.versions and paper.comment is not None else None


def _events(before: Paper, after: Paper, at: datetime) -> Iterator[Event]:
    def event(kind: EventKind, key: str, text: str) -> Event:
        return Event(kind, key, at, shorten(text, MAX_TEXT))

    withdrawn = bool(after.withdrawn) and not before.withdrawn
    if withdrawn:
        yield event("withdrawn", f"withdrawn-v{after.versions or 1}", _withdrawal(after.comment or ""))
    elif before.withdrawn and after.withdrawn is False:
        yield event("withdrawn", f"reinstated-v{after.versions or 1}", "No longer withdrawn")
    if before.versions and after.versions and after.versions > before.versions and not withdrawn:
        text = f"v{after.versions} is out{_listed(_version_changes(before, after))}"
        yield event("version", f"v{after.versions}", text)
    if before.comment is not None and not after.withdrawn:
        yield from _acceptances(before, after, at)
        if (after.journal_ref or after.doi) and not (before.journal_ref or before.doi):
            where = [after.journal_ref or "", f"doi:{after.doi}" if after.doi else ""]
            yield event("published", "published", f"Published: {', '.join(filter(None, where))}")
    if _code_appeared(before, after):
        yield event("code", "code", f"Code is available: {after.code_url}")
    if before.upvotes is not None:
        reached = [step for step in MILESTONES if before.upvotes < step <= (after.upvotes or 0)]
        for step in reached[-1:]:
            yield event("milestone", f"upvotes-{step}", f"It has {step:,} upvotes")


def _withdrawal(comment: str) -> str:
    if not comment:
        return "Withdrawn"
    says_so = any(word in comment.casefold() for word in ("withdraw", "retract"))
    return comment if says_so else f"Withdrawn: {comment}"


def _acceptances(before: Paper, after: Paper, at: datetime) -> Iterator[Event]:
    # A paper's comment while it was withdrawn isn't news when it is reinstated.
    old = acceptance_of(replace(before, withdrawn=None))
    new = acceptance_of(after)
    if new is None:
        return
    same_venue = old is not None and old.venue.casefold() == new.venue.casefold()
    if old is not None and (
        not new.venue or (same_venue and (old.kind or not new.kind) and _same_year(old, new))
    ):
        return
    text = f"Accepted at {new}" if new.venue else "Accepted for publication"
    yield Event(
        "accepted", _slug("accepted", new.venue, str(new.year or ""), new.kind), at, shorten(text, MAX_TEXT)
    )


def _same_year(old: Acceptance, new: Acceptance) -> bool:
    return old.year == new.year or not (old.year and new.year)


def _code_appeared(before: Paper, after: Paper) -> bool:
    # A source that lists the paper for the first time, or the first arXiv record, may mention old code.
    first_record = before.comment is None and after.comment is not None
    return (
        bool(after.code_url) and not before.code_url and before.sources == after.sources and not first_record
    )


def _version_changes(before: Paper, after: Paper) -> Iterator[str]:
    if title := word_changes(before.title, after.title):
        yield f"title {in_words(title)}"
    if abstract := word_changes(before.abstract, after.abstract):
        yield f"abstract {in_words(abstract)}"
    removed = [name for name in before.authors if name not in after.authors]
    added = [name for name in after.authors if name not in before.authors]
    if added or removed:
        parts = [("added", added), ("removed", removed)]
        yield "authors " + ", ".join(f"{did} {_names(names)}" for did, names in parts if names)
    if (
        comment := word_changes(before.comment or "", after.comment or "")
        if before.comment is not None
        else []
    ):
        yield f"comment {in_words(comment)}"


def _listed(changes: Iterator[str]) -> str:
    sentences = ". ".join(change[0].upper() + change[1:] for change in changes)
    return f". {sentences}" if sentences else ", with the same title, abstract and authors"


def _names(names: list[str]) -> str:
    more = len(names) - MAX_NAMES
    return " and ".join((", ".join(names[:MAX_NAMES]), *([f"{more} more"] if more > 0 else [])))


def _slug(*parts: str) -> str:
    """Join the parts to one word of lower-case letters, digits and hyphens."""
    return "-".join(filter(None, (re.sub(r"\W+", "-", part.casefold()).strip("-") for part in parts)))[:80]
