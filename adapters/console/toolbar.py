"""The status line below the prompt. It disappears if there is nothing to show."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession


class Toolbar:
    """Shows background activity below the current prompt, or below one that opens later."""

    def __init__(self) -> None:
        self._text = ""
        self._prompt: PromptSession[str] | None = None

    def show(self, text: str) -> None:
        """Show the text; "" removes the line."""
        if text != self._text:
            self._text = text
            self._update()

    def attach(self, prompt: "PromptSession[str]") -> None:
        """Show the line below this prompt from now on."""
        self._prompt = prompt
        self._update()

    def _update(self) -> None:
        if self._prompt is not None:
            self._prompt.bottom_toolbar = self._text or None
            self._prompt.app.invalidate()
