"""What Paperboy answers over HTTP: its health, and whatever platforms mount."""

from bot.web.server import Website

__all__ = ["Website"]
