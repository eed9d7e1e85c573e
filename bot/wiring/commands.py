"""Builds the core that answers commands."""

from collections.abc import Iterable
from functools import partial

from bot.commands.access import AccessGate
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.errors import ChannelGone, WorkspaceGone
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.pipeline.pauses import Pauses
from bot.ports import Copying, Joining, Named, Platform
from bot.settings import Settings
from bot.sources import build_citations, build_finders, build_on_demand
from bot.sources.context import SourceContext
from bot.sources.on_demand import CategoryCatalog
from bot.sources.upstream_search import UpstreamSearch
from bot.sources.zotero import Zotero
from bot.store.backup.move_channel import ChannelMoves
from bot.store.button_payloads import ButtonPayloads
from bot.store.copies import Copies
from bot.store.data_deletion import DataDeletion
from bot.store.embedded import problem_of
from bot.store.followed_categories import FollowedCategories
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.store.reactions import ReadingLists, Votes
from bot.store.tokens import Tokens
from bot.store.watches import Watches
from bot.store.zotero_keys import ZoteroKeys
from bot.wiring.shared import Shared


def build_commands(shared: Shared, context: SourceContext) -> Commands:
    """Build the core that answers commands."""
    channels = _ChannelPlatforms(shared.platforms, shared.outbox)
    return Commands(
        Services(
            access=AccessGate(shared.platforms),
            subscriptions=shared.subscriptions,
            papers=shared.shown_papers,
            recent=shared.recent,
            search=shared.search,
            upstream_search=UpstreamSearch(build_finders(context)),
            settings=shared.channel_settings,
            rules=shared.rules,
            saved=ReadingLists(shared.redis),
            outbox=shared.outbox,
            button_payloads=ButtonPayloads(shared.redis),
            votes=Votes(shared.redis),
            watches=Watches(shared.redis),
            tokens=Tokens(shared.redis),
            zotero=Zotero(
                context.session,
                shared.settings.zotero_url,
                contact=shared.settings.contact,
                now=shared.now,
            ),
            zotero_keys=ZoteroKeys(shared.redis, _encryptor(shared.settings)),
            copies=Copies(shared.redis),
            copying=next((platform for platform in shared.platforms if isinstance(platform, Copying)), None),
            public_url=shared.settings.public_url or "",
            cites=bool(build_citations(context)),
            catalog=CategoryCatalog(build_on_demand(context), FollowedCategories(shared.redis)),
            platforms=shared.platform_settings,
            database_problem=partial(problem_of, shared.redis),
            polls=partial(last_polls, shared.redis),
            now=shared.now,
            join=channels.join,
            forgetting=DataDeletion(shared.redis),
            pause=channels.pause,
            move=ChannelMoves(shared.redis).move,
            channel_name=channels.name,
        )
    )


def _encryptor(settings: Settings) -> Encryptor | None:
    """Return the encryptor for people's keys; None if the operator hasn't set a secret key."""
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    return Encryptor.of(secret) if secret else None


class _ChannelPlatforms:
    """Calls a channel's platform for commands. Does nothing if this process doesn't run it, or if it can't."""

    def __init__(self, platforms: Iterable[Platform], outbox: Outbox) -> None:
        self._platforms = {platform.name: platform for platform in platforms}
        self._outbox = outbox

    async def join(self, channel: ChannelRef) -> str | None:
        """Join a channel if that is needed. Returns a sentence if the platform refuses."""
        platform = self._platforms.get(channel.platform)
        if isinstance(platform, Joining):
            return await platform.join(channel)
        return None

    async def name(self, channel: ChannelRef) -> str:
        """Return a channel's name; "" if its platform has none or doesn't answer."""
        platform = self._platforms.get(channel.platform)
        if isinstance(platform, Named):
            return await platform.channel_name(channel)
        return ""

    async def pause(self, channel: ChannelRef, error: ChannelGone | WorkspaceGone) -> None:
        """Pause the channel, or its workspace if the error says so, and notify one person. Raises RedisError."""
        await Pauses(self._platforms.get(channel.platform), self._outbox).pause(channel, error)
