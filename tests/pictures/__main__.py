"""Take the pictures with a headless Chromium: `python -m tests.pictures FOLDER`.

A compact and a full card, a digest, and the help, on Discord, on Slack, in a mail and in a terminal; the papers are
invented, or those of a recorded day.
"""

import argparse
import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from playwright.async_api import Browser, async_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI

from adapters.console import render as terminal
from adapters.email import render as mail
from adapters.slack.render import render
from bot.cards import Card
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card
from bot.commands.help import help_card
from bot.domain.models import Paper, Reason
from bot.sources.huggingface_papers import parse_list
from tests.adapters.discord.limits import v2_body
from tests.papers import a_paper
from tests.pictures import discord, slack

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)
WIDTH = 640
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
)


def slack_body(card: Card) -> Mapping[str, Any]:
    """Return a card as the body of a request to Slack."""
    return {"blocks": render(card).blocks}


def _message(app: str, body: Markup) -> str:
    """Return the HTML of a message in the app's window."""
    folder = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return folder.get_template("page.html").render(app=app, width=WIDTH, accent="#f2b632", body=body)


def _mail(card: Card) -> str:
    return mail.render(card, FRAME).html


def _terminal(card: Card) -> str:
    """Return the card as a terminal of 92 columns shows it."""
    screen = Console(record=True, width=92, file=StringIO(), force_terminal=True, color_system="truecolor")
    screen.print(terminal.render(card, links=False))
    return screen.export_html(inline_styles=True, theme=MONOKAI, code_format=TERMINAL)


FRAME = mail.Frame(
    "You get this because you confirmed this address at https://papers.example.org.",
    (("Change what you get", "https://papers.example.org"), ("Stop all mail", "https://papers.example.org")),
    lambda _line: "https://papers.example.org",
)
TERMINAL = (
    '<!doctype html><meta charset="utf-8"><style>* {{ margin: 0 }} body {{ display: inline-block; background: {background}; '
    'color: {foreground} }} pre {{ padding: 14px 18px; font: 13px/1.35 "DejaVu Sans Mono", "Noto Color Emoji", monospace }}'
    "</style><pre>{code}</pre>"
)
APPS: Mapping[str, Callable[[Card], str]] = {
    "discord": lambda card: _message("discord", discord.body(v2_body(card))),
    "slack": lambda card: _message("slack", slack.body(slack_body(card))),
    "mail": _mail,
    "terminal": _terminal,
}
"""App -> function that renders a card as a page."""
PAPERS = (
    a_paper(
        "2610.01234",
        title="Diffusion Policies That Fold Laundry",
        abstract="Folding laundry is hard for robots, since cloth has endless states. We train a diffusion policy on "
        "two hundred hours of people folding and let it plan the next second of both arms at once. On a bench of nine "
        "garments it folds eighty-one percent of them in one go, forty more than the best policy before it.",
        authors=("Ada Lovelace", "Alan Turing", "Grace Hopper", "Emmy Noether", "Katherine Johnson"),
        categories=("cs.RO", "cs.LG"),
        published=datetime(2026, 10, 2, tzinfo=UTC),
        tldr="A diffusion policy folds eight of ten garments that it was never shown.",
        pdf_url="https://arxiv.org/pdf/2610.01234",
        code_url="https://github.com/lovelace/laundry",
        code_stars=1234,
        upvotes=42,
        thumbnail_url="https://example.org/laundry.png",
    ),
    a_paper(
        "2610.01301",
        title="Small Language Models Read Whole Books, One Page at a Time",
        authors=("Emmy Noether", "Kurt Gödel"),
        categories=("cs.CL",),
        published=datetime(2026, 10, 2, tzinfo=UTC),
        upvotes=31,
    ),
    a_paper(
        "2610.01377",
        title="What Retrieval Forgets: 12,000 Questions Whose Answers Have Changed",
        authors=("Katherine Johnson", "Mary Jackson", "Dorothy Vaughan"),
        categories=("cs.IR", "cs.CL"),
        published=datetime(2026, 10, 2, tzinfo=UTC),
        upvotes=19,
        code_url="https://github.com/johnson/stale",
    ),
)


def cards(papers: Sequence[Paper] = PAPERS, now: datetime = NOW) -> Iterator[tuple[str, Card]]:
    """Return the cards to take pictures of."""
    laundry, *_ = papers
    reason = Reason(3, '"diffusion policy"' if papers is PAPERS else "trending")
    yield "compact", paper_card(laundry, [reason], now)
    yield "full", paper_card(laundry, [reason], now, "full")
    reasons = (reason, Reason(1, '"language model" -survey'), Reason(4, "retrieval"))
    if papers is not PAPERS:
        reasons = (reason, reason, reason)
    yield "digest", digest_card([(paper, (why,)) for paper, why in zip(papers, reasons, strict=True)], now)
    yield "help", help_card()


def page(app: str, card: Card) -> str:
    """Return a page with the card in its app."""
    return APPS[app](card)


async def take(browser: Browser, html: str, path: Path) -> None:
    """Take one picture."""
    view = await browser.new_page(viewport={"width": WIDTH, "height": 200}, device_scale_factor=2)
    await view.set_content(html)
    await view.locator("body").screenshot(path=path)
    await view.close()


def recorded(day: Path) -> Sequence[Paper]:
    """Return the three most upvoted papers of a recorded list of Hugging Face."""
    found = parse_list(day.read_bytes())
    return sorted(found, key=lambda paper: -(paper.upvotes or 0))[: len(PAPERS)]


async def run(folder: Path, apps: list[str], papers: Sequence[Paper], now: datetime) -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("pictures need Chromium: apt-get install chromium")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for app in apps:
            for name, card in cards(papers, now):
                await take(browser, page(app, card), folder / f"{app}-{name}.png")
        await browser.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("apps", nargs="*", default=list(APPS), help=f"of {', '.join(APPS)}")
    parser.add_argument(
        "--recorded", type=Path, help="a recorded list of Hugging Face, such as 2026-03-16.json"
    )
    options = parser.parse_args()
    papers: Sequence[Paper] = PAPERS
    now = NOW
    if options.recorded:
        papers = recorded(options.recorded)
        now = datetime.fromisoformat(f"{options.recorded.stem}T20:00:00+00:00")
    options.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(options.folder, options.apps, papers, now))


if __name__ == "__main__":
    main()
