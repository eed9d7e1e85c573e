"""Answers of each registered upstream: good ones, empty ones and broken ones.

A new upstream adds a module here, named as in the registry; the contract's tests then run on it.
"""

from collections.abc import Mapping
from importlib import import_module

from bot.settings import SettingsGroup
from bot.sources import REGISTRY, module_of
from tests.sources.recordings.recording import Recording

SOURCES = tuple(name for name in REGISTRY if hasattr(module_of(name), "build"))
"""The upstreams that detect papers."""


def recordings_of(name: str) -> Mapping[str, Recording]:
    """Return an upstream's recordings, by the suffix of its sources' names."""
    found: Mapping[str, Recording] = import_module(f"{__name__}.{name}").RECORDINGS
    return found


def settings_of(name: str, url: str) -> SettingsGroup:
    """Return the settings with which all of an upstream's sources read the server at `url`."""
    found: SettingsGroup = import_module(f"{__name__}.{name}").settings(url)
    return found
