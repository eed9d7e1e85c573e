"""The pages on privacy and terms, which a public listing links to."""

from dataclasses import dataclass

from aiohttp import web

from bot.web.templating import Templates


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator of this installation, as shown on the pages."""

    name: str = ""
    contact: str = ""
    """A mail address or a URL; "" if none is configured."""
    forget_after_days: int = 30
    """Days until the data of a workspace that removed the app is deleted; 0 for never."""

    @property
    def contact_url(self) -> str:
        """Link for the contact; "" if it is neither a mail address nor a URL."""
        if self.contact.startswith(("https://", "http://")):
            return self.contact
        return f"mailto:{self.contact}" if "@" in self.contact else ""


class LegalPages:
    """`/privacy` and `/terms`."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._templates = Templates()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of both pages."""
        return [web.get("/privacy", self._privacy), web.get("/terms", self._terms)]

    async def _privacy(self, _request: web.Request) -> web.Response:
        return self._templates.page("privacy.html", operator=self._operator)

    async def _terms(self, _request: web.Request) -> web.Response:
        return self._templates.page("terms.html", operator=self._operator)
