"""Find regular expressions and functions of a text that take more than linear time on hostile input.

All of them are discovered automatically: compiled patterns in modules and classes, literal patterns in calls of `re`,
patterns that platforms declare, and all functions of one `str` or `bytes`. `python -m tests.growth` prints the slowest.
"""

import ast
import gc
import importlib
import inspect
import pkgutil
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import permutations
from math import log
from pathlib import Path
from time import thread_time
from types import FrameType, ModuleType
from typing import Any

import adapters
import bot
from bot.cards.build import paragraph
from bot.commands.parser import parse_line
from bot.domain.models import ChannelRef, User
from bot.observability.logs import Redact
from tests.growth_inputs import OPENERS, SHAPES, UNITS

PROBE, LONGEST = 600, 128_000
"""Lengths of the first and of the longest input, in characters."""
SUSPICIOUS = 8.0
"""Growth is measured if four times the text takes this many times as long."""
NOISE = 0.000_2
"""Seconds below which two times aren't compared. A quadratic pattern takes more for four times `PROBE`."""
ENOUGH = 0.02
"""Seconds that a call must take for its growth to be measurable."""
LIMIT = 2.0
"""Seconds after which a call is aborted: linear time is below that for every input used here."""
MAX_EXPONENT = 1.5
"""Maximum exponent of growth. Linear is 1, sorting 1.1, quadratic 2."""

NOT_CALLED: Mapping[str, str] = {
    "bot.sources.feed_worker": "runs in a limited process",
    "bot.store": "reads files and opens connections; what it gets was limited before",
    "bot.cli": "reads the machine",
    "bot.settings": "reads the operator's settings",
    "bot.encryption": "derives keys",
    "bot.observability.progress._print": "writes to the terminal",
    "adapters.discord.platform.configure_library": "changes the library for the whole process",
}
"""Modules and functions that aren't called -> the reason."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The input on which a function or pattern is slowest for its length."""

    name: str
    seconds: float
    length: int
    text: str
    exponent: float | None = None
    """Exponent of the growth; None if the time was too short to measure it."""

    @property
    def is_offender(self) -> bool:
        return self.exponent is not None and self.exponent > MAX_EXPONENT


FIRST_TO_SEE = (
    "a command line",
    "a paragraph of a card",
    "bot.cards.sanitize.plain",
    "bot.query.lexer.pieces",
    "bot.query.parser.parse",
    "bot.text.identity.paper_id",
    "bot.text.plain.without_tags",
    "bot.text.plain.clean",
    "bot.text.plain.clean_html",
)
"""Functions that are the first to read outside text."""


PATTERN = "pattern "
"""Prefix of the names of patterns."""


class _TooSlow(BaseException):
    """Not an Exception, so that no function under test swallows it."""


