"""Errors that say what to do about them."""

from typing import Literal


class PaperboyError(Exception):
    """Whatever Paperboy raises on purpose. `str()` of it is a sentence that a person can act on."""


class UserError(PaperboyError):
    """A person typed something that can't be done. `hint` is what to type instead, `at` where it went wrong.

    `at` is a (start, end) pair of character offsets into what was typed.
    """

    def __init__(self, message: str, *, hint: str = "", at: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.at = at


class ConfigurationError(PaperboyError):
    """The operator's settings or surroundings don't let Paperboy start. Ends the program with exit code 78."""


class SourceError(PaperboyError):
    """A source could not be read, this time. `retry_after` (seconds) where the upstream named a time.

    `refused` says that the upstream does not want us (HTTP 403): polling it stops for a day.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, refused: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.refused = refused


class SendError(PaperboyError):
    """A platform did not confirm a post. Each subclass says what that means for the delivery."""


class RetryLater(SendError):
    """Not posted. Try again, after `after` seconds where the platform named a time.

    `scope` is what has to wait; `counts` is False for rate limits, which are not failed attempts.
    """

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        scope: Literal["channel", "workspace", "platform"] = "channel",
        counts: bool = True,
    ) -> None:
        super().__init__(message)
        self.after = after
        self.scope = scope
        self.counts = counts


class ChannelGone(SendError):
    """Not posted, and nothing can be in this channel until something changes there: pause it."""


class WorkspaceGone(SendError):
    """Not posted, and nothing can be in the whole workspace until something changes there: pause it."""


class CardRefused(SendError):
    """Not posted: the platform will never take this card. A bug of ours; other cards go on."""


class DeliveryUncertain(SendError):
    """Nobody knows whether it was posted: a time-out, a dropped connection, a server's error."""


class LookupUnsupported(PaperboyError):
    """The platform can't say whether a message was posted."""


class AccessUnknown(PaperboyError):
    """The platform could not say what a person may do in a channel, this time."""
