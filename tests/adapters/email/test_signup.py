"""Subscribing on a page: nothing comes before it was confirmed, and nobody learns who reads what."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from adapters.email.address import Address
from bot.ports import Batch, Rate
from tests.adapters.email.stage import ADA, BASE, EmailStage, Page, email_stage
from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.scenario import set_clock

NOW = datetime(2026, 3, 3, 8, tzinfo=UTC)
"""A Tuesday: the form's subscriptions post on weekdays only."""
SUBSCRIBE = "/email/subscribe"


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
    async with email_stage(redis, clock, confirmed=False) as stage:
        papers = tuple(a_paper(f"2603.0000{n}", title=f"Diffusion {n}") for n in range(3))
        await stage.bot.papers.ingest("test", Batch((), "c", history=papers), 0)
        yield stage


async def ask(stage: EmailStage, address: str = ADA, **filled: str) -> Page:
    form = (await stage.browser.get(SUBSCRIBE)).form("Subscribe")
    return await stage.browser.submit(form, address=address, **filled)


async def link_in(stage: EmailStage, letters: int = 1) -> str:
    """Where the newest letter leads."""
    text = (await stage.letter(letters)).part("plain")
    return next(line for line in text.splitlines() if line.startswith(BASE + "/email/"))


async def test_from_the_form_to_the_first_mail(stage: EmailStage) -> None:
    assert "Look into your inbox" in (await ask(stage, query="diffusion -survey")).text
    assert await stage.bot.core.subscriptions([stage.channel]) == {}
    page = await stage.browser.get(await link_in(stage))
    assert "To a…@example.org, on weekdays, at 9:00 of UTC: papers that match diffusion -survey" in page.text
    assert await stage.bot.core.subscriptions([stage.channel]) == {}  # programs follow links, too
    page = await stage.browser.submit(page.form("Confirm"))
    assert "Confirmed" in page.text
    assert "Subscribed as #1: diffusion -survey Of the 3 papers of the last 14 days" in page.text
    [subscription] = (await stage.bot.core.subscriptions([stage.channel]))[stage.channel]
    assert (subscription.query, subscription.every) == ("diffusion -survey", "daily")
    assert await stage.posted() == []


async def test_empty_means_what_is_trending_and_weekly_is_weekly(stage: EmailStage) -> None:
    await ask(stage, every="weekly", zone="Berlin")
    page = await stage.browser.get(await link_in(stage))
    assert "once a week, at 9:00 of Europe/Berlin: what is trending" in page.text
    await stage.browser.submit(page.form("Confirm"))
    [subscription] = (await stage.bot.core.subscriptions([stage.channel]))[stage.channel]
    assert (subscription.query, subscription.every) == ("top:10", "weekly")


async def test_zone_and_weekdays_of_the_form_become_the_settings(stage: EmailStage) -> None:
    await ask(stage, zone="Asia/Kolkata")
    page = await stage.browser.get(await link_in(stage))
    await stage.browser.submit(page.form("Confirm"))
    settings = await stage.bot.core.settings(stage.channel)
    assert (settings.zone, settings.weekends) == ("Asia/Kolkata", False)


async def test_confirming_twice_is_confirming_once(stage: EmailStage) -> None:
    await ask(stage)
    form = (await stage.browser.get(await link_in(stage))).form("Confirm")
    await stage.browser.submit(form)
    assert "Already subscribed" in (await stage.browser.submit(form)).text
    assert len((await stage.bot.core.subscriptions([stage.channel]))[stage.channel]) == 1


async def test_what_was_typed_is_kept_where_something_is_wrong(stage: EmailStage) -> None:
    page = await ask(stage, "not an address", query="diffusion", every="weekly")
    assert page.status == 400
    assert "no e-mail address" in page.text
    again = page.form("Subscribe").fields
    assert (again["address"], again["query"], again["every"]) == ("not an address", "diffusion", "weekly")


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({"query": '("diffusion'}, "quot"),
        ({"query": "-survey"}, "-survey"),
        ({"zone": "Gotham"}, "no time zone “Gotham”"),
        ({"query": "<script>alert(1)</script> OR"}, "OR"),
    ],
)
async def test_a_form_that_can_not_be_meant_is_shown_again(
    stage: EmailStage, filled: dict[str, str], said: str
) -> None:
    page = await ask(stage, **filled)
    assert page.status == 400
    assert said in page.text
    assert not list(page.root.iter("script")) or "alert" not in "".join(
        s.text or "" for s in page.root.iter("script")
    )
    assert stage.office.mails == []


async def test_a_query_shows_what_it_would_have_brought(stage: EmailStage) -> None:
    form = (await stage.browser.get(SUBSCRIBE)).form("Subscribe")
    page = await stage.browser.submit(form, query="diffusion", do="preview")
    assert "Of the 3 papers of the last 14 days it would have posted 3" in page.text
    assert page.form("Subscribe").fields["query"] == "diffusion"
    piece = await stage.browser.get("/email/preview?query=diffusion")
    assert "it would have posted 3" in piece.source
    assert "<form" not in piece.source
    assert stage.office.mails == []


