"""The upstreams. A new one is a file in this folder and a line in `REGISTRY`."""

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
what the settings ask for: `build` (sources that detect papers), `build_on_demand` (its categories that
subscriptions may ask for), `build_search` (the upstream's own search),
`build_history` (its past days), `build_enrichers` (what it knows about papers of others), `build_citations` (what cites
papers that are watched).
"""


def module_of(name: str) -> ModuleType:
    """The module that is registered under `name`."""
    return import_module(REGISTRY[name])


def setting_groups() -> "tuple[type[SettingsGroup], ...]":
    """The settings that upstreams declare."""
    from bot.sources.enrichment import EnrichmentSettings  # noqa: PLC0415  # see TYPE_CHECKING above

    return (*(module_of(name).SETTINGS for name in REGISTRY), EnrichmentSettings)


def build_sources(context: "SourceContext") -> "tuple[Source, ...]":
    """Every source that the settings ask for."""
    return tuple(source for module in _modules("build") for source in module.build(context))


def build_on_demand(context: "SourceContext") -> "tuple[OnDemand, ...]":
    """Every upstream whose categories can be followed because subscriptions ask for them."""
    return tuple(one for module in _modules("build_on_demand") for one in module.build_on_demand(context))


def build_finders(context: "SourceContext") -> "tuple[Finder, ...]":
    """Every upstream's own search that the settings allow."""
    return tuple(finder for module in _modules("build_search") for finder in module.build_search(context))


def build_histories(context: "SourceContext") -> "tuple[History, ...]":
    """Every upstream that can list past days."""
    return tuple(one for module in _modules("build_history") for one in module.build_history(context))


def build_enrichers(context: "SourceContext") -> "tuple[Enricher, ...]":
    """Every upstream that knows more about the papers of others."""
    return tuple(one for module in _modules("build_enrichers") for one in module.build_enrichers(context))


def build_citations(context: "SourceContext") -> "tuple[Source, ...]":
    """Every upstream that is asked what cites the papers that are watched."""
    return tuple(one for module in _modules("build_citations") for one in module.build_citations(context))


def _modules(function: str) -> Iterator[ModuleType]:
    """The registered modules that have this function."""
    return (module for module in map(module_of, REGISTRY) if hasattr(module, function))
