"""`/paper explain`: say step by step why a paper was or was not posted in this channel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.cards import Bullets, Button, Card, Span, Text
from bot.cards.build import actions, bold, code, count, paragraph, text
from bot.cards.paper import NOTICE, QUERY
from bot.cards.sanitize import link, plain
from bot.commands.life import history_lines
from bot.commands.places import Place, place_lines, places_elsewhere
from bot.commands.ranked import ranked
from bot.commands.reasons import quiet_now
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.source_reasons import unread_categories
from bot.commands.synonyms import accepting, wider_queries
from bot.domain.deliveries import OpenDelivery, Sent
from bot.domain.models import ChannelRef, Command, Paper, Rules, Subscription
from bot.policy.planner import DIGEST, REST, muting
from bot.policy.schedule import in_words
from bot.policy.synonyms import Synonym
from bot.ports import Reply
from bot.query import PaperView, parse
from bot.query.explanation import mismatches
from bot.store.papers import YOUNG
from bot.text import shorten

SHOWN = 12
"""Maximum number of subscriptions listed; those that match come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything known about a paper in a channel."""

    paper: Paper
    seen: datetime | None
    """Time when a source first listed it."""
    subscriptions: Sequence[Subscription]
    rules: Rules
    delivery: OpenDelivery | None
    sent: Sent | None
    paused: str
    unread: Sequence[str]
    """Its categories that no source reads, though one could."""
    missed: Sequence[tuple[Subscription, Synonym]]
    """Subscriptions that would match it with a synonym, and that synonym."""
    now: datetime
    places: Sequence[Place] = ()
    """Other channels in which it was posted."""
    place: tuple[int, int] | None = None
    """Its rank, from 1, in the message that it is or was in, and the number of papers there; None if it is alone."""

    def local_time(self, moment: datetime) -> str:
        """Return a time in words, in the channel's zone."""
        return in_words(moment, self.rules.settings.zone)


async def explain(command: Command, services: Services) -> Reply:
    """Say when the paper was seen, which subscriptions match, and whether it is muted, waiting, posted or failed."""
    paper, channel = await resolve_paper(command.options["paper"], services), command.channel
    deliveries = await services.outbox.open_deliveries(channel)
    subscriptions = await services.subscriptions.of(channel)
    seen = (await services.papers.first_seen([paper.id])).get(paper.id)
    delivery = next((one for one in deliveries if paper.id in dict(one.papers)), None)
    sent = await services.outbox.sent(channel, paper.id)
    story = Story(
        paper=paper,
        seen=datetime.fromtimestamp(seen / 1000, UTC) if seen else None,
        subscriptions=subscriptions,
        rules=await services.rules.of(channel),
        delivery=delivery,
        sent=sent,
        paused=(await services.outbox.status(channel)).paused,
        place=await _place(paper, channel, delivery, sent, services),
        unread=await unread_categories(paper, services),
        missed=await _missed(paper, subscriptions, services),
        now=await services.outbox.now(),
        places=await places_elsewhere(command, paper.id, services),
    )
    return Reply(story_card(story))


async def _missed(
    paper: Paper, subscriptions: Sequence[Subscription], services: Services
) -> Sequence[tuple[Subscription, Synonym]]:
    """Return the subscriptions that miss the paper only because it uses a synonym, with that synonym."""
    found = []
    for subscription in [one for one in subscriptions if not _is_match(one, paper)][:SHOWN]:
        wider = await wider_queries(parse(subscription.query), services)
        found += [(subscription, synonym) for synonym, query in wider if query.matches(paper)][:1]
    return found


async def _place(
    paper: Paper, channel: ChannelRef, delivery: OpenDelivery | None, sent: Sent | None, services: Services
) -> tuple[int, int] | None:
    """Return the paper's rank among the papers of its message, and their number."""
    if delivery is not None:
        ids = [paper_id for paper_id, _ in delivery.papers]
    elif sent is not None and sent.label:
        ids = await services.outbox.digest(channel, sent.label)
    else:
        return None
    papers = await services.papers.get(ids)
    entries, _ = await ranked(channel, papers.values(), services)
    ids_by_rank = [one.id for one, _ in entries]
    return (ids_by_rank.index(paper.id) + 1, len(ids_by_rank)) if paper.id in ids_by_rank else None


def story_card(story: Story) -> Card:
    """Return a card with the outcome, then the steps that led to it."""
    outcome = _outcome(story)
    title = plain(story.paper.title)
    words = "".join(span.text for span in outcome)
    steps = (
        *_seen(story),
        *_matches(story),
        *_muted(story),
        *_quiet_hours(story),
        *_rank(story),
        *_delivery(story),
        *history_lines(story.paper, story.now),
    )
    wider = [Button(f"Also match {other.other}", accepting(one, other)) for one, other in story.missed[:1]]
    share = [] if story.sent or story.delivery else [Button("Share here", f"share {story.paper.id}")]
    return Card(
        "reply",
        shorten(f"{words} {title}", NOTICE),
        "",
        (
            paragraph(bold(title)),
            paragraph(*outcome),
            *place_lines(story.places, story.now),
            Bullets(steps),
            *actions(*wider, *share),
        ),
    )


def _outcome(story: Story) -> Text:
    if story.sent and story.sent.label.startswith(REST):
        return text(
            f"Folded: one of {_paper_count(story)} that the channel's budget held back on "
            f"{story.local_time(story.sent.at)}."
        )
    if story.sent:
        where = link(story.sent.message.url)
        posted = text(f"Posted here on {story.local_time(story.sent.at)}.")
        return (*posted, Span(" See it", url=where)) if where else posted
    if story.delivery and story.delivery.label.startswith(REST):
        return text(f"Folded: the channel's budget holds it back, as one of {_paper_count(story)}.")
    if story.delivery:
        return text(
            "Not posted yet: it is on its way."
            if _will_be_sent(story.delivery)
            else "Not posted: sending it failed."
        )
    return text(f"Not posted here: {_reason(story)}.")


