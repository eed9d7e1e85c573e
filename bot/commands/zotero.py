"""`/paper zotero` and `/paper saved export:zotero`: send a person's saved papers to their Zotero library."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from bot.cards import Button, Card, Field, Form, Span
from bot.cards.build import actions, code, count, paragraph
from bot.cards.sanitize import plain
from bot.commands.services import Services
from bot.domain.errors import SourceError, UserError
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.sources.zotero import COLLECTION, KeyRefused, Pushed
from bot.store.reactions import Annotation, PaperList
from bot.text import shorten

NEW_KEY = (
    "https://www.zotero.org/settings/keys/new?name=Paperboy&library_access=1&notes_access=0&write_access=1"
)
"""Zotero's page for a new key, with the needed permissions ticked."""
OFF = "off"
MAX_NAME = 80
"""Maximum number of characters shown of a person's name."""
_KEY = re.compile(r"[A-Za-z0-9]{20,40}")
REFUSED = "Zotero doesn't take this key: it isn't known there, or it may not write to your library."

log = structlog.get_logger(__name__)


async def zotero(command: Command, services: Services) -> Reply:
    """Store a key, delete it, or send the person's whole list."""
    what = command.options.get("what", "").strip()
    if key := command.options.get("key", "").strip() or (what if _KEY.fullmatch(what) else ""):
        return Reply(await _connected(key, command, services))
    if what.casefold() == OFF:
        ended = await services.zotero_keys.end(command.user, command.channel)
        return _message_reply(
            "Your Zotero key is deleted. What was sent stays in your library."
            if ended
            else "No Zotero key of yours is stored."
        )
    if what:
        raise UserError(
            "Type /paper zotero to send your list, or /paper zotero off to delete your key.",
            hint="/paper zotero",
        )
    paper_list = PaperList.of_person(command.user, command.channel)
    ids = await services.saved.of(paper_list)
    papers = await services.papers.get(ids)
    found = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return await sent_to_zotero(found, await services.saved.annotations(paper_list), command, services)


async def sent_to_zotero(
    papers: Sequence[Paper], annotations: Mapping[str, Annotation], command: Command, services: Services
) -> Reply:
    """Send papers; without a key, reply with the form that asks for it."""
    _require_encryption(services)
    key = await services.zotero_keys.of(command.user, command.channel)
    if key is None:
        return Reply(_how_to_connect(), form=_form())
    if not papers:
        raise UserError("You haven't saved any papers to send.", hint="/paper help save")
    message = f"Sending {count(len(papers), 'paper')} to Zotero. If nothing follows, try again: nothing is sent twice."
    sending = partial(_push, key, papers, annotations, command, services)
    return Reply(Card("reply", message, blocks=(paragraph(message),)), later=sending)


async def _push(
    key: str,
    papers: Sequence[Paper],
    annotations: Mapping[str, Annotation],
    command: Command,
    services: Services,
) -> Card:
    # Imported only here, because most runs export nothing.
    from bot.text.bibliography import Listed  # noqa: PLC0415

    about = {paper.id: annotations.get(paper.id, Annotation()) for paper in papers}
    listed = [Listed(paper, about[paper.id].note, about[paper.id].tags) for paper in papers]
    try:
        return _pushed_card(await services.zotero.push(key, listed))
    except KeyRefused:
        await services.zotero_keys.end(command.user, command.channel)
        message = f"{REFUSED} I have deleted it. Type /paper zotero to give me another one."
    except SourceError as error:
        log.info("zotero_failed", why=str(error))
        message = f"{error}. Nothing was sent. Try again in a few minutes."
    return Card("error", message, blocks=(paragraph(message),))


async def _connected(key: str, command: Command, services: Services) -> Card:
    """Try a key, then store it."""
    _require_encryption(services)
    if not _KEY.fullmatch(key):
        raise UserError(REFUSED, hint="/paper zotero")
    try:
        name = await services.zotero.name_of(key)
    except KeyRefused:
        raise UserError(REFUSED, hint="/paper zotero") from None
    except SourceError as error:
        raise UserError(f"{error}. Try again in a minute.") from None
    await services.zotero_keys.put(command.user, command.channel, key)
    whose = shorten(plain(name), MAX_NAME) or "you"
    message = f"Connected to the Zotero library of {whose}. Your key is stored encrypted; /paper zotero off deletes it."
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(message),
            *actions(Button("Send my papers", "zotero"), Button("Delete the key", f"zotero {OFF}")),
        ),
    )


def _require_encryption(services: Services) -> None:
    if not services.zotero_keys.ready:
        raise UserError(
            "Zotero isn't set up here. The operator has to set PAPERBOY_SECRET_KEY, so that keys are stored encrypted."
        )


def _how_to_connect() -> Card:
    message = "To send papers to Zotero, I need a key that may write to your library."
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(message),
            paragraph("Make one on ", Span("Zotero's page", url=NEW_KEY), " and paste it into the form. It is stored encrypted."),
            paragraph("If no form opens, type ", code("/paper zotero key:<your key>"),
                      ". The answer is for you alone, but what you type passes through this platform."),
        ),
    )  # fmt: skip


def _form() -> Form:
    where = "From zotero.org/settings/keys/new, with write access. It is stored encrypted."
    return Form("Connect Zotero", "zotero", (Field("key", "Zotero key", "", where),))


def _pushed_card(pushed: Pushed) -> Card:
    parts = [f"{count(pushed.new, 'new paper')} in your Zotero library, in the collection {COLLECTION}"]
    if pushed.there:
        parts.append(
            f"{count(pushed.there, 'paper')} were there already"
            if pushed.there > 1
            else "1 was there already"
        )
    if pushed.refused:
        parts.append(f"Zotero refused {pushed.refused}")
    if pushed.left:
        parts.append(f"{pushed.left} are left, because {pushed.why}. Try again in a few minutes")
    message = f"{'; '.join(parts)}."
    again = (Button("Send the rest", "zotero"),) if pushed.left else ()
    return Card(
        "reply",
        message,
        blocks=(paragraph(message), *actions(*again, Button("Delete the key", f"zotero {OFF}"))),
    )


def _message_reply(message: str) -> Reply:
    return Reply(Card("reply", message, blocks=(paragraph(message),)))
