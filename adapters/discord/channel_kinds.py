"""The kind of each channel, shared through Redis: the process that posts has no gateway to learn it from."""

from collections.abc import Sequence
from typing import Literal, cast

import discord
from redis.asyncio import Redis

from adapters.discord import keys
from bot.domain.models import ChannelRef

Kind = Literal["text", "news", "forum"]
DIRECT = "@me"
"""The workspace of direct messages, which belong to no server."""
MAX_TAGS = 5
"""Max tags of a forum's post."""


class ChannelKinds:
    """Stores which channels are forums or announcement channels, for all processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def kind(self, channel: int) -> Kind:
        """Return the channel's kind if it is known, else `text`."""
        known = await self._redis.hget(keys.KINDS, str(channel))
        return cast("Kind", known or "text")

    async def learn(self, channel: int, kind: discord.ChannelType) -> Kind:
        """Store a channel's kind. Returns it."""
        found = kind_of(kind)
        if found == "text":
            await self._redis.hdel(keys.KINDS, str(channel))
        else:
            await self._redis.hset(keys.KINDS, str(channel), found)
        return found


def kind_of(kind: discord.ChannelType) -> Kind:
    """Return the kind of a channel type: posting to forums and announcement channels differs from all others."""
    if kind in {discord.ChannelType.forum, discord.ChannelType.media}:
        return "forum"
    return "news" if kind is discord.ChannelType.news else "text"


def ref(guild: int | None, channel: int) -> ChannelRef:
    """Return the core's reference to a channel."""
    return ChannelRef("discord", str(guild or DIRECT), str(channel))


def tags_for(forum: discord.ForumChannel, topics: Sequence[str]) -> list[discord.ForumTag]:
    """Return the forum's tags whose names contain a topic, as in `cs.CL`, `cs` or `NLP (cs.CL)`.

    If none does and the forum requires a tag, return the first tag that everyone may use.
    """
    wanted = dict.fromkeys(
        part for topic in topics for part in (topic.casefold(), topic.partition(".")[0].casefold())
    )
    open_tags = usable_tags(forum)
    named = {word: tag for tag in open_tags for word in _words(tag.name)}
    found = list(dict.fromkeys(named[word] for word in wanted if word in named))[:MAX_TAGS]
    return found or (open_tags[:1] if forum.flags.require_tag else [])


def usable_tags(forum: discord.ForumChannel) -> list[discord.ForumTag]:
    """Return the tags that everyone may use, including Paperboy."""
    return [tag for tag in forum.available_tags if not tag.moderated]


def _words(name: str) -> list[str]:
    return [name.casefold(), *name.casefold().replace("(", " ").replace(")", " ").replace(",", " ").split()]
