"""`paperboy doctor`: checks everything between a new operator and the first post, and changes nothing."""

from bot.cli.doctor.checks import check_names, examine

__all__ = ["check_names", "examine"]
