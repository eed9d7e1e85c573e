"""Every card fits Slack's limits, for the longest possible paper and all papers of 54 recorded days."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from adapters.slack import limits
from adapters.slack.forms import card_view, form_view
from adapters.slack.home import home_view
from adapters.slack.render import Message, as_text, render
from bot.cards import (
    Actions,
    Bullets,
    Button,
    Card,
    Choice,
    Field,
    Figure,
    Form,
    PaperBlock,
    Paragraph,
    Posting,
    Span,
)
from bot.cards.build import actions
from bot.cards.digest import LINES, digest_card
from bot.cards.paper import paper_block, paper_card
from bot.cards.serialization import to_json
from bot.domain.models import ChannelRef, Paper, Reason, Subscription
from bot.sources.huggingface_papers import parse_list
from tests.adapters.slack.double.blocks import check, size
from tests.card_json import from_json
from tests.papers import SPRING, a_paper

NOW = datetime(2026, 5, 30, tzinfo=UTC)
REASONS = tuple(Reason(n, f'"language model" OR diffusion{n} -survey ' * 4) for n in range(9))
WORST = a_paper(
    "2603.99999",
    title="*Bold* _it_ `code` <!channel> <@U1> & :smile: " * 20,
    abstract="<http://x|y> &amp; ~no~ " * 400,
    authors=tuple(f"Wolfeschlegelsteinhausenbergerdorff {n} " * 9 for n in range(300)),
    url=f"https://arxiv.org/abs/{'9' * 480}",
    pdf_url=f"https://arxiv.org/pdf/{'8' * 480}",
    code_url=f"https://github.com/{'c' * 480}",
    project_url=f"https://project.example/{'p' * 480}",
    thumbnail_url=f"https://cdn.example/{'t' * 480}.png",
    tldr="so <good> & short " * 60,
    categories=("cs.CL", "cs.LG"),
    upvotes=10**9,
    code_stars=10**9,
)


def check_message(message: Message) -> int:
    """Check a message with the double and slack_sdk's models. Return its number of characters."""
    blocks = list(message.blocks)
    check(blocks, "message")
    for block in blocks:
        Block.parse(block).validate_json()  # type: ignore[union-attr]
    assert 0 < len(message.text) <= limits.TEXT
    assert json.loads(json.dumps(blocks)) == blocks
    return size(blocks)


def every_card(paper: Paper) -> Iterator[Card]:
    yield paper_card(paper, REASONS[:1], NOW)
    yield paper_card(paper, REASONS, NOW, "full")
    yield digest_card([(paper, REASONS)] * (LINES + 5), NOW, "2026-05-30")


def test_the_longest_paper_fits_into_every_card() -> None:
    for card in every_card(WORST):
        message = render(card)
        check_message(message)
        assert len(as_text(card)) <= limits.TEXT
        assert not [text for text in (message.text, as_text(card)) if "<!" in text or "<@" in text]


def test_the_text_of_a_paper_is_never_interpreted_as_markup() -> None:
    blocks = render(paper_card(WORST, REASONS, NOW, "full")).blocks
    assert "mrkdwn" not in json.dumps(blocks)
    assert {"user", "broadcast", "usergroup", "emoji"} & set(types(list(blocks))) == set()


