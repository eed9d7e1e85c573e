"""Commands on a real Redis server, with a stopped clock."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest
from redis.asyncio import Redis

from bot.cards import Actions, Bullets, Card, PaperBlock, Paragraph, Text
from bot.commands.access import AccessGate
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper, User
from bot.pipeline.pauses import Pauses
from bot.ports import Batch
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.sources.on_demand import CategoryCatalog
from bot.sources.upstream_search import UpstreamSearch
from bot.store.backup.move_channel import ChannelMoves
from bot.store.button_payloads import ButtonPayloads
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.copies import Copies
from bot.store.data_deletion import DataDeletion
from bot.store.followed_categories import FollowedCategories
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.polls import last_polls
from bot.store.reactions import ReadingLists, Votes
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.watches import Watches
from bot.store.zotero_keys import ZoteroKeys
from tests.papers import a_channel
from tests.scenario import set_clock
from tests.sources.on_demand import a_biorxiv, an_arxiv

if TYPE_CHECKING:
    from bot.sources.zotero import Zotero

NOW = datetime(2026, 3, 10, tzinfo=UTC)
"""A Tuesday."""
ADA = User("U1", "Ada")

Ask = Callable[[str], Awaitable[Card]]
See = Callable[..., Awaitable[None]]
Clock = Callable[[], datetime]


def services_on(redis: Redis, papers: Papers | None = None, now: Clock = lambda: NOW) -> Services:
    """Return services that use the real store."""
    papers = papers or Papers(redis)
    return Services(
        access=AccessGate(),
        recent=RecentPapers(papers, now),
        subscriptions=Subscriptions(redis),
        papers=papers,
        search=Search(papers, None, now),
        upstream_search=UpstreamSearch(),
        settings=ChannelSettingsStore(redis),
        rules=ChannelRules(redis),
        saved=ReadingLists(redis),
        outbox=Outbox(redis),
        button_payloads=ButtonPayloads(redis),
        votes=Votes(redis),
        watches=Watches(redis),
        tokens=Tokens(redis),
        zotero=cast("Zotero", None),  # no test here sends anything
        zotero_keys=ZoteroKeys(redis, None),
        copies=Copies(redis),
        public_url="https://papers.example.org",
        catalog=CategoryCatalog(
            (an_arxiv(now, limit=3), a_biorxiv("neuroscience")), FollowedCategories(redis)
        ),
        platforms={},
        polls=partial(last_polls, redis),
        now=now,
        join=_no_need_to_join,
        forgetting=DataDeletion(redis),
        pause=Pauses(None, Outbox(redis)).pause,
        move=ChannelMoves(redis).move,
        channel_name=_name_of,
    )


async def _name_of(channel: ChannelRef) -> str:
    return channel.channel


async def _no_need_to_join(_channel: ChannelRef) -> None:
    """Do nothing: the bot needn't join channels."""


@pytest.fixture
async def services(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Services with the real store; its clock and ours are stopped at NOW."""
    await set_clock(monkeypatch, redis).set(NOW)
    return services_on(redis)


@pytest.fixture
def core(services: Services) -> Commands:
    """The commands, as platforms call them."""
    return Commands(services)


@pytest.fixture
def ask(core: Commands) -> Ask:
    """A function that types a line in a channel and returns the answer's card."""

    async def type_(line: str) -> Card:
        return (await core.handle_text(line, ADA, a_channel())).card

    return type_


@pytest.fixture
def see(services: Services) -> See:
    """A function that ingests papers as seen on the days when they were published."""

    async def ingest(*papers: Paper, trending: tuple[str, ...] | None = None) -> None:
        await services.papers.ingest("test", Batch((), "c", history=papers, trending=trending), 0)

    return ingest


def card_text(card: Card) -> str:
    """Return a card as plain lines."""
    lines = [f"# {card.heading}"] if card.heading else []
    for block in card.blocks:
        match block:
            case Paragraph(text):
                lines.append(_line(text))
            case Bullets(items):
                lines += [f"- {_line(item)}" for item in items]
            case Actions(buttons):
                lines += [f"[{button.label}: {button.command}]" for button in buttons]
            case PaperBlock():
                lines.append(f"* {block.title} | {' · '.join(block.byline)}")
    return "\n".join(lines)


def commands_of(card: Card) -> dict[str, str]:
    """Return label -> command of every button on a card."""
    actions = [block for block in card.blocks if isinstance(block, Actions)]
    return {button.label: button.command for block in actions for button in block.buttons}


def _line(text: Text) -> str:
    return "".join(span.text for span in text)
