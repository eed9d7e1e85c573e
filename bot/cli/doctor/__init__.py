"""`paperboy doctor`: checks everything that a new installation needs for its first post, and changes nothing."""

from bot.cli.doctor.checks import check_names, examine

__all__ = ["check_names", "examine"]
