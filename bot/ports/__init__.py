"""The ports: sources of papers, and platforms for cards."""

from bot.ports.capabilities import (
    CHECK_NETWORK,
    Access,
    AccessChecked,
    Connected,
    Copying,
    Destination,
    Diagnosable,
    Editing,
    Finding,
    Interactive,
    Invitable,
    Joinable,
    Joining,
    Mounted,
    Named,
    Notifying,
    Screen,
    Threaded,
)
from bot.ports.core import Core, File, Reply
from bot.ports.platforms import Platform, Rate, Rates
from bot.ports.sources import Batch, Source

__all__ = [
    "CHECK_NETWORK",
    "Access",
    "AccessChecked",
    "Batch",
    "Connected",
    "Copying",
    "Core",
    "Destination",
    "Diagnosable",
    "Editing",
    "File",
    "Finding",
    "Interactive",
    "Invitable",
    "Joinable",
    "Joining",
    "Mounted",
    "Named",
    "Notifying",
    "Platform",
    "Rate",
    "Rates",
    "Reply",
    "Screen",
    "Source",
    "Threaded",
]
