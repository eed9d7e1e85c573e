"""Output of the terminal's channel: cards for people, or JSON lines for scripts."""

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
"""Width of a file or a pipe, in columns: its reader wraps lines, and a URL must stay in one piece."""
_PADDING = re.compile("(?<! ) ++\n")
"""Rich pads lines with spaces, which would wrap if the window gets narrower."""


class ScreenClosed(PaperboyError):
    """The output is closed: its pipe or terminal can't be written to any more."""


class RichScreen:
    """Cards with clickable links on a terminal, with written-out addresses elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = _Output(stream)
        self._terminal = Console(file=stream)
        """Only used to detect colours, links and width. Rich's own printing would end the program if a pipe breaks."""

    def post(self, card: Card) -> None:
        """Show a card for the channel."""
        self._print(card)

    def reply(self, card: Card) -> None:
        """Show the answer to a command."""
        self._print(card)

    def note(self, card: Card) -> None:
        """Show a note about the terminal itself."""
        self._print(card)

    def file(self, file: File) -> None:
        """Write the file's text unchanged, so that it can be copied or redirected."""
        self._out.write("".join(visible(line) + "\n" for line in file.text.split("\n")))

    def typed(self, line: str) -> None:
        """Show a line as a prompt would."""
        self._write(Text(f"> {visible(line)}", style="bold"))

    def _print(self, card: Card) -> None:
        self._write(render(card, links=self._terminal.is_terminal))

    def _write(self, shown: RenderableType) -> None:
        terminal = self._terminal
        rendered = io.StringIO()
        Console(
            file=rendered,
            force_terminal=terminal.is_terminal,
            color_system=cast("_Colors | None", terminal.color_system),
            width=min(terminal.width, WIDTH) if terminal.is_terminal else UNWRAPPED,
        ).print(shown)
        self._out.write(_PADDING.sub("\n", rendered.getvalue()))


class JsonScreen:
    """Writes one JSON object per line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = _Output(stream)

    def post(self, card: Card) -> None:
        """Write the card and the ids of its papers, including those that a digest shows on demand."""
        visible_papers = [block.paper_id for block in card.blocks if isinstance(block, PaperBlock)]
        papers = list(card.posting.papers) or visible_papers
        self._write({"kind": "post", "papers": papers, "card": to_json(card)})

    def reply(self, card: Card) -> None:
        """Write the card."""
        self._write({"kind": "reply", "card": to_json(card)})

    def note(self, card: Card) -> None:
        """Do nothing: scripts need only posts and replies."""

    def file(self, file: File) -> None:
        """Write the file's name and text."""
        self._write({"kind": "file", "name": file.name, "text": file.text})

    def typed(self, line: str) -> None:
        """Do nothing: the script knows what it wrote."""

    def _write(self, record: dict[str, object]) -> None:
        self._out.write(json.dumps(record, separators=(",", ":")) + "\n")


class _Output:
    """A stream, or the current standard output, which an open prompt replaces."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write and flush. Characters that the stream's encoding lacks become "?"."""
        stream = self._stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text.encode(encoding, "replace").decode(encoding))
            stream.flush()
        except (BrokenPipeError, ValueError) as error:
            _silence(stream)
            raise ScreenClosed("the output was closed") from error


def _silence(stream: TextIO) -> None:
    """Discard the buffered output, so that the interpreter can exit without an error message."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):
        return
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, descriptor)
    os.close(devnull)
