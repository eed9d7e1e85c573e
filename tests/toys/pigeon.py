"""Carrier pigeons as a platform: copied to `adapters/pigeon/__init__.py`."""

from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr
from redis.asyncio import Redis

from bot.cards import Card, PaperBlock
from bot.domain.errors import ChannelGone
from bot.domain.models import ChannelRef, MessageRef
from bot.ports import Core, Rates
from bot.settings import PlatformSettings, Settings


class PigeonSettings(PlatformSettings):
    """Settings of the pigeons."""

    title = "Carrier pigeons"
    connect = "`PIGEON_TOKEN`"
    secret_patterns = (r"\bcoo-[a-z]{8,}",)

    token: SecretStr | None = Field(default=None, validation_alias="PIGEON_TOKEN")

    @property
    def is_configured(self) -> bool:
        """Whether there is a token."""
        return self.token is not None


SETTINGS = PigeonSettings


class PigeonPlatform:
    """Posts by leaving a note in a loft. A loft's notes can be read, so nothing is posted twice."""

    name = "pigeon"
    rates = Rates()
    on_uncertain: Literal["resend", "hold"] = "resend"

    def __init__(self, lofts: dict[str, dict[str, str]]) -> None:
        self.lofts = lofts

    async def run(self, core: Core) -> None:
        """Do nothing: pigeons carry no commands."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Leave a note. Raises ChannelGone if there is no such loft."""
        if to.channel not in self.lofts:
            raise ChannelGone(f"there is no loft {to.channel}")
        self.lofts[to.channel][key] = written(card)
        return MessageRef(key)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:  # noqa: ARG002  # notes have no date
        """Return the note with that key."""
        return MessageRef(key) if key in self.lofts.get(to.channel, {}) else None

    async def close(self) -> None:
        """Do nothing: there are no connections."""


def build(_settings: Settings, _redis: Redis) -> PigeonPlatform:
    """Build the platform with one loft."""
    return PigeonPlatform({"roof": {}})


def written(card: Card) -> str:
    """Return a card as one line of text, with full titles."""
    titles = (block.title for block in card.blocks if isinstance(block, PaperBlock))
    return " ".join((card.notice, *titles))
