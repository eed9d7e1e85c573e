"""Watching papers, and the life of a paper."""

from dataclasses import replace

import pytest

from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.life import EVENT_KINDS, IMPORTANT
from bot.domain.models import User
from bot.ports import Batch
from tests.commands.conftest import Ask, See, card_text, commands_of
from tests.papers import a_channel, a_paper

ME = a_channel("@U1")
"""Ada's direct messages."""
PAPER = a_paper(versions=1, comment="9 pages", sources=("arxiv",))
ID = PAPER.id


@pytest.fixture
def services(services: Services) -> Services:
    """Services on a platform that supports direct messages."""

    class Reachable(services.platform(a_channel())):  # type: ignore[misc]  # a base class known only at run time
        direct_messages = True

    return replace(services, platforms={"fake": Reachable})


async def watched(services: Services, watcher: object = ME) -> dict[str, frozenset[str]]:
    return {paper: watch.events for paper, watch in (await services.watches.of(watcher)).items()}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "events"),
    [
        (f"watch {ID}", frozenset(EVENT_KINDS)),
        (f"watch {ID} all", frozenset(EVENT_KINDS)),
        (f"watch {ID} important", IMPORTANT),
        (f"watch {ID} accepted,code", {"accepted", "code"}),
        (f"watch {ID} accepted, code", {"accepted", "code"}),
        (f"watch https://arxiv.org/abs/{ID}v2 Version", {"version"}),
        (f"watch {ID} events:withdrawn", {"withdrawn"}),
        (f"watch {ID} new versions, acceptance and code", {"version", "accepted", "code"}),
        (f"watch {ID} everything", frozenset(EVENT_KINDS)),
        (f"watch {ID} important, upvotes", IMPORTANT | {"milestone"}),
    ],
)
async def test_a_person_watches_a_paper(
    ask: Ask, see: See, services: Services, line: str, events: frozenset[str]
) -> None:
    await see(PAPER)
    answer = await ask(line)
    assert answer.notice.startswith("Watched for "), answer
    assert await watched(services) == {ID: events}
    undone = await ask(commands_of(answer)["Undo"])
    assert await watched(services) == {}
    await ask(commands_of(undone)["Undo"])
    assert ID in await watched(services)


async def test_undo_restores_the_previous_watch(ask: Ask, see: See, services: Services) -> None:
    await see(PAPER)
    await ask(f"watch {ID} code")
    assert "Undo" not in commands_of(await ask(f"watch {ID} code"))
    changed = await ask(f"watch {ID} accepted")
    await ask(commands_of(changed)["Undo"])
    assert await watched(services) == {ID: {"code"}}
    stopped = await ask(f"unwatch {ID}")
    await ask(commands_of(stopped)["Undo"])
    assert await watched(services) == {ID: {"code"}}


async def test_unwatch_all_ends_all_personal_watches(ask: Ask, see: See, services: Services) -> None:
    papers = [replace(PAPER, id=f"2603.0001{n}", title=f"Paper {n}") for n in range(3)]
    await see(*papers)
    for paper in papers:
        await ask(f"watch {paper.id}")
    await ask(f"watch {papers[0].id} to:channel")
    assert "No longer watched: 3 papers." in card_text(await ask("unwatch all"))
    assert await watched(services) == {}
    assert len(await watched(services, a_channel())) == 1
    assert "Nothing is watched." in card_text(await ask("unwatch all"))


@pytest.mark.parametrize("title", ["Learning to write code", "A Survey of All"])
async def test_a_title_can_end_with_the_name_of_an_event(
    ask: Ask, see: See, services: Services, title: str
) -> None:
    await see(replace(PAPER, title=title))
    await ask(f"watch {title}")
    assert await watched(services) == {ID: frozenset(EVENT_KINDS)}
    await ask(f"watch {title.lower()} accepted")
    assert await watched(services) == {ID: {"accepted"}}


async def test_a_channel_can_watch_a_paper(ask: Ask, see: See, services: Services) -> None:
    await see(PAPER)
    answer = await ask(f"watch {ID} important to:channel")
    assert answer.notice.startswith("This channel watches it for ")
    assert await watched(services, a_channel()) == {ID: IMPORTANT}
    assert "This channel watches 1 paper" in card_text(await ask("watch"))
    await ask(f"unwatch {ID} to:channel")
    assert await watched(services, a_channel()) == {}


