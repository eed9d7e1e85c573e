"""The pages behind a mail's links: every command, one click to stop all mail, and no link that does more than it says."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import aiohttp
import pytest
from redis.asyncio import Redis

from adapters.email.address import Address
from adapters.email.bounces import return_address
from adapters.email.web_context import reader
from bot.domain.models import ChannelRef
from bot.ports import Batch, Rate
from bot.store import keys
from tests.adapters.email.postoffice import Mail
from tests.adapters.email.stage import ADA, BASE, EmailStage, deeds, email_stage, links_in
from tests.adapters.email.test_bounces import a_report
from tests.adapters.email.test_delivery import everything
from tests.papers import a_paper
from tests.platform_harness import Seen, arrive, deliver

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)


class Clock:
    """Stands still until a test moves it."""

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


async def a_mail(stage: EmailStage, paper: str = "2603.00001") -> Mail:
    """A mail that Ada got."""
    await stage.say("subscribe paper")
    await arrive(stage.bot, a_paper(paper))
    mail = (await stage.posted())[-1].raw
    assert isinstance(mail, Mail)
    return mail


def one_click(mail: Mail) -> str:
    return str(mail.message["List-Unsubscribe"]).strip("<>")


async def is_paused(stage: EmailStage, redis: Redis) -> bool:
    return "paused" in str(await everything(redis, keys.channel(stage.channel)))


async def state(redis: Redis) -> dict[str, str]:
    """All of Redis, except what counts requests."""
    return {
        key: str(await everything(redis, key))
        async for key in redis.scan_iter()
        if not key.startswith("pb:{limit:")
    }


async def test_every_command_works(stage: EmailStage) -> None:
    assert "Subscribed as #1: diffusion" in (await stage.say("/paper subscribe diffusion")).text
    assert "1 subscription" in (await stage.say("list")).text
    assert "Preview robots" in (await stage.say("preview robots")).text
    assert "Unknown command “subscrib”" in (await stage.say("subscrib diffusion")).text
    assert "/paper subscribe" in (await stage.say("help")).text


async def test_the_page_lists_subscriptions_and_stops_them(stage: EmailStage) -> None:
    await stage.say("subscribe diffusion")
    await stage.say("subscribe robots every:weekly")
    page = await stage.browser.get(await stage.manage_url())
    assert "#1 diffusion" in page.text
    assert "#2 robots weekly" in page.text
    assert "a…@example.org" in page.text
    assert ADA not in page.source
    page = await stage.browser.submit(page.form("Stop"))
    assert "Unsubscribed from #1" in page.text
    assert await followed(stage) == ["robots"]


async def test_the_page_subscribes_by_a_form(stage: EmailStage) -> None:
    page = await stage.browser.get(await stage.manage_url())
    page = await stage.browser.submit(page.form("Follow"), query='"language model" -survey', every="weekly")
    assert await followed(stage) == ['"language model" -survey']
    assert "Subscribed as #1" in page.text


async def test_settings_are_a_form_with_what_mail_has(stage: EmailStage) -> None:
    page = await stage.browser.get(await stage.manage_url())
    page = await stage.browser.submit(page.form("Schedule, time zone and more"))
    form = page.form("Save")
    assert "threads" not in form.fields
    page = await stage.browser.submit(form, zone="Berlin", hour="7", weekends="off")
    settings = await stage.bot.core.settings(stage.channel)
    assert (settings.zone, settings.hour, settings.weekends) == ("Europe/Berlin", 7, False)
    assert "Digests come at 7:00 Europe/Berlin time, not on weekends" in page.text


async def test_nothing_from_a_paper_or_a_query_is_markup_on_a_page(stage: EmailStage) -> None:
    evil = "<img src=x onerror=alert(1)>"
    await stage.bot.papers.ingest("test", Batch((), "c", history=(a_paper(title=f"Paper {evil}"),)), 0)
    page, _ = (await stage.say("preview paper")).raw
    assert not [e for e in page.root.iter("img") if e.get("onerror")]
    assert "Paper &lt;img src=x onerror=alert(1)&gt;" in page.source


class TestAButtonInAMail:
    """It carries out one command, once."""

    async def test_asks_before_it_does_anything(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        page = await stage.browser.get(deeds(mail)["Save"])
        assert "/paper save 2603.00001" in page.text
        assert await stage.bot.core.saved(reader(stage.channel), stage.channel) == []
        await stage.browser.submit(page.form("Do it"))
        assert len(await stage.bot.core.saved(reader(stage.channel), stage.channel)) == 1

    async def test_works_once(self, stage: EmailStage) -> None:
        url = deeds(await a_mail(stage))["Save"]
        await stage.follow(url)
        page = await stage.browser.post(url, {})
        assert (page.status, "already done" in page.text) == (400, True)

    async def test_that_only_shows_something_works_again(self, stage: EmailStage) -> None:
        url = deeds(await a_mail(stage))["Similar"]
        assert (await stage.follow(url)).text == (await stage.follow(url)).text

    async def test_can_be_undone_but_does_nothing_else(self, stage: EmailStage) -> None:
        saved = await stage.press(Seen("", raw=await a_mail(stage)), "Save")
        assert set(saved.buttons) == {"Undo"}  # "My list" needs the account's page
        page, _ = saved.raw
        assert "/email/manage/" not in page.source
        undone = await stage.press(saved, "Undo")
        assert "Removed" in undone.text

    async def test_ends_when_the_mail_does(self, stage: EmailStage, clock: Clock) -> None:
        mail = await a_mail(stage)
        clock.now += timedelta(days=29)
        seen = await stage.follow(deeds(mail)["Mute"])
        _, answer = seen.raw
        clock.now += timedelta(days=2)
        for url in (*deeds(mail).values(), *dict(links_in(answer)).values()):
            page = await stage.browser.post(url, {})
            assert (page.status, "expired" in page.text) == (400, True)

    async def test_takes_no_other_command_from_the_request(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        url = deeds(mail)["Similar"]
        for data in ({"say": "unsubscribe #1"}, {"command": "unsubscribe", "subscription": "#1"}):
            await stage.browser.post(url, data)
            await stage.browser.post(f"{url}?say=unsubscribe+%231", data)
        assert await followed(stage) == ["paper"]


class TestTheLinkToThePage:
    """Asked for by mail each time, and short-lived."""

    async def test_is_in_no_mail_that_was_not_asked_for(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        for part in ("plain", "html"):
            assert "/email/manage/" not in mail.part(part)
        assert f"{BASE}/email/link" in mail.part("plain")

    async def test_is_sent_to_the_inbox_and_opens_the_page(self, stage: EmailStage) -> None:
        form = (await stage.browser.get("/email/link")).form("Send me the link")
        await stage.browser.submit(form, address=ADA)
        text = (await stage.letter()).part("plain")
        url = next(line for line in text.splitlines() if "/email/manage/" in line)
        assert "Your papers by mail" in (await stage.browser.get(url)).text

    async def test_ends_after_an_hour_however_much_it_is_used(self, stage: EmailStage, clock: Clock) -> None:
        url = await stage.manage_url()
        page = await stage.browser.get(url)
        for _ in range(3):
            clock.now += timedelta(minutes=19)
            page = await stage.browser.submit(page.form("Schedule, time zone and more"))
        assert page.status == 200
        clock.now += timedelta(minutes=5)
        for again in (
            await stage.browser.get(url),
            *[await stage.browser.post(form.action, form.fields) for form in page.forms()],
        ):
            assert (again.status, "expired" in again.text) == (400, True)
            assert "/email/link" in again.source

    async def test_leads_to_no_other_link(self, stage: EmailStage) -> None:
        await a_mail(stage)
        url = await stage.manage_url()
        page, _ = (await stage.say("trending")).raw
        token = url.rpartition("/")[2]
        for source in (page.source, (await stage.browser.get(url)).source):
            others = re.findall(r"/email/(?:manage|act|confirm|unsubscribe)/([\w-]{40,})", source)
            assert len(set(others)) == 1
        assert token in (await stage.browser.get(url)).source

    async def test_ends_when_all_links_are_ended(self, stage: EmailStage) -> None:
        mail, url = await a_mail(stage), await stage.manage_url()
        page = await stage.browser.get(url)
        assert "All links have ended" in (await stage.browser.submit(page.form("End all links"))).text
        for link in (url, *deeds(mail).values()):
            assert (await stage.browser.get(link)).status == 400
            assert (await stage.browser.post(link, {"say": "subscribe robots"})).status == 400
        assert await followed(stage) == ["paper"]
        assert (await stage.browser.post(one_click(mail), {})).status == 200
        assert await followed(stage) == []

    async def test_does_not_work_again_after_a_new_sign_up(self, stage: EmailStage) -> None:
        url = await stage.manage_url()
        page = await stage.browser.get(url)
        await stage.browser.submit(page.form("Forget me"))
        await sign_up(stage)
        assert (await stage.browser.get(url)).status == 400
        assert (await stage.browser.post(url, {"say": "subscribe robots"})).status == 400


class TestGet:
    """It changes nothing: mail programs and scanners follow links, too."""

    async def test_no_link_changes_anything(self, stage: EmailStage, redis: Redis) -> None:
        mail = await a_mail(stage)
        urls = [*deeds(mail).values(), one_click(mail), await stage.manage_url(), "/email/link"]
        before = await state(redis)
        for url in urls:
            for suffix in ("", "?say=list", "?say=subscribe+robots", "?do=1&command=unsubscribe"):
                assert (await stage.browser.get(url + suffix)).status == 200
        assert await state(redis) == before

    async def test_an_address_that_bounced_stays_paused(self, stage: EmailStage, redis: Redis) -> None:
        mail = await a_mail(stage)
        await stage.browser.post("/email/bounces", a_report(mail.sender))
        assert await is_paused(stage, redis)
        for url in (*deeds(mail).values(), await stage.manage_url(), f"{await stage.manage_url()}?say=list"):
            await stage.browser.get(url)
        assert await is_paused(stage, redis)


class TestStoppingAllMail:
    """One click, from any mail, at any time; and nothing more."""

    async def test_one_click_stops_it_as_rfc_8058_says(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        await stage.say("subscribe robots")
        await stage.bot.papers.ingest("test", Batch((a_paper("2603.00002"),), "cursor2"), 0)
        await stage.bot.fanout.match_all()  # one more post is waiting
        page = await stage.browser.post(one_click(mail), {"List-Unsubscribe": "One-Click"})
        assert page.status == 200  # not a redirect, which mail programs don't follow
        assert await followed(stage) == []
        await deliver(stage.bot)
        await arrive(stage.bot, a_paper("2603.00003"))
        assert len(await stage.posted()) == 1
        assert (await stage.browser.post(one_click(mail), {"List-Unsubscribe": "One-Click"})).status == 200
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    async def test_multipart_works_too(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        with aiohttp.MultipartWriter("form-data") as writer:
            writer.append("One-Click").set_content_disposition("form-data", name="List-Unsubscribe")
            assert (await stage.browser.post(one_click(mail), writer)).status == 200
        assert await followed(stage) == []

    async def test_the_page_stops_nothing_before_its_button_is_pressed(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        page = await stage.browser.get(one_click(mail))
        assert "a…@example.org won't get any more papers" in page.text
        assert await followed(stage) == ["paper"]
        await stage.browser.submit(page.form("Stop all mail"))
        assert await followed(stage) == []

    async def test_an_old_mail_is_not_enough_to_control_the_address(self, stage: EmailStage) -> None:
        mail = await a_mail(stage)
        page = await stage.browser.get(one_click(mail))
        stopped = await stage.browser.submit(page.form("Stop all mail"))
        for found in (page, stopped):
            assert not re.search("/email/(manage|act|confirm)/", found.source)
            assert "paper" not in [form.fields.get("say") for form in found.forms()]

    async def test_the_address_is_deleted_after_a_month_unless_it_subscribes_again(
        self, stage: EmailStage, redis: Redis
    ) -> None:
        mail = await a_mail(stage)
        key = keys.installation("email", stage.channel.channel)
        assert await redis.ttl(key) == -1
        await stage.browser.post(one_click(mail), {})
        assert 29 * 86_400 < await redis.ttl(key) <= 30 * 86_400
        await stage.say("subscribe paper")
        assert await redis.ttl(key) == -1

    async def test_a_mail_of_long_ago_stops_new_mail(self, stage: EmailStage, clock: Clock) -> None:
        """Also after another sign-up and "End all links", which end every other link."""
        mail = await a_mail(stage)
        page = await stage.browser.get(await stage.manage_url())
        await stage.browser.submit(page.form("End all links"))
        assert (await stage.browser.post(await sign_up(stage), {})).status == 400  # it was used
        clock.now += timedelta(days=1000)
        assert await followed(stage) != []
        assert (await stage.browser.post(one_click(mail), {})).status == 200
        assert await followed(stage) == []

    async def test_a_mail_from_before_an_address_was_forgotten_stops_nothing_new(
        self, stage: EmailStage, clock: Clock
    ) -> None:
        mail = await a_mail(stage)
        page = await stage.browser.get(await stage.manage_url())
        await stage.browser.submit(page.form("Forget me"))
        assert (await stage.browser.post(one_click(mail), {})).status == 200  # there is nothing to stop
        clock.now += timedelta(hours=2)
        await sign_up(stage)
        refused = await stage.browser.post(one_click(mail), {})
        assert (refused.status, "no longer works" in refused.text) == (400, True)
        assert await followed(stage) != []


class TestForgetting:
    """Nothing stays, and no link brings anything back."""

    async def test_leaves_nothing(self, stage: EmailStage, redis: Redis) -> None:
        mail = await a_mail(stage)
        await stage.press((await stage.posted())[0], "Save")
        await stage.say("subscribe robots every:daily")
        url = await stage.manage_url()
        page = await stage.browser.submit((await stage.browser.get(url)).form("Forget me"))
        assert "Forgotten" in page.text
        left = [key for key, text in (await state(redis)).items() if stage.channel.channel in text]
        # The stream of changed subscriptions names the channel, by its hash, until enough others have changed.
        assert [key for key in left if await redis.ttl(key) == -1 and not key.endswith("changes")] == []
        assert (await stage.browser.get(url)).status == 400
        assert (await stage.browser.post(one_click(mail), {})).status == 200

    async def test_a_used_confirm_link_does_not_subscribe_again(self, stage: EmailStage) -> None:
        confirm = await sign_up(stage)
        page = await stage.browser.get(await stage.manage_url())
        await stage.browser.submit(page.form("Forget me"))
        page = await stage.browser.post(confirm, {})
        assert (page.status, "no longer works" in page.text) == (400, True)
        assert await followed(stage) == []
        assert (await stage.addresses.account(stage.channel)).address is None


async def sign_up(stage: EmailStage) -> str:
    """Sign Ada up. Returns the confirm link, which is used by now."""
    count = len(stage.letters()) + 1
    form = (await stage.browser.get("/email/subscribe")).form("Subscribe")
    await stage.browser.submit(form, address=ADA, query="diffusion")
    text = (await stage.letter(count)).part("plain")
    url = next(line for line in text.splitlines() if "/email/confirm/" in line)
    assert "Confirmed" in (await stage.browser.post(url, {})).text
    return url


async def test_returned_mail_pauses_its_address_until_its_owner_acts(stage: EmailStage) -> None:
    mail = await a_mail(stage)
    assert mail.sender == return_address(Address.parse("bounces@example.org"), stage.channel)
    page = await stage.browser.post("/email/bounces", a_report(mail.sender))
    assert (page.status, page.source) == (200, "ok\n")
    await arrive(stage.bot, a_paper("2603.00002"))
    assert len(await stage.posted()) == 1
    await stage.say("status")
    await deliver(stage.bot)
    assert len(await stage.posted()) == 2


@pytest.mark.parametrize("action", ["delayed", "delivered"])
async def test_late_mail_pauses_no_address(stage: EmailStage, action: str) -> None:
    mail = await a_mail(stage)
    await stage.browser.post("/email/bounces", a_report(mail.sender, action))
    await arrive(stage.bot, a_paper("2603.00002"))
    assert len(await stage.posted()) == 2


async def test_a_made_up_or_huge_report_changes_nothing(stage: EmailStage, redis: Redis) -> None:
    stranger = return_address(Address.parse("b@example.org"), ChannelRef("email", "a" * 8, "a" * 26))
    before = await state(redis)
    for report in (a_report(stranger), b"x" * 900_000, b""):
        assert (await stage.browser.post("/email/bounces", report)).status == 200
    assert await state(redis) == before


async def test_an_account_can_give_so_many_commands_a_minute(
    stage: EmailStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.account_pages.COMMANDS", Rate(2, 60))
    url = await stage.manage_url()
    statuses = [(await stage.browser.post(url, {"say": "list"})).status for _ in range(3)]
    assert statuses == [200, 200, 400]


async def test_an_over_long_field_is_refused_before_anything_looks_at_it(stage: EmailStage) -> None:
    url = await stage.manage_url()
    for data in ({"command": "explain", "paper": " " * 900_000}, {"say": "explain " + " " * 5_000}):
        began = monotonic()
        assert (await stage.browser.post(url, data)).status == 400
        assert monotonic() - began < 2
