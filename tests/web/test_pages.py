"""The markup of the front page: its content, and its safety from injected text."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import html5lib
import pytest
from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.domain.polls import PollResult
from bot.ports import Batch, Rate
from bot.store.papers import Papers
from bot.store.polls import record_poll
from bot.terminal.sample import sample_papers
from bot.web.pages import ago, health_line
from bot.web.search_form import page_number
from tests.papers import a_paper
from tests.web.site import NOW, Client, Gateway, site

NASTY = '<script>alert(1)</script> "quoted" & <b>bold</b>'


async def seen(redis: Redis, *papers: Paper) -> None:
    """Store papers as trending in this order."""
    batch = Batch((), "c", history=papers, trending=tuple(paper.id for paper in papers))
    await Papers(redis).ingest("test", batch, 0)


async def page(client: Client, path: str = "/", status: int = 200) -> str:
    async with client.get(path) as response:
        assert response.status == status
        text = await response.text()
    parser = html5lib.HTMLParser()
    parser.parse(text)
    assert [error for _, error, _ in parser.errors] == [], text
    return text


def titles(text: str) -> list[str]:
    tree = html5lib.parse(text, namespaceHTMLElements=False)
    return ["".join(heading.itertext()) for heading in tree.iter("h3")]


async def test_trending_papers_are_shown_in_their_order(redis: Redis) -> None:
    await seen(redis, a_paper("2603.2", title="Second"), a_paper("2603.1", title="First", upvotes=42))
    async with site(redis) as client:
        text = await page(client)
    assert titles(text) == ["Second", "First"]
    assert "▲ 42" in text
    assert 'href="https://arxiv.org/abs/2603.1"' in text


async def test_a_sample_is_shown_until_the_first_poll(redis: Redis) -> None:
    async with site(redis) as client:
        text = await page(client)
    assert "A sample, until the first list is read" in text
    assert titles(text)[0] == sample_papers()[0].title
    assert "No source has been read yet" in text


async def test_markup_in_a_paper_is_escaped(redis: Redis) -> None:
    nasty = a_paper(title=NASTY, abstract=NASTY, authors=(NASTY,), url="javascript:alert(1)", pdf_url=NASTY)
    await seen(redis, nasty)
    async with site(redis) as client:
        for path in ("/", "/?q=quoted"):
            text = await page(client, path)
            assert "<script" not in text
            assert "<b>" not in text
            assert "javascript:" not in text
            assert NASTY in titles(text)


async def test_a_search_has_pages_and_keeps_the_typed_query(redis: Redis) -> None:
    await seen(
        redis, *(a_paper(f"2603.{n}", title=f"Diffusion {n}") for n in range(12)), a_paper(title="Other")
    )
    async with site(redis) as client:
        first = await page(client, "/?q=title:diffusion")
        last = await page(client, "/?q=title:diffusion&page=3")
    assert "12 papers found" in first
    assert 'value="title:diffusion"' in first
    assert "/?q=title%3Adiffusion&amp;page=2" in first
    assert "Page 3 of 3" in last
    assert 'rel="next"' not in last
    assert "/paper subscribe title:diffusion" in first


@pytest.mark.parametrize(
    "typed", ["%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "%00%ff%fe", "a" * 5000, "(((", "-x", "%E2%80%AE"]
)
async def test_any_search_is_answered_with_a_page(redis: Redis, typed: str) -> None:
    await seen(redis, a_paper())
    async with site(redis) as client:
        for number in ("", "0", "-1", "99999999999999999999", "²", "x"):
            assert "<script" not in await page(client, f"/?q={typed}&page={number}")


async def test_a_misspelled_word_gets_a_suggestion(redis: Redis) -> None:
    await seen(redis, a_paper(title="Diffusion policies"))
    async with site(redis) as client:
        text = await page(client, "/?q=difusion+policies")
    assert 'Did you mean <a href="/?q=diffusion%20policies">' in text or "Diffusion policies" in titles(text)


async def test_a_platform_is_offered_only_if_anyone_can_add_it(redis: Redis) -> None:
    async with site(redis, Gateway("https://chat.example.org/add?a=1&b=2"), Gateway()) as client:
        text = await page(client)
    assert text.count("Add to Fake") == 1
    assert 'href="https://chat.example.org/add?a=1&amp;b=2"' in text
    async with site(redis, Gateway()) as client:
        assert "Add to" not in await page(client)


async def test_every_answer_forbids_scripts_and_other_hosts(redis: Redis) -> None:
    async with site(redis) as client:
        for path in ("/", "/healthz", "/metrics", "/nowhere"):
            async with client.get(path) as response:
                assert response.headers["Content-Security-Policy"].startswith(
                    "default-src 'none'; style-src 'self'"
                )
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "Server" not in response.headers


def polls(*errors: str | None) -> Iterable[Any]:
    return tuple(
        PollResult(source=f"s{n}", at=NOW - timedelta(minutes=5), next_at=NOW, error=error)
        for n, error in enumerate(errors)
    )


def test_the_status_is_described_in_one_line() -> None:
    assert health_line((), 0, NOW) == "No source has been read yet."
    assert (
        health_line(tuple(polls(None, None)), 1, NOW)
        == "Last look for papers 5 minutes ago; all sources answer; 1 post is waiting."
    )
    assert "1 of 3 sources answer; 1,200 posts are waiting." in health_line(
        tuple(polls("x", None, "y")), 1200, NOW
    )


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(hours=2, minutes=59), "2 hours ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_times_are_relative(time: timedelta, text: str) -> None:
    assert ago(time) == text


async def test_the_front_page_shows_the_status_of_the_last_poll(redis: Redis) -> None:
    await record_poll(redis, PollResult(source="s", at=NOW - timedelta(hours=2), next_at=NOW))
    async with site(redis) as client:
        assert "Last look for papers 2 hours ago" in await page(client)


async def test_hsts_is_sent_only_if_the_public_url_is_https(redis: Redis) -> None:
    for https in (True, False):
        async with site(redis, https=https) as client, client.get("/") as response:
            assert ("Strict-Transport-Security" in response.headers) == https


async def test_searches_per_client_are_rate_limited(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.search_form.SEARCHES_EACH", Rate(2, 60))
    await seen(redis, a_paper())
    async with site(redis) as client:
        for status in (200, 200, 429):
            text = await page(client, "/?q=paper", status)
        assert "starts automatically" in text
        async with client.get("/?q=paper") as response:
            assert response.headers["Refresh"] == response.headers["Retry-After"] == "30"
        await page(client, "/")
    keys = [key async for key in redis.scan_iter("*limit*")]
    assert keys
    assert all([await redis.pttl(key) != -1 for key in keys])


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("7", 7), ("9" * 5_000, 1)]
)
def test_an_invalid_page_number_is_page_one(text: str, number: int) -> None:
    assert page_number(text) == number


async def test_presets_are_shown_with_their_number_of_matches(redis: Redis) -> None:
    await seen(redis, a_paper(title="Humanoid robots", published=NOW - timedelta(days=2)))
    async with site(redis) as client:
        text = await page(client)
    assert "/paper subscribe preset:robotics</code>, 1 paper in 14 days" in text
    assert "/paper subscribe preset:algebraic-geometry</code></li>" in " ".join(text.split()).replace(
        " </li>", "</li>"
    )
