"""Signing up on a page: nothing is subscribed or stored before it is confirmed, and no answer reveals who has subscribed."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from adapters.email.address import Address
from adapters.email.addresses import Account, Addresses
from bot.ports import Batch, Rate
from tests.adapters.email.harness import ADA, BASE, EmailHarness, Page, email_harness
from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.scenario import set_clock

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)
"""A Tuesday: the form's subscriptions post on weekdays only."""
SUBSCRIBE = "/email/subscribe"


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
    async with email_harness(redis, clock, confirmed=False) as harness:
        papers = tuple(a_paper(f"2603.0000{n}", title=f"Diffusion {n}") for n in range(3))
        await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)
        yield harness


async def submit_sign_up(harness: EmailHarness, address: str = ADA, **filled: str) -> Page:
    form = (await harness.browser.get(SUBSCRIBE)).form("Subscribe")
    return await harness.browser.submit(form, address=address, **filled)


async def newest_link(harness: EmailHarness, count: int = 1) -> str:
    """Return the link in the newest of `count` transactional mails."""
    text = (await harness.transactional_mail(count)).part("plain")
    return next(line for line in text.splitlines() if line.startswith(BASE + "/email/"))


async def test_from_the_form_to_the_first_mail(harness: EmailHarness) -> None:
    assert "Check your inbox" in (await submit_sign_up(harness, query="diffusion -survey")).text
    assert await harness.bot.core.subscriptions([harness.channel]) == {}
    page = await harness.browser.get(await newest_link(harness))
    assert (
        "To a…@example.org, on weekdays, at 9:00 UTC time: papers that match diffusion -survey" in page.text
    )
    # Opening the link isn't enough: mail programs do so too.
    assert await harness.bot.core.subscriptions([harness.channel]) == {}
    page = await harness.browser.submit(page.form("Confirm"))
    assert "Confirmed" in page.text
    assert "Subscribed as #1: diffusion -survey 3 matches in the last 14 days, of 3 papers" in page.text
    [subscription] = (await harness.bot.core.subscriptions([harness.channel]))[harness.channel]
    assert (subscription.query, subscription.every) == ("diffusion -survey", "daily")
    assert await harness.posted() == []


async def test_an_empty_query_subscribes_to_trending_papers(harness: EmailHarness) -> None:
    await submit_sign_up(harness, every="weekly", zone="Berlin")
    page = await harness.browser.get(await newest_link(harness))
    assert "once a week, at 9:00 Europe/Berlin time: the trending papers" in page.text
    await harness.browser.submit(page.form("Confirm"))
    [subscription] = (await harness.bot.core.subscriptions([harness.channel]))[harness.channel]
    assert (subscription.query, subscription.every) == ("top:10", "weekly")


async def test_the_forms_time_zone_becomes_a_setting(harness: EmailHarness) -> None:
    await submit_sign_up(harness, zone="Asia/Kolkata")
    page = await harness.browser.get(await newest_link(harness))
    await harness.browser.submit(page.form("Confirm"))
    settings = await harness.bot.core.settings(harness.channel)
    assert (settings.zone, settings.weekends) == ("Asia/Kolkata", False)


async def test_a_confirm_link_works_once(harness: EmailHarness) -> None:
    await submit_sign_up(harness)
    form = (await harness.browser.get(await newest_link(harness))).form("Confirm")
    await harness.browser.submit(form)
    again = await harness.browser.submit(form)
    assert (again.status, "no longer works" in again.text) == (400, True)
    assert len((await harness.bot.core.subscriptions([harness.channel]))[harness.channel]) == 1


async def test_the_page_of_a_confirm_link_has_no_other_links(harness: EmailHarness) -> None:
    await submit_sign_up(harness)
    page = await harness.browser.get(await newest_link(harness))
    confirmed = await harness.browser.submit(page.form("Confirm"))
    assert not re.search("/email/(manage|act|confirm|unsubscribe)/", confirmed.source)
    assert list(confirmed.forms()) == []


