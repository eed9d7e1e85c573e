"""What an operator does by hand: decide about posts that were set aside, save all that is kept, read it back."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from bot.app import open_server
from bot.domain.deliveries import DeadLetter
from bot.domain.models import ChannelRef
from bot.observability.progress import Advance, progress
from bot.settings import Settings
from bot.store.backup.export import facts
from bot.store.backup.export_records import BadLine
from bot.store.backup.import_ import Restore, one_channel
from bot.store.outbox.outbox import Outbox


async def set_aside(settings: Settings) -> list[DeadLetter]:
    """The posts that wait for a person to decide, the oldest first."""
    async with open_server(settings) as redis:
        return sorted([stuck async for stuck in Outbox(redis).dead_letters()], key=lambda stuck: stuck.since)


async def retry(settings: Settings, keys: Sequence[str] | None) -> list[str]:
    """Try these again, or all where none is named. -> those that were waiting for it"""
    async with open_server(settings) as redis:
        outbox = Outbox(redis)
        wanted = keys or [stuck.key async for stuck in outbox.dead_letters()]
        return [key for key in wanted if await outbox.retry(key)]


async def drop(settings: Settings, keys: Sequence[str]) -> list[str]:
    """Give these up. -> those that were waiting for it"""
    async with open_server(settings) as redis:
        outbox = Outbox(redis)
        return [key for key in keys if await outbox.drop(key)]


async def export(settings: Settings, only: ChannelRef | None) -> AsyncIterator[str]:
    """Lines of JSON: all that is kept, or what is kept of one channel."""
    async with open_server(settings) as redis:
        async for fact in facts(redis, only):
            yield fact.model_dump_json()


async def restore(settings: Settings, lines: Iterable[str], to: ChannelRef | None) -> str:
    """Read such lines; those of one channel can become another's. -> what was done, as a sentence.

    Raises BadLine.
    """
    if to is not None:
        lines = list(lines)
        one_channel(lines)
    async with open_server(settings) as redis:
        restoring = Restore(redis, to)
        try:
            with progress("import") as advance:
                await restoring.write(_counted(lines, advance))
        except BadLine as error:
            raise BadLine(f"{error}. Reading the file again once it is mended does no harm.") from None
    done = ", ".join(f"{count} {kind}" for kind, count in sorted(restoring.counts.items())) or "nothing"
    refused = [
        f"\nNot subscribed, for {fact.channel} has as many as it may: {fact.query}"
        for fact in restoring.refused
    ]
    return f"Read: {done}.{''.join(refused)}"


def _counted(lines: Iterable[str], advance: Advance) -> Iterator[str]:
    for line in lines:
        advance(1)
        yield line
