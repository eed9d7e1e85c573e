"""The upstreams. A new one is a file in this folder and a line in `REGISTRY`."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:  # the process that reads a feed imports this package, and nothing that it doesn't need
    from bot.ports import Source
    from bot.settings import SettingsGroup
    from bot.sources.wiring import Wiring

REGISTRY: Mapping[str, str] = {
    "huggingface": "bot.sources.huggingface",
    "arxiv": "bot.sources.arxiv_detection",
    "biorxiv": "bot.sources.biorxiv",
    "feeds": "bot.sources.feed",
}
"""Each upstream, and the module that reads it."""


class SourceModule(Protocol):
    """What the module of an upstream offers."""

    def build(self, wiring: "Wiring") -> Iterable["Source"]:
        """Every source of this upstream that the settings ask for."""


def module_of(name: str) -> SourceModule:
    """The module of the registry under this name."""
    return cast("SourceModule", import_module(REGISTRY[name]))


def build_sources(wiring: "Wiring") -> tuple["Source", ...]:
    """Every source that the settings ask for."""
    return tuple(source for name in REGISTRY for source in module_of(name).build(wiring))


def setting_groups() -> tuple[type["SettingsGroup"], ...]:
    """The settings that sources declare."""
    return ()
