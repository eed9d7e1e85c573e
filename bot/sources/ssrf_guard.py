"""HTTP to addresses that strangers choose: connects only to public addresses.

The address is checked when the socket for it is created. So neither DNS rebinding nor a redirect can get around it.
"""

import socket
from collections.abc import Collection
from errno import EACCES
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext

from aiohttp import AddrInfoType, ClientSession, DummyCookieJar, TCPConnector

from bot.domain.network_errors import ExplainedError
from bot.sources.context import Network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_RELAYS = IPv4Network("192.88.99.0/24")
"""Relays of 6to4, which forward to any address."""


class PrivateAddressError(ExplainedError):
    """The address is not public."""


def guarded_session(
    private: Collection[Network] = (), *, connections: int = 4, trusted: SSLContext | None = None
) -> ClientSession:
    """Create a session that connects to public addresses and to the networks `private`, and stores no cookies.

    Bodies are not decompressed, so a compression bomb does no harm here. `trusted` has the certificate authorities, if
    not the system's.
    """

    def connect(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        refuse_private(str(address[0]), private)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    connector = TCPConnector(
        socket_factory=connect,
        force_close=True,
        use_dns_cache=False,
        limit=connections,
        ssl=trusted or True,
    )
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), auto_decompress=False)


def refuse_private(host: str, private: Collection[Network]) -> None:
    """Raise PrivateAddressError for an address that is neither public nor in one of the networks `private`."""
    address = ip_address(host.partition("%")[0])
    targets = _targets(address)
    if not all(is_public(target) or any(target in network for network in private) for target in targets):
        raise PrivateAddressError(
            EACCES,
            f"{address} is not a public address; if you trust it, add its network to PAPERBOY_FEEDS_PRIVATE, or for "
            "webhooks to PAPERBOY_WEBHOOKS_PRIVATE",
        )


def is_public(address: Address) -> bool:
    """Whether it is the address of a single host on the Internet."""
    if address in _RELAYS or (isinstance(address, IPv6Address) and address.is_site_local):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _targets(address: Address) -> tuple[Address, ...]:
    """Return the addresses that this one leads to: IPv6 can embed an IPv4 address in four ways."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    embedded = address.teredo or (address.ipv4_mapped or address.sixtofour,)
    return tuple(one for one in embedded if one) or (address,)
