"""The style and the script of the pages, each at an address that changes with it."""

from functools import cache
from hashlib import blake2b
from importlib.resources import files

from aiohttp import web

FILES = {"mail.css": "text/css", "mail.js": "text/javascript"}
FOR_A_YEAR = "public, max-age=31536000, immutable"


def base() -> str:
    """What the address of each file begins with."""
    digest = blake2b(digest_size=6)
    for name in FILES:
        digest.update(_content(name))
    return f"/email/static/{digest.hexdigest()}/"


def routes() -> list[web.RouteDef]:
    """Every file."""
    return [web.get(f"/email/static/{{version}}/{name}", _file) for name in FILES]


async def _file(request: web.Request) -> web.Response:
    name = request.path.rpartition("/")[2]
    return web.Response(body=_content(name), content_type=FILES[name], headers={"Cache-Control": FOR_A_YEAR})


@cache
def _content(name: str) -> bytes:
    return files("adapters.email").joinpath("static", name).read_bytes()
