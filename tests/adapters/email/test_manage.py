"""The pages behind a mail's links: everything that `/paper` does, one click to leave, and nothing kept of who is gone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.bounces import return_address
from bot.domain.models import ChannelRef
from bot.ports import Batch, Rate
from bot.store import keys
from tests.adapters.email.stage import ADA, EmailStage, email_stage
from tests.adapters.email.test_bounces import a_report
from tests.adapters.email.test_delivery import everything
from tests.papers import a_paper
from tests.platform_harness import arrive, deliver

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def stage(redis: Redis, clock: Clock) -> AsyncIterator[EmailStage]:
    async with email_stage(redis, clock) as stage:
        yield stage


async def followed(stage: EmailStage) -> list[str]:
    found = await stage.bot.core.subscriptions([stage.channel])
    return [subscription.query for subscription in found.get(stage.channel, ())]


async def a_mail(stage: EmailStage, paper: str = "2603.00001") -> Any:
    """A mail that Ada got."""
    await stage.say("subscribe paper")
    await arrive(stage.bot, a_paper(paper))
    return (await stage.posted())[-1].raw


async def test_every_command_can_be_given(stage: EmailStage) -> None:
    assert "Subscribed as #1: diffusion" in (await stage.say("/paper subscribe diffusion")).text
    assert "1 subscription" in (await stage.say("list")).text
    assert "Preview robots" in (await stage.say("preview robots")).text
    assert "There is no command “subscrib”" in (await stage.say("subscrib diffusion")).text
    assert "/paper subscribe" in (await stage.say("help")).text


async def test_the_page_lists_what_comes_and_stops_it(stage: EmailStage) -> None:
    await stage.say("subscribe diffusion")
    await stage.say("subscribe robots every:weekly")
    page = await stage.browser.get(stage.links.manage(stage.channel))
    assert "#1 diffusion" in page.text
    assert "#2 robots weekly" in page.text
    assert "a…@example.org" in page.text
    assert ADA not in page.source
    page = await stage.browser.submit(page.form("Stop"))
    assert "Stopped #1" in page.text
    assert await followed(stage) == ["robots"]


async def test_something_else_can_be_followed_by_a_form(stage: EmailStage) -> None:
    page = await stage.browser.get(stage.links.manage(stage.channel))
    page = await stage.browser.submit(page.form("Follow"), query='"language model" -survey', every="weekly")
    assert await followed(stage) == ['"language model" -survey']
    assert "Subscribed as #1" in page.text


async def test_a_link_in_a_mail_reads_at_once_and_changes_only_by_a_button(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    page = await stage.browser.get(stage.links.manage(stage.channel, "list"))
    assert "1 subscription" in page.text
    for line in ("unsubscribe #1", "save 2603.00001", "subscribe robots", "settings every:daily"):
        page = await stage.browser.get(stage.links.manage(stage.channel, line))
        assert f"/paper {line}" in page.text
        assert page.form("Do it", page.answer()).fields == {"say": line}
    assert await followed(stage) == ["paper"]
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_settings_are_a_form_with_what_a_mail_has(stage: EmailStage) -> None:
    page = await stage.browser.get(stage.links.manage(stage.channel))
    page = await stage.browser.submit(page.form("Schedule, time zone and more"))
    form = page.form("Save")
    assert "threads" not in form.fields
    page = await stage.browser.submit(form, zone="Berlin", hour="7", weekends="off")
    settings = await stage.bot.core.settings(stage.channel)
    assert (settings.zone, settings.hour, settings.weekends) == ("Europe/Berlin", 7, False)
    assert "Digests come at 7:00 of Europe/Berlin, not on weekends" in page.text


async def test_a_link_that_says_nonsense_is_answered_in_words(stage: EmailStage) -> None:
    page = await stage.browser.get(stage.links.manage(stage.channel, "<b>nonsense</b>"))
    assert "There is no command “<b>nonsense</b>”" in page.text


async def test_managing_links_end_and_say_so(stage: EmailStage, clock: Clock) -> None:
    link = stage.links.manage(stage.channel)
    clock.now += timedelta(days=31)
    page = await stage.browser.get(link)
    assert (page.status, "expired" in page.text) == (400, True)
    assert "/email/link" in page.source


async def test_one_click_ends_all_mail_as_the_rfc_says(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    await stage.say("subscribe robots")
    await stage.bot.papers.ingest("test", Batch((a_paper("2603.00002"),), "cursor2"), 0)
    await stage.bot.fanout.match_all()  # one more is owed
    url = str(mail.message["List-Unsubscribe"]).strip("<>")
    page = await stage.browser.post(url, {"List-Unsubscribe": "One-Click"})
    assert page.status == 200  # and no redirect: the client does not follow any
    assert await followed(stage) == []
    await deliver(stage.bot)
    await arrive(stage.bot, a_paper("2603.00003"))
    assert len(await stage.posted()) == 1
    assert (await stage.browser.post(url, {"List-Unsubscribe": "One-Click"})).status == 200


async def test_multipart_one_click_works_too(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    with aiohttp.MultipartWriter("form-data") as writer:
        writer.append("One-Click").set_content_disposition("form-data", name="List-Unsubscribe")
        url = str(mail.message["List-Unsubscribe"]).strip("<>")
        assert (await stage.browser.post(url, writer)).status == 200
    assert await followed(stage) == []


async def test_opening_the_way_out_stops_nothing_before_its_button(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    url = str(mail.message["List-Unsubscribe"]).strip("<>")
    page = await stage.browser.get(url)
    assert "These end: paper" in page.text
    assert await followed(stage) == ["paper"]
    page = await stage.browser.submit(page.form("Stop all mail"))
    assert await followed(stage) == []
    page = await stage.browser.submit(page.form("Follow again"))
    assert await followed(stage) == ["paper"]
    await arrive(stage.bot, a_paper("2603.00009"))
    assert len(await stage.posted()) == 2


async def test_who_stopped_is_forgotten_by_and_by(stage: EmailStage, redis: Redis) -> None:
    mail = await a_mail(stage)
    key = keys.installation("email", stage.channel.channel)
    assert await redis.ttl(key) == -1
    await stage.browser.post(str(mail.message["List-Unsubscribe"]).strip("<>"), {})
    assert 29 * 86_400 < await redis.ttl(key) <= 30 * 86_400
    await stage.say("subscribe paper")
    assert await redis.ttl(key) == -1


async def test_to_be_forgotten_leaves_nothing(stage: EmailStage, redis: Redis) -> None:
    mail = await a_mail(stage)
    await stage.press((await stage.posted())[0], "Save")
    await stage.say("subscribe robots every:daily")
    page = await stage.browser.get(stage.links.manage(stage.channel))
    page = await stage.browser.submit(page.form("Forget me"))
    assert "Forgotten" in page.text
    kept = {key: str(await everything(redis, key)) async for key in redis.scan_iter()}
    left = [key for key, text in kept.items() if stage.channel.channel in text]
    # The matchers' stream of changes names the channel, by its hash, until enough others have followed.
    assert [key for key in left if await redis.ttl(key) == -1 and not key.endswith("changes")] == []
    page = await stage.browser.get(stage.links.manage(stage.channel))
    assert (page.status, "not known here" in page.text) == (400, True)
    assert (await stage.browser.post(str(mail.message["List-Unsubscribe"]).strip("<>"), {})).status == 200


async def test_mail_that_comes_back_pauses_its_address(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    assert mail.sender == return_address(Address.parse("bounces@example.org"), stage.channel)
    page = await stage.browser.post("/email/bounces", a_report(mail.sender))
    assert (page.status, page.source) == (200, "ok\n")
    await arrive(stage.bot, a_paper("2603.00002"))
    assert len(await stage.posted()) == 1
    await stage.say("status")  # whoever acts here can be reached again
    await deliver(stage.bot)
    assert len(await stage.posted()) == 2


@pytest.mark.parametrize("action", ["delayed", "delivered"])
async def test_mail_that_is_late_pauses_nobody(stage: EmailStage, action: str) -> None:
    mail = await a_mail(stage)
    await stage.browser.post("/email/bounces", a_report(mail.sender, action))
    await arrive(stage.bot, a_paper("2603.00002"))
    assert len(await stage.posted()) == 2


async def test_a_made_up_or_huge_report_changes_nothing(stage: EmailStage, redis: Redis) -> None:
    stranger = return_address(Address.parse("b@example.org"), ChannelRef("email", "a" * 8, "a" * 26))
    before = {key async for key in redis.scan_iter()}
    for report in (a_report(stranger), b"x" * 900_000, b""):
        assert (await stage.browser.post("/email/bounces", report)).status == 200
    assert {key async for key in redis.scan_iter()} == before


async def test_a_page_can_not_be_hammered(stage: EmailStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.manage.COMMANDS", Rate(2, 60))
    link = stage.links.manage(stage.channel)
    statuses = [(await stage.browser.post(link, {"say": "list"})).status for _ in range(3)]
    assert statuses == [200, 200, 400]


async def test_nothing_from_a_paper_or_a_query_is_markup_on_a_page(stage: EmailStage) -> None:
    evil = "<img src=x onerror=alert(1)>"
    await stage.bot.papers.ingest("test", Batch((), "c", history=(a_paper(title=f"Paper {evil}"),)), 0)
    seen = await stage.say("preview paper")
    page, _ = seen.raw
    assert not [e for e in page.root.iter("img") if e.get("onerror")]
    assert "Paper &lt;img src=x onerror=alert(1)&gt;" in page.source