def _paper_count(story: Story) -> str:
    return count(story.place[1] if story.place else 1, "paper")


def _reason(story: Story) -> str:
    if not story.subscriptions:
        return "this channel has no subscriptions"
    matching = [s for s in story.subscriptions if _is_match(s, story.paper)]
    if not matching:
        return "no subscription matches it"
    if story.seen is None:
        return _unseen(story.unread)
    active = [mute for mute in story.rules.mutes if mute.is_active(story.now)]
    if muting(story.paper, active) or all(f"#{s.number}" in {m.text for m in active} for s in matching):
        return "it is muted"
    if all(s.created_at > story.seen for s in matching):
        return "it appeared before the subscription was made"
    return "nothing matched while it was new, and it is too old to be posted now"


def _unseen(unread: Sequence[str]) -> str:
    if unread:
        return f"{', '.join(unread)} isn't read here; after /paper subscribe cat:{unread[0]} it is"
    return "none of the sources that Paperboy reads has listed it"


def _seen(story: Story) -> Iterable[Text]:
    if story.seen is None:
        yield text("In the search index, but not listed by any source that Paperboy reads.")
        return
    sources = ", ".join(story.paper.sources) or "a source"
    yield text(f"First seen on {story.local_time(story.seen)}, listed by {sources}.")
    if story.now - story.seen < YOUNG and not story.sent:
        yield text(
            f"Its upvotes, rank and code are checked again until {story.local_time(story.seen + YOUNG)}."
        )


def _matches(story: Story) -> Iterable[Text]:
    reading = PaperView.of(story.paper)
    listed = sorted(story.subscriptions, key=lambda s: not _is_match(s, story.paper))
    for subscription in listed[:SHOWN]:
        reasons = mismatches(parse(subscription.query).root, reading)
        late = (
            f", but was made later, on {story.local_time(subscription.created_at)}"
            if not reasons and story.seen and subscription.created_at > story.seen
            else ""
        )
        verdict = f"doesn't match: {'; '.join(reasons)}" if reasons else f"matches{late}"
        other = next((str(other.other) for one, other in story.missed if one is subscription), "")
        also = (" It would match ", code(other), ".") if other else ()
        yield text(
            bold(f"#{subscription.number}"),
            " ",
            code(shorten(subscription.query, QUERY)),
            f" {verdict}.",
            *also,
        )
    if len(listed) > SHOWN:
        yield text(f"{len(listed) - SHOWN} more subscriptions don't match.")


def _quiet_hours(story: Story) -> Iterable[Text]:
    if not story.sent:
        yield from map(text, quiet_now(story.rules.settings, story.now))


def _muted(story: Story) -> Iterable[Text]:
    active = [mute for mute in story.rules.mutes if mute.is_active(story.now)]
    numbers = {f"#{s.number}" for s in story.subscriptions if _is_match(s, story.paper)}
    about = [m for m in active if m.text in numbers]
    query = muting(story.paper, active)
    for mute in (*about, *([query] if query else [])):
        until = f" until {story.local_time(mute.until)}" if mute.until else ""
        by = mute.created_by.partition(" ")[2]
        yield text("Muted here: ", code(mute.text), f"{f' by {by}' if by else ''}{until}.")


def _rank(story: Story) -> Iterable[Text]:
    """Yield the paper's rank in its digest, or among the papers that the budget folded."""
    label = story.sent.label if story.sent else story.delivery.label if story.delivery else ""
    if story.place is None or story.place[1] < 2:
        return
    rank, papers = story.place
    settings = story.rules.settings
    if label.startswith(REST):
        yield text(
            f"It is ranked {rank} of the {papers} that were folded: at most {count(settings.most, 'paper')} a day "
            "may be posted here, of those that fit best."
            if settings.most
            else f"It is ranked {rank} of the {papers} that were folded."
        )
    elif label.startswith(DIGEST):
        named = f", which names the best {settings.most} at most" if 0 < settings.most < papers else ""
        yield text(f"It is ranked {rank} of {papers} in its digest{named}.")


def _delivery(story: Story) -> Iterable[Text]:
    if story.paused:
        yield text(f"Posts here are paused: {story.paused}.")
    delivery = story.delivery
    if delivery is None:
        return
    if delivery.state == "pending" and delivery.due > story.now and not delivery.why:
        others = f", with {len(delivery.papers) - 1} more" if len(delivery.papers) > 1 else ""
        yield text(f"Waiting until {story.local_time(delivery.due)}{others}.")
    elif delivery.state == "pending":
        yield text(
            f"Due since {story.local_time(delivery.due)}."
            if delivery.due <= story.now
            else _retrying(story, delivery.due)
        )
    elif delivery.state in {"claimed", "sending"}:
        yield text("It is being posted right now.")
    elif delivery.state == "unknown":
        yield text("It may have been posted; Paperboy is asking the platform.")
    elif delivery.state == "held":
        yield text("It may have been posted, and the platform can't tell. An operator has to decide.")
    else:
        yield text("Paperboy gave up after several attempts. An operator can retry it.")
    if delivery.why:
        yield text(f"The last attempt failed: {delivery.why}.")


def _retrying(story: Story, at: datetime) -> str:
    return f"Retrying on {story.local_time(at)}."


def _will_be_sent(delivery: OpenDelivery) -> bool:
    return delivery.state not in {"dead", "held"}


def _is_match(subscription: Subscription, paper: Paper) -> bool:
    return parse(subscription.query).matches(paper)
