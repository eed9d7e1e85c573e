"""Buttons whose `custom_id` says all that is needed when they are pressed, however long ago they were sent.

It is the command as it would be typed after `/paper`. In a post one of them carries the delivery's mark before it
(`~0123456789abcdef01234567 save 2405.01234`), by which the post can be found again.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import discord

from adapters.discord.markup import address, width
from bot.cards import Button
from bot.cards.plain import plain
from bot.text import shorten

MAX_ID = 100
"""Characters of a `custom_id`."""
MAX_LABEL = 80
IN_A_ROW = 5
CUSTOM_ID = re.compile(r"(?:~(?P<mark>[0-9a-f]{24}) )?(?P<line>[a-z].*)", re.DOTALL)
FALLBACK = Button("Subscriptions", "list")
"""Carries the mark of a post that has no button of its own for it."""


def mark(key: str) -> str:
    """What a delivery's messages are known by: as a nonce (25 characters at most), and in a button."""
    return blake2b(key.encode(), digest_size=12).hexdigest()


def rows(buttons: Iterable[Button], *, most: int) -> list[list[Button]]:
    """Rows of at most five, and at most `most` buttons. What comes twice, or what Discord can't carry, is left out."""
    kept: dict[str, Button] = {}
    for button in buttons:
        target = address(button.url) or button.command
        if target and (button.url or len(button.command) <= MAX_ID):
            kept.setdefault(target, button)
    some = list(kept.values())[:most]
    return [some[at : at + IN_A_ROW] for at in range(0, len(some), IN_A_ROW)]


def component(button: Button, custom_id: str) -> discord.ui.Button[discord.ui.LayoutView]:
    """The button as Discord's: a link, or something to press that is known by `custom_id`."""
    label = label_of(button)
    if url := address(button.url):
        return discord.ui.Button(label=label, url=url)
    return discord.ui.Button(label=label, custom_id=custom_id, style=discord.ButtonStyle.secondary)


def label_of(button: Button) -> str:
    label = shorten(plain(button.label), MAX_LABEL)
    while width(label) > MAX_LABEL:
        label = shorten(label, len(label) - 1)
    return label or "…"


class Ids:
    """Gives a message's buttons their ids: the first one that has room for it carries the mark."""

    def __init__(self, marked: str = "") -> None:
        self._mark = marked

    def __call__(self, button: Button) -> str:
        """The button's `custom_id`."""
        if self._mark and not button.url and self.fits(button):
            marked, self._mark = f"~{self._mark} {button.command}", ""
            return marked
        return button.command

    @property
    def owed(self) -> bool:
        """Whether no button has carried the mark yet."""
        return bool(self._mark)

    @staticmethod
    def fits(button: Button) -> bool:
        """Whether the mark has room beside the button's command."""
        return len(button.command) + 26 <= MAX_ID


def marks_of(components: Sequence[object]) -> Iterator[str]:
    """The marks in a message's components, however deep."""
    for part in components:
        found = CUSTOM_ID.fullmatch(getattr(part, "custom_id", None) or "")
        if found and found["mark"]:
            yield found["mark"]
        yield from marks_of(getattr(part, "children", None) or ())
