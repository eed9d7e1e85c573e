"""`/paper watch` and `/paper unwatch`: who is notified of a paper's events."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches

from bot.cards import Block, Bullets, Button, Card
from bot.cards.build import actions, bold, code, count, paragraph, text
from bot.cards.paper import NOTICE
from bot.cards.sanitize import plain
from bot.commands.resolve import resolve_paper, titled
from bot.commands.services import Services
from bot.commands.table import find
from bot.domain.errors import UserError
from bot.domain.life import EVENT_KINDS, EventKind, Watch
from bot.domain.models import ChannelRef, Command, Paper
from bot.ports import Reply
from bot.store.watches import LIMIT, events_of, in_words
from bot.text import shorten
from bot.text.identity import paper_id

SHOWN = 20
"""Maximum number of watched papers listed."""
EVENT_WORDS: Mapping[EventKind, str] = {
    "version": "new versions",
    "accepted": "acceptance",
    "published": "publication",
    "code": "code",
    "withdrawn": "withdrawal",
    "milestone": "many upvotes",
    "cited": "citations",
}
_EVENT_NAMES: Mapping[str, str] = {
    **{kind: kind for kind in EVENT_KINDS},
    "all": "all",
    "everything": "all",
    "important": "important",
    **dict.fromkeys(("versions", "replaced", "revised", "updates"), "version"),
    **dict.fromkeys(("acceptance", "accept"), "accepted"),
    **dict.fromkeys(("publication", "publish", "journal"), "published"),
    **dict.fromkeys(("withdrawal", "retracted", "retraction"), "withdrawn"),
    **dict.fromkeys(("milestones", "upvotes"), "milestone"),
    **dict.fromkeys(("citations", "citation", "cites"), "cited"),
}
"""Word that people use for an event -> `all`, `important` or the kind."""
_FILLERS = frozenset([",", "and", "new", "many"])
"""Tokens that are ignored between events, as in `new versions and acceptance`."""
SAVED_BUTTONS = {
    "all": "Watch saved papers for everything",
    "important": "Only for important news",
    "none": "Don't watch saved papers",
}


def watch_button(paper: str) -> Button:
    """Return a button that makes the person watch a paper."""
    return Button("Watch", f"watch {paper}")


def unwatch_button(paper: str) -> Button:
    """Return a button that makes the person stop watching a paper."""
    return Button("Stop watching", f"unwatch {paper}")


async def watch(command: Command, services: Services) -> Reply:
    """Watch a paper, set which events of saved papers are sent, or list what is watched."""
    saved_events = command.options.get("saved", "")
    if saved_events:
        await services.watches.set_saved_events(_me(command, services), saved_events)
    typed, events = await _split(
        command.options.get("paper", ""), command.options.get("events", ""), services
    )
    if typed.casefold() in {"", "list", "all"}:
        return Reply(await _listed(command, services, changed=bool(saved_events)))
    watcher = await _watcher(command, services)
    paper = await resolve_paper(typed, services)
    kinds = _kinds(events, typed)
    sent_kinds = kinds if services.cites else kinds - {"cited"}
    if not sent_kinds:
        raise UserError(
            "This installation doesn't know who cites a paper: its operator can connect OpenAlex."
        )
    before = (await services.watches.of(watcher)).get(paper.id)
    if not await services.watches.put(
        watcher, paper.id, Watch(kinds, command.user.signature, services.now())
    ):
        raise UserError(f"That is too much to watch: {LIMIT} papers at most.", hint="/paper watch")
    watching = "This channel watches it" if _for_channel(command) else "Watched"
    message = f"{watching} for {words_for(sent_kinds)}"
    stop = f"unwatch {paper.id}{_to(command)}"
    if before is None:
        undo = Button("Undo", stop)
    elif before.events == kinds:
        undo = Button("Stop watching", stop)
    else:
        undo = Button("Undo", _rewatching(paper.id, before, command))
    return Reply(_changed(message, paper, undo, Button("Its life so far", f"life {paper.id}")))


async def unwatch(command: Command, services: Services) -> Reply:
    """Stop watching a paper, or all papers."""
    watcher = await _watcher(command, services)
    watches = await services.watches.of(watcher)
    if command.options["paper"].strip().casefold() in {"all", "everything"}:
        return Reply(await _unwatched_all(watcher, list(watches), services))
    paper = await resolve_paper(command.options["paper"], services)
    if not await services.watches.remove(watcher, paper.id):
        who = "This channel doesn't" if _for_channel(command) else "You don't"
        raise UserError(f"{who} watch this paper.", hint="/paper watch")
    undo = [Button("Undo", _rewatching(paper.id, watches[paper.id], command))] if paper.id in watches else []
    return Reply(_changed("No longer watched", paper, *undo))


async def _unwatched_all(watcher: ChannelRef, papers: Sequence[str], services: Services) -> Card:
    for paper in papers:
        _ = await services.watches.remove(watcher, paper)
    message = f"No longer watched: {count(len(papers), 'paper')}." if papers else "Nothing is watched."
    return Card("reply", message, blocks=(paragraph(message),))


def _rewatching(paper: str, watch: Watch, command: Command) -> str:
    """Return the command that watches a paper as before."""
    return f"watch {paper} events:{in_words(watch.events)}{_to(command)}"


def _to(command: Command) -> str:
    return " to:channel" if _for_channel(command) else ""


def watcher_of(command: Command, services: Services) -> ChannelRef:
    """Return who is notified by a command: the person, or the channel if the command says so."""
    return command.channel if _for_channel(command) else _me(command, services)


def words_for(kinds: frozenset[EventKind]) -> str:
    """Return the kinds in words: `new versions, acceptance and code`."""
    words = [EVENT_WORDS[kind] for kind in EVENT_KINDS if kind in kinds]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


async def _watcher(command: Command, services: Services) -> ChannelRef:
    """Return `watcher_of` the command. Raises UserError if the person may not change the channel."""
    spec = find(command.name)
    if _for_channel(command) and spec is not None:
        settings = await services.settings.of(command.channel)
        await services.access.check(replace(spec, anywhere=False, changes=True), command, settings)
    return watcher_of(command, services)


async def _of_channel(command: Command, services: Services) -> Mapping[str, Watch]:
    """Return what the channel watches, for members only: people can send the command long after leaving."""
    with suppress(UserError):  # the platform doesn't answer
        if (await services.access.of(command.user, command.channel)).member:
            return await services.watches.of(command.channel)
    return {}


def _me(command: Command, services: Services) -> ChannelRef:
    """Return the person's direct messages, or the channel on platforms without them: it is theirs alone there."""
    channel = command.channel
    if not services.platform(channel).direct_messages:
        return channel
    return ChannelRef.of_person(channel.platform, channel.workspace, command.user.id)


