"""A proxy between a client and a Redis server that loses answers after the server has executed the request."""

import asyncio
import random
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class LossyProxy:
    """Passes everything on, but drops the answers to the next `lose` scripts, and their connections.

    `share` is the share of all other scripts to which that happens.
    """

    def __init__(self, host: str, port: int, *, share: float = 0.0, seed: int = 1) -> None:
        self._share = share
        self._random = random.Random(seed)
        self._server = (host, port)
        self.lose = 0
        self.lost = 0
        self.port = 0
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["LossyProxy"]:
        """Listen on loopback."""
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listening.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, client: StreamReader, to_client: StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        self._connections.add(me)
        me.add_done_callback(self._connections.discard)
        server, to_server = await asyncio.open_connection(*self._server)
        requests = asyncio.create_task(self._pass_on(client, to_server))
        try:
            while answer := await server.read(65536):
                if self._is_script and (self.lose or self._random.random() < self._share):
                    self.lose = max(0, self.lose - 1)
                    self.lost += 1
                    break
                to_client.write(answer)
        finally:
            requests.cancel()
            for writer in (to_client, to_server):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _pass_on(self, client: StreamReader, to_server: StreamWriter) -> None:
        while words := await client.read(65536):
            self._is_script = b"EVAL" in words
            to_server.write(words)
        to_server.close()

    _is_script = False
