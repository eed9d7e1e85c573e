"""The menu of a message: show or save the papers that it names, or find similar ones.

The platforms hand over the ids of the papers, so that nothing else of a message reaches the core.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from bot.cards import Block, Button, Card
from bot.cards.build import MAX_BUTTON, actions, bold, count, dim, paragraph
from bot.cards.paper import NOTICE, link_buttons, link_card, paper_block
from bot.cards.sanitize import plain
from bot.commands.places import place_lines, places_for
from bot.commands.resolve import resolve_papers
from bot.commands.saved import save
from bot.commands.services import Services
from bot.commands.similar import similar
from bot.domain.errors import UserError
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.store.reactions import PaperList
from bot.text import shorten
from bot.text.mentions import papers_in

MAX_WITH_BUTTONS = 5
"""Maximum number of papers for which each has its own buttons."""
MAX_UNKNOWN_ID = 60
"""Maximum number of characters shown of an unknown id."""


async def papers(command: Command, services: Services) -> Reply:
    """Reply with a card of each paper that the message names."""
    found, unknown = await _mentioned_papers(command, services)
    if len(found) == 1 and not unknown:
        card, now = link_card(found[0], services.now()), services.now()
        places = place_lines(await places_for(command, found[0].id, services), now)
        return Reply(replace(card, blocks=(*card.blocks, *places)))
    heading = f"{count(len(found), 'paper')} in this message"
    shown: list[Block] = []
    for paper in found:
        shown.append(paper_block(paper, (), services.now(), "line"))
        if len(found) <= MAX_WITH_BUTTONS:
            shown += actions(*link_buttons(paper))
    save_all = Button("Save all", await _line("savepapers", found, services))
    blocks = (*shown, *_left_out(unknown), *(actions(save_all) if len(found) > 1 else ()))
    return Reply(Card("list", _notice(heading, found), heading, blocks))


async def savepapers(command: Command, services: Services) -> Reply:
    """Put the message's papers on the person's list, as the Save button does with one; or undo that."""
    found, unknown = await _mentioned_papers(command, services)
    own_list = PaperList.of_person(command.user, command.channel)
    saved_before = set(await services.saved.of(own_list))
    if command.options.get("remove") == "yes":
        for paper in found:
            with suppress(UserError):  # it was taken off in the meantime
                await save(_command_for(command, "save", paper, remove="yes"), services)
        removed = [paper for paper in found if paper.id in saved_before]
        undo = Button("Undo", await _line("savepapers", removed, services))
        return Reply(_saved_card("Removed from your list", removed, (), (undo,) if removed else ()))
    new = [paper for paper in found if paper.id not in saved_before]
    for paper in new:
        await save(_command_for(command, "save", paper), services)
    buttons = [Button("My list", "saved")]
    if new:
        buttons.append(Button("Undo", f"{await _line('savepapers', new, services)} remove:yes"))
    message = "Saved to your list" if new else "Already on your list"
    return Reply(_saved_card(message, new or found, unknown, buttons))


async def similarpapers(command: Command, services: Services) -> Reply:
    """Reply with papers like the one that the message names; if it names several, ask which one."""
    found, _ = await _mentioned_papers(command, services)
    if len(found) == 1:
        return await similar(_command_for(command, "similar", found[0]), services)
    heading = "Similar to which paper?"
    blocks: list[Block] = []
    for paper in found[:MAX_WITH_BUTTONS]:
        blocks += (
            paper_block(paper, (), services.now(), "line"),
            *actions(Button("Similar", f"similar {paper.id}")),
        )
    return Reply(Card("list", _notice(heading, found), heading, tuple(blocks)))


async def _mentioned_papers(command: Command, services: Services) -> tuple[list[Paper], list[str]]:
    """Return the papers of the command's text, and the ids that aren't found. Raises UserError if none is found."""
    text = command.options.get("papers", "")
    if text.startswith("~"):
        text = await services.button_payloads.get(text) or ""
    ids = papers_in(text)
    if not ids:
        raise UserError(
            "I found no paper in this message. I look for links to papers, DOIs and ids like 2405.01234."
        )
    found, unknown = await resolve_papers(ids, services)
    if not found:
        raise UserError(f"I don't have {_listed(unknown)}, and couldn't find it elsewhere.")
    return found, unknown


async def _line(name: str, found: Sequence[Paper], services: Services) -> str:
    """Return the command for these papers, short enough for a button with an option after it."""
    ids = " ".join(paper.id for paper in found)
    if len(name) + len(ids) > MAX_BUTTON - len("  remove:yes"):
        ids = await services.button_payloads.put(ids)
    return f"{name} {ids}"


def _command_for(command: Command, name: str, paper: Paper, **options: str) -> Command:
    return replace(command, name=name, options={"paper": paper.id, **options})


def _saved_card(
    message: str, found: Sequence[Paper], unknown: Sequence[str], buttons: Sequence[Button]
) -> Card:
    titles = [shorten(plain(paper.title), NOTICE) for paper in found]
    if len(titles) == 1:
        lines: tuple[Block, ...] = (paragraph(f"{message}: ", bold(titles[0])),)
    else:
        message = f"{message}: {count(len(titles), 'paper')}"
        lines = (paragraph(f"{message}."), *(paragraph(bold(title)) for title in titles))
    return Card("reply", _notice(message, found), blocks=(*lines, *_left_out(unknown), *actions(*buttons)))


def _left_out(unknown: Sequence[str]) -> tuple[Block, ...]:
    return (paragraph(dim(f"I couldn't find {_listed(unknown)}.")),) if unknown else ()


def _listed(ids: Sequence[str]) -> str:
    shown = ", ".join(shorten(plain(one), MAX_UNKNOWN_ID) for one in ids[:3])
    return f"{shown} and {len(ids) - 3} more" if len(ids) > 3 else shown


def _notice(message: str, found: Sequence[Paper]) -> str:
    return shorten(f"{message}: {'; '.join(plain(paper.title) for paper in found)}", NOTICE)