async def test_after_a_mistake_the_form_keeps_its_content(harness: EmailHarness) -> None:
    page = await submit_sign_up(harness, "not an address", query="diffusion", every="weekly")
    assert page.status == 400
    assert "isn't an e-mail address" in page.text
    again = page.form("Subscribe").fields
    assert (again["address"], again["query"], again["every"]) == ("not an address", "diffusion", "weekly")


@pytest.mark.parametrize(
    ("filled", "message_text"),
    [
        ({"query": '("diffusion'}, "quot"),
        ({"query": "-survey"}, "-survey"),
        ({"zone": "Gotham"}, "“Gotham” isn't a time zone"),
        ({"query": "<script>alert(1)</script> OR"}, "OR"),
    ],
)
async def test_a_form_with_a_mistake_is_shown_again(
    harness: EmailHarness, filled: dict[str, str], message_text: str
) -> None:
    page = await submit_sign_up(harness, **filled)
    assert page.status == 400
    assert message_text in page.text
    assert not list(page.root.iter("script")) or "alert" not in "".join(
        s.text or "" for s in page.root.iter("script")
    )
    assert harness.mail_server.mails == []


async def test_a_query_can_be_previewed(harness: EmailHarness) -> None:
    form = (await harness.browser.get(SUBSCRIBE)).form("Subscribe")
    page = await harness.browser.submit(form, query="diffusion", do="preview")
    assert "3 matches in the last 14 days, of 3 papers" in page.text
    assert page.form("Subscribe").fields["query"] == "diffusion"
    fragment = await harness.browser.get("/email/preview?query=diffusion")
    assert "3 matches in" in fragment.source
    assert "<form" not in fragment.source
    assert harness.mail_server.mails == []


async def test_text_from_the_form_is_not_in_the_mail(harness: EmailHarness) -> None:
    await submit_sign_up(harness, query="buy at spam example com", zone="UTC")
    mail = await harness.transactional_mail()
    assert b"spam" not in mail.source
    assert mail.message["Subject"] == "Confirm that you want papers in this inbox"
    assert mail.to == ADA


async def reset_limits(redis: Redis) -> None:
    """Reset the limits, as an hour would."""
    async for key in redis.scan_iter("pb:{limit:*"):
        await redis.delete(key)


async def request_link(harness: EmailHarness, address: str, **options: Any) -> Page:
    return await harness.browser.post("/email/link", {"address": address}, **options)


