"""Reads a text with LaTeX in it once, from left to right.

Abstracts aren't documents: dollars can be money, a percent sign isn't a comment, macros come from a preamble that we
don't have, and braces are left open. Markup that can't be interpreted loses its backslash and keeps its words.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from bot.text.latex.delimiters import ends_of_groups, is_visible, roles
from bot.text.latex.macros import (
    ACCENTS,
    DROPPED_ARGUMENTS,
    REFERENCES,
    TRANSPARENT,
    accented,
    ends_macro,
    is_accent,
    script,
    symbol,
)

DEEPEST = 40
"""Maximum depth of nested groups and arguments. Deeper braces are ignored."""
OPTIONS = re.compile(r" ?\[[^\[\]{}\\]{0,100}+\]")

_TOKEN = re.compile(
    r"(?P<url>(?:\\?https?://|www\.)(?:[^\s\\{}$^]|\\[_%&#~$])+)"
    r"|(?P<macro>\\[A-Za-z]++)(?:\*(?=\{))?"
    r"|(?P<sign>\\.?)"
    r"|(?P<mark>[{}$^_~])"
    r"|(?P<words>(?:[^\\{}$^_~hw]++|h(?!ttps?://)|w(?!ww\.))++)",
    re.DOTALL,
)
_MACRO = re.compile(r"\\[A-Za-z{(\[|'\"^]|\$")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_OPENING_QUOTE = re.compile(r'(?:^|[\s(\[:])\\"[^\s"]')
_CLOSING_QUOTE = re.compile(r'[\w.,!?)]\\"(?:[\s).,;:\]-]|$)')
_RUN = re.compile(r"\d+|[A-Za-z]{3,}")
_SIGNS = {
    "(": "", ")": "", "[": " ", "]": " ", "{": "{", "}": "}", "|": "‖", "\\": " ", "-": "", "/": "", "@": "", "!": "",
    ",": " ", ";": " ", ":": " ", ">": " ", " ": " ", "\n": " ",
}  # fmt: skip
"""Text for a backslash and a sign, such as `\\(`: delimiters of formulas, spaces, and escaped special characters."""


class LatexReader:
    """One pass over a text. `_at` is the position of the next character to read."""

    def __init__(self, text: str, commands: Mapping[str, Callable[["LatexReader"], str]]) -> None:
        self._text = text
        self._at = 0
        self._commands = commands
        self.math = False
        self._depth = 0
        self._dollars = roles(text)
        self._ends = ends_of_groups(text)
        self._is_latex = _MACRO.search(text) is not None
        self._quotes = _OPENING_QUOTE.search(text) is not None and _CLOSING_QUOTE.search(text) is not None
        self.defined: dict[str, str] = {}

    def read(self, end: int | None = None) -> str:
        """Read up to `end`, and return the text without LaTeX."""
        end = len(self._text) if end is None else end
        out = [""]
        while self._at < end and (token := _TOKEN.match(self._text, self._at)):
            self._at = token.end()
            match token.lastgroup:
                case "words":
                    out.append(token[0].replace("&", " ") if self.math else token[0])
                case "url":
                    out.append(_ESCAPE.sub(r"\1", token[0]))
                case "macro":
                    self._macro(token["macro"][1:], out)
                case "sign":
                    self._sign(token[0][1:], out)
                case _:
                    self._mark(token[0], out)
            if not out[-1] and len(out) > 1:
                out.pop()
        return "".join(out)

    # Signs

    def _mark(self, mark: str, out: list[str]) -> None:
        if mark == "{":
            out.append(self._group(out))
        elif mark == "$":
            role = self._dollars.get(self._at - 1, "nothing")
            self.math = role == "open" or (self.math and role != "close")
            out.append("$" if role == "money" else "")
        elif mark == "~":
            tie = not self._is_latex or (self.peek().isdigit() and not _last(out).strip())
            out.append("~" if tie else " ")
        elif mark in "^_":
            raised = mark == "^" and self._is_latex
            is_script = self.peek() not in ("", " ") and (self.math or raised or self.peek() == "{")
            out.append(self._script(mark, _last(out)) if is_script else mark)

    def _sign(self, sign: str, out: list[str]) -> None:
        if sign == '"' and self._quotes:
            out.append('"')
        elif sign in ACCENTS and not self.math and (letter := self._accent(sign, out)):
            out.append(letter)
        elif (
            sign == "\\" and self.math and (name := _LETTERS.match(self._text, self._at)) and symbol(name[0])
        ):
            self._at = name.end()  # JSON escaped the backslash twice
            self._macro(name[0], out)
        elif sign in "([":
            self.math = True
            out.append(_SIGNS[sign] if sign else "")
        elif sign in ")]":
            self.math = False
            out.append(_SIGNS[sign])
        else:
            out.append(_SIGNS.get(sign, sign))

    def _group(self, out: list[str]) -> str:
        """The content of braces; with the braces if they are part of the visible text."""
        begin = self._at
        if self._text[begin - 2 : begin - 1] == "}" and self._text.startswith(
            ("http", "www.", "github"), begin
        ):
            out.append(" ")  # the second argument of a link whose macro is missing
        end = self._ends.get(begin - 1)
        if end is None or self._depth >= DEEPEST:
            return ""
        content, after = self._text[begin:end], self._text[end + 1 : end + 2]
        shown = not self.math and is_visible(content, _last(out), after, in_latex=self._is_latex)
        inner = self._nested(end)
        return f"{{{inner}}}" if shown else inner

    def _nested(self, end: int) -> str:
        math = self.math
        self._depth += 1
        inner = self.read(end)
        self._depth -= 1
        self._at, self.math = end + 1, math
        return inner

    # Macros

    def _macro(self, name: str, out: list[str]) -> None:
        if self._depth >= DEEPEST:
            _apart(out, name)
        elif command := self._commands.get(name):
            out.append(command(self))
        elif name in DROPPED_ARGUMENTS:
            self._drop(name, out)
        elif name == "operatorname":
            _apart(out, self.argument())
        elif name in ACCENTS and (letter := self._accent(name, out)):
            out.append(letter)
        elif name in TRANSPARENT:
            if self.peek() == " " and not _last(out).isalnum():
                self._at += 1
        elif (char := symbol(name)) is not None and name not in self.defined:
            self._symbol(name, char, out)
        else:
            self._unknown(name, out)

    def _unknown(self, name: str, out: list[str]) -> None:
        """An author's own macro: its definition, else its name, or only its argument if it seems to change the look."""
        if name in self.defined:
            _apart(out, self.defined[name])
        elif self.peek() != "{" or self._text[self._at : self._at + 2] == "{}":
            _apart(out, name)
        elif name[0].isupper() and self._ends.get(self._at, 0) - self._at in (2, 3):
            _apart(out, f"{name}({self.argument()})")

    def _symbol(self, name: str, char: str, out: list[str]) -> None:
        """A character or function name, and the blank after its macro unless that only ends the macro."""
        if len(char) > 1 and char.isalpha():
            _apart(out, char)
            if self.peek().isalnum() or self.peek() in ("\\", "{"):
                out.append(" ")
            return
        following = self._text[self._at + 1 : self._at + 3]
        if self.peek() == " " and ends_macro(name, char, _last(out), following, math=self.math):
            self._at += 1
        out.append(char)

    def _accent(self, name: str, out: list[str]) -> str | None:
        """The accented letter, or None if this macro isn't an accent here: `\\r` can be an author's own macro."""
        begin, letter = self._at, name.isalpha() and len(name) == 1
        if letter and self.math:
            return None
        if self.peek() == " ":
            self._at += 1
        braces = self.peek() == "{"
        if not letter and not braces and not self.math and not is_accent(name, self._text, begin, _last(out)):
            self._at = begin
            return None
        base = self.argument()
        result = accented(base, name) if base and (base[0].isalpha() or braces) else ""
        composed = len(result) == len(base) and bool(result)
        fits = braces or _last(out).isalpha() or base[:1].isupper() or name in ("c", "v", "H")
        if letter and not (fits and composed):
            self._at = begin
            return None
        if len(name) > 1 and len(base) > 1:  # a bar over several letters is left out
            return base
        return result if base else None

    def _drop(self, name: str, out: list[str]) -> None:
        """Drop a reference, a label or a colour with the arguments that aren't text."""
        if name in REFERENCES and _last(out) == " ":
            out[-1] = out[-1].rstrip()
        if name == "rule":
            out.append(" ")
        for _ in range(DROPPED_ARGUMENTS[name] + 1):
            while options := OPTIONS.match(self._text, self._at):
                self._at = options.end()
            place = self._at + (self.peek() == " ")
            if place not in self._ends or _ == DROPPED_ARGUMENTS[name]:
                break
            if name == "href" and not self._text[
                self._ends[place] + 1 : self._ends[place] + 3
            ].lstrip().startswith("{"):
                break  # a link without a text: its address is shown
            self._at = self._ends[place] + 1

    # What commands use

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read the text that matches here; None if nothing does."""
        if found := pattern.match(self._text, self._at):
            self._at = found.end()
        return found

    def skip(self) -> None:
        """Skip one character."""
        self._at += 1

    def raw_group(self) -> str | None:
        """Read the group that begins here, and return it as typed; None if none begins here."""
        end = self._ends.get(self._at)
        if end is None:
            return None
        content = self._text[self._at + 1 : end]
        self._at = end + 1
        return content

    def peek(self) -> str:
        """Return the next character without reading it."""
        return self._text[self._at : self._at + 1]

    def argument(self) -> str:
        """Read the next argument: a group, a macro, or one character."""
        if self.peek() == " ":
            self._at += 1
        if self._depth >= DEEPEST or self.peek() in ("", "$", "}"):
            return ""
        if self.peek() == "{":
            self._at += 1
            end = self._ends.get(self._at - 1)
            return self._nested(end) if end is not None else ""
        token = _TOKEN.match(self._text, self._at)
        if token is None or token.lastgroup not in ("macro", "sign"):
            self._at += 1
            return self._text[self._at - 1]
        self._at = token.end()
        out = [""]
        self._depth += 1
        if token.lastgroup == "sign":
            self._sign(token[0][1:], out)
        else:
            self._macro(token["macro"][1:], out)
            if token["macro"][1:] in TRANSPARENT:
                out.append(self.argument())
        self._depth -= 1
        return "".join(out)

    def _script(self, mark: str, before: str) -> str:
        if run := _RUN.match(self._text, self._at):
            self._at = run.end()
            if run[0].isalpha():
                return mark + run[0]  # a name with an underscore in it
            text = run[0]
        else:
            text = self.argument().strip()
        return script(mark, text, before, self.peek())


def _last(out: list[str]) -> str:
    """The last character of the output."""
    return out[-1][-1:]


def _apart(out: list[str], word: str) -> None:
    """Add a word, with a blank if the output ends in a letter or digit."""
    last = _last(out)
    out.append(f" {word}" if last.isalnum() or (last and unicodedata.combining(last)) else word)
