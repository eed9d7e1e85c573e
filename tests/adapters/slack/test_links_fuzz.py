"""People use links and message menus in two processes while Slack fails: no card appears twice, no list leaks."""

import asyncio
import random
from collections import Counter, defaultdict

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, User
from bot.ports import Batch
from bot.store.channel_rules import ChannelSettingsStore
from bot.text.identity import paper_id
from tests.adapters.slack.double import Channel, Message, Person
from tests.adapters.slack.double.conversation import post, share, use
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.adapters.slack.running import Running
from tests.papers import a_paper

IDS = [f"2603.0000{number}" for number in range(8)]
SHAPES = ("https://arxiv.org/abs/{}", "https://www.alphaxiv.org/pdf/{}v1", "https://huggingface.co/papers/{}")
NO_PAPERS = ("https://arxiv.org/list/cs.CL/recent", "https://huggingface.co/models", "https://example.org/")
FAULTS = ("ok", "ok", "ok", "lose", "500 taken", "html 502", "429 1", "cannot_unfurl_url", "internal_error")
MESSAGES = 40


class Lab:
    """Three people, each in some of four channels; links are off in one channel."""

    def __init__(self, harness: SlackHarness, dice: random.Random) -> None:
        slack, lab = harness.slack, harness.workspace
        self.dice = dice
        self.harness = harness
        self.people = [harness.person, slack.person(lab, "ben"), slack.person(lab, "eve")]
        self.rooms = [
            slack.channel(lab, f"room{n}", *dice.sample(self.people, 2), private=n % 2 == 1) for n in range(4)
        ]
        self.off = self.rooms[0]
        self.messages: list[Message] = []
        self.saved: dict[str, set[str]] = defaultdict(set)

    def ref(self, room: Channel) -> ChannelRef:
        return ChannelRef("slack", self.harness.workspace.id, room.id)

    def members(self, room: Channel) -> list[Person]:
        return [person for person in self.people if person.user in room.members]

    def text(self) -> str:
        links = [
            self.dice.choice(SHAPES).format(self.dice.choice(IDS)) for _ in range(self.dice.randint(1, 4))
        ]
        words = [*links, self.dice.choice(NO_PAPERS), "between us"]
        self.dice.shuffle(words)
        return " ".join(words)

    async def post(self) -> None:
        room = self.dice.choice(self.rooms)
        message = await post(self.dice.choice(self.members(room)), room, self.text())
        self.messages.append(message)

    async def share_again(self) -> None:
        message = self.dice.choice(self.messages)
        await share(self.members(message.channel)[0], message)

    async def edit(self) -> None:
        message = self.dice.choice(self.messages)
        link = self.dice.choice(SHAPES).format(self.dice.choice(IDS))
        message.links = list(dict.fromkeys([*message.links, link]))
        await share(self.members(message.channel)[0], message)

    async def save(self) -> None:
        message = self.dice.choice(self.messages)
        person = self.dice.choice(self.members(message.channel))
        await use(person, message, "Save papers")
        found = {paper_id(link.strip("<>")) for link in message.text.split() if "://" in link}
        self.saved[person.user] |= {paper for paper in found if paper}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_card_is_shown_twice_and_lists_stay_private(redis: Redis, seed: int) -> None:
    dice = random.Random(seed)
    async with slack_harness(redis) as harness:
        lab = Lab(harness, dice)
        await harness.bot.papers.ingest("test", Batch((), "c", history=tuple(map(a_paper, IDS))), 0)
        await ChannelSettingsStore(redis).put(lab.ref(lab.off), ChannelSettings(links=False))
        (token,) = harness.slack.world.tokens
        other = Running(harness.slack, redis)
        await other.start(other.socket(token))
        harness.slack.faults.next("chat.unfurl", *dice.choices(FAULTS, k=MESSAGES))
        await lab.post()
        for _ in range(MESSAGES):
            actions = [lab.post(), lab.share_again(), lab.share_again(), lab.edit(), lab.save()]
            await asyncio.gather(*actions)
        await harness.settled()
        await other.settled()
        _check_cards(lab)
        for person in lab.people:
            saved = await harness.bot.core.saved(User(person.user, ""), harness.channel)
            assert {paper.id for paper in saved} == lab.saved[person.user]
        _check_no_public_posts(lab)
        await other.stop()


def _check_cards(lab: Lab) -> None:
    calls = lab.harness.slack.calls("chat.unfurl")
    unfurled = Counter(
        (call.body["channel"], call.body["ts"], url) for call in calls for url in call.body["unfurls"]
    )
    assert max(unfurled.values()) == 1, "each link is unfurled once, even if the first call failed"
    refused = {
        (c.body["channel"], c.body["ts"], url) for c in calls if c.answer != "ok" for url in c.body["unfurls"]
    }
    assert refused
    for message in lab.messages:
        papers = Counter(paper_id(url) for url in message.unfurls)
        assert None not in papers
        if message.channel is lab.off:
            assert not message.unfurls
        elif not any((message.channel.id, message.ts, url) in refused for url in message.links):
            assert {*papers} == {paper_id(url) for url in message.links} - {None}


def _check_no_public_posts(lab: Lab) -> None:
    for room in lab.rooms:
        posted = [message for message in room.messages if message.by == lab.harness.slack.app.id]
        assert all(message.only_for for message in posted)
