"""The line below the prompt. It is there only while there is something to say."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession


class Toolbar:
    """What goes on in the background, for the prompt that is open or opens later."""

    def __init__(self) -> None:
        self._text = ""
        self._prompt: PromptSession[str] | None = None

    def show(self, text: str) -> None:
        """Show the text; "" takes the line away."""
        if text != self._text:
            self._text = text
            self._renew()

    def belongs_to(self, prompt: "PromptSession[str]") -> None:
        """Show it below this prompt from now on."""
        self._prompt = prompt
        self._renew()

    def _renew(self) -> None:
        if self._prompt is not None:
            self._prompt.bottom_toolbar = self._text or None
            self._prompt.app.invalidate()
