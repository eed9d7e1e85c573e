"""The prompt of a terminal: history, completion from the command table, and cards that appear above it."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from adapters.console.lines import is_exit
from adapters.console.toolbar import Toolbar
from bot.commands.parser import INVOCATION
from bot.commands.table import find, shown

PROMPT = "/paper "


async def prompted(history: Path | None = None, toolbar: Toolbar | None = None) -> AsyncIterator[str]:
    """Yield each typed line, until the person leaves (Ctrl-D, Ctrl-C or `exit`)."""
    session: PromptSession[str] = PromptSession(
        PROMPT, history=_history(history), completer=TableCompleter(), complete_while_typing=False
    )
    if toolbar is not None:
        toolbar.attach(session)
    with patch_stdout(raw=True):
        while True:
            try:
                line = await session.prompt_async(handle_sigint=False)
            except (EOFError, KeyboardInterrupt):
                return
            if is_exit(line):
                return
            yield line


def completions(before: str) -> Iterable[str]:
    """Return the completions of the last word of `before`: commands, or options with their values."""
    typed = INVOCATION.sub("", before.lstrip(), count=1)
    *words, last = typed.split(" ")
    if not words:
        return [spec.name for spec in shown() if spec.name.startswith(last.lower())]
    spec = find(words[0])
    if spec is None:
        return []
    if spec.name == "help":
        return [other.name for other in shown() if other.name.startswith(last.lower())]
    values = (f"{o.name}:{value}" for o in spec.named if not o.hidden for value in o.choices)
    return [value for value in values if last and value.startswith(last.lower())]


class TableCompleter(Completer):
    """Offers `completions` to the prompt."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield `completions` as prompt_toolkit expects them."""
        del complete_event
        before = document.text_before_cursor
        last = before.rpartition(" ")[2]
        for word in completions(before):
            yield Completion(word, start_position=-len(last))


def _history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileHistory(str(path))
