"""Cards of deliveries, by the settings of their channel."""

from datetime import UTC, datetime

from bot.cards import PaperBlock, Posting
from bot.cards.digest import delivery_card
from bot.domain.models import ChannelSettings, Reason
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)
WHY = (Reason(1, "rag"),)


def test_one_paper_is_a_card_with_the_channels_detail() -> None:
    card = delivery_card([(a_paper(), WHY)], ChannelSettings(detail="full"), NOW)
    [block] = card.blocks
    assert card.kind == "paper"
    assert isinstance(block, PaperBlock)
    assert block.detail == "full"


def test_several_papers_are_a_digest() -> None:
    assert delivery_card([(a_paper("a"), WHY), (a_paper("b"), WHY)], ChannelSettings(), NOW).kind == "digest"


def test_a_card_carries_the_channels_settings_for_posting() -> None:
    papers = [a_paper("a", categories=("cs.CL", "cs.AI")), a_paper("b", categories=("cs.AI",))]
    settings = ChannelSettings(ping="R1", threads=True, embeds=True, publish=True)
    assert delivery_card([(paper, WHY) for paper in papers], settings, NOW).posting == Posting(
        ping="R1", threads=True, embeds=True, publish=True, topics=("cs.AI", "cs.CL"), papers=("a", "b")
    )
