"""`paperboy mcp`: serves an AI assistant that starts it as a program, on standard input and output."""

from bot.app import POLLER, open_bot
from bot.settings import Settings
from bot.store.outbox.outbox import Outbox
from bot.store.reactions import ReadingLists
from bot.store.tokens import Tokens
from bot.web.assistant import Assistant, build_server
from bot.web.list_reader import ListReader


async def serve(settings: Settings, token: str) -> None:
    """Serve until the input ends. `token` is a channel's token, or ""."""
    async with open_bot(settings, frozenset({POLLER})) as bot:
        reader = ListReader(
            papers=bot.papers,
            search=bot.search,
            recent=bot.recent,
            outbox=Outbox(bot.redis),
            subscriptions=bot.subscriptions,
            saved=ReadingLists(bot.redis),
        )
        assistant = Assistant(reader, Tokens(bot.redis), lambda _call: token)
        await build_server(assistant).run_stdio_async()
