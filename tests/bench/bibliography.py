"""Check that reference managers get every recorded paper complete: written as BibTeX, RIS and CSL JSON, and read by
independent parsers.

    nice python -m tests.bench.bibliography --json

A paper is lost if its key, id, title, year or one of its authors differs from what was written. The baseline for keys
is the number of papers that would share one if keys were made in the usual way, from a surname and a year.
"""

import argparse
import gzip
import json
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import split_multiple_persons_names
from citeproc.source.json import CiteProcJSON
from gris import read_ris
from pylatexenc.latex2text import LatexNodes2Text

from bot.domain.models import Paper
from bot.text.bibliography import Listed, bibtex, csl, key_of, listed, ris
from tests.bench.corpus import CORPUS
from tests.papers import a_paper

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")
BATCH = 500
"""Papers per file: the limit of a reading list."""
_UNKNOWN_TO_READER = {r"{\textbraceleft}": r"\{", r"{\textbraceright}": r"\}", r"{\textasciicircum}": "^"}
"""Standard LaTeX commands that pylatexenc doesn't know."""
_LATEX = LatexNodes2Text()
_MEANT = re.compile(r"[\\{}~$%&#^_]|--|``|''|[?!]`")
"""Characters with a meaning in LaTeX text."""
_LIGATURES = {"``": "“", "''": "”", "---": "—", "--": "–", "?`": "¿", "!`": "¡"}
"""How LaTeX prints these; an abstract that already uses the printed form must print the same."""


def plain(latex: str) -> str:
    """Return the text as LaTeX prints it. The slow parser is used only if something isn't printed literally."""
    if not _MEANT.search(latex):
        return " ".join(latex.split())
    for command, character in _UNKNOWN_TO_READER.items():
        latex = latex.replace(command, character)
    return " ".join(_LATEX.latex_to_text(latex).split())


def printed(text: str) -> str:
    """Return a paper's own text as it is printed."""
    for typed, character in _LIGATURES.items():
        text = text.replace(typed, character)
    return " ".join(text.split())


def from_bibtex(text: str) -> dict[str, dict[str, str]]:
    """Return key -> fields of each entry, as bibtexparser reads them."""
    library = parse_string(text)
    return {
        entry.key: {"type": entry.entry_type} | {field.key: str(field.value) for field in entry.fields}
        for entry in library.entries
    }


def from_ris(text: str) -> list[dict[str, list[str]]]:
    """Return tag -> values of each record, as gris reads them."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # gris doesn't close the file
        file = Path(folder, "papers.ris")
        file.write_text(text, encoding="utf-8")
        records = read_ris(str(file)) if text.strip() else []
    return [
        {tag: value if isinstance(value, list) else [value] for tag, value in record.items()}
        for record in records
    ]


def from_csl(text: str) -> dict[str, Any]:
    """Return lower-case id -> entry, as citeproc-py reads them."""
    read: dict[str, Any] = CiteProcJSON(json.loads(text))
    return read


def recorded(every: int = 1) -> Iterator[Paper]:
    """Return the recorded papers, or one in `every`."""
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, islice(lines, 0, None, every)):
            yield a_paper(
                row["id"],
                title=row["title"],
                abstract=row["abstract"],
                authors=tuple(row["authors"]),
                categories=tuple(row["categories"]),
                url=f"https://arxiv.org/abs/{row['id']}",
                published=datetime.fromisoformat(row["published"]),
            )


def bibtex_is_whole(paper: Paper, entry: dict[str, str] | None) -> bool:
    """Whether `entry` contains everything known about `paper`."""
    return (
        entry is not None
        and entry["eprint"] == paper.id
        and entry["year"] == str(paper.published.year)
        and plain(entry["title"].removeprefix("{").removesuffix("}")) == printed(paper.title)
        and plain(entry["abstract"]) == printed(paper.abstract)
        and [_words(plain(name)) for name in split_multiple_persons_names(entry.get("author", "")) if name]
        == [_words(printed(name)) for name in _names(paper)]
    )


def ris_is_whole(paper: Paper, record: dict[str, list[str]] | None) -> bool:
    """Whether `record` contains everything known about `paper`."""
    return (
        record is not None
        and record["AN"] == [f"arXiv:{paper.id}"]
        and record["PY"] == [str(paper.published.year)]
        and record["TI"][0].split() == paper.title.split()
        and record["AB"][0].split() == paper.abstract.split()
        and [_words(name) for name in record.get("AU", [])] == [_words(name) for name in _names(paper)]
    )


def csl_is_whole(paper: Paper, entry: Any) -> bool:
    """Whether `entry` contains everything known about `paper`."""
    return (
        entry is not None
        and str(entry["number"]) == f"arXiv:{paper.id}"
        and str(entry["URL"]) == paper.url
        and [entry["issued"][part] for part in ("year", "month", "day")] == [*paper.published.timetuple()[:3]]
        and str(entry["title"]) == paper.title
        and str(entry["abstract"]) == paper.abstract
        and [_words(" ".join(map(str, filter(None, name.values())))) for name in entry.get("author", ())]
        == [_words(name) for name in _names(paper)]
    )


def _names(paper: Paper) -> list[str]:
    return [name for name in paper.authors if name.strip()]


def _words(name: str) -> list[str]:
    """Return a name's words in a fixed order, so that `Lovelace, Ada` and `Ada Lovelace` are equal."""
    return sorted(name.replace(",", " ").split())


