"""What `paperboy doctor` looks at in Slack, and what to click where something is wrong. Nothing is changed."""

from collections.abc import AsyncIterator, Iterable
from itertools import groupby

from aiohttp import ClientError
from redis.asyncio import Redis
from slack_sdk.errors import SlackApiError

from adapters.slack.api import Api
from adapters.slack.errors import code_of
from adapters.slack.manifest import HISTORY, NEEDED
from adapters.slack.tokens import Access, Tokens, identify
from adapters.slack.ways import Way
from bot.domain.errors import ConfigurationError, SendError
from bot.domain.models import ChannelRef
from bot.ports import Finding
from bot.store.subscriptions import Subscriptions

LOOKED_AT = 200
"""Channels that are asked about, for Slack takes no more than 50 such questions a minute."""
AGAIN = "api.slack.com/apps > your app > OAuth & Permissions > Install to Workspace"


async def examine(way: Way, api: Api, tokens: Tokens, redis: Redis) -> list[Finding]:
    """Tokens, scopes, the socket or the address, and the channels that have subscriptions."""
    channels = sorted({s.channel async for s in Subscriptions(redis).load() if s.channel.platform == "slack"})
    found = [await _socket(api, way.app_token)] if way.kind == "socket" else [_address(way)]
    if way.bot_token:
        found += await _token(api, way.bot_token)
    for workspace, there in groupby(channels[:LOOKED_AT], lambda channel: channel.workspace):
        found += [
            finding async for finding in _workspace(api, tokens, workspace, there, alone=bool(way.bot_token))
        ]
    if not channels:
        found.append(
            Finding(
                "slack channels", ok=True, message="none has a subscription yet", todo="/paper subscribe …"
            )
        )
    return found


async def _socket(api: Api, token: str) -> Finding:
    try:
        await api.asking(None).apps_connections_open(app_token=token)
    except (SlackApiError, ClientError, TimeoutError) as error:
        said = code_of(error) or type(error).__name__
        todo = (
            "api.slack.com/apps > your app > Basic Information > App-Level Tokens: one with connections:write"
        )
        if said == "forbidden_for_app":
            todo = "api.slack.com/apps > your app > Socket Mode: switch it on"
        return Finding("slack socket", ok=False, message=f"SLACK_APP_TOKEN: Slack says {said}", todo=todo)
    return Finding("slack socket", ok=True, message="SLACK_APP_TOKEN opens one")


def _address(way: Way) -> Finding:
    if way.port is None:
        return Finding(
            "slack address",
            ok=False,
            message="nothing listens for Slack",
            todo="set PORT, and run the role web",
        )
    return Finding("slack address", ok=True, message=f"the role web listens on {way.port} for /slack/events")


async def _token(api: Api, token: str) -> list[Finding]:
    try:
        who = await identify(api, token)
    except SendError as error:
        return [Finding("slack", ok=False, message=f"SLACK_BOT_TOKEN: {error}", todo=AGAIN)]
    return [
        Finding("slack", ok=True, message=f"SLACK_BOT_TOKEN is of the workspace {who['team']}"),
        *_scopes("slack scopes", str(who["scopes"])),
    ]


def _scopes(name: str, granted: str) -> Iterable[Finding]:
    have = set(granted.split(","))
    missing = [scope for scope in NEEDED if scope not in have]
    if missing:
        add = f"…> OAuth & Permissions > Bot Token Scopes: add {', '.join(missing)}; then Reinstall to Workspace"
        yield Finding(name, ok=False, message=f"{', '.join(missing)} missing", todo=add)
    elif not set(HISTORY) <= have:
        yield Finding(
            name,
            ok=True,
            message="all that is needed; without channels:history a post may be doubled after an outage",
            todo="add channels:history and groups:history, or live with it (PAPERBOY_UNCLEAR)",
        )
    else:
        yield Finding(name, ok=True, message="all are granted")


async def _workspace(
    api: Api, tokens: Tokens, workspace: str, channels: Iterable[ChannelRef], *, alone: bool
) -> AsyncIterator[Finding]:
    name = f"slack {workspace}"
    try:
        access = await tokens.of(workspace)
        if not alone:
            who = await identify(api, access.token)
            for finding in _scopes(name, str(who["scopes"])):
                yield finding
    except (SendError, ConfigurationError) as error:
        yield Finding(name, ok=False, message=str(error), todo="an admin has to install the app there again")
        return
    wrong, count = 0, 0
    for channel in channels:
        count += 1
        problem = await _channel(api, access, channel)
        if problem is not None:
            wrong += 1
            yield problem
    yield Finding(
        name, ok=wrong == 0, message=f"{count - wrong} of {count} subscribed channels can be posted to"
    )


async def _channel(api: Api, access: Access, channel: ChannelRef) -> Finding | None:
    """What is wrong with a channel."""
    where = f"slack {channel.channel}"
    link = f"{access.url}archives/{channel.channel}"
    try:
        room = (await api.asking(access.token).conversations_info(channel=channel.channel))["channel"]
    except SlackApiError as error:
        if code_of(error) == "channel_not_found":
            return Finding(
                where,
                ok=False,
                message="Paperboy is not in this channel",
                todo=f"/invite @Paperboy in {link}",
            )
        return Finding(where, ok=False, message=f"Slack says {code_of(error)}", todo="try again")
    except (ClientError, TimeoutError) as error:
        return Finding(where, ok=False, message=type(error).__name__, todo="try again")
    if room.get("is_archived"):
        return Finding(
            where, ok=False, message=f"#{room['name']} is archived", todo=f"unarchive {link}, or let it rest"
        )
    return None
