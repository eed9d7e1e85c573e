"""`/paper explain`: why a paper was posted, or why not."""

from datetime import UTC, datetime, timedelta

from inline_snapshot import snapshot

from bot.commands.services import Services
from bot.domain.deliveries import Outcome
from bot.domain.models import MessageRef, Mute
from bot.ports import Batch
from tests.commands.conftest import Ask, See, card_text
from tests.commands.test_settings import ALL, enqueue_papers
from tests.papers import a_channel, a_paper


async def announce(services: Services, *ids: str) -> None:
    """Ingest papers as listed now."""
    await services.papers.ingest("test", Batch(tuple(map(a_paper, ids)), "c"), 0)


async def test_explain_says_why_each_subscription_does_not_match(ask: Ask, see: See) -> None:
    await ask('subscribe "diffusion policy", robots')
    await ask("subscribe paper -closely")
    await ask("subscribe paper min:30 code:yes cat:cs.CL")
    await see(a_paper("2603.00001", upvotes=12, published=datetime(2026, 3, 2, tzinfo=UTC)))
    assert card_text(await ask("explain https://arxiv.org/abs/2603.00001v2")) == snapshot("""\
On paper 2603.00001
Not posted here: no subscription matches it.
- First seen on Mon 2 Mar 00:00 UTC, listed by huggingface.
- Its upvotes, rank and code are checked again until Mon 16 Mar 00:00 UTC.
- #1 "diffusion policy" OR robots doesn't match: "diffusion policy" isn't in the title or abstract, and robots isn't in the title or abstract.
- #2 paper -closely doesn't match: it contains closely, which is excluded.
- #3 paper min:30 code:yes cat:cs.CL doesn't match: it has ▲ 12 so far, not 30; it has no known code; it isn't in cs.CL.
[Share here: share 2603.00001]\
""")


async def test_explain_says_that_the_paper_is_older_than_the_subscription(ask: Ask, see: See) -> None:
    await see(a_paper())
    await ask("subscribe paper")
    assert "it appeared before the subscription was made" in card_text(await ask("explain 2603.00001"))


async def test_explain_says_that_the_paper_is_muted(ask: Ask, services: Services) -> None:
    await ask("subscribe paper")
    await announce(services, "2603.00001")
    await ask("mute closely for:7d")
    card = card_text(await ask("explain 2603.00001"))
    assert "Not posted here: it is muted." in card
    assert "- Muted here: closely by Ada until " in card
    over = await services.outbox.now() - timedelta(days=1)
    await services.rules.mute(a_channel(), Mute(text="closely", until=over))
    assert "Muted" not in card_text(await ask("explain 2603.00001"))


async def test_explain_says_that_the_paper_waits_for_a_digest(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1", "p2")
    await enqueue_papers(services, "p1", "p2")
    card = card_text(await ask("explain p1"))
    assert "Not posted yet: it is on its way." in card
    assert "09:00 UTC, with 1 more." in card


async def test_explain_links_to_the_post(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.done(delivery, MessageRef("m1", "https://chat.example/m1"))
    card = await ask("explain p1")
    assert "Posted here on " in card_text(card)
    assert any(
        span.url == "https://chat.example/m1" for block in card.blocks for span in getattr(block, "text", ())
    )


async def test_explain_says_why_posting_failed(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await announce(services, "p1")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.record_outcome(delivery, Outcome(state="dead", why="invalid blocks"))
    await services.outbox.pause(a_channel(), "it was archived")
    card = card_text(await ask("explain p1"))
    assert "Not posted: sending it failed." in card
    assert "The last attempt failed: invalid blocks." in card
    assert "Posts here are paused: it was archived." in card


async def test_explain_offers_a_search_for_an_unknown_paper(ask: Ask) -> None:
    card = await ask("explain 9999.99999")
    assert card.kind == "error"
    assert "/paper search 9999.99999" in card_text(card)
