"""Pages from templates, and the static files that they load.

A package that mounts its own pages brings its templates and files, and builds on `base.html`.
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
        """`types` are the media types by file name, `prefix` is what every URL starts with."""
        self._package = package
        self._prefix = prefix
        self._types = types

    def url(self, name: str) -> str:
        """The URL of a file."""
        digest = blake2b(_content(self._package, name), digest_size=6).hexdigest()
        return f"{self._prefix}/{digest}/{name}"

    def routes(self) -> list[web.RouteDef]:
        """A route for every file."""
        return [web.get(self.url(name), self._answer) for name in self._types]

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        return web.Response(
            body=_content(self._package, name),
            content_type=self._types[name],
            headers={"Cache-Control": CACHE_FOR_A_YEAR},
        )


FILES = StaticFiles("bot.web", "/static", {"style.css": "text/css", "paperboy.svg": "image/svg+xml"})
"""What every page loads."""


class Templates:
    """Renders the templates of a package, and those of `bot.web`. Everything that is put in is escaped."""

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
        """The response that shows a template."""
        return web.Response(
            text=self.piece(template, **values),
            status=status,
            content_type="text/html",
            headers={"Cache-Control": "no-cache"},
        )

    def piece(self, template: str, **values: object) -> str:
        """A template as HTML: a piece of a page, such as a form."""
        return self._environment.get_template(template).render(values)


@cache
def _content(package: str, name: str) -> bytes:
    return files(package).joinpath("static", name).read_bytes()