def modules() -> Iterator[ModuleType]:
    """Import and yield every module of `bot` and `adapters`, except programs (`__main__`)."""
    for package in (bot, adapters):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def patterns() -> dict[str, re.Pattern[Any]]:
    """Return every regular expression by its location."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in modules():
        for name, value in vars(module).items():
            if not inspect.isclass(value) or value.__module__ == module.__name__:
                found |= {
                    f"{module.__name__}.{place}": pattern for place, pattern in _patterns_in(name, value)
                }
        known = {pattern.pattern for pattern in found.values()}
        literal = _literal_patterns(module)
        found |= {name: pattern for name, pattern in literal.items() if pattern.pattern not in known}
    for group in adapters.setting_groups():
        for n, text in enumerate(group.secret_patterns):
            found[f"{group.__module__}.secret_patterns[{n}]"] = re.compile(text)
    return found


def _patterns_in(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth < 3:
        for place, child in _children(value):
            yield from _patterns_in(f"{name}{place}", child, depth + 1)


def _children(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for n, pair in enumerate(value.items()):
            yield f"[{n}]", pair
    elif isinstance(value, list | tuple | set | frozenset):
        for n, one in enumerate(value):
            yield f"[{n}]", one
    elif inspect.isclass(value):
        for attribute, one in vars(value).items():
            yield f".{attribute}", one
    elif hasattr(value, "__dataclass_fields__"):
        for attribute in value.__dataclass_fields__:
            yield f".{attribute}", getattr(value, attribute, None)


def _literal_patterns(module: ModuleType) -> dict[str, re.Pattern[Any]]:
    """Return the patterns that are literals in a call, such as `re.sub("a+", …)`."""
    found: dict[str, re.Pattern[Any]] = {}
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.args):
            continue
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
            found[f"{module.__name__}: {first.value!r}"[:100]] = re.compile(first.value)
    return found


def functions() -> dict[str, Callable[[str], object]]:
    """Return every function of one text by name, and some that take more arguments."""
    found: dict[str, Callable[[str], object]] = dict(MORE)
    for module in modules():
        for name, value in vars(module).items():
            found |= dict(_functions_in(f"{module.__name__}.{name}", value, module))
    return {
        name: call
        for name, call in found.items()
        if not any(f"{name}.".startswith(f"{out}.") for out in NOT_CALLED)
    }


def _functions_in(name: str, value: Any, module: ModuleType) -> Iterator[tuple[str, Callable[[str], object]]]:
    if getattr(value, "__module__", None) != module.__name__:
        return
    if inspect.isfunction(value) and not inspect.iscoroutinefunction(value):
        kind = _only_argument(value)
        if kind:
            yield name, _called(value, kind)
    elif inspect.isclass(value):
        for attribute, one in vars(value).items():
            if isinstance(one, classmethod | staticmethod) and (
                kind := _only_argument(getattr(value, attribute))
            ):
                yield f"{name}.{attribute}", _called(getattr(value, attribute), kind)


def _only_argument(function: Callable[..., object]) -> type | None:
    """Return `str` or `bytes` if the function needs exactly one argument of that type."""
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    needed = [p for p in needed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) != 1 or needed[0].kind == needed[0].KEYWORD_ONLY:
        return None
    return {str: str, "str": str, str | None: str, bytes: bytes, "bytes": bytes}.get(needed[0].annotation)


def _called(function: Callable[[Any], Any], kind: type) -> Callable[[str], object]:
    def call(text: str) -> object:
        result = function(text if kind is str else text.encode("utf-8", "replace"))
        return list(result) if isinstance(result, Iterator) else result

    return call


def _parse_as(name: str) -> Callable[[str], object]:
    user, channel = User("u", "u"), ChannelRef("console", "", "c")
    return lambda text: parse_line(f"/paper {name} {text}", user, channel)


MORE: Mapping[str, Callable[[str], object]] = {
    "a command line": _parse_as(""),
    "a command line of subscribe": _parse_as("subscribe"),
    "a command line of settings": _parse_as("settings"),
    "a command line of explain": _parse_as("explain"),
    "a log line": Redact(["a secret of ours"]).text,
    "a paragraph of a card": paragraph,
}
"""Functions that take more than a text, wrapped as functions of one text."""


def all_calls() -> dict[str, Callable[[str], object]]:
    """Return everything to be measured, by name."""
    found = functions()
    for name, pattern in patterns().items():
        found[f"{PATTERN}{name}"] = _searching(pattern)
    return found


def _searching(pattern: re.Pattern[Any]) -> Callable[[str], object]:
    def call(text: str) -> object:
        subject = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
        pattern.fullmatch(subject)
        return sum(1 for _ in pattern.finditer(subject))

    return call


def slowest(name: str, call: Callable[[str], object]) -> Slow:
    """Return the input on which `call` is slowest; an offender, if there is one."""
    worst = Slow(name, 0.0, PROBE, "")
    with _alarm():
        for shape in SHAPES if name.startswith(PATTERN) else SHAPES[:2]:
            for unit in UNITS:
                found = _measure(name, call, (shape[0], unit, shape[1]))
                if found.is_offender:
                    return found
                worst = max(worst, found, key=lambda one: one.seconds / one.length)
    return worst


@contextmanager
def _alarm() -> Iterator[None]:
    """Let calls be aborted by a timer, and disable the garbage collector meanwhile."""
    before = signal.signal(signal.SIGVTALRM, _abort)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        signal.signal(signal.SIGVTALRM, before)


def _measure(name: str, call: Callable[[str], object], parts: tuple[str, str, str]) -> Slow:
    shown = f"{parts[0]!r} + {parts[1]!r} * n + {parts[2]!r}"
    short = _seconds(call, _text(parts, PROBE))
    long = _seconds(call, _text(parts, 4 * PROBE)) if short < LIMIT else LIMIT
    if long >= LIMIT:
        return Slow(name, long, PROBE, shown, exponent=9.0)
    if long < NOISE or long < SUSPICIOUS * short:
        return Slow(name, long, 4 * PROBE, shown)
    # Twice: a noisy machine may make one measurement look like growth, but hardly two.
    tries = [_growth(name, call, parts, shown)]
    if tries[0].is_offender:
        tries.append(_growth(name, call, parts, shown))
    return min(tries, key=lambda one: one.exponent or 0.0)


def _growth(name: str, call: Callable[[str], object], parts: tuple[str, str, str], shown: str) -> Slow:
    times: dict[int, float] = {}
    length = PROBE // 2
    while length <= LONGEST:
        text = _text(parts, length)
        times[length] = min(_seconds(call, text) for _ in range(3))
        if times[length] >= ENOUGH:
            break
        length *= 2
    last = max(times)
    first = last // 4
    if times[last] < ENOUGH / 4 or first not in times:
        return Slow(name, times[last], last, shown)
    return Slow(name, times[last], last, shown, exponent=log(times[last] / max(times[first], 1e-9)) / log(4))


def _text(parts: tuple[str, str, str], length: int) -> str:
    before, unit, behind = parts
    return before + unit * max(1, (length - len(before) - len(behind)) // len(unit)) + behind


def _seconds(call: Callable[[str], object], text: str) -> float:
    """Return the processor time of one call; LIMIT if it takes longer."""
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    began = thread_time()
    try:
        with suppress(Exception):  # hostile text may be rejected: only the time counts
            call(text)
        return thread_time() - began
    except _TooSlow:
        return LIMIT
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _abort(_signal: int, _frame: FrameType | None) -> None:
    raise _TooSlow


def interleaved() -> list[Slow]:
    """Measure the functions of `FIRST_TO_SEE` with each pair of `OPENERS`; return the slowest input of each."""
    calls = functions()
    pairs = list(permutations(OPENERS, 2))
    found: list[Slow] = []
    with _alarm():
        for name in FIRST_TO_SEE:
            slow = [_measure(name, calls[name], ("", first + second, "")) for first, second in pairs]
            found.append(max(slow, key=lambda one: (one.is_offender, one.seconds / one.length)))
    return found


def survey(names: Iterable[str] | None = None) -> list[Slow]:
    """Measure everything, or only `names`."""
    calls = all_calls()
    return [slowest(name, calls[name]) for name in (calls if names is None else names)]


def main() -> None:
    """Print the slowest, and all offenders; exit with 1 if there are any."""
    found = survey(sys.argv[1:] or None) + ([] if sys.argv[1:] else interleaved())
    for slow in sorted(found, key=lambda slow: (slow.is_offender, slow.seconds / slow.length))[-40:]:
        growth = "" if slow.exponent is None else f"  n^{slow.exponent:.1f}"
        mark = "  GROWS TOO FAST" if slow.is_offender else ""
        print(f"{slow.seconds / slow.length * 1e6:9.3f} µs/char {slow.name}  {slow.text}{growth}{mark}")  # noqa: T201
    offenders = sum(slow.is_offender for slow in found)
    print(f"{len(found)} measured, {offenders} grow too fast")  # noqa: T201
    sys.exit(bool(offenders))


if __name__ == "__main__":
    main()
