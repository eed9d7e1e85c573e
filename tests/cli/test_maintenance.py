"""Maintenance commands of operators: export, import, forget, subscribe and dead letters."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from bot.app import read_settings
from bot.cli import maintenance
from bot.domain.deliveries import Outcome, PlannedDelivery
from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, User
from bot.matching import Matcher
from bot.pipeline.fanout import Fanout
from bot.ports import Batch
from bot.settings import Settings
from bot.sources.huggingface import list_date
from bot.store import keys
from bot.store.backup.export_records import BadLine
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.index_sync import IndexSync
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.reactions import Annotation, PaperList, ReadingLists
from bot.store.subscriptions import LIMIT, Subscriptions
from bot.store.watches import Watches
from tests.papers import a_channel, a_paper
from tests.program import environment, run_once, start
from tests.replay import HuggingFaceReplay, serve
from tests.scenario import life_fanout

ALL = tuple(range(keys.SHARDS))
HERE = a_channel("C1", "T1")


@pytest.fixture
def settings(valkey: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("REDIS_URL", valkey)
    return read_settings()


async def post_all(outbox: Outbox) -> int:
    """Post all due deliveries. Returns the number of papers."""
    posted = 0
    while found := (await outbox.claim("fake", 160, ALL, token=uuid4().hex)).deliveries:
        for delivery in found:
            await outbox.done(delivery, MessageRef("m1", "https://x.org/m1"))
            posted += len(delivery.papers)
    return posted


async def exported(settings: Settings, only: ChannelRef | None = None) -> list[str]:
    return [line async for line in maintenance.export(settings, only)]


async def poll(redis: Redis, day: int) -> int:
    """Ingest a day's list and match it. Returns the number of papers enqueued for channels."""
    papers, outbox, subscriptions = Papers(redis), Outbox(redis, durable=True), Subscriptions(redis)
    listed = tuple(
        a_paper(f"2603.{n // 10:02}{n % 10:03}", title=f"Diffusion {n}", upvotes=day * 10 + n)
        for n in range(day * 10, day * 10 + 20)
    )
    await papers.ingest("huggingface", Batch(papers=listed, cursor=f"day {day}", trending=(listed[0].id,)), 0)
    return await Fanout(
        PollReader(redis, papers),
        IndexSync(subscriptions, Matcher),
        outbox,
        subscriptions,
        ChannelRules(redis),
        edits=CardUpdateQueue(redis),
        life=life_fanout(redis),
    ).match_all()


async def a_week(redis: Redis) -> None:
    """Simulate seven days: subscriptions with every schedule, posts, settings, saved and watched papers."""
    subscriptions, outbox = Subscriptions(redis), Outbox(redis, durable=True)
    await subscriptions.add(HERE, "diffusion", "now", "U1 Ada")
    await subscriptions.add(HERE, "robots", "now", "U1 Ada")
    await subscriptions.remove(HERE, 2)
    await subscriptions.add(a_channel("C2", "T2"), "diffusion min:55", "now", "U2 Bob")
    await subscriptions.add(a_channel("C3", "T2"), "diffusion", "daily", "U2 Bob")
    in_half_a_day = ((await outbox.now()).hour + 12) % 24  # so that its digest isn't due during a test
    await ChannelSettingsStore(redis).put(a_channel("C3", "T2"), ChannelSettings(hour=in_half_a_day))
    await ChannelSettingsStore(redis).put(HERE, ChannelSettings(zone="Europe/Paris", ping="R7"))
    for day in range(7):
        await poll(redis, day)
        if day == 3:
            await subscriptions.add(a_channel("late", "T2"), "diffusion", "now", "U2 Bob")
        await post_all(outbox)
    saved, note = ReadingLists(redis), Annotation("read “this”", ("to-read",), "U1 Ada")
    await saved.add(PaperList.of_person(User("U1", "Ada"), HERE), "2603.00001")
    await saved.add(PaperList.of_person(User("U2", "Bob"), HERE), "2603.00002", note)
    await saved.add(PaperList(HERE, shared=True), "2603.00001", note)
    await saved.add(PaperList(a_channel("only a list"), shared=True), "2603.00001")
    watches, ada = Watches(redis), ChannelRef.of_person(HERE.platform, HERE.workspace, "U1")
    await watches.put(ada, "2603.00001", Watch(IMPORTANT, "U1 Ada", await outbox.now()))
    await watches.set_saved_events(ada, "important")
    await watches.put(HERE, "2603.00001", Watch(frozenset({"code"}), "U1 Ada", await outbox.now()))
    news = a_paper(
        "2603.00001", title="Diffusion 1", code_url="https://github.com/a/b", sources=("huggingface",)
    )
    await Papers(redis).ingest("huggingface", Batch((news,), "code"), 0)
    await Fanout(
        PollReader(redis, Papers(redis)),
        IndexSync(subscriptions, Matcher),
        outbox,
        subscriptions,
        ChannelRules(redis),
        edits=CardUpdateQueue(redis),
        life=life_fanout(redis),
    ).match_all()
    await redis.set(keys.installation("slack", "T1"), "what only a key opens")
    await redis.set(keys.installation("email", "about to be forgotten"), "sealed, too", ex=1000)


