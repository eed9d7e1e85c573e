"""`paperboy doctor`: checks everything between a new operator and the first post, and changes nothing."""

from bot.cli.doctor.checks import examine

__all__ = ["examine"]
