"""How often strangers may ask: by their network, and all of them together."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from aiohttp import web

from bot.ports import Rate
from bot.store.limits import Limit, Limits, UsedUp
from bot.web.requests import Address, client_of

WIDER: Mapping[int, Mapping[int, int]] = {4: {32: 1, 24: 4}, 6: {64: 1, 56: 2, 48: 4}}
"""IP version -> prefix length -> how many times the limit of one client holds for a network of that size.

A household has a /64 or a /56 of IPv6, a company a /48: an attacker with 2⁸⁰ addresses counts as four clients.
"""
ALL = "all"
"""The scope of all clients together."""


async def count_request(
    limits: Limits,
    request: web.Request,
    purpose: str,
    *,
    each: Rate,
    total: Rate,
    more: tuple[Limit, ...] = (),
) -> UsedUp | None:
    """Count a request for `purpose`; return the limit that is used up, if one is, and then count nothing.

    `each` is the limit of one client, `total` of all together, `more` are limits of the purpose's own. Raises RedisError.
    """
    scopes = (*networks(client_of(request), each), *more, Limit(ALL, total))
    return await limits.count(purpose, scopes)


def networks(client: Address | None, each: Rate) -> Iterator[Limit]:
    """The limits of a client: its own, and those of the networks around it."""
    if client is None:
        yield Limit("unknown", each)
        return
    for prefix, factor in WIDER[client.version].items():
        network = ip_network((client, prefix), strict=False)
        yield Limit(str(network), Rate(each.count * factor, each.per))


def come_back(used_up: UsedUp) -> dict[str, str]:
    """The same for a page: a browser asks again by itself, so that people who share an address wait for their turn."""
    headers = retry_after(used_up)
    return headers | {"Refresh": headers["Retry-After"]}


def retry_after(used_up: UsedUp) -> dict[str, str]:
    """The header that says when to ask again."""
    return {"Retry-After": str(max(1, round(used_up.seconds)))}
