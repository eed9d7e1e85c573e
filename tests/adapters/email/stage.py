"""A mailbox as a stage: the real adapter, its pages as a browser without scripts sees them, and a real mail server."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from adapters.email import EmailPlatform
from adapters.email.address import Address
from adapters.email.links import Links
from adapters.email.message import Sender
from adapters.email.relay import Relay
from adapters.email.server import Server
from adapters.email.store import Addresses
from bot.app import Bot, wall_clock
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.web.headers import harden
from tests.adapters.email.postoffice import Mail, PostOffice
from tests.platform_harness import Seen, wired

BASE = "https://papers.example.org"
KEY = "a key that nobody can guess"
ADA = "ada@example.org"


@dataclass(frozen=True, slots=True)
class Form:
    """A form on a page, as it would be sent off."""

    action: str
    fields: dict[str, str]
    label: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a browser has it."""

    status: int
    source: str
    address: str

    @property
    def root(self) -> Element:
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        root: Element = parser.parse(self.source)
        return root

    @property
    def text(self) -> str:
        """What is read in it, one space between words."""
        return words(next(self.root.iter("main")))

    def answer(self) -> Element:
        """What was just done, apart from the rest of the page."""
        return next(e for e in self.root.iter("section") if "answer" in (e.get("class") or "").split())

    def forms(self, within: Element | None = None) -> Iterator[Form]:
        for form in (self.root if within is None else within).iter("form"):
            fields = {
                str(field.get("name")): _value(field)
                for kind in ("input", "select")
                for field in form.iter(kind)
                if field.get("name")
            }
            button = next(form.iter("button"))
            yield Form(form.get("action") or self.address, fields, words(button))

    def form(self, label: str, within: Element | None = None) -> Form:
        """The form whose button says `label`."""
        return next(form for form in self.forms(within) if form.label == label)


class Browser:
    """Goes to the pages that mails and forms lead to."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self._client = client

    async def get(self, url: str, **options: Any) -> Page:
        assert url.startswith(("/", BASE))
        return await self._page("GET", url.removeprefix(BASE), **options)

    async def submit(self, form: Form, **filled: str) -> Page:
        assert filled.keys() <= form.fields.keys() | {"do"}, form.fields
        return await self.post(form.action, form.fields | filled)

    async def post(self, url: str, data: Any, **options: Any) -> Page:
        return await self._page("POST", url.removeprefix(BASE), data=data, **options)

    async def _page(self, method: str, path: str, **options: Any) -> Page:
        async with self._client.request(method, path, allow_redirects=False, **options) as response:
            return Page(response.status, await response.text(), path.partition("?")[0])


class EmailStage:
    """Ada, whose address is confirmed."""

    def __init__(
        self, redis: Redis, office: PostOffice, now: Callable[[], datetime], channel: ChannelRef
    ) -> None:
        self.channel = channel
        self._redis = redis
        self._now = now
        self.office = office
        self.bot: Bot
        self.platform: EmailPlatform
        self.browser: Browser
        self.addresses = Addresses(redis, Encryptor([KEY]))
        self.links = Links(BASE, Encryptor([KEY]), now)
        self._running = AsyncExitStack()

    async def say(self, line: str) -> Seen:
        return answered(await self.browser.post(self.links.manage(self.channel), {"say": line}))

    async def press(self, seen: Seen, label: str) -> Seen:
        if isinstance(seen.raw, Mail):
            page = await self.browser.get(deeds(seen.raw)[label])
            waiting = [form for form in page.forms(page.answer()) if form.label == "Do it"]
            return answered(await self.browser.submit(waiting[0]) if waiting else page)
        page, answer = seen.raw
        return answered(await self.browser.submit(page.form(label, answer)))

    async def posted(self) -> Sequence[Seen]:
        return [
            Seen(mail.part("plain"), tuple(deeds(mail)), private=False, raw=mail)
            for mail in self.office.to(ADA)
            if mail.message["List-Unsubscribe"]
        ]

    async def letter(self, count: int = 1) -> Mail:
        """The newest of `count` mails that were asked for on a page, once it has come."""
        async with asyncio.timeout(10):
            while len(self.letters()) < count:  # noqa: ASYNC110  # the server knows
                await asyncio.sleep(0.005)
        return self.letters()[-1]

    def letters(self) -> list[Mail]:
        """What came that is no post."""
        return [mail for mail in self.office.mails if not mail.message["List-Unsubscribe"]]

    async def restart(self) -> None:
        await self._running.aclose()
        await self._running.enter_async_context(self._opened())

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self.platform = EmailPlatform(
            addresses=Addresses(self._redis, Encryptor([KEY])),
            links=self.links,
            relay=Relay(Server.parse(self.office.url), patience=3),
            sender=Sender.parse("Paperboy <papers@example.org>"),
            bounce=Address.parse("bounces@example.org"),
            now=self._now,
        )
        async with wired(self._redis, (self.platform,), self._now) as self.bot:
            app = web.Application()
            app.on_response_prepare.append(harden)
            app.add_routes(self.platform.routes(self.bot.core))
            async with TestClient(TestServer(app)) as client:
                self.browser = Browser(client)
                try:
                    yield
                finally:
                    await self.platform.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["EmailStage"]:
        async with self._running:
            await self._running.enter_async_context(self._opened())
            yield self


@asynccontextmanager
async def email_stage(
    redis: Redis, now: Callable[[], datetime] = wall_clock, *, confirmed: bool = True
) -> AsyncIterator[EmailStage]:
    """A mailbox as a stage."""
    channel = await Addresses(redis, Encryptor([KEY])).channel(Address.parse(ADA))
    async with PostOffice().open() as office, EmailStage(redis, office, now, channel).open() as stage:
        if confirmed:
            await stage.addresses.keep(channel, Address.parse(ADA))
        yield stage


def answered(page: Page) -> Seen:
    """What a page says about what was just done."""
    answer = page.answer()
    buttons = tuple(form.label for form in page.forms(answer))
    return Seen(words(answer), buttons, private=True, raw=(page, answer))


def deeds(mail: Mail) -> dict[str, str]:
    """Label -> address of every link that does something."""
    root = html5lib.parse(mail.part("html"), namespaceHTMLElements=False)
    return {words(a): a.get("href") for a in root.iter("a") if "?say=" in a.get("href")}


def words(element: Element) -> str:
    """All text within an element."""
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def _value(field: Element) -> str:
    if field.tag == "input":
        return field.get("value") or ""
    options = list(field.iter("option"))
    chosen = next((option for option in options if option.get("selected") is not None), options[0])
    return chosen.get("value") or ""
