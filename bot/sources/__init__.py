"""The upstreams. A new one is a file beside these and a line in `REGISTRY`."""

from collections.abc import Callable, Iterable, Mapping

from bot.ports import Source
from bot.settings import SettingsGroup
from bot.sources import arxiv_detection, biorxiv, feed, huggingface
from bot.sources.wiring import Wiring

REGISTRY: Mapping[str, Callable[[Wiring], Iterable[Source]]] = {
    "huggingface": huggingface.build,
    "arxiv": arxiv_detection.build,
    "biorxiv": biorxiv.build,
    "feeds": feed.build,
}


def build_sources(wiring: Wiring) -> tuple[Source, ...]:
    """Every source that the settings ask for."""
    return tuple(source for build in REGISTRY.values() for source in build(wiring))


def setting_groups() -> tuple[type[SettingsGroup], ...]:
    """The settings that sources declare."""
    return ()
