"""A picture of a device's screen: lines of text on a colour that its serial gives."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

# Five columns of dots for each character from the space to the underscore, the lowest bit on top.
_FONT = bytes.fromhex(
    "000000000000005f00000007000700147f147f14242a7f2a12231308646236495620500008070300"
    "001c2241000041221c002a1c7f1c2a08083e08080080703000080808080800006060002010080402"
    "3e5149453e00427f400072494949462141494d331814127f1027454545393c4a4949314121110907"
    "3649494936464949291e000014000000403400000008142241141414141400412214080201590906"
    "3e415d594e7c1211127c7f494949363e414141227f4141413e7f494949417f090909013e41415173"
    "7f0808087f00417f41002040413f017f081422417f404040407f021c027f7f0408107f3e4141413e"
    "7f090909063e4151215e7f09192946264949493203017f01033f4040403f1f2040201f3f4038403f"
    "631408146303047804036159494d43007f41414102040810204141417f0004020102044040404040"
)
_FIRST, _LAST = ord(" "), ord("_")
_WIDTH, _HEIGHT, _DOTS = 6, 10, 8  # of a character with its margins, and without its lower one
_COLUMNS, _LONGEST = 24, 120  # characters of a line on the screen, and of one that is given
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE, _ONE_BIT = 3, 1
_WHITE = b"\xff\xff\xff"


class Area(NamedTuple):
    """A rectangle of a screen."""

    x: int
    y: int
    width: int
    height: int


def data_url(
    lines: Sequence[str], serial: str, screen: Area, clip: Area | None, max_size: int | None
) -> str:
    """Return a PNG as a data URL: cut to `clip`, its longer side reduced to `max_size`."""
    area = screen if clip is None else clip
    longest = max(area.width, area.height)
    shown = min(longest, max_size or longest)
    size = [max(1, each * shown // longest) for each in (area.width, area.height)]
    rows = _draw(lines, screen)
    cache: dict[str, bytes] = {}
    found = bytearray()
    for y in range(size[1]):
        row = rows[area.y + y * area.height // size[1]]
        if row not in cache:
            cache[row] = _pack(row, area, size[0])
        found += cache[row]
    return "data:image/png;base64," + b64encode(_png(size, bytes(found), serial)).decode()


def fit(clip: Area, screen: Area) -> Area:
    """Return the part of a rectangle that is on the screen, at least one dot."""
    x, y = (max(0, min(place, end - 1)) for place, end in zip(clip, screen[2:], strict=False))
    width, height = clip.x + clip.width - x, clip.y + clip.height - y
    return Area(x, y, max(1, min(width, screen.width - x)), max(1, min(height, screen.height - y)))


def _draw(lines: Sequence[str], screen: Area) -> list[str]:
    """Return the rows of the screen as text of 0 and 1, the lines from its top.

    A long line is continued in the next ones, and cut off after some of them.
    """
    rows = ["0" * screen.width] * screen.height
    places = range(0, _LONGEST, _COLUMNS)
    lines = [part for line in lines for at in places if (part := line[at : at + _COLUMNS])]
    size = max(1, screen.width // (_WIDTH * (max(map(len, lines)) + 2)))
    for number, line in enumerate(lines, 1):
        for dot in range(_DOTS):
            row = "0" * size * _WIDTH + "".join(_row_of(each, dot, size) for each in line)
            start = (number * _HEIGHT + dot) * size
            for y in range(start, min(start + size, screen.height)):
                rows[y] = row.ljust(screen.width, "0")[: screen.width]
    return rows


def _row_of(character: str, dot: int, size: int) -> str:
    code = ord(character.upper()[0])
    index = code - _FIRST if _FIRST <= code <= _LAST else ord("?") - _FIRST
    columns = _FONT[5 * index : 5 * index + 5] + b"\0"
    return "".join(str(each >> dot & 1) * size for each in columns)


def _pack(row: str, area: Area, width: int) -> bytes:
    """Return a row of a PNG: no filter, then one bit for each dot."""
    dots = "".join(row[area.x + x * area.width // width] for x in range(width))
    count = -(-width // 8)
    return b"\0" + int(dots.ljust(8 * count, "0"), 2).to_bytes(count, "big")


def _png(size: Sequence[int], rows: bytes, serial: str) -> bytes:
    colour = bytes(each // 2 for each in sha256(serial.encode()).digest()[:3])
    header = struct.pack("!IIBBBBB", *size, _ONE_BIT, _PALETTE, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colour + _WHITE),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