async def test_an_import_restores_everything_from_an_export(redis: Redis, settings: Settings) -> None:
    await a_week(redis)
    before = await exported(settings)
    kinds = {json.loads(line)["kind"] for line in before}
    assert kinds == {
        "paperboy",
        "cursor",
        "trending",
        "paper",
        "sealed",
        "saved",
        "watch",
        "shared",
        "channel",
        "subscription",
        "sent",
        "owed",
    }
    await redis.flushall()
    result = await maintenance.restore(settings, before, None)
    assert "4 subscription" in result
    assert sorted(await exported(settings)) == sorted(before)


async def test_an_import_restores_watches_and_waiting_news(redis: Redis, settings: Settings) -> None:
    await a_week(redis)
    watches, ada = Watches(redis), ChannelRef.of_person(HERE.platform, HERE.workspace, "U1")
    before = await watches.watchers(["2603.00001"])
    waiting = await Outbox(redis).open_deliveries(ada)
    lines = await exported(settings)
    await redis.flushall()
    await maintenance.restore(settings, lines, None)
    assert await watches.watchers(["2603.00001"]) == before
    assert before["2603.00001"].keys() == {ada, HERE}
    assert await watches.saved_events(ada) == "important"
    assert await Outbox(redis).open_deliveries(ada) == waiting
    assert waiting[0].papers[0][1][0].note.startswith("Code is available")


async def test_importing_twice_changes_nothing(redis: Redis, settings: Settings) -> None:
    await a_week(redis)
    before = await exported(settings)
    await maintenance.restore(settings, before, None)
    assert sorted(await exported(settings)) == sorted(before)


async def test_replaying_a_week_after_an_import_posts_nothing(redis: Redis, settings: Settings) -> None:
    await a_week(redis)
    lines = await exported(settings)
    await redis.flushall()
    await maintenance.restore(settings, lines, None)
    assert [await poll(redis, day) for day in range(7)] == [0] * 7
    assert await post_all(Outbox(redis, durable=True)) == 0


@pytest.mark.timeout(120)
async def test_replaying_recorded_days_after_an_import_posts_nothing(
    tmp_path: Path, shared_data: Path
) -> None:
    replay = HuggingFaceReplay(shared_data / "hf_daily")
    old, new = tmp_path / "old", tmp_path / "new"
    posted = Counter[str]()
    async with serve(replay.app) as upstream:
        for folder, day in ((old, 16), (old, 17), (new, 16), (new, 17)):
            if (folder, day) == (new, 16):
                lines = (await output_of("export", folder=old)).splitlines()
                replayed = [line for line in lines if '"kind":"cursor"' not in line]
                await output_of("import", folder=new, typed="\n".join(replayed))
            replay.until = date(2026, 3, day)
            replay.shift = replay.until - list_date(datetime.now(UTC))
            _, printed, _ = await run_once(folder, upstream, "/paper subscribe diffusion\n")
            posted[folder.name] += sum(len(line["papers"]) for line in printed if line["kind"] == "post")
    assert posted["old"] > 3
    assert posted["new"] == 0


async def test_a_channels_subscriptions_can_be_moved_to_another_platform(
    redis: Redis, settings: Settings
) -> None:
    await a_week(redis)
    target = ChannelRef("discord", "G1", "42")
    lines = await exported(settings, HERE)
    await maintenance.restore(settings, lines, target)
    [moved] = await Subscriptions(redis).of(target)
    [original] = await Subscriptions(redis).of(HERE)
    assert (moved.number, moved.query, moved.created_by) == (1, "diffusion", original.created_by)
    assert await ChannelSettingsStore(redis).of(target) == ChannelSettings(zone="Europe/Paris")
    sent = await Outbox(redis).sent(target, "2603.00001")
    assert sent is not None
    assert sent.message == MessageRef("")
    added, _ = await Subscriptions(redis).add(target, "agents", "now", "U9")
    assert added.number == 3  # numbers of subscriptions aren't reused
    assert await poll(redis, 8) > 0
    claims = await Outbox(redis, durable=True).claim("discord", 160, ALL, token="t")
    assert {delivery.channel for delivery in claims.deliveries} == {target}


