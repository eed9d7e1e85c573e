"""The checks of `paperboy doctor` in Slack, and what to click if something is wrong. They change nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import groupby, islice

from redis.asyncio import Redis

from adapters.slack.api import Api
from adapters.slack.calls import Calls
from adapters.slack.connection_mode import ConnectionMode
from adapters.slack.manifest import DIRECT, FILES, HISTORY, JOIN, LINKS, NEEDED
from adapters.slack.outcomes import CALL_ERRORS, NOT_CONNECTED, code_of
from adapters.slack.tokens import WorkspaceAccess, identify
from bot.domain.errors import ConfigurationError, SendError
from bot.domain.models import ChannelRef
from bot.domain.network_errors import network_reason
from bot.ports import CHECK_NETWORK, Finding
from bot.store.subscriptions import Subscriptions

CHECKED_CHANNELS = 40
"""Maximum number of channels checked: Slack allows 50 such requests a minute."""
AT_ONCE = 8
"""Channels checked at the same time, so that all are done within the doctor's few seconds."""
REINSTALL = "api.slack.com/apps > your app > OAuth & Permissions > Install to Workspace"
UNCHECKABLE = "after an outage Paperboy can't check whether a post arrived, and holds such a post for you"

WITHOUT: Mapping[Sequence[str], str] = {
    HISTORY: f"{UNCHECKABLE} (PAPERBOY_UNCLEAR changes this)",
    (JOIN,): "Paperboy has to be invited to public channels too",
    (FILES,): "exports of reading lists can't be sent",
    LINKS: "links to papers that people post get no cards",
    DIRECT: "Paperboy can't check whether a direct message arrived if Slack's answer was lost",
}
"""Optional scopes -> what doesn't work without them."""


async def examine(mode: ConnectionMode, api: Api, calls: Calls, redis: Redis) -> AsyncIterator[Finding]:
    """Check tokens, scopes, the socket or the address, and the channels that have subscriptions."""
    channels = sorted({s.channel async for s in Subscriptions(redis).load() if s.channel.platform == "slack"})
    try:
        yield await _socket(api, mode.app_token) if mode.kind == "socket" else _address(mode)
        if mode.bot_token:
            for finding in await _token(api, mode.bot_token):
                yield finding
    except SlackUnreachable as error:
        message = f"Slack can't be reached: {network_reason(error)}"
        yield Finding("slack", ok=False, message=message, todo=CHECK_NETWORK)
        return
    for workspace, group in groupby(channels[:CHECKED_CHANNELS], lambda channel: channel.workspace):
        one_token = bool(mode.bot_token)
        async for finding in _workspace(api, calls, workspace, group, scopes=not one_token):
            yield finding
    if not channels:
        yield Finding(
            "slack channels", ok=True, message="none has a subscription yet", todo="/paper subscribe …"
        )


class SlackUnreachable(Exception):
    """No connection to Slack could be opened; the cause says why."""


async def _socket(api: Api, token: str) -> Finding:
    try:
        await api.asking(None).apps_connections_open(app_token=token)
    except NOT_CONNECTED as error:
        raise SlackUnreachable from error
    except CALL_ERRORS as error:
        code = code_of(error) or "in a way that can't be read: a proxy may answer in its place"
        todo = "api.slack.com/apps > your app > Basic Information > App-Level Tokens: create one with connections:write"
        if code == "forbidden_for_app":
            todo = "api.slack.com/apps > your app > Socket Mode: switch it on"
        return Finding("slack socket", ok=False, message=f"SLACK_APP_TOKEN: Slack answers {code}", todo=todo)
    return Finding("slack socket", ok=True, message="SLACK_APP_TOKEN opens a socket")


def _address(mode: ConnectionMode) -> Finding:
    if mode.port is None:
        return Finding(
            "slack address",
            ok=False,
            message="nothing listens for Slack's requests",
            todo="set PORT, and run the role web",
        )
    return Finding(
        "slack address", ok=True, message=f"the role web listens on port {mode.port} for /slack/events"
    )


