"""`org:` on recorded days: matcher, recent papers and search find exactly the papers of an organization."""

from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.ports import Batch
from bot.query import parse
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.sources.huggingface_papers import parse_list
from bot.store.papers import Papers
from bot.text.organizations import organization
from tests.matching.test_matcher import ids_in, matcher_of

FREQUENT = 50


def recorded(folder: Path) -> list[Paper]:
    """Return each paper of the recorded days once, as first listed."""
    listed = (
        paper for file in sorted(folder.glob("hf_daily/*.json")) for paper in parse_list(file.read_bytes())
    )
    return list({paper.id: paper for paper in reversed([*listed])}.values())


def frequent(papers: list[Paper]) -> dict[str, set[str]]:
    """Return the most frequent organizations by their most common name -> ids of their papers."""
    paper_ids: defaultdict[str, set[str]] = defaultdict(set)
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for paper in papers:
        if paper.organization:
            paper_ids[organization(paper.organization)].add(paper.id)
            spellings[organization(paper.organization)][paper.organization] += 1
    most = sorted(paper_ids, key=lambda name: -len(paper_ids[name]))[:FREQUENT]
    return {spellings[name].most_common(1)[0][0]: paper_ids[name] for name in most}


def test_exactly_the_papers_of_an_organization_match(shared_data: Path) -> None:
    papers = recorded(shared_data)
    organizations = frequent(papers)
    assert len(organizations) == FREQUENT
    matcher = matcher_of(*(f'org:"{name}"' for name in organizations))
    found: defaultdict[int, set[str]] = defaultdict(set)
    for paper in papers:
        for number in ids_in(matcher.match(paper)):
            found[number].add(paper.id)
    assert [found[number] for number in range(1, FREQUENT + 1)] == list(organizations.values())


async def test_recent_papers_and_search_agree(shared_data: Path, redis: Redis) -> None:
    listed = recorded(shared_data)
    end = max(paper.published for paper in listed) + timedelta(days=1)
    papers = Papers(redis)
    await papers.ingest("huggingface", Batch((), "c", history=tuple(listed)), 0)
    recent = RecentPapers(papers, lambda: end, days_back=timedelta(days=4000))
    search = Search(papers, None, lambda: end)
    for name, paper_ids in frequent(listed).items():
        assert set(await recent.matching(parse(f'org:"{name}"'))) == paper_ids
        assert (await search.find(f'org:"{name}"')).total == len(paper_ids)
    await search.close()
