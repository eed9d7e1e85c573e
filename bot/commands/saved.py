"""`/paper save`, `/paper saved` and the Save button: a person's reading list, and the shared one of a channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.cards import Block, Button, Card
from bot.cards.build import actions, bold, count, dim, paragraph
from bot.cards.paper import NOTICE, paper_block
from bot.cards.sanitize import plain
from bot.commands.export import exported
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.taste_learning import relearn
from bot.commands.watch import watcher_of
from bot.commands.zotero import sent_to_zotero
from bot.domain.errors import UserError
from bot.domain.life import Watch
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.query import parse
from bot.store.reactions import Annotation, PaperList
from bot.store.watches import events_of
from bot.text import shorten

PAGE_SIZE = 10
"""Number of papers per page."""
MAX_NOTE = 500
"""Maximum number of characters in a note."""
MAX_TAGS, MAX_TAG = 10, 30
"""Maximum number of tags of a paper, and of characters in a tag."""
HERE = "here"
"""Word that means the channel's shared list if typed after a paper or a search."""
NONE = "none"
"""Value of a note or tag that removes the present ones."""


@dataclass(frozen=True, slots=True)
class ListView:
    """A list, or those of its papers that match a search."""

    shared: bool
    papers: Sequence[Paper]
    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    words: str = ""
    tag: str = ""

    @property
    def line(self) -> str:
        """The command that shows it."""
        parts = (self.words, f"tag:{self.tag}" if self.tag else "", "list:here" if self.shared else "")
        return " ".join(filter(None, ("saved", *parts)))


async def save(command: Command, services: Services) -> Reply:
    """Put a paper on a list, change its note and tags, or remove it."""
    typed, shared = _split(command, "paper")
    paper_list = await _list_for(command, services, shared=shared)
    paper = await resolve_paper(typed, services)
    list_option, list_name = (" list:here", "this channel's list") if shared else ("", "your list")
    if command.options.get("remove") == "yes":
        if not await services.saved.remove(paper_list, paper.id):
            raise UserError(f"That paper isn't on {list_name}.", hint=f"/paper saved{list_option}")
        if not shared:
            await _unlike(command, paper, services)
        return Reply(
            _changed_card(f"Removed from {list_name}", paper, Button("Undo", f"save {paper.id}{list_option}"))
        )
    current = (await services.saved.annotations(paper_list)).get(paper.id, Annotation())
    annotation = _annotated(current, command, by=command.user.signature if shared else "")
    added = await services.saved.add(paper_list, paper.id, annotation)
    if not shared:
        await _like(command, paper, services)
    change = "" if added or annotation == current else ", with what you wrote"
    buttons = (
        Button("Channel's list" if shared else "My list", f"saved{list_option}"),
        Button("Undo", f"save {paper.id}{list_option} remove:yes"),
    )
    return Reply(_changed_card(f"Saved to {list_name}{change}", paper, *buttons))


async def saved(command: Command, services: Services) -> Reply:
    """Reply with a page of a list, or of the papers found in it."""
    view = await list_view(command, services)
    if command.options.get("export") == "zotero":
        return await sent_to_zotero(view.papers, view.annotations, command, services)
    if "export" in command.options:
        name = "channel-list" if view.shared else "reading-list"
        return await exported(view.papers, name, command, view.annotations)
    return Reply(saved_card(view, services.now(), int(command.options.get("page", 1))))


async def list_view(command: Command, services: Services) -> ListView:
    """Return the papers that the command asks for. Raises UserError if the person may not see them."""
    words, shared = _split(command, "words")
    tag = _tag(command.options.get("tag", ""))
    paper_list = await _list_for(command, services, shared=shared)
    ids = await services.saved.of(paper_list)
    annotations = await services.saved.annotations(paper_list)
    papers = await services.papers.get(ids)
    found = [papers[paper_id] for paper_id in ids if paper_id in papers]
    query = parse(words) if words else None
    wanted = words.casefold().split()
    shown = [
        paper
        for paper in found
        if (not tag or tag in annotations.get(paper.id, Annotation()).tags)
        and (query is None or query.matches(paper) or _mentions(annotations.get(paper.id), wanted))
    ]
    return ListView(shared, shown, annotations, words, tag)


