"""Posts, edits and finds cards over REST. Needs no gateway."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import discord
from redis.asyncio import Redis

from adapters.discord import errors
from adapters.discord.buttons import mark, marks_of
from adapters.discord.channel_kinds import ChannelKinds, Kind, tags_for
from adapters.discord.follow_ups import FollowUps, mention_only, name_of
from adapters.discord.rendering import embed_message, layout
from bot.cards import Card
from bot.clock import Clock
from bot.domain.errors import ChannelGone, LookupUnsupported
from bot.domain.models import ChannelRef, MessageRef

LOOK_BACK = 1000
"""Maximum number of messages searched for an uncertain post: ten requests."""


class Poster:
    """Posts, edits and finds messages with a client that has logged in."""

    def __init__(self, client: discord.Client, redis: Redis, now: Clock) -> None:
        self._client = client
        self._now = now
        self._kinds = ChannelKinds(redis)
        self._after = FollowUps(client, redis, now)

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post a card once. Raises discord.py's errors, or a SendError."""
        if to.person:
            direct = await self._direct(to.person)
            message = await direct.send(view=layout(card, mark(key)), nonce=mark(key))
            return MessageRef(f"{direct.id}/{message.id}", message.jump_url)
        kind = await self._kinds.kind(int(to.channel))
        if kind == "forum":
            return await self._post_in_forum(to, card, key)
        try:
            return await self._post(to, card, key, kind)
        except discord.HTTPException as error:
            if error.code == errors.DELETED:
                return MessageRef("deleted")  # it was posted before, and has been deleted since
            if error.code in errors.WRONG_KIND and await self._learn_kind(to) == "forum":
                return await self._post_in_forum(to, card, key)
            raise

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Find the message with the key's mark. Raises LookupUnsupported, or discord.py's errors."""
        marked = mark(key)
        if to.person:
            await self._after.turn(key)
            direct = await self._direct(to.person)
            return await self._find_among(to, direct.history(limit=LOOK_BACK, after=since), marked)
        if await self._kinds.kind(int(to.channel)) == "forum":
            await self._after.turn(key)
            return await self._find_in_forum(to, marked, since)
        await self._after.turn(key)
        channel = self._messageable(to)
        searched = 0
        async for message in channel.history(limit=LOOK_BACK, after=since):
            searched += 1
            if marked in marks_of(message.components):
                return _ref(to, message.id)
        if searched == LOOK_BACK:
            raise LookupUnsupported(f"More than {LOOK_BACK} messages are newer than the post")
        if not searched and await self._hides_history(to):
            raise LookupUnsupported("Paperboy lacks Read Message History in this channel")
        return None

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        """Post a card in the thread of a message, or in the channel if the message can't have one."""
        post, _, _ = message.id.partition("/")
        if not post.isdigit():
            return await self.send(to, card, key)
        thread = self._client.get_partial_messageable(int(post))  # a message's thread has the message's id
        for attempt in range(2):
            try:
                return await self._reply(to, thread, card, key)
            except discord.HTTPException as error:
                if error.code == errors.DELETED:
                    return MessageRef("deleted")
                if not errors.is_about_thread(error):
                    raise
                opened = not attempt and await self._open_thread(to, int(post), card)
                if not opened:
                    break
        return await self.send(to, card, key)

    async def _reply(
        self, to: ChannelRef, thread: discord.PartialMessageable, card: Card, key: str
    ) -> MessageRef:
        posted = await thread.send(view=layout(card, mark(key)), nonce=mark(key))
        return MessageRef(f"{thread.id}/{posted.id}", _link(to.workspace, thread.id, posted.id))

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        """Find the reply with the key's mark in the thread of a message."""
        thread = self._client.get_partial_messageable(int(message.id.partition("/")[0]))
        await self._after.turn(key)
        try:
            return await self._find_among(to, thread.history(limit=LOOK_BACK, after=since), mark(key))
        except discord.NotFound:  # it has no thread
            return None

    async def _find_among(
        self, to: ChannelRef, messages: AsyncIterator[discord.Message], marked: str
    ) -> MessageRef | None:
        async for message in messages:
            if marked in marks_of(message.components):
                where = _link(to.workspace, message.channel.id, message.id)
                return MessageRef(f"{message.channel.id}/{message.id}", where)
        return None

    async def _open_thread(self, to: ChannelRef, message: int, card: Card) -> bool:
        """Open a message's thread. Returns False if we aren't allowed to, or the message is gone."""
        try:
            await self._after.start_thread(int(to.channel), message, card)
        except discord.HTTPException as error:
            if not errors.is_about_thread(error):
                raise
            return False
        return True

    async def _direct(self, person: str) -> discord.DMChannel:
        return await self._client.create_dm(discord.Object(int(person)))

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Replace the card of a message, as components or as an embed, whichever it has."""
        thread, _, message_id = message.id.rpartition("/")
        channel = self._client.get_partial_messageable(int(thread or to.channel))
        posted = await channel.fetch_message(int(message_id))
        marked = next(marks_of(posted.components), "")
        if posted.flags.components_v2:
            await posted.edit(view=layout(card, marked))
        else:
            form = embed_message(card, marked)
            await posted.edit(embed=form.embed, view=form.view)

    async def _post(self, to: ChannelRef, card: Card, key: str, kind: Kind) -> MessageRef:
        channel, marked = self._messageable(to), mark(key)
        role = _role(card)
        if kind == "news" or card.posting.embeds:
            form = embed_message(card, marked)
            message = await channel.send(
                content=f"<@&{role.id}>" if role else None,
                embed=form.embed,
                view=form.view,
                nonce=marked,
                allowed_mentions=mention_only(role),
            )
            if kind == "news" and card.posting.publish:
                await self._after.attempt("publish", self._after.publish(message))
        else:
            message = await channel.send(view=layout(card, marked), nonce=marked)
            if role:
                await self._after.attempt("ping", self._after.ping(channel, message, card, role, key))
        if card.posting.threads:
            await self._after.attempt(
                "open_thread", self._after.start_thread(message.channel.id, message.id, card)
            )
        return _ref(to, message.id)

    async def _post_in_forum(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post in a forum. Its posts are threads, which have no nonce, so an uncertain one is always looked up."""
        forum = await self._channel(to)
        if not isinstance(forum, discord.ForumChannel):
            await self._kinds.learn(forum.id, forum.type)  # an administrator changed its type
            return await self.send(to, card, key)
        role = _role(card)
        form: dict[str, Any] = {"view": layout(card, mark(key))}
        if card.posting.embeds:
            parts = embed_message(card, mark(key))
            form = {"embed": parts.embed, "view": parts.view}
        post = await forum.create_thread(
            name=name_of(card, self._now()),
            applied_tags=tags_for(forum, card.posting.topics),
            **form,
        )
        if role:
            await self._after.attempt("ping", self._after.ping(post.thread, post.message, card, role, key))
        return MessageRef(f"{post.thread.id}/{post.message.id}", _link(to.workspace, post.thread.id))

    async def _find_in_forum(self, to: ChannelRef, marked: str, since: datetime) -> MessageRef | None:
        async for thread in self._threads(to, since):
            try:
                first = await thread.fetch_message(thread.id)
            except discord.NotFound:
                continue
            if marked in marks_of(first.components):
                return MessageRef(f"{thread.id}/{first.id}", _link(to.workspace, thread.id))
        return None

    async def _threads(self, to: ChannelRef, since: datetime) -> AsyncIterator[discord.Thread]:
        """Yield the bot's posts in a forum since then, archived ones too: a moderator may close one at any moment."""
        forum = await self._channel(to)
        if not isinstance(forum, discord.ForumChannel):
            return
        for thread in await forum.guild.active_threads():
            if thread.parent_id == forum.id and self._is_own(thread, since):
                yield thread
        async for thread in forum.archived_threads(limit=LOOK_BACK):
            if thread.archive_timestamp < since:
                return  # the last archived ones come first
            if self._is_own(thread, since):
                yield thread

    def _is_own(self, thread: discord.Thread, since: datetime) -> bool:
        me = self._client.user
        return (
            me is not None and thread.owner_id == me.id and thread.id >= discord.utils.time_snowflake(since)
        )

    async def _hides_history(self, to: ChannelRef) -> bool:
        """Whether Discord hides the history from us, in which case it answers with an empty list."""
        async for _ in self._messageable(to).history(limit=1):
            return False
        return getattr(await self._channel(to), "last_message_id", None) is not None

    async def _learn_kind(self, to: ChannelRef) -> Kind:
        channel = await self._channel(to)
        return await self._kinds.learn(channel.id, channel.type)

    async def _channel(self, to: ChannelRef) -> discord.abc.GuildChannel | discord.Thread:
        """Fetch the channel from Discord. Raises ChannelGone if it doesn't belong to a server."""
        channel = await self._client.fetch_channel(int(to.channel))
        if isinstance(channel, discord.abc.PrivateChannel):
            raise ChannelGone("Papers can't be posted in direct messages. Subscribe in a server's channel.")
        return channel

    def _messageable(self, to: ChannelRef) -> discord.PartialMessageable:
        guild = int(to.workspace) if to.workspace.isdigit() else None
        return self._client.get_partial_messageable(int(to.channel), guild_id=guild)


def _role(card: Card) -> discord.Object | None:
    return discord.Object(int(card.posting.ping)) if card.posting.ping.isdigit() else None


def _ref(to: ChannelRef, message: int) -> MessageRef:
    return MessageRef(str(message), _link(to.workspace, int(to.channel), message))


def _link(*parts: str | int) -> str:
    return "/".join(("https://discord.com/channels", *map(str, parts)))
