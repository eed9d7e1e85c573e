"""Cards in a terminal are readable and clickable, and their text can't control the terminal."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from rich.console import Console

from adapters.console.render import render
from bot.cards import Actions, Bullets, Button, Card, Figure, PaperBlock, Paragraph, Span
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card
from bot.commands.help import help_card
from bot.domain.models import Reason
from tests.papers import SPRING, a_paper

ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;(?:id=\d+;https?://[!-~]*|;)\x1b\\")
"""Colours and links: the only escape sequences that a card can contain."""
POLICY = Reason(3, '"diffusion policy"')
PAPER = a_paper(
    title="Diffusion Policies That Fold Laundry",
    authors=("Ada Lovelace", "Alan Turing", "Grace Hopper"),
    pdf_url="https://arxiv.org/pdf/2603.00001",
    code_url="https://github.com/lovelace/laundry",
    upvotes=42,
)


def as_plain_text(card: Card, width: int = 72) -> str:
    """Return the card as it is printed to a file or a pipe."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as shown:
        console.print(render(card, links=False))
    return "\n".join(line.rstrip() for line in shown.get().split("\n"))


def as_terminal_output(card: Card, width: int = 72) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard", legacy_windows=False
    )
    with console.capture() as shown:
        console.print(render(card, links=True))
    return shown.get()


def test_a_paper_reads_well_as_plain_text() -> None:
    assert as_plain_text(paper_card(PAPER, [POLICY], SPRING)) == snapshot("""\
 Diffusion Policies That Fold Laundry
 Ada Lovelace … Grace Hopper (+1) · 2 Mar · ▲ 42 · code
 We look at it closely.
 matched "diffusion policy" (#3)
 Abstract: https://arxiv.org/abs/2603.00001
 PDF: https://arxiv.org/pdf/2603.00001
 Code: https://github.com/lovelace/laundry

""")


def test_a_paper_on_a_terminal_has_links_and_styles() -> None:
    shown = as_terminal_output(paper_card(PAPER, [POLICY], SPRING))
    assert re.search(r"\x1b\]8;id=\d+;https://arxiv.org/abs/2603.00001\x1b\\", shown)
    assert "PDF" in shown
    assert "https://arxiv.org/pdf" not in ESCAPES.sub("", shown), "the address is behind the word"


def test_a_digest_reads_well_as_plain_text() -> None:
    assert as_plain_text(
        digest_card([(PAPER, (POLICY,)), (a_paper(), (Reason(4, "rag"),))], SPRING)
    ) == snapshot("""\
 2 new papers
 • Diffusion Policies That Fold Laundry
   Ada Lovelace … Grace Hopper (+1) · 2 Mar · ▲ 42 · code
   We look at it closely.
   matched "diffusion policy" (#3)
   https://arxiv.org/abs/2603.00001
 • On paper 2603.00001
   Ada Lovelace · 2 Mar
   We look at it closely.
   matched rag (#4)
   https://arxiv.org/abs/2603.00001

""")