async def test_only_editors_can_make_a_channel_watch(core: Commands, see: See, services: Services) -> None:
    await see(PAPER)
    guest = User("U2", "Guest", may_manage=False)
    refused = await core.handle_text(f"watch {ID} to:channel", guest, a_channel())
    assert "Only people who manage this channel" in refused.card.notice
    assert await watched(services, a_channel()) == {}
    await core.handle_text(f"watch {ID}", guest, a_channel())
    assert ID in await watched(services, a_channel("@U2"))


async def test_saving_a_paper_watches_it_as_the_person_chose(ask: Ask, see: See, services: Services) -> None:
    await see(PAPER, a_paper("2603.00002"), a_paper("2603.00003"))
    saved = await ask(f"save {ID}")
    assert await watched(services) == {ID: frozenset(EVENT_KINDS)}
    await ask(commands_of(saved)["Undo"])
    assert await watched(services) == {}
    answer = card_text(await ask("watch saved:important"))
    assert "Saved papers are watched for acceptance, code and withdrawal." in answer
    await ask("save 2603.00002")
    await ask("watch saved:none")
    await ask("save 2603.00003")
    assert await watched(services) == {"2603.00002": IMPORTANT}


async def test_saving_and_removing_a_paper_leaves_a_manual_watch(
    ask: Ask, see: See, services: Services
) -> None:
    await see(PAPER)
    await ask(f"watch {ID} code")
    saved = await ask(f"save {ID}")
    assert await watched(services) == {ID: {"code"}}
    await ask(commands_of(saved)["Undo"])
    assert await watched(services) == {ID: {"code"}}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("watch 2603.99999", "I don't have the paper"),
        (f"watch {ID} events:nonsense", "“nonsense” isn't an event"),
        (f"unwatch {ID}", "You don't watch this paper"),
        (f"unwatch {ID} to:channel", "This channel doesn't watch this paper"),
    ],
)
async def test_a_bad_watch_command_gets_the_reason(ask: Ask, see: See, line: str, reason: str) -> None:
    await see(PAPER)
    assert reason in (await ask(line)).notice


async def test_nothing_is_watched_at_first(ask: Ask) -> None:
    answer = card_text(await ask("watch"))
    assert "Nothing is watched yet" in answer
    assert "Saved papers are watched for new versions" in answer


async def test_the_life_of_a_paper_is_shown(ask: Ask, see: See, services: Services) -> None:
    await see(PAPER)
    quiet = await ask(f"life {ID}")
    assert "Nothing has happened to it" in card_text(quiet)
    await ask(commands_of(quiet)["Watch"])
    later = replace(PAPER, sources=(), versions=2, comment="Accepted at ICML 2026 (spotlight)")
    await services.papers.ingest("arxiv", Batch((), "2", updates=(later,)), 0)
    life = await ask(f"life {ID}")
    shown = card_text(life)
    assert "10 Mar: v2 is out" in shown
    assert "10 Mar: Accepted at ICML 2026 as a spotlight" in shown
    assert "v2 · accepted at ICML 2026 as a spotlight" in shown
    assert "Stop watching" in commands_of(life)
    assert "Accepted at ICML 2026" in card_text(await ask(f"explain {ID}"))


async def test_the_number_of_watches_is_limited(
    services: Services, monkeypatch: pytest.MonkeyPatch, ask: Ask, see: See
) -> None:
    monkeypatch.setattr("bot.store.watches.LIMIT", 2)
    papers = [a_paper(f"2603.{n:05}") for n in range(3)]
    await see(*papers)
    answers = [await ask(f"watch {paper.id}") for paper in papers]
    assert [answer.kind for answer in answers] == ["reply", "reply", "error"]
    assert len(await watched(services)) == 2


async def test_citations_are_promised_only_if_a_source_has_them(
    ask: Ask, see: See, services: Services
) -> None:
    await see(PAPER)
    assert "citations" not in (await ask(f"watch {ID}")).notice
    assert "doesn't know who cites a paper" in (await ask(f"watch {ID} cited")).notice
    knowing = Commands(replace(services, cites=True))
    answer = await knowing.handle_text(f"watch {ID} cited", User("U1", "Ada"), a_channel())
    assert answer.card.notice.startswith("Watched for citations")