def types(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for part in value.values():
            yield from types(part)
    elif isinstance(value, list):
        for part in value:
            yield from types(part)


def test_text_is_escaped_once_after_truncating() -> None:
    card = Card("reply", "&" * 5000)
    text = render(card).text
    assert text.endswith("&amp;…")
    assert "&amp;amp;" not in text
    assert render(Card("reply", "a < b &amp; c > d")).text == "a &lt; b &amp;amp; c &gt; d"


@pytest.mark.timeout(300)  # thousands of cards, each checked twice
def test_every_card_of_every_recorded_paper_fits(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers: dict[str, Paper] = {}
    days = sorted((shared_data / "hf_daily").glob("*.json"))
    for day in days:
        papers |= {paper.id: paper for paper in parse_list(day.read_bytes())}
    assert len(days) == 54
    largest = (0, "", "")
    cards = 0
    for paper in papers.values():
        for card in every_card(paper):
            largest = max(largest, (check_message(render(card)), card.kind, paper.id))
            cards += 1
    every = list(papers.values())
    for start in range(0, len(every), LINES):
        entries = [(paper, REASONS) for paper in every[start : start + LINES]]
        largest = max(largest, (check_message(render(digest_card(entries, NOW))), "digest", entries[0][0].id))
    with capsys.disabled():
        print(f"\n{cards} cards of {len(papers)} papers; the largest: {largest}")  # noqa: T201  # asked for
    assert largest[0] < limits.MESSAGE


WORDS = st.text(max_size=8)
BUTTONS = st.lists(
    st.builds(Button, WORDS, command=WORDS) | st.builds(Button, WORDS, url=WORDS), max_size=3
).map(tuple)
SPANS = st.lists(
    st.builds(
        Span,
        WORDS,
        st.sampled_from(("plain", "bold", "italic", "code", "dim")),
        st.none() | st.just("https://arxiv.org/abs/1"),
    ),
    max_size=8,
).map(tuple)
BLOCKS = (
    st.builds(Paragraph, SPANS)
    | st.builds(Bullets, st.lists(SPANS, min_size=1, max_size=30).map(tuple))
    | st.builds(Actions, BUTTONS)
    | st.builds(Figure, SPANS, st.just("https://x.org/a.png") | WORDS, WORDS)
    | st.builds(
        PaperBlock,
        paper_id=st.just("1"),
        title=WORDS,
        url=st.just("https://arxiv.org/abs/1") | WORDS,
        byline=st.lists(WORDS, max_size=5).map(tuple),
        summary=WORDS,
        detail=st.sampled_from(("line", "compact", "full")),
        abstract=WORDS,
        thumbnail_url=st.none() | st.just("https://x.org/a.png"),
        buttons=BUTTONS,
        actions=BUTTONS,
    )
)
CARDS = st.builds(
    Card,
    st.just("reply"),
    WORDS,
    WORDS,
    st.lists(BLOCKS, max_size=4).map(tuple),
    st.builds(Posting, ping=st.sampled_from(("", "here", "S0123", "U0123", "<!channel>", "nobody"))),
)


@settings(max_examples=20, deadline=None)
@given(CARDS, st.sampled_from((1, 500)), st.sampled_from((1, 52)))
def test_slack_accepts_any_card(card: Card, longer: int, more: int) -> None:
    data = stretched(to_json(card), longer)
    big = replace(from_json(data | {"blocks": data["blocks"] * more}), posting=card.posting)
    check_message(render(big))
    check(card_view(big, "C1")["blocks"], "modal")


def stretched(value: Any, times: int, name: str = "") -> Any:
    """Return the value with every text repeated, and every row of buttons nine times as long."""
    if isinstance(value, dict):
        return {key: stretched(part, times, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [stretched(part, times, name) for part in value] * (9 if name in {"buttons", "actions"} else 1)
    return (
        value * times
        if isinstance(value, str) and name not in {"type", "style", "detail", "url", "kind"}
        else value
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.builds(Field, st.uuids().map(str), WORDS, WORDS, WORDS), max_size=20), WORDS)
def test_any_form_is_a_valid_modal(fields: list[Field], title: str) -> None:
    choices = tuple(Choice(str(n), f"{n} {'x' * 200}") for n in range(120))
    form = Form(title, "settings", (*fields, Field("zone", "Zone", "119", choices=choices)))
    view = form_view(form, "C1")
    check(view["blocks"], "modal")
    View(**view).validate_json()
    assert len(view["private_metadata"]) <= 3000


def test_app_home_fits_a_thousand_subscriptions_and_any_saved_paper() -> None:
    channels = [ChannelRef("slack", "T1", f"C{n}") for n in range(50)]
    followed = {
        channel: [
            Subscription(channel=channel, number=n, query="a" * 256, created_at=SPRING) for n in range(1, 51)
        ]
        for channel in channels
    }
    view = home_view(followed, [WORST] * 40, NOW)
    check(view["blocks"], "home")
    View(**view).validate_json()


def test_the_greeting_of_app_home_fits() -> None:
    own = ChannelRef.of_person("slack", "T1", "U1")
    begin = actions(
        Button("Robotics", "subscribe preset:robotics"), Button("Speech", "subscribe preset:speech")
    )
    card = Card("help", "Hello", "Paperboy", (*begin, paper_block(WORST, (), NOW), *begin))
    view = home_view({}, [WORST] * 40, NOW, (own, card))
    check(view["blocks"], "home")
    View(**view).validate_json()
    named = [block["block_id"] for block in view["blocks"] if "block_id" in block]
    assert len(named) == len(set(named)) >= 2


def test_the_lines_of_a_digest_are_one_list() -> None:
    papers = tuple(paper_block(a_paper(str(n)), (), NOW, "line") for n in range(10))
    assert [block["type"] for block in render(Card("digest", "d", "D", papers)).blocks] == [
        "header",
        "rich_text",
    ]
