"""The outside world of a running bot: a list of papers, and a Discord that accepts posts."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.sources.huggingface import list_date
from tests.replay import serve
from tests.sources.upstreams import listed

BOT = {"id": "1", "username": "Paperboy", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "1",
    "name": "Paperboy",
    "description": "",
    "icon": None,
    "owner": BOT,
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "flags": 0,
}


@dataclass
class World:
    """The list of `day`, and the posted messages."""

    papers: list[str] = field(default_factory=list)
    posts: list[tuple[str, str]] = field(default_factory=list)
    """Channel and text of each message."""
    url: str = ""
    day: str = field(default_factory=lambda: str(list_date(datetime.now(UTC))))
    """Date of the newest list at the start of the test: the list must not change if the next date opens meanwhile."""

    def posted(self) -> Counter[tuple[str, str]]:
        """Return (channel, paper) -> number of messages in the channel that name it."""
        return Counter(
            (channel, paper)
            for channel, text in self.posts
            for paper in self.papers
            if f"Number {paper}" in text
        )

    async def list(self, request: web.Request) -> web.Response:
        """Answer with Hugging Face's daily list."""
        shown = request.query.get("sort") == "trending" or request.query["date"] == self.day
        return web.json_response([listed(paper) for paper in self.papers] if shown else [])

    async def take(self, request: web.Request) -> web.Response:
        """Accept a message for a channel."""
        channel = request.match_info["channel"]
        body = await request.json()
        self.posts.append((channel, str(body["components"])))
        message: dict[str, Any] = {
            "id": str(1000 + len(self.posts)),
            "channel_id": channel,
            "author": BOT,
            "content": "",
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            "nonce": body["nonce"],
        }
        return _json(message)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Serve both on one loopback port."""
    here = World()
    app = web.Application()
    app.router.add_get("/api/daily_papers", here.list)
    app.router.add_get("/discord/users/@me", _answers(BOT))
    app.router.add_get("/discord/oauth2/applications/@me", _answers(APPLICATION))
    app.router.add_post("/discord/channels/{channel}/messages", here.take)
    async with serve(app) as here.url:
        yield here


def _answers(content: dict[str, Any]) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        return _json(content)

    return answer


def _json(content: dict[str, Any]) -> web.Response:
    """Return a response with Discord's content type: discord.py reads nothing else as JSON."""
    return web.Response(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})
