"""The terminal as a platform: it answers typed lines, shows posts, and ends when its output is closed."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.console.platform import CHANNEL, ConsolePlatform
from adapters.console.screen import ScreenClosed
from bot.cards import Card
from bot.cards.errors import sorry_card
from bot.domain.errors import ChannelGone, LookupUnsupported, RetryLater
from bot.domain.models import ChannelRef, Command, User
from bot.ports import File, Reply
from tests.failing_core import FailingCore
from tests.papers import a_channel

CARD = sorry_card()


@dataclass
class Echo(FailingCore):
    """A core that answers each line with the line itself."""

    lines: list[str] = field(default_factory=list)

    async def handle(self, command: Command) -> Reply:
        return Reply(Card("reply", command.name))

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        assert (user.name, channel) == ("you", CHANNEL)
        self.lines.append(line)
        return Reply(Card("reply", line))


@dataclass
class FakeScreen:
    """A screen that records its output, and can be closed."""

    shown: list[str] = field(default_factory=list)
    closed: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def post(self, card: Card) -> None:
        self._show(f"post {card.notice}")

    def reply(self, card: Card) -> None:
        self._show(f"reply {card.notice}")

    def file(self, file: File) -> None:
        raise AssertionError(f"unexpected file: {file.name}")

    def note(self, card: Card) -> None:
        self._show(f"note {card.notice}")

    def typed(self, line: str) -> None:
        self._show(f"> {line}")

    def _show(self, line: str) -> None:
        if self.closed:
            raise ScreenClosed("closed")
        self.shown.append(line)
        self.changed.set()

    async def until(self, count: int) -> None:
        while len(self.shown) < count:
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
def keyboard() -> Iterator[tuple[int, int]]:
    """Yield both ends of a standard input: the one that is read, and the one that is typed into.

    At the end it waits for the threads that read, since a late one could read from the next test's input.
    """
    reader, writer = os.pipe()
    yield reader, writer
    _close(writer)
    for thread in threading.enumerate():
        if thread.name == "standard input":
            thread.join(10)
    _close(reader)


def _close(descriptor: int) -> None:
    with suppress(OSError):  # the test has closed it
        os.close(descriptor)


async def test_lines_are_answered_in_order_and_empty_ones_ignored(keyboard: tuple[int, int]) -> None:
    reader, writer = keyboard
    screen, core = FakeScreen(), Echo()
    os.write(writer, "/paper list\r\n\n  \nsubscribe “rág”\nlast".encode())
    os.close(writer)
    await ConsolePlatform(screen, descriptor=reader).answer_input(core)
    assert core.lines == ["/paper list", "subscribe “rág”", "last"]
    assert screen.shown == [
        "> /paper list",
        "reply /paper list",
        "> subscribe “rág”",
        "reply subscribe “rág”",
        "> last",
        "reply last",
    ]


async def test_the_bot_runs_on_after_the_end_of_the_input(keyboard: tuple[int, int]) -> None:
    reader, writer = keyboard
    screen = FakeScreen()
    platform = ConsolePlatform(screen, descriptor=reader)
    running = asyncio.create_task(platform.run(Echo()))
    os.write(writer, b"list\n")
    os.close(writer)
    await screen.until(2)
    await platform.send(CHANNEL, CARD, "k1")
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("line", ["exit", " Quit "])
async def test_a_piped_exit_ends_the_bot(keyboard: tuple[int, int], line: str) -> None:
    reader, writer = keyboard
    core = Echo()
    os.write(writer, f"list\n{line}\nhelp\n".encode())
    await ConsolePlatform(FakeScreen(), descriptor=reader).run(core)
    assert core.lines == ["list"]


async def test_a_cancelled_run_ends_at_once_while_no_one_types(keyboard: tuple[int, int]) -> None:
    running = asyncio.create_task(ConsolePlatform(FakeScreen(), descriptor=keyboard[0]).run(Echo()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_input_can_be_a_file_or_the_null_device(tmp_path: Path) -> None:
    script = tmp_path / "commands.txt"
    script.write_text("list\nhelp\n")
    for path, expected in ((script, ["list", "help"]), (Path(os.devnull), [])):
        core = Echo()
        with path.open() as stream:
            await ConsolePlatform(FakeScreen(), descriptor=stream.fileno()).answer_input(core)
        assert core.lines == expected


async def test_a_closed_input_counts_as_empty(keyboard: tuple[int, int]) -> None:
    reader, _ = keyboard
    os.close(reader)
    core = Echo()
    await ConsolePlatform(FakeScreen(), descriptor=reader).answer_input(core)
    assert core.lines == []


async def test_many_lines_and_split_characters_are_read(keyboard: tuple[int, int]) -> None:
    reader, writer = keyboard
    core = Echo()
    answering = asyncio.create_task(ConsolePlatform(FakeScreen(), descriptor=reader).answer_input(core))
    text = "".join(f"sübscribe {n}\n" for n in range(500)).encode()
    for at in range(0, len(text), 7):
        os.write(writer, text[at : at + 7])
    os.close(writer)
    await answering
    assert core.lines == [f"sübscribe {n}" for n in range(500)]


async def test_a_post_is_shown_and_confirmed() -> None:
    screen = FakeScreen()
    assert (await ConsolePlatform(screen).send(CHANNEL, CARD, "key")).id == "key"
    assert screen.shown == [f"post {CARD.notice}"]


async def test_a_post_to_another_channel_is_refused() -> None:
    with pytest.raises(ChannelGone):
        await ConsolePlatform(FakeScreen()).send(a_channel(), CARD, "key")


async def test_once_the_output_is_closed_posts_wait_and_the_run_ends(keyboard: tuple[int, int]) -> None:
    platform = ConsolePlatform(FakeScreen(closed=True), descriptor=keyboard[0])
    running = asyncio.create_task(platform.run(Echo()))
    with pytest.raises(RetryLater) as caught:
        await platform.send(CHANNEL, CARD, "key")
    assert not caught.value.counts
    await running


async def test_an_answer_to_a_closed_screen_ends_the_run(keyboard: tuple[int, int]) -> None:
    reader, writer = keyboard
    os.write(writer, b"list\n")
    await ConsolePlatform(FakeScreen(closed=True), descriptor=reader).run(Echo())


async def test_looking_up_a_post_is_unsupported() -> None:
    with pytest.raises(LookupUnsupported):
        await ConsolePlatform(FakeScreen()).find(CHANNEL, "key", datetime(2026, 1, 1, tzinfo=UTC))
