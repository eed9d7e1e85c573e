"""Shows the terminal's channel: as cards for people, or as JSON lines for scripts."""

import io
import json
import os
import re
import sys
from typing import Literal, TextIO, cast

from rich.console import Console, RenderableType
from rich.text import Text

from adapters.console.render import WIDTH, render
from bot.cards import Card, PaperBlock
from bot.cards.sanitize import visible
from bot.cards.serialization import to_json
from bot.domain.errors import PaperboyError
from bot.ports import File

_Colors = Literal["standard", "256", "truecolor", "windows"]
UNWRAPPED = 2000
"""Columns of a file or a pipe: its reader wraps lines, and an address must stay in one piece."""
_PADDING = re.compile("(?<! ) ++\n")
"""Rich fills lines up; in a window that is made narrower they would wrap."""


class ScreenClosed(PaperboyError):
    """The output can't be written any more: its pipe or terminal is closed."""


class RichScreen:
    """Cards with clickable links on a terminal, with written-out addresses elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = _Output(stream)
        self._terminal = Console(file=stream)
        """Never printed on (Rich would end the program when a pipe breaks): it knows colours, links and width."""

    def post(self, card: Card) -> None:
        """A card for the channel."""
        self._print(card)

    def reply(self, card: Card) -> None:
        """The answer to a command."""
        self._print(card)

    def note(self, card: Card) -> None:
        """Something about the terminal itself."""
        self._print(card)

    def file(self, file: File) -> None:
        """The file's text as it is, so that it can be copied or redirected."""
        self._out.write("".join(visible(line) + "\n" for line in file.text.split("\n")))

    def typed(self, line: str) -> None:
        """The line as a prompt would show it."""
        self._write(Text(f"> {visible(line)}", style="bold"))

    def _print(self, card: Card) -> None:
        self._write(render(card, links=self._terminal.is_terminal))

    def _write(self, shown: RenderableType) -> None:
        seen = self._terminal
        paper = io.StringIO()
        Console(
            file=paper,
            force_terminal=seen.is_terminal,
            color_system=cast("_Colors | None", seen.color_system),
            width=min(seen.width, WIDTH) if seen.is_terminal else UNWRAPPED,
        ).print(shown)
        self._out.write(_PADDING.sub("\n", paper.getvalue()))


class JsonScreen:
    """One JSON object a line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = _Output(stream)

    def post(self, card: Card) -> None:
        """The card, and the ids of its papers, also of those that a digest shows on demand."""
        named = [block.paper_id for block in card.blocks if isinstance(block, PaperBlock)]
        papers = list(card.posting.papers) or named
        self._write({"kind": "post", "papers": papers, "card": to_json(card)})

    def reply(self, card: Card) -> None:
        """The card."""
        self._write({"kind": "reply", "card": to_json(card)})

    def note(self, card: Card) -> None:
        """Nothing: scripts read posts and replies."""

    def file(self, file: File) -> None:
        """Its name and text."""
        self._write({"kind": "file", "name": file.name, "text": file.text})

    def typed(self, line: str) -> None:
        """Does nothing: the script knows what it wrote."""

    def _write(self, record: dict[str, object]) -> None:
        self._out.write(json.dumps(record, separators=(",", ":")) + "\n")


class _Output:
    """Standard output as it is at that moment (an open prompt replaces it), or the given stream."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write and flush, with a "?" for what the stream's encoding lacks."""
        stream = self._stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text.encode(encoding, "replace").decode(encoding))
            stream.flush()
        except (BrokenPipeError, ValueError) as error:
            _silence(stream)
            raise ScreenClosed("the output was closed") from error


def _silence(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, so that the interpreter can end without a complaint."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
