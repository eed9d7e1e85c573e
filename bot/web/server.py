"""The HTTP server of role `web`."""

import asyncio
from collections.abc import Iterable

from aiohttp import web
from structlog import get_logger

from bot.errors import ConfigurationError
from bot.ports import Core, Mounted, Platform

log = get_logger()


class Website:
    """Listens on one port, for people, probes and platforms."""

    def __init__(self, port: int, platforms: Iterable[Platform]) -> None:
        self._port = port
        self._platforms = tuple(platforms)

    def app(self, core: Core) -> web.Application:
        """Everything that is answered."""
        app = web.Application()
        app.router.add_get("/healthz", _alive)
        for platform in self._platforms:
            if isinstance(platform, Mounted):
                app.add_routes(platform.routes(core))
        return app

    async def run(self, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError where the port is taken."""
        runner = web.AppRunner(self.app(core), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=self._port).start()
            log.info("listening", port=self._port)
            await asyncio.Event().wait()
        except OSError as error:
            raise ConfigurationError(
                f"PORT: nothing can listen on {self._port}: {error.strerror or error}"
            ) from error
        finally:
            await runner.cleanup()


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
