"""The upstreams. To add one, write a module in this folder and add a line to `REGISTRY`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the process that parses a feed imports this package, and should start fast
    from bot.ports import Source
    from bot.settings import SettingsGroup
    from bot.sources.context import SourceContext
    from bot.sources.enrichment import Enricher
    from bot.sources.on_demand import OnDemand
    from bot.sources.upstream_search import Finder, History

REGISTRY: Mapping[str, str] = {
    "huggingface": "bot.sources.huggingface",
    "arxiv": "bot.sources.arxiv",
    "biorxiv": "bot.sources.biorxiv",
    "feeds": "bot.sources.feed",
    "semantic_scholar": "bot.sources.semantic_scholar",
    "openalex": "bot.sources.openalex",
}
"""Each upstream, and the module that reads it.

A module has `SETTINGS`, a `SettingsGroup`, and one or more of these functions, which take a `SourceContext` and yield
what the settings ask for: `build` (sources that detect papers), `build_on_demand` (categories that subscriptions can
ask for), `build_search` (the upstream's own search), `build_history` (past days), `build_enrichers` (additions to papers
of other sources), `build_citations` (citations of watched papers).
"""


def module_of(name: str) -> ModuleType:
    """Import the module that is registered under `name`."""
    return import_module(REGISTRY[name])


def setting_groups() -> "tuple[type[SettingsGroup], ...]":
    """Return the settings groups that upstreams declare."""
    from bot.sources.enrichment import EnrichmentSettings  # noqa: PLC0415  # see TYPE_CHECKING above

    return (*(module_of(name).SETTINGS for name in REGISTRY), EnrichmentSettings)


def build_sources(context: "SourceContext") -> "tuple[Source, ...]":
    """Build every source that the settings ask for."""
    return tuple(source for module in _modules("build") for source in module.build(context))


def build_on_demand(context: "SourceContext") -> "tuple[OnDemand, ...]":
    """Build every upstream whose categories can be followed because subscriptions ask for them."""
    return tuple(one for module in _modules("build_on_demand") for one in module.build_on_demand(context))


def build_finders(context: "SourceContext") -> "tuple[Finder, ...]":
    """Build every upstream's own search that the settings allow."""
    return tuple(finder for module in _modules("build_search") for finder in module.build_search(context))


def build_histories(context: "SourceContext") -> "tuple[History, ...]":
    """Build every upstream that can list past days."""
    return tuple(one for module in _modules("build_history") for one in module.build_history(context))


def build_enrichers(context: "SourceContext") -> "tuple[Enricher, ...]":
    """Build every upstream that can add to papers of other sources."""
    return tuple(one for module in _modules("build_enrichers") for one in module.build_enrichers(context))


def build_citations(context: "SourceContext") -> "tuple[Source, ...]":
    """Build every source of citations of watched papers."""
    return tuple(one for module in _modules("build_citations") for one in module.build_citations(context))


def _modules(function: str) -> Iterator[ModuleType]:
    """Yield the registered modules that have this function."""
    return (module for module in map(module_of, REGISTRY) if hasattr(module, function))
