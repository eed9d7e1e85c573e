"""The REST client. It sets its User-Agent, and classifies answers by the table of `errors`."""

import json
from importlib.metadata import version
from typing import Any

import aiohttp
import discord

from adapters.discord.errors import NOT_JSON, Answer, classify, not_discord

USER_AGENT = (
    f"DiscordBot (https://github.com/Rapptz/discord.py, {discord.__version__}) Paperboy/{version('paperboy')}"
)
"""In the format that Discord requires: Cloudflare blocks others (error 40333). See
https://docs.discord.com/developers/reference#user-agent."""
CONNECTIONS = 24
"""Max concurrent connections for posts: fifty posts a second need no more, and more would delay answers to people."""
LONGEST_WAIT = 8.0
"""Seconds that a post waits for one of Discord's rate limits before it is returned to the outbox."""
POSTING_PATHS = ("/messages", "/threads")
"""The ends of the paths whose POST creates a post."""


def rest_client() -> discord.Client:
    """Build a client that posts and looks things up; it never connects to the gateway. Needs a running event loop.

    discord.py would repeat a failed request several times, even a post without a nonce, and wait for a rate limit
    however long it takes. The outbox does both better, because it sees everything that waits.
    """
    trace = identified()
    trace.on_request_redirect.append(_refuse_redirect)
    trace.on_request_end.append(_raise_for_answer)
    client = discord.Client(
        intents=discord.Intents(guilds=True),  # unused here, but discord.py warns without it
        allowed_mentions=discord.AllowedMentions.none(),
        http_trace=trace,
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
    )
    client.http.user_agent = USER_AGENT
    client.http.max_ratelimit_timeout = LONGEST_WAIT
    return client


def identified() -> aiohttp.TraceConfig:
    """Set our User-Agent on every request of a client: discord.py leaves aiohttp's on answers to interactions."""
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_identify)
    return trace


async def _identify(_session: object, _context: object, start: aiohttp.TraceRequestStartParams) -> None:
    start.headers["User-Agent"] = USER_AGENT


async def _refuse_redirect(
    _session: object, _context: object, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    redirect.response.close()
    raise not_discord(redirect.response.status)


async def _raise_for_answer(_session: object, _context: object, end: aiohttp.TraceRequestEndParams) -> None:
    """Raise the answer's error, unless discord.py handles it as well as we do."""
    posts = end.method == "POST" and end.url.path.endswith(POSTING_PATHS)
    answer = await _read(end.response)
    error = classify(answer, posts=posts)
    if error is not None and not _left_to_the_library(answer, end.response):
        end.response.close()
        raise error


def _left_to_the_library(answer: Answer, response: aiohttp.ClientResponse) -> bool:
    """Whether discord.py deals with this error: it raises the code, or waits for its own rate limit."""
    if answer.status == 429:
        wait = answer.body.get("retry_after") if isinstance(answer.body, dict) else None
        return "Via" in response.headers and isinstance(wait, int | float) and 0 <= wait <= LONGEST_WAIT
    return 400 <= answer.status < 500 and answer.status != 408 and answer.code is not None


async def _read(response: aiohttp.ClientResponse) -> Answer:
    body: Any = NOT_JSON
    try:
        text = await response.read()
        if response.content_type == "application/json":
            body = json.loads(text)
    except (aiohttp.ClientPayloadError, ValueError, RecursionError):
        body = NOT_JSON
    return Answer(response.status, body, response.headers.get("Retry-After", ""))
