"""For each upstream that is registered: what it answers when all is well, when there is nothing, and when it is broken.

A new upstream adds a module here, named as in the registry, and inherits the contract's tests.
"""

from collections.abc import Mapping
from importlib import import_module

from bot.settings import SettingsGroup
from bot.sources import REGISTRY, module_of
from tests.sources.recordings.recording import Recording

SOURCES = tuple(name for name in REGISTRY if hasattr(module_of(name), "build"))
"""The upstreams that detect papers."""


def recordings_of(name: str) -> Mapping[str, Recording]:
    """An upstream's recordings, by how the names of its sources end."""
    found: Mapping[str, Recording] = import_module(f"{__name__}.{name}").RECORDINGS
    return found


def settings_of(name: str, url: str) -> SettingsGroup:
    """The settings with which all of an upstream's sources read the server at `url`."""
    found: SettingsGroup = import_module(f"{__name__}.{name}").settings(url)
    return found
