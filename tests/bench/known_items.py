"""Searches with a known right answer: papers drawn with a fixed seed, searched as people search."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from bot.domain.models import Paper

SEED = 20_261_125
_WORD = re.compile(r"[^\W\d_][\w-]{3,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

ID_FORMS = (
    "{id}",
    "{id}v2",
    "arXiv:{id}",
    "https://arxiv.org/abs/{id}v1",
    "http://arxiv.org/pdf/{id}.pdf",
    "https://huggingface.co/papers/{id}",
    "10.48550/arXiv.{id}",
    "https://doi.org/10.48550/arXiv.{id}",
)

Item = tuple[str, str]
"""The typed text, and the id of the intended paper."""


def drawn(papers: Sequence[Paper], count: int) -> list[Paper]:
    """Draw papers with unique titles."""
    titles: dict[str, int] = {}
    for paper in papers:
        titles[paper.title] = titles.get(paper.title, 0) + 1
    return Random(SEED).sample([paper for paper in papers if titles[paper.title] == 1], count)


def full_titles(papers: Sequence[Paper]) -> Iterator[Item]:
    for paper in papers:
        yield paper.title, paper.id


def typos(papers: Sequence[Paper]) -> Iterator[Item]:
    """Return titles with one letter omitted, inserted, changed, or swapped with the next one."""
    random = Random(SEED + 1)
    for paper in papers:
        title = paper.title
        places = [at for at in range(len(title) - 1) if title[at].isalpha() and title[at + 1].isalpha()]
        if places:
            yield _misspelt(title, random.choice(places), random), paper.id


def _misspelt(title: str, at: int, random: Random) -> str:
    before, letter, after = title[:at], title[at], title[at + 1 :]
    other = random.choice(_LETTERS.replace(letter.lower(), ""))
    return random.choice(
        (
            before + after,
            before + other + letter + after,
            before + other + after,
            before + after[0] + letter + after[1:],
        )
    )


def three_words(papers: Sequence[Paper]) -> Iterator[Item]:
    """Return three different words of each title, in any order."""
    random = Random(SEED + 2)
    for paper in papers:
        words = sorted(set(_WORD.findall(paper.title)))
        if len(words) >= 3:
            yield " ".join(random.sample(words, 3)), paper.id


def last_authors(papers: Sequence[Paper]) -> Iterator[Item]:
    """Return the last author and one word of each title."""
    random = Random(SEED + 3)
    for paper in papers:
        words = sorted(set(_WORD.findall(paper.title)))
        if words and paper.authors:
            yield f"{paper.authors[-1]} {random.choice(words)}", paper.id


def ids(papers: Sequence[Paper]) -> Iterator[Item]:
    """Return each paper's id in every form."""
    for paper in papers:
        for form in ID_FORMS:
            yield form.format(id=paper.id), paper.id


def mixed(papers: Sequence[Paper], count: int) -> list[str]:
    """Return `count` searches in a typical mixture: few words, more words, names, titles, typos, signs."""
    random = Random(SEED + 4)
    shelf = random.sample(list(papers), count * 2)
    words = [_WORD.findall(paper.title) or ["learning"] for paper in shelf]
    kinds = (
        lambda n: random.choice(words[n]),
        lambda n: " ".join(random.choices(words[n], k=2)),
        lambda n: " ".join(random.choices(words[n], k=3)),
        lambda n: shelf[n].title,
        lambda n: next(typos([shelf[n]]), (shelf[n].title, ""))[0],
        lambda n: shelf[n].authors[-1] if shelf[n].authors else "bengio",
        lambda n: f"{shelf[n].authors[0] if shelf[n].authors else 'li'} {random.choice(words[n])}",
        lambda n: f'"{" ".join(words[n][:2])}" -survey',
        lambda n: f"cat:{shelf[n].categories[0]} {random.choice(words[n])}",
        lambda n: f"language model {random.choice(words[n])} learning",
    )
    return [kinds[n % len(kinds)](n) for n in range(count)]
