"""The harness of the mail platform: the real adapter, its pages without scripts, and a real mail server."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import html5lib
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.addresses import Addresses
from adapters.email.links import Links
from adapters.email.message import FromAddress
from adapters.email.platform import EmailPlatform
from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from bot.clock import wall_clock
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.store.limits import Limits
from bot.web.requests import decode
from bot.web.server import harden
from tests.adapters.email.mail_server import Mail, MailServer
from tests.platform_harness import Seen, wired
from tests.waiting import until

if TYPE_CHECKING:
    from bot.wiring import Bot

BASE = "https://papers.example.org"
KEY = "a key that can't be guessed"
ADA = "ada@example.org"


@dataclass(frozen=True, slots=True)
class Form:
    """A form on a page, with the fields that would be submitted."""

    action: str
    fields: dict[str, str]
    label: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a browser receives it."""

    status: int
    source: str
    address: str
    is_file: bool = False
    """Whether it was sent as a download."""

    @property
    def root(self) -> Element:
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        root: Element = parser.parse(self.source)
        return root

    @property
    def text(self) -> str:
        """The text of its main part, with single spaces."""
        return text_of(next(self.root.iter("main")))

    def answer(self) -> Element:
        """Return the section about the command that was just carried out."""
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
            yield Form(form.get("action") or self.address, fields, text_of(button))

    def form(self, label: str, within: Element | None = None) -> Form:
        """Return the form whose button has this label."""
        return next(form for form in self.forms(within) if form.label == label)


class Browser:
    """Opens links and submits forms."""

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
            is_file = response.headers.get("Content-Disposition", "").startswith("attachment; filename=")
            return Page(response.status, await response.text(), path.partition("?")[0], is_file)


class EmailHarness:
    """A person, Ada, who uses Paperboy by mail."""

    def __init__(
        self, redis: Redis, mail_server: MailServer, now: Callable[[], datetime], channel: ChannelRef
    ) -> None:
        self.channel = channel
        self._redis = redis
        self._now = now
        self.mail_server = mail_server
        self.bot: Bot
        self.platform: EmailPlatform
        self.browser: Browser
        self.addresses = Addresses(redis, Encryptor([KEY]))
        self.links = Links(BASE, Encryptor([KEY]), now)
        self._running = AsyncExitStack()

    async def manage_url(self) -> str:
        """Return the link to the account's page, which people get by mail."""
        return self.links.manage(await self.addresses.account(self.channel))

    async def say(self, line: str) -> Seen:
        count = len(self.transactional_mails())
        return await self._with_file(
            read_answer(await self.browser.post(await self.manage_url(), {"say": line})), count
        )

    async def press(self, seen: Seen, label: str) -> Seen:
        if isinstance(seen.raw, Mail):
            return await self.follow(action_links(seen.raw)[label])
        page, answer = seen.raw
        if label in (actions := dict(action_links_in(answer))):
            return await self.follow(actions[label])
        count = len(self.transactional_mails())
        return await self._with_file(read_answer(await self.browser.submit(page.form(label, answer))), count)

    async def follow(self, url: str) -> Seen:
        """Open the link of a button, and confirm its command."""
        page, count = await self.browser.get(url), len(self.transactional_mails())
        return await self._with_file(read_answer(await self.browser.submit(page.form("Do it"))), count)

    async def _with_file(self, seen: Seen, count: int) -> Seen:
        """Return the answer, with the file if it says that one is sent by mail.

        `count` is the number of transactional mails before the command.
        """
        if "is on its way" not in seen.text:
            return seen
        mail = await self.transactional_mail(count + 1)
        (file,) = mail.message.iter_attachments()
        content: Any = file.get_payload(decode=True)
        return replace(seen, file=content.decode())

    async def posted(self) -> Sequence[Seen]:
        return [
            Seen(mail.part("plain"), tuple(action_links(mail)), private=False, raw=mail)
            for mail in self.mail_server.to(ADA)
            if mail.message["List-Unsubscribe"]
        ]

    async def transactional_mail(self, count: int = 1) -> Mail:
        """Wait until `count` mails that were requested on a page have arrived, and return the newest."""
        await until(lambda: len(self.transactional_mails()) >= count, "the mail")
        return self.transactional_mails()[-1]

    def transactional_mails(self) -> list[Mail]:
        """Return the mails that aren't posts."""
        return [mail for mail in self.mail_server.mails if not mail.message["List-Unsubscribe"]]

    async def restart(self) -> None:
        await self._running.aclose()
        await self._running.enter_async_context(self._opened())

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self.platform = EmailPlatform(
            addresses=self.addresses,
            limits=Limits(self._redis),
            links=self.links,
            client=SmtpClient(SmtpServer.parse(self.mail_server.url), patience=3),
            sender=FromAddress.parse("Paperboy <papers@example.org>"),
            bounce=Address.parse("bounces@example.org"),
            now=self._now,
        )
        async with wired(self._redis, (self.platform,), self._now) as self.bot:
            app = web.Application(middlewares=[decode([ip_network("127.0.0.0/8")])])
            app.on_response_prepare.append(harden())
            app.add_routes(self.platform.routes(self.bot.core))
            async with TestClient(TestServer(app)) as client:
                self.browser = Browser(client)
                try:
                    yield
                finally:
                    await self.platform.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["EmailHarness"]:
        async with self._running:
            await self._running.enter_async_context(self._opened())
            yield self


@asynccontextmanager
async def email_harness(
    redis: Redis, now: Callable[[], datetime] = wall_clock, *, confirmed: bool = True
) -> AsyncIterator[EmailHarness]:
    """Start a mail server and the harness; `confirmed` says whether Ada's address already is."""
    channel = await Addresses(redis, Encryptor([KEY])).channel(Address.parse(ADA))
    async with (
        MailServer().open() as mail_server,
        EmailHarness(redis, mail_server, now, channel).open() as harness,
    ):
        if confirmed:
            await harness.addresses.confirm(channel, Address.parse(ADA))
        yield harness


def read_answer(page: Page) -> Seen:
    """Return what a page says about the command that was just carried out."""
    if page.is_file:
        return Seen("", file=page.source, raw=page)
    answer = page.answer()
    buttons = (*(form.label for form in page.forms(answer)), *(label for label, _ in action_links_in(answer)))
    return Seen(text_of(answer), buttons, private=True, raw=(page, answer))


def action_links(mail: Mail) -> dict[str, str]:
    """Return label -> URL of every link to a command."""
    return dict(action_links_in(html5lib.parse(mail.part("html"), namespaceHTMLElements=False)))


def action_links_in(element: Element) -> Iterator[tuple[str, str]]:
    """Yield the label and the URL of every link to a command."""
    for a in element.iter("a"):
        if "/email/act/" in (href := a.get("href") or ""):
            yield (a.text or "").strip(), href


def text_of(element: Element) -> str:
    """Return the text of an element, with single spaces."""
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def _value(field: Element) -> str:
    if field.tag == "input":
        return field.get("value") or ""
    options = list(field.iter("option"))
    selected = next((option for option in options if option.get("selected") is not None), options[0])
    return selected.get("value") or ""