def _for_channel(command: Command) -> bool:
    return command.options.get("to") == "channel"


async def _split(typed: str, events: str, services: Services) -> tuple[str, str]:
    """Split `2405.01234 accepted, code` into the paper and the events. A title can end with such a word, too."""
    words = typed.replace(",", " , ").split()
    end = len(words)
    while end and (words[end - 1] in _FILLERS or words[end - 1].casefold() in _EVENT_NAMES):
        end -= 1
    if end == len(words) > 1 and paper_id(words[0]) and not events:
        return words[0], " ".join(words[1:])  # none of them is an event, so that `_kinds` raises
    if end in {0, len(words)}:
        return ("", " ".join(words)) if words and not end and not events else (typed.strip(), events)
    if not paper_id(_joined(words[:end])):
        for longer in range(len(words), end, -1):
            if await titled(_joined(words[:longer]), services) is not None:
                end = longer
                break
    return _joined(words[:end]), events or " ".join(words[end:])


def _joined(words: Sequence[str]) -> str:
    return " ".join(words).replace(" ,", ",")


def _kinds(typed: str, paper: str) -> frozenset[EventKind]:
    """Return the events that the words mean; all events if there are no words. Raises UserError for an unknown word."""
    words = [word for word in typed.replace(",", " ").casefold().split() if word not in _FILLERS] or ["all"]
    if unknown := next((word for word in words if word not in _EVENT_NAMES), ""):
        near = get_close_matches(unknown, _EVENT_NAMES, n=1)
        meant = [near[0] if word == unknown and near else word for word in words]
        raise UserError(
            f"“{unknown}” isn't an event. Choose from {', '.join(EVENT_KINDS)}, all and important.",
            hint=f"/paper watch {paper} {','.join(meant) if near else 'accepted,code'}",
        )
    return frozenset[EventKind]().union(*(events_of(_EVENT_NAMES[word]) for word in words))


async def _listed(command: Command, services: Services, *, changed: bool) -> Card:
    me = _me(command, services)
    here = await _of_channel(command, services)
    mine = here if me == command.channel else await services.watches.of(me)
    saved = await services.watches.saved_events(me)
    papers = await services.papers.get([*mine, *here])
    kinds = events_of(saved) if services.cites else events_of(saved) - {"cited"}
    event_words = words_for(kinds) if kinds else ""
    default = (
        f"Saved papers are watched for {event_words}." if saved != "none" else "Saved papers aren't watched."
    )
    others = [one for one in ("all", "important", "none") if one != saved]
    blocks: list[Block] = [paragraph(default)] if changed else []
    for heading, watches in (
        ("You watch", mine),
        ("This channel watches", here if here and me != command.channel else {}),
    ):
        if watches:
            blocks.append(paragraph(bold(f"{heading} {count(len(watches), 'paper')}")))
            blocks.append(_lines(watches, papers))
    if not (mine or here):
        blocks.append(
            paragraph("Nothing is watched yet. Save a paper, or type ", code("/paper watch 2405.01234"), ".")
        )
    blocks += [] if changed else [paragraph(default)]
    notice = f"{count(len(mine), 'watched paper')}. {default}"
    buttons = actions(*(Button(SAVED_BUTTONS[one], f"watch saved:{one}") for one in others))
    return Card("reply", notice, "Watched papers", (*blocks, *buttons))


def _lines(watches: Mapping[str, Watch], papers: Mapping[str, Paper]) -> Bullets:
    lines = [
        text(
            plain(papers[paper].title) if paper in papers else paper,
            " (",
            code(paper),
            f"): {in_words(entry.events)}",
        )
        for paper, entry in list(watches.items())[:SHOWN]
    ]
    more = len(watches) - SHOWN
    return Bullets((*lines, *([text(f"and {more} more")] if more > 0 else ())))


def _changed(message: str, paper: Paper, *buttons: Button) -> Card:
    title = shorten(plain(paper.title), NOTICE)
    return Card(
        "reply",
        shorten(f"{message}: {title}", NOTICE),
        blocks=(paragraph(f"{message}: ", bold(title)), *actions(*buttons)),
    )
