"""Reaches the person who had a channel's posts copied to an address, when nothing can be sent there."""

from collections.abc import Callable, Iterable
from secrets import token_hex

from structlog import get_logger

from bot.cards import Card
from bot.cards.build import paragraph
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef
from bot.ports import Notifying, Platform
from bot.store.copies import Copies

_log = get_logger()


class CopyOwners:
    """The people behind copies. `writes_to_people` says whether a platform can write to one person."""

    def __init__(
        self, platforms: Iterable[Platform], copies: Copies, writes_to_people: Callable[[str], bool]
    ) -> None:
        self._platforms = {platform.name: platform for platform in platforms}
        self._copies = copies
        self._writes_to_people = writes_to_people

    async def notify(self, copy: ChannelRef, problem: str) -> bool:
        """Send `problem` to who added the copy, else to one person of the channel. Returns whether anyone was reached."""
        found = await self._copies.find(copy)
        if found is None:
            return False
        channel, record = found
        platform = self._platforms.get(channel.platform)
        if platform is None:
            return False
        said = f"{problem} It is #{record.number} of /paper webhook list."
        if await self._written(platform, channel, record.by.partition(" ")[0], said):
            return True
        return await platform.notify(channel, said) if isinstance(platform, Notifying) else False

    async def _written(self, platform: Platform, channel: ChannelRef, user: str, said: str) -> bool:
        """Write to one person, if the platform can. Returns whether it went through."""
        if not user or not self._writes_to_people(channel.platform):
            return False
        person = ChannelRef.of_person(channel.platform, channel.workspace, user)
        card = Card("reply", said, blocks=(paragraph(said),))
        try:
            await platform.send(person, card, f"{person}/copy@{token_hex(8)}")
        except SendError as error:
            _log.info("copy_owner_not_reached", channel=str(channel), reason=str(error))
            return False
        return True

    async def end(self, copy: ChannelRef) -> None:
        """Nothing is copied there any more."""
        found = await self._copies.find(copy)
        if found is not None:
            await self._copies.remove(*found)
