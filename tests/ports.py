"""Free ports for the programs and servers that tests start."""

import socket
from contextlib import suppress
from random import SystemRandom

FIRST, END = 10_000, 32_000
"""Below the ports of outgoing connections (32,768 and up on Linux). An outgoing connection could take the port before
the program listens on it: even the one by which a test checks whether the program is up; it then connects to itself."""


def free_port() -> int:
    """Return a port on which nothing listens."""
    return free_ports(1)[0]


def free_ports(count: int, step: int = 1) -> list[int]:
    """Return ports on which nothing listens, `step` apart. Chosen at random, so that test processes rarely compete."""
    for _ in range(1_000):
        first = SystemRandom().randrange(FIRST, END - count * step)
        ports = [first + n * step for n in range(count)]
        with suppress(OSError):
            for port in ports:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return ports
    raise AssertionError("no port is free")
