"""Errors, each with a message that says what to do."""

from typing import Literal


class PaperboyError(Exception):
    """The base of all errors that Paperboy raises itself. Its text is a sentence that a person can act on."""


class UserError(PaperboyError):
    """A person typed something impossible. `hint` is what to type instead, `at` the place of the mistake.

    `at` is a (start, end) pair of character offsets into what was typed.
    """

    def __init__(self, message: str, *, hint: str = "", at: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.at = at


class ConfigurationError(PaperboyError):
    """Paperboy can't start with these settings or on this machine. Ends the program with exit code 78."""


class SourceError(PaperboyError):
    """A source could not be read this time. `retry_after` is in seconds, if the upstream named a time.

    `refused` means that the upstream rejects us (HTTP 403): we stop polling it for a day. `unreachable` means that
    nothing answered, which may be a fault of this machine's network.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        refused: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.refused = refused
        self.unreachable = unreachable


class SendError(PaperboyError):
    """A platform did not confirm a post. Each subclass says what that means for the delivery."""


class RetryLater(SendError):
    """Not posted. Try again, after `after` seconds if the platform named a time.

    `scope` is what has to wait. `counts` is False for rate limits and outages, which are not failed attempts.
    `unexplained` is for a refusal that the platform doesn't document, or that something in between made: it may be
    about this card, about the channel, or about everything.
    """

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        scope: Literal["channel", "workspace", "platform"] = "channel",
        counts: bool = True,
        unexplained: bool = False,
    ) -> None:
        super().__init__(message)
        self.after = after
        self.scope = scope
        self.counts = counts
        self.unexplained = unexplained


class ChannelGone(SendError):
    """Not posted, and posting in this channel stays impossible until someone changes something: pause it."""


class ChannelEnded(ChannelGone):
    """Not posted, and the platform says that the channel is gone for good: notify one person, then forget it."""


class WorkspaceGone(SendError):
    """Not posted, and posting in the whole workspace stays impossible until someone changes something: pause it."""


class CardRefused(SendError):
    """Not posted: the platform will never accept this card. That is our bug; other cards go on."""


class DeliveryUncertain(SendError):
    """It is unknown whether it was posted: a time-out, a dropped connection, a server error.

    A platform that spaces its attempts by itself names the seconds until the next one, `after`. Then its channel waits
    for so long, and it isn't a failed attempt.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class LookupUnsupported(PaperboyError):
    """The platform can't say whether a message was posted."""


class AccessUnknown(PaperboyError):
    """The platform could not say what a person may do in a channel, this time."""
