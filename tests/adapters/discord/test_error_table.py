"""Outcomes of answers of Discord and of proxies in front of it: only listed codes stop posts."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.errors import BY_CODE, NOT_JSON, Answer, Drop, Pause, Retry, classify
from adapters.discord.platform import DiscordPlatform
from bot.cards.paper import paper_card
from bot.domain.errors import (
    CardRefused,
    ChannelGone,
    DeliveryUncertain,
    RetryLater,
    SendError,
    WorkspaceGone,
)
from bot.domain.models import ChannelRef, Reason
from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.payloads import GUILD
from tests.adapters.discord.double.service import DiscordDouble
from tests.papers import SPRING, a_paper

HERE = ChannelRef("discord", str(GUILD), "2000")
CARD = paper_card(a_paper(), [Reason(1, "paper")], SPRING)
PAGE = b"<html><head><title>403 Forbidden</title></head><body>cloudflare</body></html>"
PERMANENT = {code for code, outcome in BY_CODE.items() if not isinstance(outcome, Retry)}
"""Codes that pause a channel or drop a card."""

codes = st.sampled_from(sorted(BY_CODE)) | st.integers(-1, 600_000)
bodies: st.SearchStrategy[Any] = (
    st.just(NOT_JSON)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.lists(st.integers())
    | codes.map(lambda code: {"code": code, "message": "no"})
    | codes.map(lambda code: {"code": str(code), "message": "no"})
    | st.fixed_dictionaries({"message": st.text()})
    | st.fixed_dictionaries({"retry_after": st.floats() | st.text(), "global": st.booleans()})
)
answers = st.builds(Answer, st.integers(200, 599), bodies, st.text(max_size=30))


@given(answer=answers, posts=st.booleans())
def test_only_a_listed_code_in_discords_own_refusal_pauses_or_drops(answer: Answer, *, posts: bool) -> None:
    match classify(answer, posts=posts):
        case ChannelGone() | CardRefused() | WorkspaceGone():
            assert answer.code in PERMANENT
            assert 400 <= answer.status < 500
            assert answer.status not in {401, 408, 429}
        case RetryLater() as later:
            assert not later.counts, "an answer that isn't about this post doesn't count as an attempt"
            assert later.after is not None
            assert 0 < later.after <= 3600
        case DeliveryUncertain():
            assert posts, "only a post can be uncertain"
            assert answer.status >= 500 or answer.status < 300
        case None:
            assert answer.status < 300
        case other:
            raise AssertionError(other)


@given(st.integers(400, 499).filter(lambda status: status not in {401, 408, 429}), codes)
def test_a_listed_code_has_the_same_outcome_with_every_status(status: int, code: int) -> None:
    found = classify(Answer(status, {"code": code, "message": "no"}), posts=True)
    expected = {Pause: ChannelGone, Drop: CardRefused, Retry: RetryLater}[type(BY_CODE.get(code, Retry(1)))]
    assert isinstance(found, expected)


@given(st.integers(300, 499), bodies.filter(lambda body: Answer(400, body).code is None))
def test_an_answer_that_isnt_discords_own_is_retried_platform_wide(status: int, body: Any) -> None:
    found = classify(Answer(status, body), posts=True)
    assert isinstance(found, RetryLater)
    assert (found.scope, found.counts, found.unexplained) == ("platform", False, True) or status == 429


@given(st.integers(402, 499).filter(lambda status: status not in {408, 429}), codes)
def test_an_answer_is_unexplained_unless_its_code_is_listed(status: int, code: int) -> None:
    found = classify(Answer(status, {"code": code, "message": "no"}), posts=True)
    listed = code in BY_CODE and code not in {0, 40333}
    assert getattr(found, "unexplained", False) != listed


@given(status=st.integers(500, 599), body=bodies, posts=st.booleans())
def test_a_server_error_leaves_a_post_uncertain(status: int, body: Any, *, posts: bool) -> None:
    assert isinstance(classify(Answer(status, body), posts=posts), DeliveryUncertain if posts else RetryLater)


def test_every_pause_has_a_short_reason() -> None:
    for outcome in BY_CODE.values():
        if isinstance(outcome, Pause):
            assert outcome.reason.endswith(".")
            assert 20 < len(outcome.reason) < 120


def discord_answer(status: int, code: int | None, **more: Any) -> RawAnswer:
    body = {"message": "no", **({} if code is None else {"code": code}), **more}
    return RawAnswer(status=status, body=json.dumps(body).encode(), content_type="application/json")


def wire_answers() -> Iterator[tuple[str, RawAnswer, type[SendError], str]]:
    """Yield known answers of Discord, Cloudflare and proxies: name, answer, expected error, and scope of a retry."""
    for status in (400, 403, 404, 405, 407, 408, 409, 413, 418, 451):
        yield f"a {status} page", RawAnswer(status=status, body=PAGE), RetryLater, "platform"
        yield f"an empty {status}", RawAnswer(status=status), RetryLater, "platform"
        yield f"a {status} without a code", discord_answer(status, None), RetryLater, "platform"
        yield f"a {status} with code 0", discord_answer(status, 0), RetryLater, "platform"
        cut = RawAnswer(status=status, body=b'{"code": 50', content_type="application/json")
        yield f"a {status} with incomplete JSON", cut, RetryLater, "platform"
        ended = RawAnswer(
            status=status, body=b'{"code": 50001}', content_type="application/json", cut_off=True
        )
        yield f"a {status} that is cut off", ended, RetryLater, "platform"
    for code in (40333, 110001, 130000, 40062):
        yield f"403 {code}", discord_answer(403, code), RetryLater, "platform"
    yield "a code that isn't listed", discord_answer(403, 99_999), RetryLater, "channel"
    yield "the server's write limit", discord_answer(403, 20029), RetryLater, "workspace"
    yield "a refused token", discord_answer(401, 0), RetryLater, "platform"
    yield "a 401 page", RawAnswer(status=401, body=PAGE), RetryLater, "platform"
    yield (
        "a list instead of an error",
        RawAnswer(status=400, body=b"[50001]", content_type="application/json"),
        RetryLater,
        "platform",
    )
    yield (
        "a redirect to a login page",
        RawAnswer(status=302, headers={"Location": "/login"}),
        RetryLater,
        "platform",
    )
    yield "a 429 page", RawAnswer(status=429, body=PAGE), RetryLater, "platform"
    yield (
        "a long global limit",
        discord_answer(429, None, retry_after=60, **{"global": True}),
        RetryLater,
        "platform",
    )
    yield (
        "a limit without Via",
        discord_answer(429, None, retry_after=1, **{"global": False}),
        RetryLater,
        "channel",
    )
    yield "a limit without a time", discord_answer(429, None), RetryLater, "platform"
    for status in (500, 502, 503, 504, 520, 521, 522, 524, 530):
        yield f"a {status} page", RawAnswer(status=status, body=PAGE), DeliveryUncertain, ""
        yield f"a {status} with a code", discord_answer(status, 50001), DeliveryUncertain, ""
    yield "a page with status 200", RawAnswer(status=200, body=PAGE), DeliveryUncertain, ""
    yield "an empty 200", RawAnswer(status=200, content_type="application/json"), DeliveryUncertain, ""
    yield (
        "a 200 that is cut off",
        RawAnswer(status=200, body=b'{"id": "1', content_type="application/json", cut_off=True),
        DeliveryUncertain,
        "",
    )
    yield "a 200 without the message", discord_answer(200, None), DeliveryUncertain, ""
    yield "a 204", RawAnswer(status=204, content_type="application/json"), DeliveryUncertain, ""


WIRE = list(wire_answers())


@pytest.mark.parametrize(("answer", "kind", "scope"), [row[1:] for row in WIRE], ids=[row[0] for row in WIRE])
async def test_each_answer_to_a_post_raises_its_error(
    platform: DiscordPlatform, double: DiscordDouble, answer: RawAnswer, kind: type[SendError], scope: str
) -> None:
    double.weather.answers[2000] = answer
    with pytest.raises(kind) as caught:
        await platform.send(HERE, CARD, "key")
    assert double.requests.count(("POST", "/channels/2000/messages")) == 1
    if isinstance(caught.value, RetryLater):
        assert (caught.value.scope, caught.value.counts) == (scope, False)


async def test_a_firewall_that_rejects_one_card_does_not_stop_the_next(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.firewall = "On paper 2603"
    with pytest.raises(RetryLater) as caught:
        await platform.send(HERE, CARD, "key")
    assert caught.value.unexplained
    other = paper_card(a_paper(title="Another"), [], SPRING)
    await platform.send(HERE, other, "another key")
    assert len(double.messages) == 1


@pytest.mark.parametrize("code", sorted(PERMANENT))
async def test_each_listed_code_raises_its_error(
    platform: DiscordPlatform, double: DiscordDouble, code: int
) -> None:
    double.weather.answers[2000] = discord_answer(400, code)
    with pytest.raises(ChannelGone if isinstance(BY_CODE[code], Pause) else CardRefused):
        await platform.send(HERE, CARD, "key")


@pytest.mark.parametrize(
    "spell",
    [RawAnswer(status=403, body=PAGE), discord_answer(403, 40333), RawAnswer(status=503, body=PAGE)],
    ids=["a 403 page", "40333", "a 503 page"],
)
async def test_a_lookup_during_an_outage_is_retried(
    platform: DiscordPlatform, double: DiscordDouble, spell: RawAnswer
) -> None:
    double.weather.spell = spell
    for _ in range(2):  # before and after the login
        with pytest.raises(RetryLater) as caught:
            await platform.find(HERE, "key", SPRING)
        assert (caught.value.scope, caught.value.counts, caught.value.after) == ("platform", False, 10.0)
        double.weather.spell = None
        assert await platform.find(HERE, "key", SPRING) is None
        double.weather.spell = spell
