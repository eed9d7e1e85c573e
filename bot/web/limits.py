"""Rate limits for strangers, per network and in total."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from aiohttp import web

from bot.ports import Rate
from bot.store.limits import Limit, Limits, UsedUp
from bot.web.requests import Address, client_of

WIDER: Mapping[int, Mapping[int, int]] = {4: {32: 1, 24: 4}, 6: {64: 1, 56: 2, 48: 4}}
"""IP version -> prefix length -> limit of a network of that size, as a multiple of one client's limit.

A household has a /64 or a /56 of IPv6, a company a /48: an attacker with 2⁸⁰ addresses counts as four clients.
"""
ALL = "all"
"""Scope of all clients together."""


async def count_request(
    limits: Limits,
    request: web.Request,
    purpose: str,
    *,
    each: Rate,
    total: Rate,
    more: tuple[Limit, ...] = (),
) -> UsedUp | None:
    """Count a request for `purpose`. If a limit is used up, count nothing and return that limit.

    `each` is the limit per client, `total` that of all clients, `more` are further limits. Raises RedisError.
    """
    scopes = (*networks(client_of(request), each), *more, Limit(ALL, total))
    return await limits.count(purpose, scopes)


def networks(client: Address | None, each: Rate) -> Iterator[Limit]:
    """Yield the limits of a client's own network and of the networks around it."""
    if client is None:
        yield Limit("unknown", each)
        return
    for prefix, factor in WIDER[client.version].items():
        network = ip_network((client, prefix), strict=False)
        yield Limit(str(network), Rate(each.count * factor, each.per))


def reload_after(used_up: UsedUp) -> dict[str, str]:
    """Return `retry_after` for a page, with a header that makes browsers reload the page after the wait."""
    headers = retry_after(used_up)
    return headers | {"Refresh": headers["Retry-After"]}


def retry_after(used_up: UsedUp) -> dict[str, str]:
    """Return the header that says when to try again."""
    return {"Retry-After": str(max(1, round(used_up.seconds)))}
