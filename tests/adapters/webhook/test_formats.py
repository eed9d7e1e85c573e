"""Posts in the formats of other chats: within their limits, and without active markup from a paper's text."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.webhook.discord_format import render as render_discord
from adapters.webhook.json_format import MAX_PAPERS, dumped
from adapters.webhook.json_format import render as render_json
from adapters.webhook.slack_format import render as render_slack
from bot.cards import Card
from bot.cards.digest import delivery_card
from bot.domain.life import LIFE
from bot.domain.models import ChannelSettings, Paper, Reason
from tests.papers import SPRING, a_channel, a_paper

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
HOSTILE = "<!channel> @everyone *bold* [link](https://evil.example) `code` & <b>more</b> <https://evil.example|x> <@U1>"
TEXTS = st.text(max_size=400) | st.just(HOSTILE) | st.sampled_from(["@all", "|>", "](", "\\", "`" * 30])
FUZZ = settings(deadline=None, max_examples=60)
CHANNEL = a_channel()


@st.composite
def cards(draw: st.DrawFn) -> Card:
    """Generate cards of a paper, a digest, folded papers, or events."""
    papers = [
        a_paper(f"2611.{n:05}", title=draw(TEXTS), abstract=draw(TEXTS))
        for n in range(draw(st.sampled_from([1, 2, 12])))
    ]
    entries = [(paper, (Reason(1, draw(TEXTS)),)) for paper in papers]
    label = draw(st.sampled_from(["2611.00001", "digest@2026-03-03T09:00Z", f"{LIFE}2611.00001"]))
    channel_settings = ChannelSettings(detail=draw(st.sampled_from(["compact", "full"])))
    return delivery_card(entries, channel_settings, NOW, label)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_slack_limits(message: dict[str, Any]) -> None:
    assert 0 < len(message["text"]) <= 4000
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        match block:
            case {"type": "header", "text": {"type": "plain_text", "text": text}}:
                assert 0 < len(text) <= 150
            case {"type": "section", "text": {"type": "plain_text", "text": text}}:
                assert 0 < len(text) <= 3000
                assert "@all" not in text
            case {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}:
                assert 0 < len(text) <= 3000
            case _:
                raise AssertionError(block)


def check_discord_limits(message: dict[str, Any]) -> None:
    assert message["allowed_mentions"] == {"parse": []}
    assert message.get("content") or message.get("embeds")
    assert utf16(message.get("content", "")) <= 2000
    embeds = message.get("embeds", [])
    assert len(embeds) <= 10
    total = 0
    for embed in embeds:
        parts = (
            embed.get("title", ""),
            embed.get("description", ""),
            embed.get("footer", {}).get("text", ""),
        )
        for part, most in zip(parts, (256, 4096, 2048), strict=True):
            assert utf16(part) <= most
            total += utf16(part)
        assert any(parts)
    assert total <= 6000


@FUZZ
@given(cards())
def test_every_post_is_within_the_limits_of_its_format(card: Card) -> None:
    check_slack_limits(render_slack(card, CHANNEL, "x", NOW))
    check_discord_limits(render_discord(card, CHANNEL, "x", NOW))
    dumped(render_json(card, CHANNEL, "x", NOW))


def hostile_card() -> Card:
    paper = a_paper(title=HOSTILE, abstract=HOSTILE)
    return delivery_card([(paper, (Reason(1, HOSTILE),))], ChannelSettings(detail="full"), SPRING, paper.id)


def test_the_text_of_a_paper_mentions_no_one_and_makes_no_links() -> None:
    message = render_slack(hostile_card(), CHANNEL, "x", NOW)
    for active in ("<!channel>", "@everyone", "](https", "https://evil", "<@U1>", "|x>"):
        assert active not in message["text"]
    assert message["text"].startswith("<https://")
    embed = render_discord(hostile_card(), CHANNEL, "x", NOW)["embeds"][0]
    for active in ("](", "https://evil", "<@U1>", "<!channel>"):
        assert active not in embed["title"]
        assert active not in embed["description"]


def test_json_has_all_papers_with_their_reasons_and_stable_ids() -> None:
    papers: list[Paper] = [a_paper(f"2611.{n:05}") for n in range(MAX_PAPERS + 2)]
    entries = [(paper, (Reason(3, "cats", "reached ▲ 50"),)) for paper in papers]
    card = delivery_card(entries, ChannelSettings(), NOW, "digest@2026-03-03T09:00Z")
    post = render_json(card, CHANNEL, "digest@2026-03-03T09:00Z", NOW)
    data = post["data"]
    assert (post["type"], post["timestamp"]) == ("post.papers", "2026-03-03T09:00:00.000Z")
    assert (data["channel"], data["post"]) == ("fake:T1:C1", "digest@2026-03-03T09:00Z")
    assert [entry["paper"]["id"] for entry in data["papers"]] == [paper.id for paper in papers[:MAX_PAPERS]]
    assert data["more"] == ["2611.00050", "2611.00051"]
    assert data["papers"][0]["reasons"] == [{"subscription": 3, "query": "cats", "note": "reached ▲ 50"}]


def test_an_event_post_says_what_happened() -> None:
    paper = a_paper("2611.00001")
    card = delivery_card(
        [(paper, (Reason(0, "code", "Code is available."),))], ChannelSettings(), NOW, f"{LIFE}x"
    )
    post = render_json(card, CHANNEL, f"{LIFE}x", NOW)
    assert post["type"] == "post.news"
    (entry,) = post["data"]["papers"]
    assert entry["events"] == [{"kind": "code", "text": "Code is available."}]
    assert entry["reasons"] == []
