"""The screens that show the terminal's channel."""

import io
import json
import os
from typing import TextIO

import pytest
from inline_snapshot import snapshot

from adapters.console.screen import JsonScreen, RichScreen, ScreenClosed
from bot.cards.digest import digest_card
from bot.cards.errors import sorry_card
from bot.cards.paper import paper_card
from bot.cards.terminal import unreachable_card, welcome_card
from bot.domain.models import Reason
from tests.card_json import from_json
from tests.papers import SPRING, a_paper

CARD = paper_card(a_paper(), [Reason(1, "rag")], SPRING)


def test_json_output_has_one_object_per_line() -> None:
    stream = io.StringIO()
    screen = JsonScreen(stream)
    screen.typed("/paper list")
    screen.note(sorry_card())
    screen.post(CARD)
    screen.reply(sorry_card())
    screen.post(digest_card([(a_paper("b"), ()), (a_paper("a", title="a\u2028b"), ())], SPRING))
    post, reply, digest = map(json.loads, stream.getvalue().splitlines())
    assert (post["kind"], post["papers"]) == ("post", ["2603.00001"])
    assert from_json(post["card"]) == CARD
    assert set(reply) == {"kind", "card"}
    assert (reply["kind"], reply["card"]["kind"]) == ("reply", "error")
    assert digest["papers"] == ["b", "a"]


def test_each_line_is_flushed() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", buffering=8192) as stream:
        JsonScreen(stream).post(CARD)
        assert json.loads(os.read(reader, 65_536))["kind"] == "post"
    os.close(reader)


@pytest.mark.parametrize("screen_type", [JsonScreen, RichScreen])
def test_a_broken_pipe_raises_screen_closed(screen_type: type[JsonScreen | RichScreen]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    screen = screen_type(stream)
    with pytest.raises(ScreenClosed):
        screen.post(CARD)
    stream.close()
    with pytest.raises(ScreenClosed):
        screen.post(CARD)


def test_a_letter_that_the_encoding_lacks_is_replaced() -> None:
    raw = io.BytesIO()
    stream: TextIO = io.TextIOWrapper(raw, encoding="ascii")
    RichScreen(stream).post(paper_card(a_paper(title="Gödel ▲"), [], SPRING))
    assert b"G?del ?" in raw.getvalue()


def test_without_a_terminal_typed_lines_are_shown_and_addresses_are_not_wrapped() -> None:
    stream = io.StringIO()
    screen = RichScreen(stream)
    screen.typed("/paper list\x1b[2J")
    long_url = "https://example.org/" + "a" * 200
    screen.post(paper_card(a_paper(pdf_url=long_url), [], SPRING))
    assert stream.getvalue().startswith("> /paper list[2J\n")
    assert long_url in stream.getvalue()
    assert " \n" not in stream.getvalue()


def test_the_first_lines_of_a_terminal() -> None:
    stream = io.StringIO()
    RichScreen(stream).note(welcome_card([("Slack", "`SLACK_BOT_TOKEN`"), ("Discord", "`DISCORD_TOKEN`")]))
    RichScreen(stream).note(unreachable_card(sample=True))
    assert stream.getvalue() == snapshot("""\
 Paperboy
 New research papers appear here, as soon as they match what you subscribe to.
 Type subscribe diffusion with your own words, trending for today's papers, help for the rest, exit to leave.
 • Slack: set SLACK_BOT_TOKEN in the environment or in .env, then restart.
 • Discord: set DISCORD_TOKEN in the environment or in .env, then restart.

 No source of papers can be reached right now. Paperboy keeps trying.
 Until then, here is a sample of papers from May 2026, each marked sample. You can try subscribe and preview with it: /paper preview diffusion.

""")
