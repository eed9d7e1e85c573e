"""Draws numbers as bars: as a line of characters, as letters for a URL, and as a picture (PNG). Pure."""

import struct
import zlib
from collections.abc import Sequence

LETTERS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""A bar's height as a letter, from zero to the highest."""
BLOCKS = "▁▂▃▄▅▆▇█"
"""A bar as a character. The first means zero: it isn't a blank, since chats shorten runs of blanks."""
STEP, WIDTH, HEIGHT = 12, 9, 128
"""In pixels: the distance from one bar to the next, the width of a bar, and the height of the highest one."""
BLUE = bytes((0, 0, 0, 0x4A, 0x7F, 0xD6))
"""The palette: the background, which is transparent, and a blue that is visible on white and on black."""


def scaled(counts: Sequence[int], highest: int) -> list[int]:
    """Return heights from 0 to `highest`. A count above 0 is at least 1 high, so that it is visible."""
    most = max(counts, default=0)
    return [max(1, count * highest // most) if count else 0 for count in counts]


def sparkline(counts: Sequence[int]) -> str:
    """Return the bars as characters, `▁▂▅█`, for places without pictures."""
    return "".join(BLOCKS[height] for height in scaled(counts, len(BLOCKS) - 1))


def lettered(counts: Sequence[int]) -> str:
    """Return the heights of the bars as letters."""
    return "".join(LETTERS[height] for height in scaled(counts, len(LETTERS) - 1))


def picture(letters: str) -> bytes:
    """Draw the bars as a PNG of one bit per pixel, which needs no library. Raises ValueError for an unknown letter."""
    heights = [LETTERS.index(letter) * HEIGHT // (len(LETTERS) - 1) for letter in letters]
    width = len(heights) * STEP - (STEP - WIDTH)
    rows = bytearray()
    for above in range(HEIGHT, 0, -1):
        line = "".join(("1" if height >= above else "0") * WIDTH + "0" * (STEP - WIDTH) for height in heights)
        line = line[:width].ljust(-(-width // 8) * 8, "0")
        rows += b"\0" + int(line, 2).to_bytes(len(line) // 8)  # the row's filter: none
    header = struct.pack(">IIBBBBB", width, HEIGHT, 1, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", BLUE),
        (b"tRNS", b"\0"),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
