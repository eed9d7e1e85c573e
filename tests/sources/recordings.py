"""For each upstream of the registry what it answers when all is well, when there is nothing, and when it is broken.

A new upstream adds a recording here and inherits the contract's tests. Where an upstream of the registry has
several kinds of sources, each has its own, named by the upstream and, behind a colon, by the end of its name.
"""

from dataclasses import dataclass

from tests.sources.feed_answers import Entry, journal
from tests.sources.oai_answers import Stored, oai, oai_error
from tests.sources.preprints import Row, posted
from tests.sources.upstreams import Announced, Lists, Respond, listed, rss, sending


@dataclass(frozen=True)
class Recording:
    """`good` lists the papers `ids` on WEDNESDAY; `broken` are bodies that must be errors, with HTTP 200."""

    good: Respond
    ids: tuple[str, ...]
    empty: Respond
    broken: tuple[bytes, ...]


_HF_ROWS = [listed("2605.00001"), listed("2605.00002")]

RECORDINGS = {
    "huggingface": Recording(
        good=Lists({"2026-05-20": _HF_ROWS}).respond,
        ids=("2605.00001", "2605.00002"),
        empty=Lists({}).respond,
        broken=(
            b"",
            b"[{",
            b'{"error": "no"}',
            b"<html>Bad gateway</html>",
            b'[{"paper": {}}]',
            b"[" * 99999,
        ),
    ),
    "arxiv": Recording(
        good=sending(
            rss(Announced("2605.00001"), Announced("2605.00002"), Announced("2605.00003", "replace"))
        ),
        ids=("2605.00001", "2605.00002"),
        empty=sending(rss()),
        broken=(
            b"",
            rss(Announced("2605.00001"))[:-40],
            b"<html><body>Bad gateway</body></html>",
            rss(title="Feed error for query: cs.XY"),
            rss(Announced("not-an-id")),
        ),
    ),
    "arxiv:oai": Recording(
        good=sending(oai(Stored("2605.00001"), Stored("2605.00002"), Stored("2605.00003", source_type="I"))),
        ids=("2605.00001", "2605.00002"),
        empty=sending(oai()),
        broken=(
            b"",
            oai(Stored("2605.00001"))[:-40],
            b"<html><body>Bad gateway</body></html>",
            oai_error("badArgument", "Set does not exist"),
            oai(Stored("not-an-id")),
        ),
    ),
    "biorxiv": Recording(
        good=sending(posted(Row("10.1101/2026.05.18.000001"), Row("10.1101/2026.05.18.000002"))),
        ids=("doi:10.1101/2026.05.18.000001", "doi:10.1101/2026.05.18.000002"),
        empty=sending(posted()),
        broken=(
            b"",
            posted(Row("10.1101/2026.05.18.000001"))[:-9],
            b"<html>Bad gateway</html>",
            b'{"messages": [{"status": "error"}], "collection": []}',
            b'{"messages": [], "collection": []}',
            posted(total=7),
            posted(Row("no doi")),
            b"[" * 99999,
        ),
    ),
    "feeds:journal": Recording(
        good=sending(journal(Entry("10.1038/s41586-026-00001-1"), Entry("10.1038/s41586-026-00002-2"))),
        ids=("doi:10.1038/s41586-026-00001-1", "doi:10.1038/s41586-026-00002-2"),
        empty=sending(journal()),
        broken=(
            b"",
            journal(Entry("10.1038/s41586-026-00001-1"))[:-9],
            b"<html><body>Bad gateway</body></html>",
            b'{"version": "https://jsonfeed.org/version/1"}',
            journal(Entry(link="javascript:alert(1)")),
        ),
    ),
}
