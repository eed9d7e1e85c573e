"""Guesses which papers by authors of the same name are by the same person, from co-authors and categories."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.models import Paper
from bot.query import Person
from bot.text.names import agree, readings, spelled


@dataclass(frozen=True, slots=True)
class SamePerson:
    """Papers that probably have the same author."""

    papers: tuple[Paper, ...]
    category: str
    """The most frequent primary category; "" if none is known."""
    coauthor: str
    """The most frequent co-author, as spelled on a paper; "" if there is none."""


def people_among(papers: Sequence[Paper], person: Person) -> list[SamePerson]:
    """Group `papers`, which all have an author whose name matches `person`, by the actual person.

    The person with the most papers comes first. Papers that share a co-author are by the same person. A paper that
    shares none goes to the first person with its category, or, if it has no co-authors, to the first person.
    """
    wanted = readings(" ".join(person.words))
    others = [
        {spelled(name): name for name in paper.authors if not agree(wanted, readings(spelled(name)))}
        for paper in papers
    ]
    groups = _connected([set(names) for names in others])
    merged: list[list[int]] = []
    for group in sorted(groups, key=len, reverse=True):
        home = _home(group, merged, papers) if len(group) == 1 else None
        if home is None and merged and not others[group[0]]:
            home = merged[0]  # nothing suggests another person
        if home is None:
            merged.append(list(group))
        else:
            home += group
    return [_person([papers[n] for n in group], [others[n] for n in group]) for group in merged]


def _home(group: Sequence[int], merged: Sequence[list[int]], papers: Sequence[Paper]) -> list[int] | None:
    """Find the first of the merged groups with the same category."""
    category = _category([papers[n] for n in group])
    return next((one for one in merged if category and _category([papers[n] for n in one]) == category), None)


def _person(papers: Sequence[Paper], others: Sequence[dict[str, str]]) -> SamePerson:
    spellings = {name: spelling for names in others for name, spelling in names.items()}
    counts = Counter(name for names in others for name in names)
    coauthor = min(counts, key=lambda name: (-counts[name], name), default="")
    return SamePerson(tuple(papers), _category(papers), spellings.get(coauthor, ""))


def _category(papers: Sequence[Paper]) -> str:
    counts = Counter(paper.categories[0] for paper in papers if paper.categories)
    return min(counts, key=lambda name: (-counts[name], name), default="")


def _connected(names: Sequence[set[str]]) -> list[list[int]]:
    """Group positions by shared names, transitively: two with a name in common are in one group."""
    parents = list(range(len(names)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[str, int] = {}
    for place, paper_names in enumerate(names):
        for name in paper_names:
            parents[root(place)] = root(first.setdefault(name, place))
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place in range(len(names)):
        groups[root(place)].append(place)
    return list(groups.values())
