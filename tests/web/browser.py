"""Debian's Chromium, and a check of pages for accessibility faults."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser in {CHROMIUM}")

RULES = Path(__file__).with_name("accessibility.js")


class ObservedPage:
    """A page, with its console messages and requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        """Messages on the console, errors included."""
        self.requests: list[str] = []
        """URLs that the page requested."""
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def faults(self) -> list[str]:
        """Return faults that hinder people who can't see, can't see well, or have no mouse."""
        found: list[str] = json.loads(await self.page.evaluate(RULES.read_text()))
        return found


@asynccontextmanager
async def open_page(
    *,
    width: int = 1100,
    height: int = 800,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
    zone: str | None = None,
) -> AsyncIterator[ObservedPage]:
    """Open a browser window with an empty profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,
            timezone_id=zone,
        )
        try:
            yield ObservedPage(await context.new_page())
        finally:
            await browser.close()
