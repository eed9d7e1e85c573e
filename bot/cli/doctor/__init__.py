"""`paperboy doctor`: looks at everything between a new operator and the first post, and changes nothing."""

from bot.cli.doctor.examination import examine

__all__ = ["examine"]
