"""Errors, each with a message that says what to do."""

from typing import Literal


class PaperboyError(Exception):
    """The base class of Paperboy's own errors. Its text is a sentence that a person can act on."""


class UserError(PaperboyError):
    """Invalid input from a person. `hint` says what to type instead; `at` is the position of the mistake.

    `at` is a (start, end) pair of character offsets into the input.
    """

    def __init__(self, message: str, *, hint: str = "", at: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.at = at


class ConfigurationError(PaperboyError):
    """Paperboy can't start with these settings or on this machine. Ends the program with exit code 78."""


class SourceError(PaperboyError):
    """A fetch of a source failed. `retry_after` is in seconds, if the upstream named a time.

    `refused` means that the upstream rejects us (HTTP 403): we stop polling it for a day. `unreachable` means that
    no server answered, which may be the fault of this machine's network.
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

    `scope` says what has to wait. `counts` is False for rate limits and outages, which aren't failed attempts.
    `unexplained` marks a refusal that the platform doesn't document, or that came from a proxy in between: it may
    concern this card, the channel, or the whole platform.
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
    """Not posted, and posting in this channel stays impossible until someone fixes it: pause the channel."""


class ChannelEnded(ChannelGone):
    """Not posted, and the platform says that the channel is gone for good: notify one person, then forget it."""


class WorkspaceGone(SendError):
    """Not posted, and posting in the whole workspace stays impossible until someone fixes it: pause the workspace."""


class CardRefused(SendError):
    """Not posted: the platform will never accept this card. That is our bug; other cards are still posted."""


class DeliveryUncertain(SendError):
    """It is unknown whether it was posted: a time-out, a dropped connection, a server error.

    A platform that schedules its own retries sets `after`, the seconds until the next one. The channel waits that long,
    and it isn't a failed attempt.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class LookupUnsupported(PaperboyError):
    """The platform has no way to find out whether a message was posted."""


class AccessUnknown(PaperboyError):
    """The platform didn't report a person's permissions in a channel this time."""
