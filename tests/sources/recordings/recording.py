"""The contents of a recording."""

from dataclasses import dataclass

from tests.sources.upstreams import Respond


@dataclass(frozen=True)
class Recording:
    """`good` lists the papers `ids` on WEDNESDAY; `broken` has bodies that must be errors despite HTTP 200."""

    good: Respond
    ids: tuple[str, ...]
    empty: Respond
    broken: tuple[bytes, ...]