class TestPrivacy:
    """No answer reveals whether an address is known."""

    async def test_a_sign_up_gets_the_same_answer_for_any_address(
        self, harness: EmailHarness, redis: Redis
    ) -> None:
        fresh = await submit_sign_up(harness)
        await harness.browser.submit((await harness.browser.get(await newest_link(harness))).form("Confirm"))
        await reset_limits(redis)
        assert (await submit_sign_up(harness)).source == fresh.source

    async def test_a_request_for_a_link_gets_the_same_answer_for_any_address_even_at_the_limit(
        self, harness: EmailHarness
    ) -> None:
        await harness.addresses.confirm(harness.channel, Address.parse(ADA))
        for _ in range(2):
            known = await request_link(harness, ADA)
            unknown = await request_link(harness, "eve@example.org")
            assert (known.status, known.source) == (unknown.status, unknown.source)
        await harness.transactional_mail()
        assert [mail.to for mail in harness.mail_server.mails] == [ADA]

    async def test_the_answer_does_not_wait_for_the_lookup(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_up, may_continue = asyncio.Event(), asyncio.Event()

        async def wait(*_args: object) -> Account:
            looked_up.set()
            await may_continue.wait()
            return Account(harness.channel, None, "")

        monkeypatch.setattr(Addresses, "account", wait)
        assert (await request_link(harness, ADA)).status == 200
        async with asyncio.timeout(10):
            await looked_up.wait()
        may_continue.set()


class TestLimits:
    """No inbox can be flooded, and the page says if a person has to wait."""

    async def test_an_inbox_gets_one_mail_of_each_kind_per_hour_and_the_answer_says_so(
        self, harness: EmailHarness
    ) -> None:
        await harness.addresses.confirm(harness.channel, Address.parse(ADA))
        pages = [
            await submit_sign_up(harness),
            await submit_sign_up(harness),
            await request_link(harness, ADA),
            await request_link(harness, ADA),
        ]
        assert [page.status for page in pages] == [200, 429, 200, 429]
        for page in pages[1::2]:
            assert "Nothing was sent now. You can ask again in 60 minutes." in page.text
        await harness.transactional_mail(2)
        assert [mail.to for mail in harness.mail_server.mails] == [ADA, ADA]

    async def test_spellings_of_one_inbox_share_its_limit(self, harness: EmailHarness) -> None:
        spellings = [
            "v.ictim@gmail.com",
            "victim+1@gmail.com",
            "VICTIM@googlemail.com",
            "vic.tim+x@gmail.com",
        ]
        statuses = [(await submit_sign_up(harness, address)).status for address in spellings]
        assert statuses == [200, 429, 429, 429]

    async def test_a_request_for_a_link_does_not_use_up_the_limit_of_a_sign_up(
        self, harness: EmailHarness
    ) -> None:
        assert (await request_link(harness, ADA)).status == 200
        assert (await submit_sign_up(harness)).status == 200
        assert (await harness.transactional_mail()).to == ADA

    async def test_a_client_can_request_a_limited_number_of_mails(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.email.web_context.MAILS_EACH", Rate(3, 3600))
        pages = [await submit_sign_up(harness, f"person{n}@example.org") for n in range(5)]
        assert [page.status for page in pages] == [200, 200, 200, 429, 429]
        assert "Nothing was sent" in pages[-1].text
        await harness.transactional_mail(3)

    async def test_a_person_behind_a_shared_address_can_go_on_after_a_wait(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        monkeypatch.setattr("adapters.email.web_context.MAILS_EACH", Rate(1, 3600))
        for send in (submit_sign_up, request_link):
            assert (await send(harness, f"first-{send.__name__}@example.org")).status == 200
            page = await send(harness, f"second-{send.__name__}@example.org")
            assert (page.status, "Nothing was sent yet" in page.text) == (429, True)
            clock.now += timedelta(seconds=31)
            assert (await harness.browser.submit(page.form("Send the mail"))).status == 200
            page = await send(harness, f"third-{send.__name__}@example.org")
            clock.now += timedelta(seconds=31)
            refused = await harness.browser.submit(page.form("Send the mail"))
            assert (refused.status, "try again in 60 minutes" in refused.text) == (429, True)

    async def test_a_used_up_limit_of_previews_does_not_block_a_sign_up(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.email.web_context.PREVIEWS_EACH", Rate(1, 60))
        previews = [await harness.browser.get("/email/preview?query=robots") for _ in range(2)]
        assert [page.status for page in previews] == [200, 429]
        assert (await submit_sign_up(harness, query="(")).status == 400
        assert (await submit_sign_up(harness, query="robots")).status == 200
        assert (await harness.transactional_mail()).to == ADA

    async def test_a_large_network_counts_as_a_few_clients(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.email.web_context.MAILS_EACH", Rate(1, 3600))

        async def from_(source: str, number: int) -> int:
            headers = {"X-Forwarded-For": source}
            return (await request_link(harness, f"person{number}@example.org", headers=headers)).status

        def network(n: int) -> str:
            return f"2001:db8:1:{n:x}::1"

        same_64 = [await from_("2001:db8:0:1::1", 1), await from_("2001:db8:0:1:ffff::2", 2)]
        assert same_64 == [200, 429]
        same_48 = [await from_(network(n * 256), 10 + n) for n in range(8)]
        assert same_48 == [200] * 4 + [429] * 4
        same_56 = [await from_(f"2001:db8:2:{n:x}::1", 20 + n) for n in range(4)]
        assert same_56 == [200] * 2 + [429] * 2
        assert await from_("198.51.100.7", 30) == 200

    async def test_during_a_rush_people_wait_half_a_minute(
        self, harness: EmailHarness, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        monkeypatch.setattr("adapters.email.web_context.MAILS_TOTAL", Rate(2, 3600))
        for n in range(2):
            assert (await submit_sign_up(harness, f"person{n}@example.org")).status == 200
        page = await submit_sign_up(harness, query="diffusion")
        assert (page.status, "Nothing was sent yet" in page.text) == (503, True)
        early = await harness.browser.submit(page.form("Send the mail"))
        assert (early.status, "Nothing was sent yet" in early.text) == (503, True)
        clock.now += timedelta(seconds=31)
        assert (await harness.browser.submit(page.form("Send the mail"))).status == 200
        assert (await harness.transactional_mail(3)).to == ADA
        last = await submit_sign_up(harness, "late@example.org")
        clock.now += timedelta(seconds=31)
        assert (await harness.browser.submit(last.form("Send the mail"))).status == 200
        last = await submit_sign_up(harness, "later@example.org")
        clock.now += timedelta(seconds=31)
        refused = await harness.browser.submit(last.form("Send the mail"))
        assert (refused.status, "Nothing was sent" in refused.text) == (429, True)
        await harness.transactional_mail(4)

    async def test_a_huge_address_is_refused_at_once(self, harness: EmailHarness) -> None:
        for path in ("/email/link", "/email/subscribe"):
            began = monotonic()
            page = await harness.browser.post(path, {"address": "ä" * 150_000 + "@example.org"})
            assert page.status in {400, 413}
            assert monotonic() - began < 2


async def test_a_confirm_link_expires_after_two_days(harness: EmailHarness, clock: Clock) -> None:
    await submit_sign_up(harness)
    link = await newest_link(harness)
    form = (await harness.browser.get(link)).form("Confirm")
    clock.now += timedelta(days=2, seconds=1)
    page = await harness.browser.submit(form)
    assert (page.status, "expired" in page.text) == (400, True)
    assert await harness.bot.core.subscriptions([harness.channel]) == {}


async def test_a_mail_is_retried_if_the_server_is_busy(
    harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.transactional.RETRY_AFTER", (0.01, 0.01))
    harness.mail_server.faults[ADA] = ["450 at recipient", "cut at data"]
    await submit_sign_up(harness)
    assert (await harness.transactional_mail()).to == ADA


async def test_a_mail_that_may_have_arrived_is_not_retried(harness: EmailHarness) -> None:
    harness.mail_server.faults[ADA] = ["lose at end"]
    await submit_sign_up(harness)
    await harness.transactional_mail()
    await harness.platform.close()
    assert len(harness.mail_server.mails) == 1


async def test_pages_say_that_redis_is_unavailable(
    harness: EmailHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr("bot.store.limits.Limits.count", fail)
    page = await submit_sign_up(harness)
    assert (page.status, "try again in a minute" in page.text) == (503, True)


async def test_pages_are_not_cached_and_load_nothing_from_other_hosts(harness: EmailHarness) -> None:
    page = await harness.browser.get(SUBSCRIBE)
    loaded = [
        e.get("src") or e.get("href") or ""
        for kind in ("script", "link", "img")
        for e in page.root.iter(kind)
    ]
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        if address.startswith("/email/"):
            assert (await harness.browser.get(address)).status == 200
    async with harness.browser._client.get(SUBSCRIBE) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_a_matching_paper_is_mailed_when_it_is_due(
    harness: EmailHarness, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_clock(monkeypatch, redis).set(NOW)
    await submit_sign_up(harness, query="diffusion")
    await harness.browser.submit((await harness.browser.get(await newest_link(harness))).form("Confirm"))
    await harness.say("subscribe robots every:now")
    await arrive(harness.bot, a_paper("2603.00009", title="Robots"))
    [post] = await harness.posted()
    assert "matched robots (#2)" in post.text
