"""Permissions to read and change a channel. This is the only place that asks the platform for them.

A button, a form or an app's home page can be used long after a person has left the channel, so what their payload
says is not enough. The platform's answer is cached for a minute at most.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from time import monotonic

import structlog

from bot.commands.specs import CommandSpec
from bot.domain.errors import AccessUnknown, UserError
from bot.domain.models import ChannelRef, ChannelSettings, Command, User
from bot.ports import Access, AccessChecked, Platform

REMEMBERED_FOR = 60.0
"""Seconds for which a platform's answer is cached: someone who leaves loses access within a minute."""
MOST_REMEMBERED = 10_000
"""Maximum number of answers cached by one process, so that memory stays bounded."""

log = structlog.get_logger(__name__)


class AccessGate:
    """Asks each platform that knows permissions. On others, such as the terminal, the payload decides."""

    def __init__(self, platforms: Iterable[Platform] = (), clock: Callable[[], float] = monotonic) -> None:
        self._platforms = {one.name: one for one in platforms if isinstance(one, AccessChecked)}
        self._clock = clock
        self._answers: OrderedDict[tuple[str, ChannelRef], tuple[float, Access]] = OrderedDict()

    async def of(self, user: User, channel: ChannelRef) -> Access:
        """Return the person's permissions in the channel. Raises UserError if the platform doesn't answer.

        A person's own channel is theirs alone.
        """
        if channel.person:
            own = channel.person == user.id
            return Access(member=own, may_manage=own, may_edit=own)
        platform = self._platforms.get(channel.platform)
        if platform is None:
            return Access(member=True, may_manage=user.may_manage)
        now = self._clock()
        at, answer = self._answers.get((user.id, channel), (now - REMEMBERED_FOR, None))
        if answer is None or now - at >= REMEMBERED_FOR:
            answer = await self._ask_platform(platform, user, channel)
            self._answers[user.id, channel] = (now, answer)
            self._answers.move_to_end((user.id, channel))
            while len(self._answers) > MOST_REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    async def lets_read(self, user: User, channel: ChannelRef, *, by_default: bool = False) -> bool:
        """Whether the platform says that the person can read the channel; `by_default` if the platform can't say."""
        if channel.platform not in self._platforms and not channel.person:
            return by_default
        try:
            return (await self.of(user, channel)).member
        except UserError:
            return False

    async def check(self, spec: CommandSpec, command: Command, settings: ChannelSettings) -> User:
        """Return the person with the rights that the platform gives them now.

        Raises UserError if they may not use this command in this channel.
        """
        if spec.anywhere:
            return command.user
        access = await self.of(command.user, command.channel)
        if not access.member:
            raise UserError("You are not in this channel any more, so you can't see or change it here.")
        if spec.changes and command.options:
            _require_edit(access, settings)
        return User(command.user.id, command.user.name, may_manage=access.may_manage)

    async def check_edit(self, command: Command, settings: ChannelSettings) -> None:
        """Raises UserError if the person may not change the channel now."""
        _require_edit(await self.of(command.user, command.channel), settings)

    async def _ask_platform(self, platform: AccessChecked, user: User, channel: ChannelRef) -> Access:
        try:
            return await platform.access(user, channel)
        except AccessUnknown as error:
            log.warning("access_unknown", channel=str(channel), user=user.id, error=str(error))
            raise UserError(
                "I couldn't check who is in this channel. Try again in a minute.",
            ) from error


def _require_edit(access: Access, settings: ChannelSettings) -> None:
    if not _may_change(access, settings):
        raise UserError(
            "Only people who manage this channel can change what is posted here. Anyone can view it.",
            hint="/paper list",
        )


def _may_change(access: Access, settings: ChannelSettings) -> bool:
    if settings.editors == "default":
        return access.may_manage or access.may_edit
    return access.may_manage or settings.editors == "everyone"
