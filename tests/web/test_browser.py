"""The front page in a real browser: with the keyboard only, without scripts, on a phone, and in dark mode."""

from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Response
from redis.asyncio import Redis

from bot.domain.models import Paper
from tests.papers import a_paper
from tests.web.browser import needs_chromium, open_page
from tests.web.site import Gateway, site
from tests.web.test_pages import seen

pytestmark = needs_chromium

MOST = 200_000
"""Maximum size of the page with everything that it loads, in bytes."""


BAD = """<html><head></head><body><h3>A heading</h3><img src="data:,"><a href="/x"></a><label for="nowhere">A</label>
<input><a href="/one">more</a><a href="/two">more</a><button style="height: 9px">b</button>
<p style="color: #999; background: #fff">faint</p></body></html>"""


def papers() -> list[Paper]:
    """Return twenty papers that are as long as real ones get."""
    return [
        a_paper(
            f"2603.{n:05}",
            title=f"Diffusion of {n} {'Very-Long-Hyphenated-Word ' * 4}".strip(),
            abstract=f"We diffuse {n} things. " + "And then we measure what has become of them. " * 40,
            authors=tuple(f"Author {letter}" for letter in "ABCDE"),
            categories=("cs.LG",),
            upvotes=1000 * n,
            pdf_url=f"https://arxiv.org/pdf/2603.{n:05}",
            code_url=f"https://github.com/example/{n}",
        )
        for n in range(1, 21)
    ]


async def horizontal_overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    excess: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return excess


async def test_a_search_by_keyboard_without_scripts(redis: Redis) -> None:
    await seen(redis, *papers(), a_paper(title="Something else"))
    async with site(redis) as client, open_page(scripts=False) as browser:
        page = browser.page
        await page.goto(str(client.make_url("/")))
        await page.keyboard.press("Tab")
        assert await page.locator(":focus").inner_text() == "Skip to the content"
        assert await page.locator(":focus").evaluate("e => e.getBoundingClientRect().left >= 0")
        for _ in range(10):
            await page.keyboard.press("Tab")
            if await page.locator("#q:focus").count():
                break
        await page.keyboard.type("diffuse things")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/?q=diffuse+things")
        assert await page.locator("section[aria-labelledby=results] h3").first.inner_text()
        assert await page.locator("#q").input_value() == "diffuse things"
        await page.get_by_role("link", name="Next").click()
        await page.wait_for_url("**page=2")
        assert await page.get_by_text("Page 2 of").count() == 1


async def test_the_page_is_small_and_loads_nothing_from_other_hosts(redis: Redis) -> None:
    await seen(redis, *papers())
    async with site(redis, Gateway("https://chat.example.org/add")) as client, open_page() as browser:
        answers: list[Response] = []
        browser.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # `on` doesn't accept built-in functions
        await browser.page.goto(str(client.make_url("/")), wait_until="networkidle")
        loaded = sum([len(await response.body()) for response in answers])
        assert len(answers) >= 3  # the page, its style sheet, its image
        assert loaded < MOST
        assert {urlsplit(address).netloc for address in browser.requests} == {client.make_url("/").authority}
        assert browser.console == []


async def test_links_have_the_right_targets_and_send_no_referrer(redis: Redis) -> None:
    await seen(redis, *papers()[:1])
    async with site(redis, Gateway("https://chat.example.org/add")) as client, open_page() as browser:
        await browser.page.goto(str(client.make_url("/")))
        links = await browser.page.locator("main a").evaluate_all(
            "all => all.map(a => [a.innerText, a.href])"
        )
        policy = await browser.page.evaluate(
            "fetch('/').then(answer => answer.headers.get('referrer-policy'))"
        )
    assert policy == "no-referrer"
    assert ["Add to Fake", "https://chat.example.org/add"] in links
    assert [address for text, address in links if text.startswith("PDF")] == [
        "https://arxiv.org/pdf/2603.00001"
    ]
    assert [address for text, address in links if text.startswith("Code")] == ["https://github.com/example/1"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_accessible(redis: Redis, scheme: Literal["light", "dark"]) -> None:
    await seen(redis, *papers())
    async with (
        site(redis, Gateway("https://chat.example.org/add")) as client,
        open_page(scheme=scheme) as browser,
    ):
        for path in ("/", "/?q=diffuse", "/?q=diffuse&cat=cs.LG&days=30", "/?q=difuse+zzzz", "/?q=-x"):
            await browser.page.goto(str(client.make_url(path)))
            for summary in await browser.page.locator("summary").all():
                await summary.click()
            assert await browser.faults() == []
        ground = await browser.page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(",")))
        assert brightness > 600 if scheme == "light" else brightness < 150


async def test_accessibility_faults_are_found() -> None:
    async with open_page() as browser:
        await browser.page.set_content(BAD)
        found = {fault.partition(":")[0].partition(" (")[0] for fault in await browser.faults()}
    assert found == {
        "the page has a language",
        "the page has a title",
        "the page can be zoomed",
        "there is one <main>",
        "there is one <header>",
        "there is one <footer>",
        "there is one <h1>",
        "headings skip no level",
        "images have an alternative",
        "controls have a name",
        "fields have a label",
        "for names something",
        "links of one name lead to one place",
        "targets are 24 pixels high",
        "text stands out",
    }


async def test_pages_are_readable_on_a_phone(redis: Redis) -> None:
    await seen(redis, *papers())
    async with site(redis) as client, open_page(width=320, height=640) as browser:
        for path in ("/", "/?q=diffuse"):
            await browser.page.goto(str(client.make_url(path)))
            assert await horizontal_overflow(browser.page) <= 0
            size = await browser.page.evaluate(
                "parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)"
            )
            assert size >= 14


async def test_the_focus_is_visible(redis: Redis) -> None:
    await seen(redis, *papers()[:1])
    async with site(redis) as client, open_page() as browser:
        await browser.page.goto(str(client.make_url("/")))
        reached = set()
        for _ in range(12):
            await browser.page.keyboard.press("Tab")
            focus = browser.page.locator(":focus")
            if not await focus.count():
                break
            reached.add(await focus.evaluate("e => e.tagName"))
            assert await focus.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)") >= 2
        assert reached == {"A", "INPUT", "BUTTON", "SUMMARY"}
