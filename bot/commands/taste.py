"""`/paper taste`: show what Paperboy learned from a channel's 👍 and 👎, back-test it, or change it."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from bot.cards import Block, Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.cards.sanitize import plain
from bot.commands.ranked import Matched, matched
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.taste_learning import BACKGROUND, Signals, relearn, signals_of
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command, Paper
from bot.policy.channel_taste import MOST_FORGOTTEN, ChannelTaste
from bot.policy.ranking import taste_of
from bot.policy.taste import ENOUGH, Taste, TasteTerm, named_term
from bot.ports import Reply
from bot.text import shorten

LIKED_TERMS, DISLIKED_TERMS = 10, 5
"""Maximum number of terms listed, the strongest of liked papers and of disliked ones."""
REMOVABLE = 3
"""Number of terms with a button that removes them."""
MAX_TITLE = 60
"""Maximum number of characters shown of a title or term."""
EXAMPLE = "/paper taste like 2405.01234"
_OF_PAPERS = ("like", "dislike", "forget")
_VERBS = (*_OF_PAPERS, "remove", "restore")
_EVERYTHING = frozenset({"all", "everything", "please", "it"})


async def taste(command: Command, services: Services) -> Reply:
    """Show the channel's taste, or change it: examples, terms, papers to forget, reset, off, on."""
    verb, _, what = command.options.get("what", "").strip().partition(" ")
    channel, verb, what = command.channel, verb.lower(), what.strip()
    if not verb:
        return Reply(await _shown(await relearn(channel, services), channel, services))
    if verb in {"off", "on", "reset"} and not what:
        return Reply(await _switched(verb, channel, services))
    if verb in {"forget", "reset", "remove"} and what.casefold() in _EVERYTHING:
        raise UserError("To forget all of it, reset this channel's taste.", hint="/paper taste reset")
    if verb in {"remove", "restore"} and what:
        return Reply(await _term_changed(verb, what, channel, services))
    if verb in _OF_PAPERS and what:
        return Reply(await _paper_changed(verb, what, channel, services))
    if verb in _VERBS:
        needs = "a paper: its id, link or title" if verb in _OF_PAPERS else "a term of /paper taste"
        raise UserError(
            f"“taste {verb}” needs {needs}.", hint=EXAMPLE if verb in _OF_PAPERS else "/paper taste"
        )
    if what and (near := get_close_matches(verb, _VERBS, n=1, cutoff=0.75)):
        raise UserError(f"Did you mean “{near[0]}”?", hint=f"/paper taste {near[0]} {what}")
    raise UserError(
        "“taste” takes like, dislike or forget and a paper, remove or restore and a term, or reset, off or on.",
        hint=EXAMPLE,
    )


async def _switched(verb: str, channel: ChannelRef, services: Services) -> Card:
    if verb == "reset":
        forget = [vote.paper for vote in await services.votes.of(channel)]

        def emptied(_taste: ChannelTaste) -> ChannelTaste:
            return ChannelTaste(forgotten=tuple(dict.fromkeys(forget))[-MOST_FORGOTTEN:])

        await relearn(channel, services, emptied)
        return _message_card("This channel's taste is empty again. What people like from now on counts.")
    await relearn(channel, services, lambda taste: replace(taste, on=verb == "on"))
    if verb == "off":
        return _message_card(
            "Taste is off: upvotes and matches alone order papers here.", Button("Switch on", "taste on")
        )
    return _message_card("Taste is on: it orders the papers here.", Button("Show", "taste"))


async def _term_changed(verb: str, what: str, channel: ChannelRef, services: Services) -> Card:
    """Stop counting a term, or count it again. Any spelling that its papers use is accepted."""
    stored, term, named = (
        taste_of(await services.rules.of(channel)),
        named_term(what),
        f"“{shorten(plain(what), MAX_TITLE)}”",
    )
    known = [] if stored.taste is None else [one.term for one in stored.taste.terms]
    if term not in (known if verb == "remove" else ()) and term not in stored.removed:
        missing = "wasn't removed from" if verb == "restore" else "isn't among the terms of"
        raise UserError(f"{named} {missing} this channel's taste.", hint="/paper taste")
    if verb == "restore":
        await relearn(channel, services, lambda taste: taste.with_term(term))
        return _message_card(f"{named} counts here again.", Button("Show", "taste"))
    await relearn(channel, services, lambda taste: taste.without_term(term))
    return _message_card(
        f"{named} no longer counts here.", Button("Show", "taste"), Button("Undo", f"taste restore {what}")
    )


async def _paper_changed(verb: str, what: str, channel: ChannelRef, services: Services) -> Card:
    """Make a paper an example of what is liked or disliked, or stop counting it. Undo restores what it was before."""
    try:
        paper = await resolve_paper(what, services)
    except UserError as error:
        hint = error.hint if error.hint.startswith("/") else f"/paper taste {verb} {error.hint}"
        raise UserError(str(error), hint=hint) from None
    title = f"“{shorten(plain(paper.title), MAX_TITLE)}”"
    was = _verdict_of(paper, await signals_of(channel, taste_of(await services.rules.of(channel)), services))
    undo = [Button("Undo", f"taste {was} {paper.id}")] if was != verb else []
    if verb == "forget":
        await relearn(channel, services, lambda taste: taste.without_paper(paper.id))
        counts = "no longer counts" if undo else "doesn't count"
        return _message_card(f"{title} {counts} here.", *undo)
    changed = await relearn(
        channel, services, lambda taste: taste.with_example(paper.id, liked=verb == "like")
    )
    signals = await signals_of(channel, changed, services)
    message = (
        f"{title} counts as {'liked' if verb == 'like' else 'not for this channel'}. {_progress(signals)}"
    )
    if not changed.on:
        return _message_card(f"{message} But taste is off here.", Button("Switch on", "taste on"), *undo)
    return _message_card(message, Button("Show", "taste"), *undo)