async def test_only_one_channel_can_be_moved(redis: Redis, settings: Settings) -> None:
    await a_week(redis)
    with pytest.raises(BadLine, match=r"paperboy export --channel fake:T"):
        await maintenance.restore(settings, await exported(settings), ChannelRef("discord", "G1", "42"))


async def test_moved_subscriptions_are_merged_with_existing_ones(redis: Redis, settings: Settings) -> None:
    subscriptions, target = Subscriptions(redis), a_channel("C9", "T9")
    for n in range(3):
        await subscriptions.add(HERE, f"topic{n}", "now", "U1")
    for query in ("topic1", *(f"other{n}" for n in range(LIMIT - 2))):
        await subscriptions.add(target, query, "now", "U1")
    result = await maintenance.restore(settings, await exported(settings, HERE), target)
    queries = [subscription.query for subscription in await subscriptions.of(target)]
    assert len(queries) == len(set(queries)) == LIMIT
    assert result.count("Not subscribed") == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 2: Invalid JSON"),
        ('{"kind":"something"}', "line 2: Input tag 'something'"),
        (
            '{"kind":"sent","channel":"x","paper":"p","at":"2026-03-02T00:00:00Z","message":"m"}',
            "platform:workspace",
        ),
        (
            '{"kind":"subscription","channel":"a:b:c","number":1,"query":"-x","every":"now","by":"U","at":1}',
            "its query can't be read",
        ),
        ('{"kind":"paper","id":"p","seen":null,"record":{"title":"x"}}', "it doesn't describe a paper"),
        ('{"kind":"cursor","source":"x"}', "cursor.cursor: Field required"),
    ],
)
async def test_an_unreadable_line_is_named(redis: Redis, settings: Settings, line: str, message: str) -> None:
    with pytest.raises(BadLine, match=message):
        await maintenance.restore(settings, ['{"kind":"paperboy","format":1}', line], None)
    assert not await redis.keys("pb:*sub*")


async def test_a_file_that_is_not_an_export_is_refused(settings: Settings) -> None:
    with pytest.raises(BadLine, match="the first line of an export"):
        await maintenance.restore(settings, ['{"kind":"trending","papers":[]}'], None)


async def output_of(*words: str, folder: Path, typed: str = "", code: int = 0) -> str:
    """Run the program. Returns its standard output, or its log if a failure is expected."""
    process = await start(*words, env=environment(folder))
    out, log = await process.communicate(typed.encode())
    assert process.returncode == code, log.decode()
    return (out if code == 0 else log).decode()


async def stuck(redis: Redis, papers: Sequence[str]) -> None:
    outbox = Outbox(redis, durable=True)
    await Papers(redis).ingest("hf", Batch(papers=tuple(map(a_paper, papers)), cursor="c"), 0)
    for n, paper in enumerate(papers):
        await outbox.enqueue([PlannedDelivery(channel=HERE, papers=((paper, ()),), due=0, label=paper)])
        [delivery] = (await outbox.claim("fake", 16, ALL, token=f"stuck{n}")).deliveries
        await outbox.record_outcome(delivery, Outcome(state="dead", why=f"invalid blocks in {paper}"))


@pytest.mark.parametrize(
    ("words", "description", "left"),
    [
        (["slack:T1:C1"], "the channel slack:T1:C1", ["slack:T1:C2", "slack:T2:C3"]),
        (["slack:T1"], "the workspace T1 on slack", ["slack:T2:C3"]),
        (["slack:U1", "--person"], "the person U1 on slack", ["slack:T1:C1", "slack:T1:C2", "slack:T2:C3"]),
    ],
)
async def test_an_operator_can_delete_data_after_confirmation(
    valkey: str, redis: Redis, tmp_path: Path, *, words: list[str], description: str, left: list[str]
) -> None:
    for name in ("slack:T1:C1", "slack:T1:C2", "slack:T2:C3"):
        await Subscriptions(redis).add(ChannelRef.parse(name), "diffusion", "now", "U1 Ada")
    declined = await start("forget", *words, env=environment(tmp_path, REDIS_URL=valkey))
    out, _ = await declined.communicate(b"n\n")
    assert (declined.returncode, len([item async for item in Subscriptions(redis).load()])) == (1, 3), out
    program = await start("forget", *words, "--yes", env=environment(tmp_path, REDIS_URL=valkey))
    out, log = await program.communicate()
    assert (program.returncode, out.decode()) == (0, f"Deleted: {description}.\n"), log
    found = [item async for item in Subscriptions(redis).load()]
    assert sorted(str(item.channel) for item in found) == left
    assert {item.created_by for item in found} == {"" if "--person" in words else "U1 Ada"}


