"""The terminal's settings."""

from typing import Literal

from bot.settings import PlatformSettings


class ConsoleSettings(PlatformSettings):
    """How the terminal shows cards. It needs nothing, so it can always be used."""

    title = "Terminal"

    console_format: Literal["rich", "json"] = "rich"
    """Cards for people, or JSON lines for scripts."""

    @property
    def is_configured(self) -> bool:
        """Always."""
        return True
