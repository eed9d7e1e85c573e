"""Cards are serialized as JSON and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import Actions, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.serialization import to_json
from tests.card_json import from_json

words = st.text(max_size=5)
spans = st.builds(Span, words, st.sampled_from(["plain", "bold", "italic", "code", "dim"]), st.none() | words)
texts = st.lists(spans, max_size=3).map(tuple)
buttons = st.lists(st.builds(Button, words, words, st.none() | words), max_size=3).map(tuple)
rows = st.lists(words, max_size=3).map(tuple)
papers = st.builds(
    PaperBlock, paper_id=words, title=words, url=words, byline=rows, summary=words, reasons=rows,
    detail=st.sampled_from(["line", "compact", "full"]), abstract=words, thumbnail_url=st.none() | words, buttons=buttons,
)  # fmt: skip
blocks = st.one_of(
    st.builds(Paragraph, texts),
    st.builds(Bullets, st.lists(texts, max_size=3).map(tuple)),
    st.builds(Actions, buttons),
    st.builds(Figure, texts, words, words),
    papers,
)
cards = st.builds(
    Card,
    st.sampled_from(["paper", "digest", "reply", "list", "help", "error"]),
    words,
    words,
    st.lists(blocks, max_size=4).map(tuple),
)


@given(cards)
def test_a_card_survives_the_round_trip(card: Card) -> None:
    assert from_json(json.loads(json.dumps(to_json(card)))) == card


@pytest.mark.parametrize(
    "data", [{}, {"kind": "reply", "notice": "", "heading": "", "blocks": [{"type": "video"}]}]
)
def test_other_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        from_json(data)
