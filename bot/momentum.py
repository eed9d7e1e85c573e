"""What has happened to a paper since it was last looked at. Pure."""

from functools import lru_cache

from bot.models import Paper
from bot.query import Signal, parse
from bot.query.nodes import terms_of


def note(query: str, before: Paper | None, after: Paper) -> str:
    """Which of the query's signals have come true: `reached ▲ 50`. Nothing for a paper that is new."""
    if before is None:
        return ""
    come = (s for s in _signals(query) if _holds(s, after) and not _holds(s, before))
    return ", ".join(dict.fromkeys(map(_said, come)))


@lru_cache(maxsize=4096)
def _signals(query: str) -> tuple[Signal, ...]:
    terms = terms_of(parse(query).root)
    return tuple(term for term, wanted in terms if wanted and isinstance(term, Signal))


def _holds(signal: Signal, paper: Paper) -> bool:
    match signal.name:
        case "min":
            return paper.upvotes is not None and paper.upvotes >= signal.value
        case "top":
            return paper.rank is not None and paper.rank <= signal.value
        case "code":
            return bool(paper.code_url) == bool(signal.value)


def _said(signal: Signal) -> str:
    match signal.name:
        case "min":
            return f"reached ▲ {signal.value}"
        case "top":
            return f"in the top {signal.value} now"
        case "code":
            return "code is out" if signal.value else "code is gone"