def test_help_wraps_and_stays_indented() -> None:
    lines = as_plain_text(help_card(), 40).split("\n")
    assert all(len(line) <= 40 for line in lines)
    assert as_plain_text(help_card()) == snapshot("""\
 New papers, in this channel
 Follow
 • /paper subscribe <query> – post new papers that match a query here
 • /paper unsubscribe <#number or query> – stop a subscription
 • /paper list – show what this channel is subscribed to
 • /paper preview <#number or query> – show what a query or
   subscription would have posted lately; nothing is posted
 • /paper author <name> – show an author's latest papers, and follow
   them
 • /paper org <name> – show an organization's latest papers, and follow
   it
 • /paper presets – show ready-made queries for fields of science
 Find
 • /paper search <query> – find papers by words, authors, ids or links;
   only you see the results
 • /paper similar <paper> – find papers like one that you name by its
   id or link
 • /paper trending [day|week|month] – show what is trending now, or the
   most upvoted of a week or month
 Papers
 • /paper explain <paper> – say why a paper was posted here, or why not
 • /paper life <paper> – show what happened to a paper: versions,
   acceptance, code, withdrawal
 • /paper watch [<paper>] – get news of a paper: new versions,
   acceptance, code, withdrawal
 • /paper unwatch <paper> – stop news of a paper
 • /paper save <paper> – put a paper on your reading list, or on this
   channel's
 • /paper saved [<words>] – show or search your reading list, or this
   channel's
 This channel
 • /paper mute <query> – don't post papers that match a query here
 • /paper unmute [<query>] – end a mute; without a query, show all
   mutes
 • /paper taste [<what>] – show or change what Paperboy learned from  …
   and 👎 here
 • /paper settings – show or change schedule, time zone, quiet hours,
   cards, and who may edit
 • /paper status – show what was read, the next digest, and what is
   waiting or failed here
 • /paper feed [<#number or query>] – get the address of a feed of the
   posts or of the shared list here, for a feed reader
 • /paper api [show|new|off] – make or end a token with which a program
   reads the posts here
 • /paper webhook [<what>] – send each post here to an https address,
   too, for a program or another chat
 • /paper forget [channel|me] – delete everything that is stored about
   this channel, or about you
 • /paper help [<command>] – show all commands, or one in detail
 Options of a command: /paper help subscribe
 Queries match whole words: rag doesn't match “storage”.
 • diffusion policy – both words
 • diffusion, flow matching – the first word, or both of the others
 • "language model" -survey – the phrase, but not that word
 • author:hinton cat:cs.LG – an author, in one arXiv category
 • trending, agents min:30 – trending papers, or papers on agents with
   30 upvotes
 This channel's subscriptions: list
 Trending now: trending

""")


def test_colours_suit_light_and_dark_backgrounds() -> None:
    codes = set(
        re.findall(
            r"\x1b\[([0-9;]*)m",
            as_terminal_output(paper_card(PAPER, [POLICY], SPRING)) + as_terminal_output(help_card()),
        )
    )
    assert codes <= {"0", "1", "2", "4", "1;4", "32", "35"}


HOSTILE = "\x1b]8;;https://evil\x1b\\\x1b[2J\x9b31m[bold red]x[/][link=https://evil]y[/link]:smile:\x07\r\x08\u202e\ud800"


def hostile_card(text: str) -> Card:
    button = Button(text, text)
    links = (Button(text, url=text), Button(text, url=f"https://evil/{text}"))
    return Card(
        "paper",
        text,
        text,
        (
            Paragraph((Span(text), Span(text, "code", text), Span(text, "plain", f"https://evil/{text}"))),
            Bullets(((Span(text, "bold"),),)),
            Figure((Span(text),), f"https://evil/{text}", text),
            Actions((button, *links)),
            *(
                PaperBlock(
                    paper_id=text, title=text, url=f"https://evil/{text}", byline=(text,), summary=text, reasons=(text,),
                    detail=detail, abstract=text, buttons=(button, *links),
                )
                for detail in ("line", "compact", "full")
            ),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("output", [as_terminal_output, as_plain_text])
def test_hostile_text_of_a_paper_is_shown_as_text(output: object) -> None:
    assert callable(output)
    shown = output(hostile_card(HOSTILE), 2000)
    rest = ESCAPES.sub("", shown)
    assert not set(rest) & set("\x1b\x9b\x07\r\x08\u202e\ud800")
    assert "[bold red]x[/]" in rest
    assert ":smile:" in rest


@given(st.text())
def test_no_text_can_control_the_terminal(text: str) -> None:
    rest = ESCAPES.sub("", as_terminal_output(hostile_card(text), 500))
    assert all(c == "\n" or c.isprintable() or c.isspace() or ord(c) > 0x9F for c in rest)
    assert "\x1b" not in rest


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_paper_fits_any_window_width(width: int) -> None:
    shown = ESCAPES.sub("", as_terminal_output(paper_card(PAPER, [POLICY] * 5, SPRING), width))
    assert all(len(line) <= width for line in shown.split("\n"))
