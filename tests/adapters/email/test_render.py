"""Mails are valid HTML, small and harmless, and readable as plain text."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from adapters.email.render import MAX_HTML, Frame, Rendered, render
from bot.cards import Actions, Bullets, Button, Card, Paragraph, Span
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card
from bot.domain.models import Reason
from bot.sources.huggingface_papers import parse_list
from tests.papers import a_paper

NOW = datetime(2026, 3, 3, tzinfo=UTC)
BASE = "https://papers.example.org/email"
FRAME = Frame(
    "You get this because this address was confirmed at https://papers.example.org.",
    (("Manage what you get", f"{BASE}/manage/x"), ("Stop all mail", f"{BASE}/unsubscribe/x")),
    lambda line: f"{BASE}/manage/x?say={line.replace(' ', '+')}",
)
LARGEST = a_paper(
    title="<&\"'>" * 400,
    abstract="<&\"'> " * 4000,
    authors=("&" * 3000, "<" * 3000),
    url="https://example.org/?" + "&" * 400,
    pdf_url="https://example.org/?" + "'" * 400,
)
"""A paper whose characters all grow when they are escaped."""


class Elements(HTMLParser):
    """Records every element of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


def check(mail: Rendered) -> None:
    """Check what every mail must satisfy."""
    html5lib.HTMLParser(strict=True).parse(mail.html)
    assert len(mail.html.encode()) < 100_000
    elements = Elements(mail.html).all
    assert {tag for tag, _ in elements} <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "h2"),
        *("p", "a", "ul", "li", "span", "strong", "em"),
    }
    for _, attributes in elements:
        assert not {"src", "srcset", "background"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
        assert re.match("https?://|$", attributes.get("href") or "")
    assert "url(" not in mail.html
    assert "@import" not in mail.html
    assert mail.subject == " ".join(mail.subject.split())


def a_digest(papers: int) -> Card:
    return digest_card([(a_paper(f"2603.0000{n}"), (Reason(1, "paper"),)) for n in range(papers)], NOW)


def test_a_paper_reads_well_as_plain_text() -> None:
    paper = a_paper(
        authors=("Ada Lovelace", "B", "C"),
        pdf_url="https://arxiv.org/pdf/2603.00001",
        code_url="https://example.org/code",
        upvotes=42,
        categories=("cs.RO",),
    )
    assert render(paper_card(paper, (Reason(3, '"diffusion policy"'),), NOW), FRAME).text == snapshot("""\
On paper 2603.00001
Ada Lovelace … C (+1) · cs.RO · 2 Mar · ▲ 42 · code
We look at it closely.
matched "diffusion policy" (#3)
https://arxiv.org/abs/2603.00001
PDF: https://arxiv.org/pdf/2603.00001
Code: https://example.org/code

-- \n\
You get this because this address was confirmed at
https://papers.example.org.
Manage what you get:
https://papers.example.org/email/manage/x
Stop all mail:
https://papers.example.org/email/unsubscribe/x
""")


def test_a_digest_reads_well_as_plain_text() -> None:
    assert render(a_digest(2), FRAME).text == snapshot("""\
2 new papers
============

All matched paper (#1)

On paper 2603.00000
Ada Lovelace · 2 Mar
We look at it closely.
https://arxiv.org/abs/2603.00000

On paper 2603.00001
Ada Lovelace · 2 Mar
We look at it closely.
https://arxiv.org/abs/2603.00001

-- \n\
You get this because this address was confirmed at
https://papers.example.org.
Manage what you get:
https://papers.example.org/email/manage/x
Stop all mail:
https://papers.example.org/email/unsubscribe/x
""")


def test_every_kind_of_block_is_shown() -> None:
    card = Card(
        "reply",
        "Hello",
        "A heading",
        (
            Paragraph((Span("plain "), Span("bold", "bold"), Span("code", "code"), Span("dim", "dim"))),
            Bullets(((Span("one", "italic"),), (Span("two", url="https://example.org"),))),
            Actions((Button("Do it", "list"), Button("See it", url="https://example.org/see"))),
        ),
    )
    mail = render(card, FRAME)
    check(mail)
    assert f'href="{BASE}/manage/x?say=list"' in mail.html
    assert mail.text.startswith(
        "A heading\n=========\n\nplain boldcodedim\n\n- one\n- two <https://example.org>\n\n"
        "See it: https://example.org/see\n\n-- \n"
    )


def test_a_button_without_a_link_is_omitted() -> None:
    card = Card("reply", "Hello", blocks=(Actions((Button("Do it", "list"),)),))
    assert "Do it" not in render(card, Frame("", ())).html


def test_the_largest_mail_is_below_the_limit_of_mail_programs() -> None:
    entries = [(LARGEST, tuple(Reason(n, "<&>" * 80) for n in range(9)))] * 200
    check(render(digest_card(entries, NOW), FRAME))
    full = paper_card(LARGEST, (), NOW, "full").blocks
    mail = render(Card("digest", "All of it", blocks=full * 100), FRAME)
    check(mail)
    assert len(mail.html.encode()) > MAX_HTML // 2
    assert "fit into this mail" in mail.html
    assert "fit into this mail" in mail.text


def test_in_a_large_mail_abstracts_are_omitted_before_papers() -> None:
    full = paper_card(LARGEST, (), NOW, "full").blocks
    mail = render(Card("digest", "All of it", blocks=full * 8), FRAME)
    check(mail)
    assert mail.html.count("<h2") == 8


@given(st.text(max_size=200), st.text(max_size=400), st.text(max_size=80))
def test_text_of_a_paper_adds_no_markup(title: str, abstract: str, query: str) -> None:
    paper = a_paper(title=title, abstract=abstract, url="javascript:alert(1)")
    check(render(paper_card(paper, (Reason(1, query),), NOW, "full"), FRAME))


def test_markup_in_a_paper_is_shown_as_text() -> None:
    mail = render(paper_card(a_paper(title="<img src=x onerror=alert(1)>"), (), NOW), FRAME)
    check(mail)
    assert "&lt;img src=x onerror=alert(1)&gt;" in mail.html
    assert mail.text.startswith("<img src=x onerror=alert(1)>\n")


@pytest.mark.parametrize("day", ["2026-03-16", "2026-04-15", "2026-05-20"])
def test_mails_of_recorded_days_are_well_formed(shared_data: Path, day: str) -> None:
    papers = parse_list((shared_data / "hf_daily" / f"{day}.json").read_bytes())
    entries = [(paper, (Reason(1, "trending"),)) for paper in papers]
    mails = [render(digest_card(entries, NOW), FRAME)]
    mails += [render(paper_card(paper, why, NOW), FRAME) for paper, why in entries]
    mails += [render(paper_card(paper, why, NOW, "full"), FRAME) for paper, why in entries]
    for mail in mails:
        check(mail)
    assert len(mails) > 20