def saved_card(view: ListView, now: datetime, page: int = 1) -> Card:
    """Return a card with a line for each paper, the last saved first."""
    if not view.papers:
        return _empty_card(view)
    pages = -(-len(view.papers) // PAGE_SIZE)
    page = min(max(page, 1), pages)
    shown = view.papers[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    blocks: list[Block] = []
    for paper in shown:
        blocks.append(paper_block(paper, (), now, "line"))
        if about := _about(view.annotations.get(paper.id, Annotation())):
            blocks.append(paragraph(dim(about)))
    neighbors = ((page > 1, "Previous", page - 1), (page < pages, "Next", page + 1))
    heading = f"{'This channel’s list' if view.shared else 'Your list'}: {_counted(view)}"
    notice = shorten(f"{heading}: {'; '.join(paper.title for paper in shown)}", NOTICE)
    page_buttons = [Button(label, f"{view.line} page:{to}") for exists, label, to in neighbors if exists]
    buttons = actions(
        *page_buttons,
        Button("Export as BibTeX", f"{view.line} export:bibtex"),
        Button("Send to Zotero", f"{view.line} export:zotero"),
    )
    return Card("list", notice, heading, (*blocks, *buttons))


def _split(command: Command, option: str) -> tuple[str, bool]:
    """Return what was typed without a final `here`, and whether the channel's list is meant."""
    typed = command.options.get(option, "").strip()
    rest, _, last = f" {typed}".rpartition(" ")
    if last.casefold() == HERE:
        return rest.strip(), True
    return typed, command.options.get("list") == HERE


async def _list_for(command: Command, services: Services, *, shared: bool) -> PaperList:
    """Return the list that is meant. A channel's is for members only: people can send `saved` long after leaving."""
    if not shared:
        return PaperList.of_person(command.user, command.channel)
    if not (await services.access.of(command.user, command.channel)).member:
        raise UserError("You are not in this channel any more, so you can't see or change its list.")
    return PaperList(command.channel, shared=True)


def _annotated(current: Annotation, command: Command, by: str) -> Annotation:
    """Return a paper's annotation after the command. The first person who put it on a shared list stays named."""
    note, tags = command.options.get("note", "").strip(), command.options.get("tag", "").strip()
    changed = replace(current, by=current.by or by)
    if note:
        if len(note) > MAX_NOTE:
            raise UserError(f"That note is too long: {MAX_NOTE} characters at most.")
        changed = replace(changed, note="" if note.casefold() == NONE else plain(note))
    if tags.casefold() == NONE:
        return replace(changed, tags=())
    if tags:
        added = [tag for part in tags.split(",") if (tag := _tag(part))]
        merged = tuple(dict.fromkeys((*changed.tags, *added)))
        if len(merged) > MAX_TAGS:
            raise UserError(f"That is too many tags: {MAX_TAGS} at most. tag:none removes them.")
        changed = replace(changed, tags=merged)
    return changed


def _tag(typed: str) -> str:
    tag = "-".join(plain(typed).removeprefix("#").casefold().split())
    if len(tag) > MAX_TAG:
        raise UserError(f"That tag is too long: {MAX_TAG} characters at most.")
    return tag


def _mentions(annotation: Annotation | None, words: Sequence[str]) -> bool:
    if annotation is None:
        return False
    text = " ".join((annotation.note, *annotation.tags)).casefold()
    return all(word in text for word in words)


def _about(annotation: Annotation) -> str:
    """Return an annotation in words: `#to-read #rl · read section 3 · saved by Ada`."""
    tags = " ".join(f"#{tag}" for tag in annotation.tags)
    _, _, name = annotation.by.partition(" ")
    return " · ".join(filter(None, (tags, annotation.note, f"saved by {plain(name)}" if name else "")))


async def _like(command: Command, paper: Paper, services: Services) -> None:
    """Let the channel learn from the paper, and notify the person of its events."""
    await services.votes.save(command.channel, command.user, paper.id)
    await relearn(command.channel, services)
    watcher = watcher_of(command, services)
    wanted = await services.watches.saved_events(watcher)
    if wanted != "none" and paper.id not in await services.watches.of(watcher):
        watch = Watch(events_of(wanted), command.user.signature, services.now(), by_saving=True)
        await services.watches.put(watcher, paper.id, watch)


async def _unlike(command: Command, paper: Paper, services: Services) -> None:
    await services.votes.unsave(command.channel, command.user, paper.id)
    await relearn(command.channel, services)
    watcher = watcher_of(command, services)
    watch = (await services.watches.of(watcher)).get(paper.id)
    if watch is not None and watch.by_saving:
        await services.watches.remove(watcher, paper.id)


def _counted(view: ListView) -> str:
    found = " and ".join(filter(None, (f"“{view.words}”" if view.words else "", view.tag and f"#{view.tag}")))
    return count(len(view.papers), "paper") + (f" with {found}" if found else "")


def _empty_card(view: ListView) -> Card:
    whose = "this channel's list" if view.shared else "your list"
    if view.words or view.tag:
        whole = Button("Whole list", "saved list:here" if view.shared else "saved")
        message = f"No paper on {whose} matches."
        return Card("list", message, blocks=(paragraph(message), *actions(whole)))
    message = (
        "Nothing is on this channel's list yet. Add a paper with /paper save <its id or link> here."
        if view.shared
        else "You haven't saved any papers yet. Press Save on a card to add it here."
    )
    return Card("list", message, blocks=(paragraph(message),))


def _changed_card(message: str, paper: Paper, *buttons: Button) -> Card:
    title = shorten(paper.title, NOTICE)
    return Card(
        "reply",
        shorten(f"{message}: {title}", NOTICE),
        blocks=(paragraph(f"{message}: ", bold(title)), *actions(*buttons)),
    )