@pytest.mark.parametrize("words", [["slack"], ["a:b:c:d"], ["slack:T1:C1", "--person"], ["", "--person"]])
async def test_invalid_arguments_of_forget_are_refused(tmp_path: Path, words: list[str]) -> None:
    program = await start("forget", *words, "--yes", env=environment(tmp_path))
    _, log = await program.communicate()
    assert program.returncode == 2
    assert b"paperboy forget --help" in log


async def test_channels_in_a_file_get_exactly_its_subscriptions(redis: Redis, settings: Settings) -> None:
    elsewhere = a_channel("C2", "T1")
    for channel, query in ((HERE, "diffusion"), (HERE, "robots"), (HERE, "video"), (elsewhere, "graphs")):
        await Subscriptions(redis).add(channel, query, "channel", "U1 Ada")
    lines = [
        "# ours",
        "",
        f"{HERE} diffusion",
        f"{HERE} video every:weekly",
        f'{HERE}  "language model" -survey every:daily',
        f"{HERE} preset:robotics",
    ]
    assert (
        await maintenance.set_subscriptions(settings, lines) == "2 added, 1 changed, 1 removed, in 1 channel"
    )
    assert (
        await maintenance.set_subscriptions(settings, lines) == "0 added, 0 changed, 0 removed, in 1 channel"
    )
    found = {item.query: item.every for item in await Subscriptions(redis).of(HERE)}
    assert len(found) == 4
    assert (found["diffusion"], found["video"]) == ("channel", "weekly")
    assert found['"language model" -survey'] == "daily"
    assert [item.query for item in await Subscriptions(redis).of(elsewhere)] == ["graphs"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T1:C1 diffusion", "isn't a channel"),
        (f"{HERE}", "line 2"),
        (f"{HERE} (diffusion", "bracket"),
        (f"{HERE} diffusion every:hourly", "every"),
        (f"{HERE} preset:nothing", "preset"),
    ],
)
async def test_an_invalid_line_in_a_file_changes_nothing(
    redis: Redis, valkey: str, tmp_path: Path, *, line: str, reason: str
) -> None:
    file = tmp_path / "paperboy.txt"
    file.write_text(f"{HERE} robots\n{line}\n")
    program = await start("subscribe", str(file), env=environment(tmp_path, REDIS_URL=valkey))
    _, log = await program.communicate()
    assert program.returncode == 65
    assert "line 2" in log.decode()
    assert reason in log.decode()
    assert await Subscriptions(redis).of(HERE) == []


async def test_an_operator_can_list_retry_and_drop_dead_letters(
    redis: Redis, valkey: str, tmp_path: Path
) -> None:
    await stuck(redis, ["p1", "p2", "p3"])
    env = environment(tmp_path, REDIS_URL=valkey)

    async def deliveries(*words: str, code: int = 0) -> str:
        process = await start("deliveries", *words, env=env)
        out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        return (out + err).decode()

    listed = await deliveries("list")
    assert listed.index("fake:T1:C1/p1") < listed.index("fake:T1:C1/p2")
    assert "invalid blocks in p2" in listed
    assert "Dropped: fake:T1:C1/p1" in await deliveries("drop", "fake:T1:C1/p1")
    assert "Not found: fake:T1:C1/p1" in await deliveries("retry", "fake:T1:C1/p1", code=1)
    assert "name the posts to retry, or use --all" in await deliveries("retry", code=2)
    retried = await deliveries("retry", "--all")
    assert retried.count("Retried: ") == 2
    assert await deliveries("list") == "No posts need a decision.\n"
    assert await post_all(Outbox(redis, durable=True)) == 2


@pytest.mark.parametrize(
    ("wanted", "marker"), [("bibtex", "eprint = "), ("ris", "TY  - "), ("csl", '"title": '), ("md", "- [")]
)
async def test_all_papers_are_exported_for_reference_managers(
    redis: Redis, settings: Settings, wanted: str, marker: str
) -> None:
    papers = [a_paper(f"2603.{number:05}") for number in range(maintenance.PAGE + 5)]
    await Papers(redis).ingest("huggingface", Batch((), "c", history=tuple(papers)), 0)
    exported_text = "".join([piece async for piece in maintenance.export_papers(settings, wanted)])
    assert exported_text.count(marker) == len(papers)
    if wanted == "csl":
        assert [item["number"] for item in json.loads(exported_text)] == [
            f"arXiv:{paper.id}" for paper in papers
        ]
