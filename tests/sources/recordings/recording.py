"""What a recording holds."""

from dataclasses import dataclass

from tests.sources.upstreams import Respond


@dataclass(frozen=True)
class Recording:
    """`good` lists the papers `ids` on WEDNESDAY; `broken` are bodies that must be errors, with HTTP 200."""

    good: Respond
    ids: tuple[str, ...]
    empty: Respond
    broken: tuple[bytes, ...]
