"""The tour shows the same every time."""

from dataclasses import dataclass, field

from inline_snapshot import snapshot
from redis.asyncio import Redis

from bot.cards import Card
from bot.commands.core import Commands
from bot.ports import Batch, File
from bot.query import parse
from bot.store.papers import Papers
from bot.terminal.demo import known, news, tour
from bot.terminal.sample import today
from tests.commands.conftest import services_on
from tests.papers import a_channel


@dataclass
class Audience:
    """Records the tour's output and the length of its pauses."""

    seen: list[str] = field(default_factory=list)
    waited: float = 0.0

    def post(self, card: Card) -> None:
        self.seen.append(card.notice)

    def file(self, file: File) -> None:
        raise AssertionError(f"unexpected file: {file.name}")

    def note(self, card: Card) -> None:
        self.seen.append(card.notice)

    def typed(self, line: str) -> None:
        self.seen.append(f"> {line}")

    def reply(self, card: Card) -> None:
        assert card.kind != "error", card
        self.seen.append(card.notice)

    async def pause(self, seconds: float) -> None:
        self.waited += seconds


async def test_the_tour_subscribes_shows_papers_lists_and_previews(redis: Redis) -> None:
    audience, papers = Audience(), Papers(redis)
    services = services_on(redis, papers, today)
    await papers.ingest("sample", Batch((), "before", history=known()), 0)

    async def arrive() -> None:
        await papers.ingest("sample", Batch(news(), "after"), 0)
        wanted = [parse(s.query) for s in await services.subscriptions.of(a_channel())]
        matching = [paper for paper in news() if any(query.matches(paper) for query in wanted)]
        audience.seen.append(f"{len(matching)} papers arrive")

    await tour(Commands(services), audience, a_channel(), platforms=[], arrive=arrive, pause=audience.pause)
    assert audience.seen == snapshot(
        [
            "A tour with a sample of real papers, offline. Nothing is stored.",
            "> /paper subscribe diffusion",
            "Subscribed as #1: diffusion. 3 matches in the bundled sample, of 20 papers.",
            '> /paper subscribe "language model" -attention',
            'Subscribed as #2: "language model" -attention. 4 matches in the bundled sample, of 20 papers.',
            "6 papers arrive",
            "> /paper list",
            "2 subscriptions in this channel",
            "> /paper preview agents, robots",
            "Preview of agents OR robots: 10 matches in the bundled sample, of 32 papers.",
            "> /paper unsubscribe #2",
            'Unsubscribed from #2: "language model" -attention',
            "That was the tour. Next: paperboy run",
        ]
    )
    assert audience.waited < 30, "people don't watch a longer tour"
