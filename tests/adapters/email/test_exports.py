"""Files that are requested on a page are sent by mail, and the page offers them as a download."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from adapters.email import account_pages
from bot.ports import Batch, Rate
from tests.adapters.email.harness import ADA, EmailHarness, Page, email_harness
from tests.papers import a_paper

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
async def harness(redis: Redis) -> AsyncIterator[EmailHarness]:
    async with email_harness(redis, lambda: NOW) as harness:
        papers = tuple(a_paper(f"2603.0000{number}", title=f"Größe {number}") for number in range(3))
        await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)
        await harness.say("save 2603.00001")
        yield harness


async def request_export(harness: EmailHarness, line: str = "saved export:bibtex") -> Page:
    return await harness.browser.post(await harness.manage_url(), {"say": line})


async def test_a_list_is_mailed_to_the_confirmed_address(harness: EmailHarness) -> None:
    page = await request_export(harness)
    assert "reading-list.bib is on its way to" in page.text
    mail = await harness.transactional_mail()
    assert mail.to == ADA
    assert mail.message["Subject"] == "1 paper as BibTeX: reading-list.bib"
    [file] = mail.message.iter_attachments()
    assert (file.get_filename(), file.get_content_disposition()) == ("reading-list.bib", "attachment")
    assert "Größe 1" in bytes(file.get_payload(decode=True)).decode()
    assert "1 paper as BibTeX" in mail.part("plain")


async def test_the_page_offers_the_same_file(harness: EmailHarness) -> None:
    page = await request_export(harness, "search Größe export:csl")
    await harness.transactional_mail()
    saved = await harness.browser.submit(page.form("Download it here"))
    assert saved.is_file
    assert saved.source.count("Größe") == 3
    assert len(harness.transactional_mails()) == 1


async def test_after_many_files_only_the_page_has_them(
    harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_pages, "FILES", Rate(2, 3600))
    pages = [await request_export(harness) for _ in range(4)]
    assert [page.is_file for page in pages] == [False, False, True, True]
    await harness.transactional_mail(2)
    assert len(harness.transactional_mails()) == 2


async def test_nothing_to_export_sends_nothing(harness: EmailHarness) -> None:
    page = await request_export(harness, "saved nowhere export:md")
    assert "no papers to export" in page.text
    assert harness.transactional_mails() == []
