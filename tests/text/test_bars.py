"""Bar charts as images and as characters: other programs can read them, and the bars have the right heights."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.bars import BLOCKS, HEIGHT, LETTERS, STEP, WIDTH, lettered, picture, sparkline

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=52)


def read(png: bytes) -> list[str]:
    """Return the image's rows as ones and zeros, by the specification: https://www.w3.org/TR/png-3/."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + length
    assert [*chunks] == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height, depth, kind_of_colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, kind_of_colour, rest) == (1, 3, [0, 0, 0])
    raw, stride = zlib.decompress(chunks[b"IDAT"]), 1 + -(-width // 8)
    assert len(raw) == stride * height
    rows = [raw[n * stride : (n + 1) * stride] for n in range(height)]
    assert {row[0] for row in rows} == {0}
    return [f"{int.from_bytes(row[1:]):0{8 * (stride - 1)}b}"[:width] for row in rows]


@given(COUNTS)
def test_an_image_has_a_bar_for_each_number(counts: list[int]) -> None:
    rows = read(picture(lettered(counts)))
    assert len(rows) == HEIGHT
    heights = [sum(row[n * STEP] == "1" for row in rows) for n in range(len(counts))]
    most = max(counts)
    for count, height in zip(counts, heights, strict=True):
        assert bool(height) is bool(count)
        assert not most or abs(height - HEIGHT * count / most) <= 1 + HEIGHT / (len(LETTERS) - 1)
    assert max(heights) == (HEIGHT if most else 0)
    assert all(row[n * STEP + WIDTH] == "0" for row in rows for n in range(len(counts) - 1))


@given(COUNTS)
def test_a_sparkline_has_a_character_for_each_number(counts: list[int]) -> None:
    line = sparkline(counts)
    assert len(line) == len(counts)
    assert (BLOCKS[-1] in line) is any(counts)
    assert [character == BLOCKS[0] for character in line] == [not count for count in counts]


def test_an_image_is_small_and_invalid_letters_are_refused() -> None:
    assert len(picture(lettered(range(52)))) < 2000
    with pytest.raises(ValueError, match="substring"):
        picture("ab.c")
