"""Showing where in a query something went wrong."""

import unicodedata


def point_at(text: str, at: tuple[int, int]) -> str:
    """Two lines for a fixed-width font: what was typed, and carets under the place."""
    line = " ".join(text.splitlines()) if "\n" in text else text
    start, end = at
    return f"{line}\n{' ' * _width(line[:start])}{'^' * max(1, _width(line[start:end]))}"


def _width(text: str) -> int:
    """Columns of `text`: two for what East Asian fonts draw wide, none for accents."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
