"""Links to papers become cards; the menu of a message shows and saves its papers."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import LINKS, manifest
from bot.domain.models import Paper, User
from bot.ports import Batch
from bot.store.reactions import PaperList
from bot.text.identity import paper_id
from bot.text.mentions import papers_in
from tests.adapters.slack.double import Message
from tests.adapters.slack.double.conversation import links_in, post, share, use, write
from tests.adapters.slack.double.people import words
from tests.adapters.slack.double.world import App
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.adapters.slack.running import Running
from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.replay import serve
from tests.sources.recordings import settings_of
from tests.sources.searchable import Searchable
from tests.sources.upstreams import app_of
from tests.text.paper_addresses import NONE, SAME

ARXIV = "https://arxiv.org/abs/2603.00001"


@pytest.fixture
def upstreams() -> Searchable:
    return Searchable(arxiv=("2605.00009",), huggingface=("2605.00007",))


@pytest.fixture
async def harness(redis: Redis, upstreams: Searchable) -> AsyncIterator[SlackHarness]:
    async with serve(app_of(upstreams.respond)) as url:
        groups = [settings_of(name, url) for name in ("arxiv", "huggingface", "biorxiv")]
        async with slack_harness(redis, groups=groups) as made:
            await store_papers(made, a_paper())
            yield made
            assert made.slack.refused == []


async def store_papers(harness: SlackHarness, *papers: Paper) -> None:
    """Store papers without posting anything."""
    await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)


async def post_message(harness: SlackHarness, text: str, times: int = 1) -> Message:
    """Post a message as Ada. Return it once the app has handled its links."""
    message = await post(harness.person, harness.room, text, times=times)
    await harness.settled()
    return message


def shapes() -> Iterator[tuple[str, str]]:
    """Yield links to papers on the domains that we get events for, with the paper of each."""
    app = App(manifest=manifest("socket"))
    for identity, written in SAME.items():
        for shape in written:
            others = (
                ("2403.12345", "0704.0002", "1911.00042", "2512.00001") if "2403.12345" in shape else ("",)
            )
            for other in others:
                text = shape.replace("2403.12345", other) if other else shape
                if any(map(app.unfurled, links_in(text))):
                    yield text, identity.replace("2403.12345", other) if other else identity


@pytest.mark.timeout(240)
async def test_every_form_of_link_gets_one_card_if_the_event_is_sent_three_times(
    harness: SlackHarness,
) -> None:
    links = dict(shapes())
    assert len(links) >= 200
    await store_papers(harness, *(a_paper(identity) for identity in sorted({*links.values()})))
    for text, identity in links.items():
        message = await post_message(harness, f"Look: {text}", times=3)
        (url, shown), *more = message.unfurls.items()
        assert (paper_id(url), more) == (identity, []), text
        assert f"On paper {identity}" in words(shown["blocks"]), text
    assert len(harness.slack.calls("chat.unfurl")) == len(links)


async def test_a_page_that_is_not_a_paper_gets_no_card(harness: SlackHarness) -> None:
    pages = [page for page in NONE if not papers_in(page) and links_in(page)]
    pages += ["https://huggingface.co/models", "https://www.biorxiv.org/collection/neuroscience"]
    assert len([page for page in pages if harness.slack.app.unfurled(page)]) >= 8
    for page in pages:
        await post_message(harness, f"See {page}")
    assert harness.slack.calls("chat.unfurl") == []


async def test_several_links_in_a_message_get_cards_in_one_call_with_each_paper_once(
    harness: SlackHarness,
) -> None:
    await store_papers(harness, *(a_paper(f"2603.0000{number}") for number in range(2, 9)))
    text = (
        f"{ARXIV} [again](https://arxiv.org/pdf/2603.00001v2) and https://huggingface.co/papers/2603.00002, "
        "https://arxiv.org/list/cs.CL/recent https://www.alphaxiv.org/abs/2603.00003?a=1&b=2"
    )
    message = await post_message(harness, text)
    assert [paper_id(url) for url in message.unfurls] == ["2603.00001", "2603.00002", "2603.00003"]
    assert len(harness.slack.calls("chat.unfurl")) == 1
    many = await post_message(harness, " ".join(f"https://arxiv.org/abs/2603.0000{n}" for n in range(1, 9)))
    assert len(many.unfurls) == 5


async def test_a_link_that_slack_escapes_gets_a_card_under_the_escaped_address(
    harness: SlackHarness,
) -> None:
    await store_papers(harness, a_paper("openreview:aB3_x-Yz9Q"))
    message = await post(harness.person, harness.room, "none yet")
    message.links = ["https://openreview.net/forum?noteId=x1&amp;id=aB3_x-Yz9Q"]
    await share(harness.person, message)
    await harness.settled()
    assert list(message.unfurls) == message.links


async def test_two_processes_and_a_lost_answer_show_a_card_once(harness: SlackHarness, redis: Redis) -> None:
    (token,) = harness.slack.world.tokens
    other = Running(harness.slack, redis)
    await other.start(other.socket(token))
    await harness.slack.until(lambda: len(harness.slack.sockets.open) == 2)
    harness.slack.faults.next("chat.unfurl", "lose")
    first = await post_message(harness, ARXIV, times=3)
    second = await post_message(harness, ARXIV, times=3)
    await other.settled()
    assert len(first.unfurls) == len(second.unfurls) == 1
    assert len(harness.slack.calls("chat.unfurl")) == 2
    assert len({*harness.slack.sockets.delivered}) == 2
    await other.stop()


async def test_a_link_added_by_an_edit_gets_a_card_and_the_first_link_no_second_one(
    harness: SlackHarness,
) -> None:
    await store_papers(harness, a_paper("2603.00002"))
    message = await post_message(harness, ARXIV)
    message.links.append("https://arxiv.org/abs/2603.00002")
    await share(harness.person, message)
    await harness.settled()
    assert [list(call.body["unfurls"]) for call in harness.slack.calls("chat.unfurl")] == [
        [ARXIV],
        ["https://arxiv.org/abs/2603.00002"],
    ]


async def test_a_draft_gets_a_preview_and_the_sent_message_a_card(harness: SlackHarness) -> None:
    draft = await write(harness.person, f"I read {ARXIV}")
    await harness.settled()
    assert list(draft.unfurls) == [ARXIV]
    assert list((await post_message(harness, f"I read {ARXIV}")).unfurls) == [ARXIV]


async def test_private_channels_and_direct_messages_get_cards_too(harness: SlackHarness) -> None:
    ben = harness.slack.person(harness.workspace, "ben")
    for room in (
        harness.slack.channel(harness.workspace, "den", ben, private=True),
        harness.slack.world.direct(harness.workspace, ben.user),
    ):
        message = await post(ben, room, ARXIV)
        await harness.settled()
        assert list(message.unfurls) == [ARXIV]


async def test_an_unknown_paper_is_looked_up_once(harness: SlackHarness, upstreams: Searchable) -> None:
    found = await post_message(harness, "https://arxiv.org/abs/2605.00009", times=3)
    assert "On the Number" in words([shown["blocks"] for shown in found.unfurls.values()])
    unknown = [await post_message(harness, "https://arxiv.org/abs/2605.99999") for _ in range(3)]
    assert not any(message.unfurls for message in unknown)
    for paper in ("2605.00009", "2605.99999"):
        requests = [path for path in upstreams.asked if paper in path]
        assert 1 <= len(requests) == len({*requests}), "no upstream is queried twice"


async def test_links_off_disables_cards_in_that_channel_only(harness: SlackHarness) -> None:
    seen = await harness.say("/paper settings links:off")
    assert "Links to papers stay as they are." in seen.text
    assert not (await post_message(harness, ARXIV)).unfurls
    other = harness.slack.channel(harness.workspace, "other", harness.person)
    message = await post(harness.person, other, ARXIV)
    await harness.settled()
    assert message.unfurls
    await harness.press(seen, "Undo")
    assert (await post_message(harness, ARXIV)).unfurls


async def test_without_the_scopes_links_get_no_cards_and_everything_else_works(harness: SlackHarness) -> None:
    (token,) = harness.slack.world.tokens.values()
    for missing in reversed(LINKS):
        token.scopes -= {missing}
        assert not (await post_message(harness, ARXIV)).unfurls
    await harness.say("/paper subscribe paper")
    await arrive(harness.bot, a_paper("2603.00005"))
    assert "2603.00005" in (await harness.posted())[-1].text
    [scopes] = [f async for f in harness.platform.diagnose() if f.name == "slack scopes"]
    assert scopes.ok
    assert "links:read, links:write" in scopes.todo
    assert "no cards" in scopes.message


@pytest.mark.parametrize(
    "code", ["cannot_unfurl_url", "cannot_find_message", "invalid_blocks", "429 1", "html 502"]
)
async def test_after_any_error_of_slack_the_next_link_gets_a_card(harness: SlackHarness, code: str) -> None:
    harness.slack.faults.next("chat.unfurl", code)
    assert not (await post_message(harness, ARXIV)).unfurls
    assert (await post_message(harness, ARXIV)).unfurls


async def test_buttons_answer_only_the_person_who_presses_them(harness: SlackHarness) -> None:
    ben = harness.slack.person(harness.workspace, "ben")
    harness.room.members.add(ben.user)
    message = await post_message(harness, ARXIV)
    answers = {}
    for label in ("Save", "Similar", "Abstract"):
        trigger = await ben.press(message, label, link=ARXIV)
        await harness.settled()
        [answer] = ben.answers(trigger)
        assert isinstance(answer, Message)
        assert answer.only_for == ben.user
        answers[label] = words(answer.blocks)
    assert "Saved to your list" in answers["Save"]
    assert "We look at it closely." in answers["Abstract"]
    ids = await harness.bot.core.saved(User(ben.user, "ben"), harness.channel)
    assert [paper.id for paper in ids] == ["2603.00001"]


async def test_only_the_papers_of_a_message_are_stored(harness: SlackHarness, redis: Redis) -> None:
    secret = "https://arxiv.org/abs/2603.00001?token=hush"
    message = await post_message(harness, f"between us: {secret}")
    await use(harness.person, message, "Save papers")
    await harness.settled()
    assert message.unfurls
    stored = [await redis.dump(key) or b"" async for key in redis.scan_iter("*")]
    found = " ".join([key async for key in redis.scan_iter("*")])
    assert "hush" not in found
    assert not [value for value in stored if b"hush" in value or b"between us" in value]


async def test_the_menu_of_a_message_shows_and_saves_its_papers(harness: SlackHarness, redis: Redis) -> None:
    await store_papers(harness, a_paper("2603.00002"), a_paper("doi:10.1234/abc"))
    message = await post_message(
        harness, f"[one]({ARXIV}), arXiv:2603.00002v3 & DOI 10.1234/ABC. See arXiv:2605.77777"
    )
    seen = await harness.answer(await use(harness.person, message, "Papers in this message"))
    assert seen.private
    assert "3 papers in this message" in seen.text
    assert "couldn't find 2605.77777" in seen.text
    saved = await harness.answer(await use(harness.person, message, "Save papers"))
    assert "Saved to your list: 3 papers" in saved.text
    again = await harness.answer(await use(harness.person, message, "Save papers"))
    assert "Already on your list" in again.text
    await harness.press(saved, "Undo")
    mine = PaperList.of_person(User(harness.person.user, "ada"), harness.channel)
    assert await redis.zcard(mine.keys[0]) == 0
    which = await harness.answer(await use(harness.person, message, "Similar papers"))
    assert "Similar to which paper?" in which.text


async def test_the_menu_works_on_messages_of_apps_and_in_channels_without_the_app(
    harness: SlackHarness,
) -> None:
    await harness.say("/paper subscribe paper")
    await arrive(harness.bot, *(a_paper(f"2603.0001{number}") for number in range(8)))
    ours = harness.room.messages[-1]
    assert ours.by == harness.slack.app.id
    seen = await harness.answer(await use(harness.person, ours, "Papers in this message"))
    assert "in this message" in seen.text
    ben = harness.slack.person(harness.workspace, "ben")
    den = harness.slack.channel(harness.workspace, "den", ben, private=True)
    message = await post(ben, den, "PMID: 38123456 and more")
    await store_papers(harness, a_paper("pmid:38123456"))
    trigger = await use(ben, message, "Papers in this message")
    await harness.settled()
    [answer] = ben.answers(trigger)
    assert isinstance(answer, Message)
    assert "On paper pmid:38123456" in words(answer.blocks)


async def test_a_message_without_papers_gets_a_friendly_answer(harness: SlackHarness) -> None:
    message = await post_message(harness, "lunch at 12.30?")
    for name in ("Papers in this message", "Save papers", "Similar papers"):
        seen = await harness.answer(await use(harness.person, message, name))
        assert "I found no paper in this message." in seen.text


@pytest.mark.timeout(240)
async def test_every_form_of_link_in_the_corpus_is_recognised_in_a_message(harness: SlackHarness) -> None:
    await store_papers(harness, *(a_paper(identity) for identity in SAME))
    count = 0
    for identity, written in SAME.items():
        for shape in written:
            message = await post(harness.person, harness.room, shape)
            seen = await harness.answer(await use(harness.person, message, "Papers in this message"))
            assert f"On paper {identity}" in seen.text, shape
            count += 1
    assert count >= 200
