"""What kind of channel each one is: the process that posts has no gateway that would tell it."""

from collections.abc import Sequence
from typing import Literal, cast

import discord
from redis.asyncio import Redis

from adapters.discord import keys
from bot.domain.models import ChannelRef

Kind = Literal["text", "news", "forum"]
DIRECT = "@me"
"""The workspace of channels that belong to no server: direct messages."""
MAX_TAGS = 5


class ChannelKinds:
    """Remembers the channels that are no usual ones, for all processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def kind(self, channel: int) -> Kind:
        """What is known of a channel; `text` where nothing is."""
        known = await self._redis.hget(keys.KINDS, str(channel))
        return cast("Kind", known or "text")

    async def learn(self, channel: int, kind: discord.ChannelType) -> Kind:
        """Remember what Discord says a channel is."""
        found = kind_of(kind)
        if found == "text":
            await self._redis.hdel(keys.KINDS, str(channel))
        else:
            await self._redis.hset(keys.KINDS, str(channel), found)
        return found


def kind_of(kind: discord.ChannelType) -> Kind:
    """The kinds that are posted to in ways of their own, and `text` for all the others."""
    if kind in {discord.ChannelType.forum, discord.ChannelType.media}:
        return "forum"
    return "news" if kind is discord.ChannelType.news else "text"


def ref(guild: int | None, channel: int) -> ChannelRef:
    """How the core knows a channel."""
    return ChannelRef("discord", str(guild or DIRECT), str(channel))


def tags_for(forum: discord.ForumChannel, topics: Sequence[str]) -> list[discord.ForumTag]:
    """The forum's tags that are named like the topics: `cs.CL`, `cs`, or `NLP (cs.CL)`.

    Where the forum insists on a tag and none is named so, the first one that everyone may use.
    """
    wanted = dict.fromkeys(
        part for topic in topics for part in (topic.casefold(), topic.partition(".")[0].casefold())
    )
    open_tags = usable_tags(forum)
    named = {word: tag for tag in open_tags for word in _words(tag.name)}
    found = list(dict.fromkeys(named[word] for word in wanted if word in named))[:MAX_TAGS]
    return found or (open_tags[:1] if forum.flags.require_tag else [])


def usable_tags(forum: discord.ForumChannel) -> list[discord.ForumTag]:
    """The tags that everyone may use, so Paperboy too."""
    return [tag for tag in forum.available_tags if not tag.moderated]


def _words(name: str) -> list[str]:
    return [name.casefold(), *name.casefold().replace("(", " ").replace(")", " ").replace(",", " ").split()]