def _verdict_of(paper: Paper, signals: Signals) -> str:
    """Return the command that makes a paper count as it does now: like, dislike, or forget if it doesn't count."""
    if paper.id in {one.id for one in signals.liked}:
        return "like"
    return "dislike" if paper.id in {one.id for one in signals.disliked} else "forget"


async def _shown(stored: ChannelTaste, channel: ChannelRef, services: Services) -> Card:
    signals = await signals_of(channel, stored, services)
    if not stored.on:
        return _message_card(
            "Taste is off here: papers come in their usual order.", Button("Switch on", "taste on")
        )
    if stored.taste is None:
        return _message_card(
            f"Paperboy doesn't know this channel's taste yet. {_progress(signals)}", hint=EXAMPLE
        )
    recent = await matched(channel, services, BACKGROUND)
    return taste_card(stored.taste, signals, recent)


async def taste_blocks(channel: ChannelRef, services: Services) -> Sequence[Block]:
    """Say what the channel's taste does with papers that people don't like, or what is missing until it has one."""
    stored = taste_of(await services.rules.of(channel))
    if not stored.on:
        return ()
    signals = await signals_of(channel, stored, services)
    if stored.taste is None:
        return (paragraph(f"A taste puts such papers last. {_progress(signals)}"),)
    recent = await matched(channel, services, BACKGROUND)
    message = f"This channel's taste puts such papers last. {_back_test(stored.taste, signals, recent)}"
    return (paragraph(message), *actions(Button("Show", "taste")))


def taste_card(learned: Taste, signals: Signals, recent: Matched) -> Card:
    """Return a card with the terms, their weights and the papers they came from, and a back-test on recent papers."""
    liked = sorted((term for term in learned.terms if term.weight > 0), key=lambda term: -term.weight)
    others = sorted((term for term in learned.terms if term.weight < 0), key=lambda term: term.weight)
    recently = (paper for paper, _ in recent.entries)
    titles = {paper.id: paper.title for paper in (*recently, *signals.liked, *signals.disliked)}
    more: Sequence[Block] = (
        (paragraph(bold("Less of this")), _lines(others[:DISLIKED_TERMS], titles)) if others else ()
    )
    heading = "What this channel likes"
    source = (
        f"Learned from {learned.likes} liked and {count(learned.dislikes, 'disliked paper')}. The recent papers most like the"
        " liked ones count a little, too."
    )
    return Card(
        "list",
        f"{heading}: {', '.join(map(str, liked[:REMOVABLE]))}",
        heading,
        (
            paragraph(f"{source} It decides the order of papers, and which ones a budget folds."),
            _lines(liked[:LIKED_TERMS], titles),
            *more,
            paragraph(_back_test(learned, signals, recent)),
            paragraph(dim("Change it with "), code("/paper taste remove <term>"), dim(", "), code("forget <paper>"),
                      dim(" or "), code("like <paper>"), dim(".")),
            *actions(
                *(Button(f"Remove {term}", f"taste remove {term}") for term in liked[:REMOVABLE]),
                Button("Switch off", "taste off"),
                Button("Reset", "taste reset"),
            ),
        ),
    )  # fmt: skip


def _lines(terms: Sequence[TasteTerm], titles: dict[str, str]) -> Bullets:
    return Bullets(tuple(_line(term, titles) for term in terms))


def _line(term: TasteTerm, titles: dict[str, str]) -> Text:
    papers = [f"“{shorten(plain(titles[one]), MAX_TITLE)}”" for one in term.papers if one in titles]
    source = f" from {papers[0]}" if papers else ""
    more = f" and {len(papers) - 1} more" if len(papers) > 1 else ""
    return text(bold(str(term)), f" {term.weight:+.2f}", dim(f"{source}{more}"))


def _back_test(learned: Taste, signals: Signals, recent: Matched) -> str:
    """Say what the taste would have done with the papers of the last 14 days."""
    papers: list[Paper] = [paper for paper, _ in recent.entries]
    if not papers:
        return "No papers of the last 14 days to try it on."
    folded = {paper.id for paper in papers if learned.folds(paper)}
    liked = {paper.id for paper in signals.liked} & {paper.id for paper in papers}
    message = f"Of the last {count(len(papers), 'matching paper')} it would have kept {len(papers) - len(folded)} and folded {len(folded)}."
    if liked:
        message += f" Of the {count(len(liked), 'liked one')} among them it keeps {len(liked - folded)}."
    return message


def _progress(signals: Signals) -> str:
    """Say how many signals there are, and how many are needed until there is a taste."""
    if signals.enough:
        return (
            f"Learned from {len(signals.liked)} liked and {count(len(signals.disliked), 'disliked paper')}."
        )
    return (
        f"It needs {ENOUGH} papers with a 👍 and {ENOUGH} with a 👎; "
        f"so far it has {len(signals.liked)} and {len(signals.disliked)}."
    )


def _message_card(message: str, *buttons: Button, hint: str = "") -> Card:
    example = ((" You can also name examples: ", code(hint)),) if hint else ()
    return Card(
        "reply",
        message,
        blocks=(paragraph(message, *(span for one in example for span in one)), *actions(*buttons)),
    )
