"""Every card stays within Discord's limits, and the text of a paper is never markup."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import simcord
from hypothesis import given, settings
from hypothesis import strategies as st
from simcord.http import router

from adapters.discord.buttons import mark
from adapters.discord.markup import code, escape, fitted, width
from adapters.discord.rest import rest_client
from bot.cards import Actions, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card
from bot.commands.help import help_card
from bot.domain.models import Paper, Reason
from bot.sources.huggingface_papers import parse_list
from tests.adapters.discord.double.openapi import judged
from tests.adapters.discord.limits import check, check_text, embed_body, v2_body

NOW = datetime(2026, 6, 1, tzinfo=UTC)
REASONS = [Reason(n, f'"diffusion policy" OR title:"{n}" OR robot*') for n in range(1, 6)]
DIGEST_SIZE = 10
KEY = mark("discord:1:2/paper")
NASTY = st.text(
    st.sampled_from("aB ç𝒳漢\u202e\u200d`*_~|<>[]()#@&:/\\-+.1\n\t!?") | st.characters(codec="utf-8")
)
WORDS = st.lists(
    st.sampled_from(
        ("@everyone", "<@&1>", "<#1>", "[x](https://a.b)", "https://evil.test/", "</go:1>", "```", "||")
    )
    | NASTY
).map(" ".join)


def cards(papers: Sequence[Paper]) -> Iterator[Card]:
    """Yield each paper's card in both sizes, and digests."""
    for paper in papers:
        yield paper_card(paper, REASONS, NOW)
        yield paper_card(paper, REASONS, NOW, "full")
    for at in range(0, len(papers), DIGEST_SIZE):
        yield digest_card([(paper, tuple(REASONS)) for paper in papers[at : at + 2 * DIGEST_SIZE]], NOW)


@pytest.fixture(scope="module")
def days(shared_data: Path) -> list[Path]:
    return sorted(shared_data.glob("hf_daily/*.json"))


@pytest.mark.parametrize("part", range(3))
async def test_every_card_of_the_recorded_days_is_accepted(days: list[Path], part: int) -> None:
    assert len(days) == 54
    with judged():
        async with simcord.run(rest_client()) as env:
            channel = env.create_guild().create_text_channel("papers")
            posted = 0
            for day in days[part::3]:
                for card in cards(parse_list(day.read_bytes())):
                    for body in (v2_body(card, KEY), embed_body(card, KEY)):
                        check(body)
                        router.dispatch(env.backend, "POST", f"/channels/{channel.id}/messages", json=body)
                        posted += 1
            assert posted > 1000


@given(st.text(), st.integers(1, 300))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert width(fitted(text, limit)) <= limit


@given(WORDS)
def test_escaped_text_has_no_markup(text: str) -> None:
    check_text(escape(text))


@given(NASTY)
def test_a_backtick_in_the_text_never_ends_code(text: str) -> None:
    result = code(text)
    assert result.count("`") in {0, 2, 6}


def paper_blocks() -> st.SearchStrategy[PaperBlock]:
    return st.builds(
        PaperBlock,
        paper_id=st.just("2603.00001"),
        title=WORDS.filter(str.strip),
        url=st.sampled_from(("", "https://arxiv.org/abs/2603.00001", "https://a.b/(c)?d=[e]")),
        byline=st.lists(WORDS, max_size=6).map(tuple),
        summary=WORDS,
        reasons=st.lists(WORDS, max_size=4).map(tuple),
        detail=st.sampled_from(("line", "compact", "full")),
        abstract=WORDS | st.just("* " * 1000) | st.just("漢𝒳" * 1000),
        thumbnail_url=st.none() | st.just("https://a.b/c.png"),
        buttons=buttons(),
        actions=buttons(),
    )


def buttons() -> st.SearchStrategy[tuple[Button, ...]]:
    button = st.builds(Button, WORDS, command=st.sampled_from(("save 1", "list", "x" * 100))) | st.builds(
        Button,
        WORDS,
        url=st.sampled_from(("https://a.b/c", "javascript:alert(1)", "https://a.b/" + "x" * 600)),
    )
    return st.lists(button, max_size=7).map(tuple)


def any_card() -> st.SearchStrategy[Card]:
    spans = st.lists(
        st.builds(Span, WORDS, st.sampled_from(("plain", "bold", "italic", "code", "dim"))),
        min_size=1,
        max_size=4,
    ).map(tuple)
    block: st.SearchStrategy[Any] = (
        paper_blocks()
        | spans.map(Paragraph)
        | st.lists(spans, min_size=1, max_size=16).map(tuple).map(Bullets)
        | buttons().map(Actions)
        | st.builds(Figure, spans, st.just("https://a.b/c.png") | WORDS, WORDS)
    )
    return st.builds(
        Card,
        st.just("reply"),
        WORDS,
        st.just("A heading") | WORDS,
        st.lists(block, min_size=1, max_size=12).map(tuple),
    )


@pytest.mark.timeout(180)
@settings(max_examples=40, deadline=None)
@given(any_card())
async def test_the_worst_card_is_within_the_limits(card: Card) -> None:
    check(v2_body(card, KEY))
    check(embed_body(card, KEY))


async def test_the_help_is_within_the_limits() -> None:
    check(v2_body(help_card(menus=True)))
