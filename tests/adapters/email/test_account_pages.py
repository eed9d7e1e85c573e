"""The pages behind a mail's links: commands, stopping all mail, and the limits of what each link can do."""

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
from tests.adapters.email.harness import ADA, BASE, EmailHarness, action_links, action_links_in, email_harness
from tests.adapters.email.mail_server import Mail
from tests.adapters.email.test_bounces import a_report
from tests.adapters.email.test_delivery import content_of
from tests.papers import a_paper
from tests.platform_harness import Seen, arrive, deliver

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)


class Clock:
    """A clock that stands still until a test sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def harness(redis: Redis, clock: Clock) -> AsyncIterator[EmailHarness]:
    async with email_harness(redis, clock) as harness:
        yield harness


async def subscribed_queries(harness: EmailHarness) -> list[str]:
    found = await harness.bot.core.subscriptions([harness.channel])
    return [subscription.query for subscription in found.get(harness.channel, ())]


async def a_mail(harness: EmailHarness, paper: str = "2603.00001") -> Mail:
    """Subscribe, let a paper arrive, and return the mail."""
    await harness.say("subscribe paper")
    await arrive(harness.bot, a_paper(paper))
    mail = (await harness.posted())[-1].raw
    assert isinstance(mail, Mail)
    return mail


def unsubscribe_url(mail: Mail) -> str:
    return str(mail.message["List-Unsubscribe"]).strip("<>")


async def is_paused(harness: EmailHarness, redis: Redis) -> bool:
    return "paused" in str(await content_of(redis, keys.channel(harness.channel)))


async def state(redis: Redis) -> dict[str, str]:
    """Return everything in Redis, except the counters of limits."""
    return {
        key: str(await content_of(redis, key))
        async for key in redis.scan_iter()
        if not key.startswith("pb:{limit:")
    }


async def test_every_command_works(harness: EmailHarness) -> None:
    assert "Subscribed as #1: diffusion" in (await harness.say("/paper subscribe diffusion")).text
    assert "1 subscription" in (await harness.say("list")).text
    assert "Preview robots" in (await harness.say("preview robots")).text
    assert "Unknown command “subscrib”" in (await harness.say("subscrib diffusion")).text
    assert "/paper subscribe" in (await harness.say("help")).text


async def test_the_page_lists_subscriptions_and_stops_them(harness: EmailHarness) -> None:
    await harness.say("subscribe diffusion")
    await harness.say("subscribe robots every:weekly")
    page = await harness.browser.get(await harness.manage_url())
    assert "#1 diffusion" in page.text
    assert "#2 robots weekly" in page.text
    assert "a…@example.org" in page.text
    assert ADA not in page.source
    page = await harness.browser.submit(page.form("Stop"))
    assert "Unsubscribed from #1" in page.text
    assert await subscribed_queries(harness) == ["robots"]


async def test_a_form_on_the_page_subscribes(harness: EmailHarness) -> None:
    page = await harness.browser.get(await harness.manage_url())
    page = await harness.browser.submit(page.form("Follow"), query='"language model" -survey', every="weekly")
    assert await subscribed_queries(harness) == ['"language model" -survey']
    assert "Subscribed as #1" in page.text


async def test_the_form_of_settings_has_only_those_that_apply_to_mail(harness: EmailHarness) -> None:
    page = await harness.browser.get(await harness.manage_url())
    page = await harness.browser.submit(page.form("Schedule, time zone and more"))
    form = page.form("Save")
    assert "threads" not in form.fields
    page = await harness.browser.submit(form, zone="Berlin", hour="7", weekends="off")
    settings = await harness.bot.core.settings(harness.channel)
    assert (settings.zone, settings.hour, settings.weekends) == ("Europe/Berlin", 7, False)
    assert "Digests arrive at 7:00 Europe/Berlin time, not on weekends" in page.text


async def test_the_page_shows_the_start_of_the_reading_list_and_links_to_the_rest(
    harness: EmailHarness,
) -> None:
    papers = tuple(a_paper(f"2603.0000{number}", title=f"On <b>{number}</b>") for number in range(7))
    await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)
    assert "Your reading list" not in (await harness.browser.get(await harness.manage_url())).text
    for paper in papers:
        await harness.say(f'save {paper.id} note:"read it"')
    page = await harness.browser.get(await harness.manage_url())
    assert "Your reading list" in page.text
    assert "On <b>6</b>" in page.text
    assert "And 2 more." in page.text
    page = await harness.browser.submit(page.form("Remove"))
    assert "Removed from your list" in page.text
    page = await harness.browser.submit(page.form("Show all, with notes and export"))
    assert "Your list: 6 papers" in page.text
    assert "read it" in page.text


async def test_markup_in_a_paper_is_shown_as_text_on_a_page(harness: EmailHarness) -> None:
    markup = "<img src=x onerror=alert(1)>"
    await harness.bot.papers.ingest("test", Batch((), "c", history=(a_paper(title=f"Paper {markup}"),)), 0)
    page, _ = (await harness.say("preview paper")).raw
    assert not [e for e in page.root.iter("img") if e.get("onerror")]
    assert "Paper &lt;img src=x onerror=alert(1)&gt;" in page.source


class TestButtonInMail:
    """A button in a mail carries out one command, once."""

    async def test_it_asks_for_confirmation(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        page = await harness.browser.get(action_links(mail)["Save"])
        assert "/paper save 2603.00001" in page.text
        assert await harness.bot.core.saved(reader(harness.channel), harness.channel) == []
        await harness.browser.submit(page.form("Do it"))
        assert len(await harness.bot.core.saved(reader(harness.channel), harness.channel)) == 1

    async def test_it_works_once(self, harness: EmailHarness) -> None:
        url = action_links(await a_mail(harness))["Save"]
        await harness.follow(url)
        page = await harness.browser.post(url, {})
        assert (page.status, "already done" in page.text) == (400, True)

    async def test_a_button_that_changes_nothing_works_repeatedly(self, harness: EmailHarness) -> None:
        url = action_links(await a_mail(harness))["Similar"]
        assert (await harness.follow(url)).text == (await harness.follow(url)).text

    async def test_its_page_offers_only_to_undo_it(self, harness: EmailHarness) -> None:
        saved = await harness.press(Seen("", raw=await a_mail(harness)), "Save")
        assert set(saved.buttons) == {"Undo"}  # "My list" would lead to the account's page
        page, _ = saved.raw
        assert "/email/manage/" not in page.source
        undone = await harness.press(saved, "Undo")
        assert "Removed" in undone.text

    async def test_it_expires_after_a_month_and_so_does_its_undo(
        self, harness: EmailHarness, clock: Clock
    ) -> None:
        mail = await a_mail(harness)
        clock.now += timedelta(days=29)
        seen = await harness.follow(action_links(mail)["Mute"])
        _, answer = seen.raw
        clock.now += timedelta(days=2)
        for url in (*action_links(mail).values(), *dict(action_links_in(answer)).values()):
            page = await harness.browser.post(url, {})
            assert (page.status, "expired" in page.text) == (400, True)

    async def test_the_request_cannot_change_its_command(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        url = action_links(mail)["Similar"]
        for data in ({"say": "unsubscribe #1"}, {"command": "unsubscribe", "subscription": "#1"}):
            await harness.browser.post(url, data)
            await harness.browser.post(f"{url}?say=unsubscribe+%231", data)
        assert await subscribed_queries(harness) == ["paper"]


class TestLinkToAccountPage:
    """The link to the account's page is requested by mail each time, and expires soon."""

    async def test_it_is_not_in_posts(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        for part in ("plain", "html"):
            assert "/email/manage/" not in mail.part(part)
        assert f"{BASE}/email/link" in mail.part("plain")

    async def test_it_is_sent_to_the_inbox_and_opens_the_page(self, harness: EmailHarness) -> None:
        form = (await harness.browser.get("/email/link")).form("Send me the link")
        await harness.browser.submit(form, address=ADA)
        text = (await harness.transactional_mail()).part("plain")
        url = next(line for line in text.splitlines() if "/email/manage/" in line)
        assert "Your papers by mail" in (await harness.browser.get(url)).text

    async def test_it_expires_after_an_hour_however_often_it_is_used(
        self, harness: EmailHarness, clock: Clock
    ) -> None:
        url = await harness.manage_url()
        page = await harness.browser.get(url)
        for _ in range(3):
            clock.now += timedelta(minutes=19)
            page = await harness.browser.submit(page.form("Schedule, time zone and more"))
        assert page.status == 200
        clock.now += timedelta(minutes=5)
        for again in (
            await harness.browser.get(url),
            *[await harness.browser.post(form.action, form.fields) for form in page.forms()],
        ):
            assert (again.status, "expired" in again.text) == (400, True)
            assert "/email/link" in again.source

    async def test_its_page_has_no_links_with_other_tokens(self, harness: EmailHarness) -> None:
        await a_mail(harness)
        url = await harness.manage_url()
        page, _ = (await harness.say("trending")).raw
        token = url.rpartition("/")[2]
        for source in (page.source, (await harness.browser.get(url)).source):
            others = re.findall(r"/email/(?:manage|act|confirm|unsubscribe)/([\w-]{40,})", source)
            assert len(set(others)) == 1
        assert token in (await harness.browser.get(url)).source

    async def test_end_all_links_ends_it_but_not_unsubscribe_links(self, harness: EmailHarness) -> None:
        mail, url = await a_mail(harness), await harness.manage_url()
        page = await harness.browser.get(url)
        assert "All links have ended" in (await harness.browser.submit(page.form("End all links"))).text
        for link in (url, *action_links(mail).values()):
            assert (await harness.browser.get(link)).status == 400
            assert (await harness.browser.post(link, {"say": "subscribe robots"})).status == 400
        assert await subscribed_queries(harness) == ["paper"]
        assert (await harness.browser.post(unsubscribe_url(mail), {})).status == 200
        assert await subscribed_queries(harness) == []

    async def test_a_new_sign_up_does_not_revive_it(self, harness: EmailHarness) -> None:
        url = await harness.manage_url()
        page = await harness.browser.get(url)
        await harness.browser.submit(page.form("Forget me"))
        await sign_up(harness)
        assert (await harness.browser.get(url)).status == 400
        assert (await harness.browser.post(url, {"say": "subscribe robots"})).status == 400


class TestGetRequest:
    """A GET request changes nothing: mail programs and scanners open links too."""

    async def test_no_link_changes_anything(self, harness: EmailHarness, redis: Redis) -> None:
        mail = await a_mail(harness)
        urls = [
            *action_links(mail).values(),
            unsubscribe_url(mail),
            await harness.manage_url(),
            "/email/link",
        ]
        before = await state(redis)
        for url in urls:
            for suffix in ("", "?say=list", "?say=subscribe+robots", "?do=1&command=unsubscribe"):
                assert (await harness.browser.get(url + suffix)).status == 200
        assert await state(redis) == before

    async def test_an_address_that_bounced_stays_paused(self, harness: EmailHarness, redis: Redis) -> None:
        mail = await a_mail(harness)
        await harness.browser.post("/email/bounces", a_report(mail.sender))
        assert await is_paused(harness, redis)
        for url in (
            *action_links(mail).values(),
            await harness.manage_url(),
            f"{await harness.manage_url()}?say=list",
        ):
            await harness.browser.get(url)
        assert await is_paused(harness, redis)


class TestStopAllMail:
    """The unsubscribe link of any mail stops all mail with one click, at any time, and can do nothing else."""

    async def test_one_click_stops_all_mail_as_in_rfc_8058(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        await harness.say("subscribe robots")
        await harness.bot.papers.ingest("test", Batch((a_paper("2603.00002"),), "cursor2"), 0)
        await harness.bot.fanout.match_all()  # a second post is waiting
        page = await harness.browser.post(unsubscribe_url(mail), {"List-Unsubscribe": "One-Click"})
        assert page.status == 200  # not a redirect, which mail programs don't follow
        assert await subscribed_queries(harness) == []
        await deliver(harness.bot)
        await arrive(harness.bot, a_paper("2603.00003"))
        assert len(await harness.posted()) == 1
        assert (
            await harness.browser.post(unsubscribe_url(mail), {"List-Unsubscribe": "One-Click"})
        ).status == 200
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    async def test_a_multipart_request_works_too(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        with aiohttp.MultipartWriter("form-data") as writer:
            writer.append("One-Click").set_content_disposition("form-data", name="List-Unsubscribe")
            assert (await harness.browser.post(unsubscribe_url(mail), writer)).status == 200
        assert await subscribed_queries(harness) == []

    async def test_the_page_stops_mail_only_after_its_button_is_pressed(self, harness: EmailHarness) -> None:
        mail = await a_mail(harness)
        page = await harness.browser.get(unsubscribe_url(mail))
        assert "a…@example.org won't get any more papers" in page.text
        assert await subscribed_queries(harness) == ["paper"]
        await harness.browser.submit(page.form("Stop all mail"))
        assert await subscribed_queries(harness) == []

    async def test_the_page_of_an_unsubscribe_link_gives_no_control_over_the_account(
        self, harness: EmailHarness
    ) -> None:
        mail = await a_mail(harness)
        page = await harness.browser.get(unsubscribe_url(mail))
        stopped = await harness.browser.submit(page.form("Stop all mail"))
        for found in (page, stopped):
            assert not re.search("/email/(manage|act|confirm)/", found.source)
            assert "paper" not in [form.fields.get("say") for form in found.forms()]

    async def test_the_address_is_deleted_after_a_month_unless_it_subscribes_again(
        self, harness: EmailHarness, redis: Redis
    ) -> None:
        mail = await a_mail(harness)
        key = keys.installation("email", harness.channel.channel)
        assert await redis.ttl(key) == -1
        await harness.browser.post(unsubscribe_url(mail), {})
        assert 29 * 86_400 < await redis.ttl(key) <= 30 * 86_400
        await harness.say("subscribe paper")
        assert await redis.ttl(key) == -1

    async def test_the_link_of_an_old_mail_stops_new_mail(self, harness: EmailHarness, clock: Clock) -> None:
        """It works even after "End all links" and another sign-up, which end every other link."""
        mail = await a_mail(harness)
        page = await harness.browser.get(await harness.manage_url())
        await harness.browser.submit(page.form("End all links"))
        assert (await harness.browser.post(await sign_up(harness), {})).status == 400  # it has been used
        clock.now += timedelta(days=1000)
        assert await subscribed_queries(harness) != []
        assert (await harness.browser.post(unsubscribe_url(mail), {})).status == 200
        assert await subscribed_queries(harness) == []

    async def test_the_link_of_a_forgotten_address_does_not_stop_a_new_sign_up(
        self, harness: EmailHarness, clock: Clock
    ) -> None:
        mail = await a_mail(harness)
        page = await harness.browser.get(await harness.manage_url())
        await harness.browser.submit(page.form("Forget me"))
        # Nothing is left to stop.
        assert (await harness.browser.post(unsubscribe_url(mail), {})).status == 200
        clock.now += timedelta(hours=2)
        await sign_up(harness)
        refused = await harness.browser.post(unsubscribe_url(mail), {})
        assert (refused.status, "no longer works" in refused.text) == (400, True)
        assert await subscribed_queries(harness) != []


class TestForgetMe:
    """All data of a forgotten address is deleted, and no old link restores it."""

    async def test_nothing_is_left(self, harness: EmailHarness, redis: Redis) -> None:
        mail = await a_mail(harness)
        await harness.press((await harness.posted())[0], "Save")
        await harness.say("subscribe robots every:daily")
        url = await harness.manage_url()
        page = await harness.browser.submit((await harness.browser.get(url)).form("Forget me"))
        assert "Forgotten" in page.text
        left = [key for key, text in (await state(redis)).items() if harness.channel.channel in text]
        # The stream of changed subscriptions has the channel's hash until newer changes push it out.
        assert [key for key in left if await redis.ttl(key) == -1 and not key.endswith("changes")] == []
        assert (await harness.browser.get(url)).status == 400
        assert (await harness.browser.post(unsubscribe_url(mail), {})).status == 200

    async def test_a_used_confirm_link_does_not_subscribe_again(self, harness: EmailHarness) -> None:
        confirm = await sign_up(harness)
        page = await harness.browser.get(await harness.manage_url())
        await harness.browser.submit(page.form("Forget me"))
        page = await harness.browser.post(confirm, {})
        assert (page.status, "no longer works" in page.text) == (400, True)
        assert await subscribed_queries(harness) == []
        assert (await harness.addresses.account(harness.channel)).address is None


async def sign_up(harness: EmailHarness) -> str:
    """Sign Ada up. Returns the confirm link, which has been used."""
    count = len(harness.transactional_mails()) + 1
    form = (await harness.browser.get("/email/subscribe")).form("Subscribe")
    await harness.browser.submit(form, address=ADA, query="diffusion")
    text = (await harness.transactional_mail(count)).part("plain")
    url = next(line for line in text.splitlines() if "/email/confirm/" in line)
    assert "Confirmed" in (await harness.browser.post(url, {})).text
    return url


async def test_a_bounce_pauses_its_address_until_the_person_uses_the_page(harness: EmailHarness) -> None:
    mail = await a_mail(harness)
    assert mail.sender == return_address(Address.parse("bounces@example.org"), harness.channel)
    page = await harness.browser.post("/email/bounces", a_report(mail.sender))
    assert (page.status, page.source) == (200, "ok\n")
    await arrive(harness.bot, a_paper("2603.00002"))
    assert len(await harness.posted()) == 1
    await harness.say("status")
    await deliver(harness.bot)
    assert len(await harness.posted()) == 2


@pytest.mark.parametrize("action", ["delayed", "delivered"])
async def test_a_report_of_a_delay_or_a_delivery_pauses_nothing(harness: EmailHarness, action: str) -> None:
    mail = await a_mail(harness)
    await harness.browser.post("/email/bounces", a_report(mail.sender, action))
    await arrive(harness.bot, a_paper("2603.00002"))
    assert len(await harness.posted()) == 2


async def test_a_forged_or_huge_report_changes_nothing(harness: EmailHarness, redis: Redis) -> None:
    forged = return_address(Address.parse("b@example.org"), ChannelRef("email", "a" * 8, "a" * 26))
    before = await state(redis)
    for report in (a_report(forged), b"x" * 900_000, b""):
        assert (await harness.browser.post("/email/bounces", report)).status == 200
    assert await state(redis) == before


async def test_commands_per_minute_are_limited(
    harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.account_pages.COMMANDS", Rate(2, 60))
    url = await harness.manage_url()
    statuses = [(await harness.browser.post(url, {"say": "list"})).status for _ in range(3)]
    assert statuses == [200, 200, 400]


async def test_an_oversized_field_is_refused_at_once(harness: EmailHarness) -> None:
    url = await harness.manage_url()
    for data in ({"command": "explain", "paper": " " * 900_000}, {"say": "explain " + " " * 5_000}):
        began = monotonic()
        assert (await harness.browser.post(url, data)).status == 400
        assert monotonic() - began < 2