async def test_nothing_that_a_stranger_typed_is_in_the_mail(stage: EmailStage) -> None:
    await ask(stage, query="buy at spam example com", zone="UTC")
    letter = await stage.letter()
    assert b"spam" not in letter.source
    assert letter.message["Subject"] == "Confirm that you want papers in this inbox"
    assert letter.to == ADA


async def test_an_address_is_asked_once_an_hour_whoever_asks(stage: EmailStage) -> None:
    pages = [await ask(stage, query=query) for query in ("diffusion", "robots", "agents")]
    pages.append(await stage.browser.post("/email/link", {"address": ADA}))
    await stage.letter()
    await ask(stage, "eve@example.org")
    await stage.letter(2)
    assert [mail.to for mail in stage.office.mails] == [ADA, "eve@example.org"]
    assert {page.status for page in pages} == {200}
    assert len({page.source for page in pages[:3]}) == 1


async def test_the_answer_is_the_same_for_a_subscribed_address(stage: EmailStage) -> None:
    fresh = await ask(stage)
    await stage.browser.submit((await stage.browser.get(await link_in(stage))).form("Confirm"))
    assert (await ask(stage)).source == fresh.source
    known = await stage.browser.post("/email/link", {"address": ADA})
    unknown = await stage.browser.post("/email/link", {"address": "nobody@example.org"})
    assert (known.status, known.source) == (unknown.status, unknown.source)


async def test_a_lost_link_is_sent_again_to_a_known_address_alone(stage: EmailStage) -> None:
    await stage.addresses.keep(stage.channel, Address.parse(ADA))
    await stage.browser.post("/email/link", {"address": "nobody@example.org"})
    await stage.browser.post("/email/link", {"address": ADA})
    page = await stage.browser.get(await link_in(stage))
    assert "Your papers by mail" in page.text
    assert [mail.to for mail in stage.office.mails] == [ADA]


async def test_one_source_can_not_ask_for_many(stage: EmailStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.signup.REQUESTS", Rate(3, 3600))
    statuses = [(await ask(stage, f"person{n}@example.org")).status for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    await stage.letter(3)


async def test_a_proxy_says_for_whom_it_asks_and_others_can_not(
    stage: EmailStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.signup.LOOKS", Rate(1, 3600))

    async def look(source: str) -> int:
        headers = {"X-Forwarded-For": source}
        return (await stage.browser.get("/email/preview?query=a", headers=headers)).status

    assert await look("198.51.100.1") == 200
    assert await look("made up, 198.51.100.1") == 429
    assert await look("198.51.100.2") == 200
    assert await look("2001:db8::1") == 200
    assert await look("2001:db8::2") == 429


async def test_strangers_together_can_not_ask_for_more_than_a_brake_allows(
    stage: EmailStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.signup.LETTERS", Rate(2, 3600))
    for n in range(4):
        assert (await ask(stage, f"person{n}@example.org")).status == 200
    await stage.letter(2)
    await stage.platform.close()
    assert len(stage.office.mails) == 2


async def test_a_confirmation_ends_after_two_days(stage: EmailStage, clock: Clock) -> None:
    await ask(stage)
    link = await link_in(stage)
    form = (await stage.browser.get(link)).form("Confirm")
    clock.now += timedelta(days=2, seconds=1)
    page = await stage.browser.submit(form)
    assert (page.status, "expired" in page.text) == (400, True)
    assert await stage.bot.core.subscriptions([stage.channel]) == {}


async def test_a_server_that_is_busy_gets_the_letter_later(
    stage: EmailStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.letters.AGAIN", (0.01, 0.01))
    stage.office.faults[ADA] = ["450 at recipient", "cut at data"]
    await ask(stage)
    assert (await stage.letter()).to == ADA


async def test_a_letter_that_may_have_arrived_is_not_sent_again(stage: EmailStage) -> None:
    stage.office.faults[ADA] = ["lose at end"]
    await ask(stage)
    await stage.letter()
    await stage.platform.close()
    assert len(stage.office.mails) == 1


async def test_while_redis_is_away_pages_say_so(stage: EmailStage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_args: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr("adapters.email.store.Rates.turn", away)
    page = await ask(stage)
    assert (page.status, "try again in a minute" in page.text) == (503, True)


async def test_pages_are_kept_by_nobody_and_load_nothing_from_elsewhere(stage: EmailStage) -> None:
    page = await stage.browser.get(SUBSCRIBE)
    loaded = [
        e.get("src") or e.get("href") or ""
        for kind in ("script", "link", "img")
        for e in page.root.iter(kind)
    ]
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        if address.startswith("/email/"):
            assert (await stage.browser.get(address)).status == 200
    async with stage.browser._client.get(SUBSCRIBE) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_a_paper_that_matches_comes_once_it_is_due(
    stage: EmailStage, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_clock(monkeypatch, redis).set(NOW)
    await ask(stage, query="diffusion")
    await stage.browser.submit((await stage.browser.get(await link_in(stage))).form("Confirm"))
    await stage.say("subscribe robots every:now")
    await arrive(stage.bot, a_paper("2603.00009", title="Robots"))
    [post] = await stage.posted()
    assert "matched robots (#2)" in post.text
