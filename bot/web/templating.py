"""Pages from templates. A platform that mounts pages of its own brings its templates and builds on `base.html`."""

from collections.abc import Mapping
from hashlib import blake2b
from importlib.resources import files

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

HERE = "bot.web"
STATIC: Mapping[str, str] = {"style.css": "text/css", "paperboy.svg": "image/svg+xml"}
"""Name -> type of each file that pages ask for."""
FOR_A_YEAR = "public, max-age=31536000, immutable"


class Templates:
    """Renders the templates of a package, and those here; all that is put in is escaped."""

    def __init__(self, package: str = HERE) -> None:
        packages = dict.fromkeys((package, HERE))
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(name) for name in packages]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = static_url

    def page(self, template: str, *, status: int = 200, **values: object) -> web.Response:
        """The answer that shows a template."""
        return web.Response(
            text=self.piece(template, **values),
            status=status,
            content_type="text/html",
            headers={"Cache-Control": "no-cache"},
        )

    def piece(self, template: str, **values: object) -> str:
        """A template as HTML: a piece of a page, such as a form."""
        return self._environment.get_template(template).render(values)


def static_url(name: str) -> str:
    """The address of a file, which changes with what is in it."""
    return f"/static/{_digest(name)}/{name}"


def static_routes() -> list[web.RouteDef]:
    """Every file, each at its address."""
    return [web.get(static_url(name), _file) for name in STATIC]


async def _file(request: web.Request) -> web.Response:
    name = request.path.rpartition("/")[2]
    return web.Response(body=_content(name), content_type=STATIC[name], headers={"Cache-Control": FOR_A_YEAR})


def _content(name: str) -> bytes:
    return files(HERE).joinpath("static", name).read_bytes()


def _digest(name: str) -> str:
    return blake2b(_content(name), digest_size=6).hexdigest()
