"""The settings for the terminal."""

from typing import Literal

from bot.settings import PlatformSettings


class ConsoleSettings(PlatformSettings):
    """The output format of the terminal. Nothing is required, so the terminal is always available."""

    title = "Terminal"

    console_format: Literal["rich", "json"] = "rich"
    """`rich` for people, `json` (one object per line) for scripts."""

    @property
    def is_configured(self) -> bool:
        """Always true."""
        return True
