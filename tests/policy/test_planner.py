"""The planner decides which of a poll's papers a channel gets, and in how many messages."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.domain.models import ChannelRef, ChannelSettings, Every, Mute, Reason, Rules
from bot.domain.polls import Poll
from bot.policy.planner import MatchedPaper, plan_deliveries
from tests.papers import a_channel, a_paper

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""A Monday."""
HERE = a_channel()
POLL = Poll("7-0", ())


class Match(NamedTuple):
    number: int
    query: str
    every: Every = "channel"
    channel: ChannelRef = HERE


def found(*titles: str, every: Every = "channel") -> list[MatchedPaper]:
    return [MatchedPaper(a_paper(title, title=title), [Match(1, "agents", every)]) for title in titles]


def labels(papers: list[MatchedPaper], rules: Rules) -> list[tuple[str, tuple[str, ...], int]]:
    """Return label, papers and digest threshold of each planned delivery."""
    plans = plan_deliveries(HERE, papers, rules, POLL, NOW)
    return [
        (planned.label, tuple(paper for paper, _ in planned.papers), planned.digest_threshold)
        for planned in plans
    ]


def test_papers_due_now_are_one_delivery_that_can_be_split() -> None:
    rules = Rules(ChannelSettings(digest_size=3))
    assert labels(found("a", "b"), rules) == [("poll@7-0", ("a", "b"), 3)]


def test_papers_due_later_gather_under_the_label_of_their_time() -> None:
    rules = Rules(ChannelSettings(every="daily", zone="Asia/Kolkata"))
    assert labels([*found("a"), *found("b", every="now")], rules) == [
        ("digest@2026-11-24T03:30Z", ("a",), 0),
        ("poll@7-0", ("b",), 5),
    ]


def test_everything_waits_for_the_end_of_quiet_hours() -> None:
    rules = Rules(ChannelSettings(quiet=(11, 14)))
    assert labels(found("a", "b"), rules) == [("digest@2026-11-23T14:00Z", ("a", "b"), 0)]


def test_the_most_frequent_subscription_decides() -> None:
    both = MatchedPaper(a_paper(), [Match(2, "agents", "weekly"), Match(1, "robots", "now")])
    [planned] = plan_deliveries(HERE, [both], Rules(), POLL, NOW)
    assert planned.label == "poll@7-0"
    assert planned.papers == (("2603.00001", (Reason(1, "robots"), Reason(2, "agents"))),)


def test_papers_of_a_muted_query_are_not_planned() -> None:
    rules = Rules(mutes=(Mute(text="survey"),))
    assert labels(found("A survey of agents", "On agents"), rules) == [("poll@7-0", ("On agents",), 5)]


def test_a_muted_subscription_is_not_named_as_a_reason() -> None:
    papers = [MatchedPaper(a_paper(), [Match(1, "agents"), Match(2, "robots")]), *found("only-1")]
    [planned] = plan_deliveries(HERE, papers, Rules(mutes=(Mute(text="#1"),)), POLL, NOW)
    assert planned.papers == (("2603.00001", (Reason(2, "robots"),)),)


def test_a_mute_expires() -> None:
    over = Rules(mutes=(Mute(text="survey", until=NOW), Mute(text="#1", until=NOW - timedelta(days=1))))
    assert labels(found("A survey"), over) == [("poll@7-0", ("A survey",), 5)]


def test_a_paper_that_first_qualifies_now_has_a_note() -> None:
    paper, before = a_paper(upvotes=55, rank=7), a_paper(upvotes=12)
    matches = [Match(1, "paper min:50"), Match(2, "top:10"), Match(3, "code:yes")]
    [planned] = plan_deliveries(HERE, [MatchedPaper(paper, matches, before)], Rules(), POLL, NOW)
    assert [reason.note for reason in planned.papers[0][1]] == ["reached ▲ 50", "now in the top 10", ""]


def test_papers_that_may_have_been_posted_keep_their_labels() -> None:
    papers = [MatchedPaper(a_paper(f"p{n}"), [Match(1, "agents")], first_seen=5) for n in range(9)]
    plans = plan_deliveries(HERE, papers, Rules(), POLL, NOW)
    assert [(planned.label, planned.maybe_sent_since) for planned in plans] == [
        (f"p{n}", 5) for n in range(9)
    ]
