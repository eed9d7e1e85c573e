"""Buttons that need no stored state: their `custom_id` is the command, as it would be typed after `/paper`.

In a post the first `custom_id` with enough room begins with the delivery's mark, by which the post is found again:
`~0123456789abcdef01234567 save 2405.01234`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count

import discord

from adapters.discord.markup import address, width
from bot.cards import Button
from bot.cards.sanitize import plain
from bot.text import shorten

MAX_ID = 100
"""Characters of a `custom_id`. See https://docs.discord.com/developers/components/reference#button."""
MAX_LABEL = 80
"""Characters of a button's label."""
IN_A_ROW = 5
"""Max buttons in a row."""
CUSTOM_ID = re.compile(r"(?:~(?P<mark>[0-9a-f]{24}) )?(?P<line>[a-z].*)", re.DOTALL)
MENU_ID = re.compile(r"\+\d{1,2}")
"""The `custom_id` of a message's first menu, its second, and so on. What was chosen is in the interaction."""
MAX_OPTIONS = 25
"""Options of a menu."""
FALLBACK = Button("Subscriptions", "list")
"""Carries the mark in a post without a button that has room for it."""


@dataclass(frozen=True, slots=True)
class Menu:
    """Buttons that are the options of one menu."""

    options: tuple[Button, ...]


def mark(key: str) -> str:
    """Return the mark of a delivery's message: its nonce (at most 25 characters), and part of a `custom_id`."""
    return blake2b(key.encode(), digest_size=12).hexdigest()


def rows(buttons: Iterable[Button], *, most: int) -> list[list[Button]]:
    """Return rows of at most five buttons, `most` in all, without duplicates and commands that are too long."""
    unique: dict[str, Button] = {}
    for button in buttons:
        target = address(button.url) or button.command
        if target and (button.url or len(button.command) <= MAX_ID):
            unique.setdefault(target, button)
    shown = list(unique.values())[:most]
    return [shown[at : at + IN_A_ROW] for at in range(0, len(shown), IN_A_ROW)]


def component(button: Button, custom_id: str) -> discord.ui.Button[discord.ui.LayoutView]:
    """Build Discord's component for the button: a link, or a button with this `custom_id`."""
    label = label_of(button)
    if url := address(button.url):
        return discord.ui.Button(label=label, url=url)
    return discord.ui.Button(label=label, custom_id=custom_id, style=discord.ButtonStyle.secondary)


def menu(options: Iterable[Button], number: int) -> discord.ui.Select[discord.ui.LayoutView]:
    """Build the message's menu with this number: choosing an option runs its command."""
    return discord.ui.Select(
        custom_id=f"+{number}",
        placeholder="More …",
        options=[discord.SelectOption(label=label_of(option), value=option.command) for option in options],
    )


def menu_of(buttons: Iterable[Button]) -> Menu | None:
    """Return a menu of the buttons that run a command, each once; None if there are none."""
    unique = {b.command: b for b in buttons if not b.url and 0 < len(b.command) <= MAX_ID}
    return Menu(tuple(unique.values())[:MAX_OPTIONS]) if unique else None


def label_of(button: Button) -> str:
    label = shorten(plain(button.label), MAX_LABEL)
    while width(label) > MAX_LABEL:
        label = shorten(label, len(label) - 1)
    return label or "…"


class CustomIds:
    """Gives each button of a message its `custom_id`; the first one with enough room carries the mark."""

    def __init__(self, marked: str = "") -> None:
        self._mark = marked
        self._menus = count()

    def __call__(self, button: Button) -> str:
        """Return the button's `custom_id`."""
        if self._mark and not button.url and self.fits(button):
            marked, self._mark = f"~{self._mark} {button.command}", ""
            return marked
        return button.command

    @property
    def is_mark_pending(self) -> bool:
        """Whether no button carries the mark yet."""
        return bool(self._mark)

    def next_menu(self) -> int:
        """Return the number of the message's next menu."""
        return next(self._menus)

    @staticmethod
    def fits(button: Button) -> bool:
        """Whether a `custom_id` has room for the mark and the button's command."""
        return len(button.command) + 26 <= MAX_ID


def marks_of(components: Sequence[object]) -> Iterator[str]:
    """Yield the marks in a message's components, nested ones too."""
    for part in components:
        found = CUSTOM_ID.fullmatch(getattr(part, "custom_id", None) or "")
        if found and found["mark"]:
            yield found["mark"]
        yield from marks_of(getattr(part, "children", None) or ())
