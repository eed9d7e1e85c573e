"""What became of a paper, step by step."""

from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from bot.commands.services import Services
from bot.domain.deliveries import Outcome
from bot.domain.models import MessageRef, Mute
from bot.ports import Batch
from tests.commands.conftest import Ask, See, written
from tests.commands.test_settings import ALL, enqueue_papers
from tests.papers import a_channel, a_paper


async def announce(services: Services, *ids: str) -> None:
    """Listed now."""
    await services.papers.ingest("test", Batch(tuple(map(a_paper, ids)), "c"), 0)


async def test_nothing_matches_and_each_subscription_says_what_it_misses(ask: Ask, see: See) -> None:
    await ask('subscribe "diffusion policy", robots')
    await ask("subscribe paper -closely")
    await ask("subscribe paper min:30 code:yes cat:cs.CL")
    await see(a_paper("2603.00001", upvotes=12, published=datetime(2026, 3, 2, tzinfo=UTC)))
    assert written(await ask("explain https://arxiv.org/abs/2603.00001v2")) == snapshot("""\
On paper 2603.00001
Not posted here: no subscription matches it.
- First seen on Mon 2 Mar 00:00 UTC, listed by huggingface.
- Its upvotes, rank and code are checked again until Mon 16 Mar 00:00 UTC.
- #1 "diffusion policy" OR robots doesn't match: "diffusion policy" isn't in the title or abstract, and robots isn't in the title or abstract.
- #2 paper -closely doesn't match: it contains closely, which is excluded.
- #3 paper min:30 code:yes cat:cs.CL doesn't match: it has ▲ 12 so far, not 30; it has no known code; it isn't in cs.CL.
[Share here: share 2603.00001]\
""")


async def test_it_was_seen_before_the_subscription(ask: Ask, see: See) -> None:
    await see(a_paper())
    await ask("subscribe paper")
    assert "it appeared before the subscription was made" in written(await ask("explain 2603.00001"))


async def test_it_is_muted(ask: Ask, services: Services) -> None:
    await ask("subscribe paper")
    await announce(services, "2603.00001")
    await ask("mute closely for:7d")
    card = written(await ask("explain 2603.00001"))
    assert "Not posted here: it is muted." in card
    assert "- Muted here: closely by Ada until " in card
    over = await services.outbox.now() - timedelta(days=1)
    await services.rules.mute(a_channel(), Mute(text="closely", until=over))
    assert "Muted" not in written(await ask("explain 2603.00001"))


async def test_it_waits_for_the_digest(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1", "p2")
    await enqueue_papers(services, "p1", "p2")
    card = written(await ask("explain p1"))
    assert "Not posted yet: it is on its way." in card
    assert "09:00 UTC, with 1 more." in card


async def test_it_was_posted_and_where(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.done(delivery, MessageRef("m1", "https://chat.example/m1"))
    card = await ask("explain p1")
    assert "Posted here on " in written(card)
    assert any(
        span.url == "https://chat.example/m1" for block in card.blocks for span in getattr(block, "text", ())
    )


async def test_it_failed_and_why(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.record_outcome(delivery, Outcome(state="dead", why="invalid blocks"))
    await services.outbox.pause(a_channel(), "it was archived")
    card = written(await ask("explain p1"))
    assert "Not posted: sending it failed." in card
    assert "The last attempt failed: invalid blocks." in card
    assert "Posts here are paused: it was archived." in card


async def test_what_is_not_known_can_be_searched_for(ask: Ask) -> None:
    card = await ask("explain 9999.99999")
    assert card.kind == "error"
    assert "/paper search 9999.99999" in written(card)