async def _token(api: Api, token: str) -> list[Finding]:
    try:
        identity = await identify(api, token)
    except SendError as error:
        if isinstance(error.__cause__, NOT_CONNECTED):
            raise SlackUnreachable from error
        return [Finding("slack", ok=False, message=f"SLACK_BOT_TOKEN: {error}", todo=REINSTALL)]
    return [
        Finding("slack", ok=True, message=f"SLACK_BOT_TOKEN is for the workspace {identity.get('team')}"),
        *_scopes("slack scopes", identity["scopes"]),
    ]


def _scopes(name: str, granted: frozenset[str] | None) -> Iterable[Finding]:
    """Check the granted scopes: None if Slack's answer doesn't name them, as behind some proxies."""
    if granted is None:
        yield Finding(
            name,
            ok=True,
            message="unknown: Slack's answer doesn't name them",
            todo="if something fails, look at OAuth & Permissions > Bot Token Scopes",
        )
        return
    missing = [scope for scope in NEEDED if scope not in granted]
    if missing:
        add = f"… > OAuth & Permissions > Bot Token Scopes: add {', '.join(missing)}; then Reinstall to Workspace"
        yield Finding(name, ok=False, message=f"{', '.join(missing)} missing", todo=add)
        return
    declined = [
        (scopes, without)
        for scopes, without in WITHOUT.items()
        if any(scope not in granted for scope in scopes)
    ]
    if declined:
        effects = "; ".join(f"without {scopes[0]}, {without}" for scopes, without in declined)
        add = ", ".join(scope for scopes, _ in declined for scope in scopes if scope not in granted)
        todo = f"add {add}, then Reinstall to Workspace"
        yield Finding(name, ok=True, message=f"all that are needed; {effects}", todo=todo)
    else:
        yield Finding(name, ok=True, message="all are granted")


async def _workspace(
    api: Api, calls: Calls, workspace: str, channels: Iterable[ChannelRef], *, scopes: bool
) -> AsyncIterator[Finding]:
    name = f"slack {workspace}"
    try:
        access = await calls.access(workspace)
        if scopes:
            for finding in _scopes(name, (await identify(api, access.token))["scopes"]):
                yield finding
    except (SendError, ConfigurationError) as error:
        yield Finding(name, ok=False, message=str(error), todo="an admin has to install the app there again")
        return
    wrong, count = 0, 0
    remaining = iter(channels)
    while batch := list(islice(remaining, AT_ONCE)):
        count += len(batch)
        for problem in await asyncio.gather(*(_channel(calls, access, channel) for channel in batch)):
            if problem is not None:
                wrong += not problem.ok
                yield problem
    yield Finding(
        name, ok=wrong == 0, message=f"{count - wrong} of {count} subscribed channels can be posted to"
    )


async def _channel(calls: Calls, access: WorkspaceAccess, channel: ChannelRef) -> Finding | None:
    """Return a problem with the channel, if any. Direct messages aren't checked: only a post could find a problem."""
    if channel.person:
        return None
    name = f"slack {channel.channel}"
    link = f"{access.url}archives/{channel.channel}"
    invite = f"/invite @Paperboy in {link}"
    try:
        answer = await calls.ask(access, lambda client: client.conversations_info(channel=channel.channel))
    except SendError as error:
        if code_of(error) == "channel_not_found":
            return Finding(name, ok=False, message="Paperboy is not in this channel", todo=invite)
        return Finding(name, ok=False, message=f"Slack doesn't say: {error}", todo="try again")
    room = answer.get("channel") or {}
    title = f"#{room.get('name') or channel.channel}"
    if room.get("is_archived"):
        todo = f"unarchive {link}, or leave it as it is"
        return Finding(name, ok=False, message=f"{title} is archived", todo=todo)
    if not room.get("is_member"):
        message = f"Paperboy can post in {title}, but is not in it: {UNCHECKABLE}"
        return Finding(name, ok=True, message=message, todo=invite)
    return None
