"""The form, the pages and the mails in a real browser: by keyboard, without scripts, on a phone, in dark mode."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.render import render
from bot.cards.digest import digest_card
from bot.cards.paper import paper_card
from bot.domain.models import Reason
from bot.ports import Batch
from bot.sources.huggingface_papers import parse_list
from tests.adapters.email.harness import ADA, BASE, EmailHarness, email_harness
from tests.adapters.email.test_render import FRAME
from tests.papers import a_paper
from tests.web.browser import ObservedPage, needs_chromium, open_page
from tests.web.site import site

pytestmark = needs_chromium

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)
Scheme = Literal["light", "dark"]


@asynccontextmanager
async def open_site(redis: Redis) -> AsyncIterator[tuple[EmailHarness, str]]:
    """Start a site with mail and some papers. Yields the harness and the address of the front page."""
    async with email_harness(redis, lambda: NOW, confirmed=False) as harness:
        papers = tuple(a_paper(f"2603.0000{n}", title=f"Diffusion {n}") for n in range(5))
        await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)
        async with site(redis, harness.platform, core=harness.bot.core) as client:
            yield harness, str(client.make_url("/")).rstrip("/")


async def tab_to(page: Page, selector: str) -> None:
    """Focus an element with the keyboard only."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} can't be reached")


async def horizontal_overflow(page: Page) -> int:
    overflow: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return overflow


async def test_from_the_front_page_to_a_subscription_by_keyboard_without_scripts(redis: Redis) -> None:
    async with open_site(redis) as (harness, origin), open_page(scripts=False) as seen:
        page = seen.page
        await page.goto(origin)
        await tab_to(page, "#mail-address")
        await page.keyboard.type(ADA)
        await tab_to(page, "#mail-query")
        await page.keyboard.type("diffusion")
        await tab_to(page, "#mail-every")
        await page.keyboard.press("ArrowDown")
        await tab_to(page, "#mail-zone")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("Berlin")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Check your inbox").wait_for()
        text = (await harness.transactional_mail()).part("plain")
        link = next(line for line in text.splitlines() if line.startswith(BASE))
        await page.goto(origin + link.removeprefix(BASE))
        assert await page.get_by_text("once a week, at 9:00 Europe/Berlin time").count() == 1
        await tab_to(page, "main button")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Confirmed").wait_for()
        await page.goto(origin + (await harness.manage_url()).removeprefix(BASE))
        await tab_to(page, "#line")
        await page.keyboard.type("preview diffusion")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Preview").wait_for()
        assert seen.console == []


async def test_a_query_is_previewed_without_scripts(redis: Redis) -> None:
    async with open_site(redis) as (_, origin), open_page(scripts=False) as seen:
        await seen.page.goto(origin)
        await seen.page.fill("#mail-query", "diffusion")
        await seen.page.get_by_role("button", name="Preview").click()
        await seen.page.get_by_text("5 matches in the").wait_for()
        assert await seen.page.locator("#mail-past article").count() == 3
        assert await seen.page.input_value("#mail-query") == "diffusion"


async def test_with_scripts_a_query_is_previewed_while_it_is_typed(redis: Redis) -> None:
    async with open_site(redis) as (_, origin), open_page(zone="Asia/Tokyo") as seen:
        await seen.page.goto(origin)
        assert await seen.page.input_value("#mail-zone") == "Asia/Tokyo"
        await seen.page.locator("#mail-query").press_sequentially("diffusion")
        await seen.page.get_by_text("5 matches in the").wait_for()
        await seen.page.fill("#mail-query", "")
        await seen.page.locator("#mail-past section").wait_for(state="detached")
        assert seen.console == []
        assert {urlsplit(address).netloc for address in seen.requests} == {urlsplit(origin).netloc}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits_a_phone(redis: Redis, scheme: Scheme) -> None:
    async with open_site(redis) as (harness, origin), open_page(width=320, height=640, scheme=scheme) as seen:
        await harness.addresses.confirm(harness.channel, Address.parse(ADA))
        await harness.say("subscribe diffusion")
        account = await harness.addresses.account(harness.channel)
        manage, stop = harness.links.manage(account), harness.links.unsubscribe(account)
        actions = [harness.links.act(account, line) for line in ("save 2603.00001", "mutewhat 2603.00001")]
        for path in ("/", "/email/subscribe", "/email/link", "/email/manage/x", manage, stop, *actions):
            await seen.page.goto(origin + path.removeprefix(BASE))
            assert await seen.faults() == [], path
            assert await horizontal_overflow(seen.page) == 0, path
        for url in actions:
            await seen.page.goto(origin + url.removeprefix(BASE))
            await seen.page.get_by_role("button", name="Do it").click()
            assert await seen.faults() == [], url
        for line in ("preview diffusion", "settings", "help", "abstract 2603.00001", "nonsense", "list"):
            await seen.page.goto(origin + manage.removeprefix(BASE))
            await seen.page.fill("#line", line)
            await seen.page.get_by_role("button", name="Do it").click()
            assert await seen.faults() == [], line
            assert await horizontal_overflow(seen.page) == 0, line
        await seen.page.goto(origin + stop.removeprefix(BASE))
        await seen.page.get_by_role("button", name="Stop all mail").click()
        await seen.page.get_by_role("heading", name="You won't get any more mail").wait_for()
        assert await seen.faults() == []


async def faults_of_mail(seen: ObservedPage) -> list[str]:
    """Return the faults of a mail, except missing landmarks, which only a page needs."""
    return [
        fault
        for fault in await seen.faults()
        if not re.match("there is one <(main|header|footer|h1)>", fault)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
async def test_mails_of_recorded_days_are_accessible(shared_data: Path, width: int, scheme: Scheme) -> None:
    async with open_page(width=width, scheme=scheme) as seen:
        for day in ("2026-03-16", "2026-04-15", "2026-05-20"):
            papers = parse_list((shared_data / "hf_daily" / f"{day}.json").read_bytes())
            entries = [(paper, (Reason(1, "trending"),)) for paper in papers]
            cards = (
                digest_card(entries, NOW, "digest@2026-05-20"),
                paper_card(*entries[0], NOW),
                paper_card(*entries[0], NOW, "full"),
            )
            for card in cards:
                await seen.page.set_content(render(card, FRAME).html)
                assert await horizontal_overflow(seen.page) == 0
                assert [
                    fault for fault in await faults_of_mail(seen) if not fault.startswith("headings")
                ] == []
        assert (seen.requests, seen.console) == ([], [])
