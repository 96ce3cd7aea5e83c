"""Pixels of a PNG, as librsvg writes it: 8 bits for each of red, green, blue and opacity, without interlacing."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_CHANNELS = 4


@dataclass(frozen=True)
class Image:
    """The pixels of an image."""

    width: int
    height: int
    rows: tuple[bytes, ...]

    def color(self, x: float, y: float) -> str:
        """The color of a pixel, `#rrggbb`, or `#rrggbbaa` where it is not opaque."""
        start = int(x) * _CHANNELS
        red, green, blue, opacity = self.rows[int(y)][start : start + _CHANNELS]
        return f"#{red:02x}{green:02x}{blue:02x}" + ("" if opacity == 0xFF else f"{opacity:02x}")


def decode(data: bytes) -> Image:
    """The image in a file. https://www.w3.org/TR/png-3/"""
    position, packed = 8, b""
    width = height = 0
    while position < len(data):
        (length,), kind = struct.unpack(">I", data[position : position + 4]), data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + length]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", content)
            assert form == [8, 6, 0, 0, 0], "not RGBA with 8 bits"
        if kind == b"IDAT":
            packed += content
        position += length + 12
    raw, size = zlib.decompress(packed), width * _CHANNELS
    rows: list[bytes] = []
    above = bytes(size)
    for number in range(height):
        start = number * (size + 1)
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + size], above)
        rows.append(above)
    return Image(width, height, tuple(rows))


def _unfiltered(method: int, row: bytes, above: bytes) -> bytes:
    result = bytearray(row)
    for index in range(len(result)):
        left = result[index - _CHANNELS] if index >= _CHANNELS else 0
        corner = above[index - _CHANNELS] if index >= _CHANNELS else 0
        predicted = (0, left, above[index], (left + above[index]) // 2, _paeth(left, above[index], corner))[method]
        result[index] = (result[index] + predicted) & 0xFF
    return bytes(result)


def _paeth(left: int, above: int, corner: int) -> int:
    distances = [
        (abs(left + above - corner - value), order, value) for order, value in enumerate((left, above, corner))
    ]
    return min(distances)[2]
