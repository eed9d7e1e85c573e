"""Pages from templates, and their static files.

A package with pages has its own templates, which extend `base.html`, and its own static files.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files in a package's `static` folder, each at a URL that changes with its content."""

    def __init__(self, package: str, prefix: str, types: Mapping[str, str]) -> None:
        """`types` are the media types by file name; every URL starts with `prefix`."""
        self._package = package
        self._prefix = prefix
        self._types = types

    def url(self, name: str) -> str:
        """Return the URL of a file."""
        digest = blake2b(_content(self._package, name), digest_size=6).hexdigest()
        return f"{self._prefix}/{digest}/{name}"

    def routes(self) -> list[web.RouteDef]:
        """Return a route for every file."""
        return [web.get(self.url(name), self._answer) for name in self._types]

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        return web.Response(
            body=_content(self._package, name),
            content_type=self._types[name],
            headers={"Cache-Control": CACHE_FOR_A_YEAR},
        )


FILES = StaticFiles("bot.web", "/static", {"style.css": "text/css", "paperboy.svg": "image/svg+xml"})
"""The static files of every page."""


class Templates:
    """Renders the templates of a package and of `bot.web`. All values are escaped."""

    def __init__(self, package: str = "bot.web", assets: StaticFiles = FILES) -> None:
        """Templates refer to the package's own static files as `asset(name)`."""
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "bot.web"))]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(static=FILES.url, asset=assets.url)

    def page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Render a template as a response."""
        return web.Response(
            text=self.piece(template, **values),
            status=status,
            content_type="text/html",
            headers={"Cache-Control": "no-cache"},
        )

    def piece(self, template: str, **values: object) -> str:
        """Render a template as a piece of HTML, such as a form."""
        return self._environment.get_template(template).render(values)


@cache
def _content(package: str, name: str) -> bytes:
    return files(package).joinpath("static", name).read_bytes()