def run(limit: int | None = None, *, show: bool = False) -> dict[str, Any]:
    """Return all figures; with `show`, print lost papers."""
    figures: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    short_keys: Counter[str] = Counter()
    papers = islice(recorded(), limit)
    while batch := list(islice(papers, BATCH)):
        figures["papers"] += len(batch)
        keys.update(map(key_of, batch))
        short_keys.update(key_of(paper).partition(":")[0] for paper in batch)
        _round_trip(listed(batch), figures, show=show)
        if figures["papers"] % 10_000 == 0:
            sys.stderr.write(f"{figures['papers']:,} papers\n")
    count = figures["papers"]
    return {
        "papers": count,
        "lost_bibtex": figures["lost_bibtex"],
        "lost_ris": figures["lost_ris"],
        "lost_csl": figures["lost_csl"],
        "keys_unique": len(keys),
        "share_a_short_key": sum(number for number in short_keys.values() if number > 1),
        **{
            name: round(figures[name] / 1_000_000 / max(1, count), 3)
            for name in (
                f"{does}_{form}_ms" for form in ("bibtex", "ris", "csl") for does in ("write", "read")
            )
        },
    }


def _timed(figures: Counter[str], name: str, work: Callable[[_Given], _Result], argument: _Given) -> _Result:
    """Call `work` and return its result; add its processor time in nanoseconds to a figure."""
    began = time.process_time_ns()
    result = work(argument)
    figures[name] += time.process_time_ns() - began
    return result


def _round_trip(papers: Sequence[Listed], figures: Counter[str], *, show: bool) -> None:
    entries = _timed(
        figures, "read_bibtex_ms", from_bibtex, _timed(figures, "write_bibtex_ms", bibtex, papers)
    )
    found = _timed(figures, "read_ris_ms", from_ris, _timed(figures, "write_ris_ms", ris, papers))
    references = _timed(figures, "read_csl_ms", from_csl, _timed(figures, "write_csl_ms", csl, papers))
    records = {record["ID"][0]: record for record in found}
    for paper in (one.paper for one in papers):
        key = key_of(paper)
        entry, record, reference = entries.get(key), records.get(key), references.get(key.lower())
        whole = {
            "lost_bibtex": bibtex_is_whole(paper, entry),
            "lost_ris": ris_is_whole(paper, record),
            "lost_csl": csl_is_whole(paper, reference),
        }
        for name in (name for name, is_whole in whole.items() if not is_whole):
            figures[name] += 1
            if show:
                sys.stderr.write(
                    f"{name} {paper.id}\n  {paper.title}\n  {paper.authors}\n  {entry}\n  {record}\n  {reference}\n"
                )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="as one line")
    parser.add_argument("--papers", type=int, help="maximum number of papers")
    parser.add_argument("--show", action="store_true", help="print lost papers")
    options = parser.parse_args()
    figures = run(options.papers, show=options.show)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()
