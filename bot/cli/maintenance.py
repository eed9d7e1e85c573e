"""The operator's manual tasks: retry or drop dead letters, export and import all state, forget someone."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import unquote

from bot.app import open_server
from bot.cards.build import count
from bot.cli.process import opened
from bot.commands.parser import check_options, parse_line
from bot.commands.presets import expand
from bot.domain.deliveries import DeadLetter
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Every, User
from bot.observability.progress import Advance, progress
from bot.query import Query, parse, spelled
from bot.settings import Settings
from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.export_records import BadLine, OpenDelivery
from bot.store.backup.import_ import Restore, one_channel
from bot.store.data_deletion import DataDeletion
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.subscriptions import Subscriptions
from bot.text.bibliography import FORMATS, listed

PAGE = 500
"""Number of papers read and written at a time."""
OPERATOR = User("operator", "the operator")
"""The author of subscriptions made on the command line."""


async def dead_letters(settings: Settings) -> list[DeadLetter]:
    """Return the posts that wait for a decision, the oldest first."""
    async with open_server(settings) as redis:
        return sorted(
            [letter async for letter in Outbox(redis).dead_letters()], key=lambda letter: letter.since
        )


async def retry(settings: Settings, names: Sequence[str] | None) -> list[str]:
    """Retry these dead letters, or all if `names` is empty. Returns the keys that were found."""
    async with open_server(settings) as redis:
        outbox = Outbox(redis)
        wanted = names or [letter.key async for letter in outbox.dead_letters()]
        return [key for key in wanted if await outbox.retry(key)]


async def drop(settings: Settings, names: Sequence[str]) -> list[str]:
    """Drop these dead letters. Returns the keys that were found."""
    async with open_server(settings) as redis:
        outbox = Outbox(redis)
        return [key for key in names if await outbox.drop(key)]


async def export_papers(settings: Settings, wanted: str) -> AsyncIterator[str]:
    """Yield a file of all stored papers, sorted by id, in a reference manager's format, part by part."""
    chosen = FORMATS[wanted]
    async with open_server(settings) as redis:
        papers = Papers(redis)
        ids = sorted({str(paper_id) async for paper_id, _ in redis.zscan_iter(keys.CHANGED, count=PAGE)})
        size = len(ids) if wanted == "csl" else PAGE  # a JSON array can't be written in parts
        for at in range(0, len(ids), max(size, 1)):
            page = ids[at : at + size]
            found = await papers.get(page)
            yield chosen.write(listed(found[paper_id] for paper_id in page if paper_id in found))


async def export(
    settings: Settings, only: ChannelRef | None, *, about_to_post: bool = False
) -> AsyncIterator[str]:
    """Yield all state, or that of one channel, as lines of JSON.

    `about_to_post` is for a copy that is made before posting: the process that imports it first checks on the
    platforms whether the posts that waited then were made.
    """
    async with open_server(settings) as redis:
        now = await Outbox(redis).now()
        async for fact in facts(redis, only):
            waits = about_to_post and isinstance(fact, OpenDelivery) and fact.since is None
            yield (fact.model_copy(update={"since": now}) if waits else fact).model_dump_json()


async def set_subscriptions(settings: Settings, lines: Iterable[str]) -> str:
    """Give each channel exactly the subscriptions in its lines. Returns a summary.

    Posts that wait for a removed subscription are still made. Raises UserError for an invalid line, and then changes
    nothing.
    """
    wanted = _subscriptions_in(lines)
    added = changed = removed = 0
    async with open_server(settings) as redis:
        subscriptions = Subscriptions(redis)
        for channel, queries in wanted.items():
            for existing in await subscriptions.of(channel):
                every = queries.get(parse(existing.query))
                if every is None:
                    await subscriptions.remove(channel, existing.number)
                    removed += 1
                elif every != existing.every:
                    await subscriptions.change(channel, existing.number, every=every)
                    changed += 1
            for query, every in queries.items():
                _, new = await subscriptions.add(channel, spelled(query), every, OPERATOR.signature)
                added += new
    return f"{added} added, {changed} changed, {removed} removed, in {count(len(wanted), 'channel')}"


def _subscriptions_in(lines: Iterable[str]) -> Mapping[ChannelRef, Mapping[Query, Every]]:
    """Parse lines to channels, and their queries with schedules. Lines that begin with # are comments."""
    wanted: dict[ChannelRef, dict[Query, Every]] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        try:
            channel, query, every = _subscription_in(line)
        except UserError as error:
            raise UserError(f"line {number}: {error}") from None
        wanted.setdefault(channel, {})[query] = every
    return wanted


def _subscription_in(line: str) -> tuple[ChannelRef, Query, Every]:
    name, _, query_text = line.partition(" ")
    try:
        channel = ChannelRef.parse(name)
    except ValueError:
        raise UserError(
            f"{name!r} isn't a channel. Begin the line with platform:workspace:channel."
        ) from None
    parsed = parse_line(f"subscribe {query_text}", OPERATOR, channel)
    check_options(parsed.spec, parsed.command)
    options = parsed.command.options
    query = parse(expand(options["query"]))
    return channel, query, cast("Every", options.get("every", "channel"))


async def restore(settings: Settings, lines: Iterable[str], to: ChannelRef | None) -> str:
    """Import lines of `export`; lines of one channel can be imported into another, `to`. Returns a summary.

    Raises BadLine.
    """
    if to is not None:
        lines = list(lines)
        one_channel(lines)
    async with opened(settings) as redis:
        restoring = Restore(redis, to)
        try:
            with progress("import") as advance:
                await restoring.write(_counted(lines, advance))
        except BadLine as error:
            raise BadLine(
                f"{error}. Correct the file and import it again: lines that were already imported change nothing."
            ) from None
    done = ", ".join(f"{count} {kind}" for kind, count in sorted(restoring.counts.items())) or "nothing"
    refused = [
        f"\nNot subscribed, because {fact.channel} has the most subscriptions allowed: {fact.query}"
        for fact in restoring.refused
    ]
    return f"Imported: {done}.{''.join(refused)}"


async def forget(settings: Settings, whom: str, *, person: bool) -> str:
    """Delete all data of a channel or workspace, or (as `platform:id`) of a person. Returns what was deleted.

    Raises ValueError if `whom` is anything else.
    """
    platform, *names = (unquote(part) for part in whom.split(":"))
    if not platform or not all(names) or len(names) not in ({1} if person else {1, 2}):
        raise ValueError(whom)
    async with open_server(settings) as redis:
        forgetting = DataDeletion(redis)
        if person:
            await forgetting.person(platform, names[0])
            return f"the person {names[0]} on {platform}"
        if len(names) == 1:
            await forgetting.workspace(platform, names[0])
            return f"the workspace {names[0]} on {platform}"
        channel = ChannelRef(platform, *names)
        await forgetting.channel(channel)
        return f"the channel {channel}"


def _counted(lines: Iterable[str], advance: Advance) -> Iterator[str]:
    for line in lines:
        advance(1)
        yield line
