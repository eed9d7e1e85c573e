"""Mistyped, odd and foreign-language lines with their answers, in answers.txt.

`pytest -n 0 tests/commands/test_answers.py --inline-snapshot=fix` writes the current answers into the file.
"""

from pathlib import Path

import pytest
from inline_snapshot import external_file

from bot.cards import Actions, Bullets, Card, PaperBlock, Paragraph
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import Paper
from tests.commands.conftest import ADA, NOW, See
from tests.papers import a_channel, a_paper

TABLE = Path(__file__).with_name("answers.txt")
SUBSCRIPTIONS = ("rag", '"language model" -survey', "diffusion")
SHOWN = 2
"""Maximum number of bullets of an answer in the table; the others are counted."""


@pytest.mark.timeout(120)
async def test_every_line_gets_its_answer_in_the_table(services: Services, see: See) -> None:
    await see(*_papers())
    answers = [await _answer(n, line, services) for n, line in enumerate(TABLE.read_text().splitlines())]
    assert "\n".join(filter(None, answers)).replace("\n##", "\n\n##") + "\n" == external_file(str(TABLE))


def test_the_table_has_each_line_once() -> None:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("> ")]
    assert len(lines) >= 150
    assert len(lines) == len(set(lines))


def _papers() -> list[Paper]:
    subjects = (
        "diffusion policy",
        "flow matching",
        "diffusion or flow",
        "language model agents",
        "rag for code",
    )
    return [
        a_paper(f"2603.{n:05}", title=f"On {subject}, {n}", abstract=f"A study of {subject}.", published=NOW)
        for n, subject in enumerate(subjects * 3)
    ]


async def _answer(number: int, line: str, services: Services) -> str:
    """Return a line of the table with its answer, in a channel with three subscriptions and a mute."""
    if not line.startswith("> "):
        return line if line.startswith("#") else ""
    core, channel = Commands(services), a_channel(f"C{number}")
    for query in SUBSCRIPTIONS:
        await services.subscriptions.add(channel, query, "channel", ADA.signature)
    await core.handle_text("mute survey", ADA, channel)
    card = (await core.handle_text(line.removeprefix("> "), ADA, channel)).card
    return "\n".join((line, *(f"    {text}" for text in _card_lines(card))))


def _card_lines(card: Card) -> list[str]:
    lines = [card.heading] if card.heading else []
    for block in card.blocks:
        match block:
            case Paragraph(text):
                lines += "".join(span.text for span in text).splitlines()
            case Bullets(items):
                lines += [f"- {''.join(span.text for span in item)}" for item in items[:SHOWN]]
                lines += [f"- … {len(items) - SHOWN} more"] if len(items) > SHOWN else []
            case Actions(buttons):
                lines.append(" ".join(f"[{b.label} → {b.command}]" for b in buttons))
            case PaperBlock():
                lines.append(f"* {block.title}")
    return lines
