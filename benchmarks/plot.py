"""Growth curves as SVG: microseconds by rows, both logarithmic."""

import math
from collections.abc import Mapping
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT, _LOW = 760, 420, 70, 40, 420, 360
_COLORS = ("#1b6ca8", "#c0392b", "#27864a", "#8e44ad", "#b9770e", "#34495e")


def curves(title: str, found: Mapping[str, Mapping[int, float]]) -> str:
    """Draw one line per name, through its values by size."""
    sizes = sorted({size for values in found.values() for size in values})
    values = [value for each in found.values() for value in each.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(size: int) -> float:
        return _LEFT + _PLOT * _part(size, math.log10(sizes[0]), math.log10(sizes[-1]))

    def y(value: float) -> float:
        return _LOW - (_LOW - _TOP) * _part(value, low, high)

    parts = [_text(_LEFT, 24, title, size=16)]
    for size in sizes:
        parts += [_line([(x(size), _TOP), (x(size), _LOW)]), _text(x(size), 380, f"{size:,}")]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts += [
            _line([(_LEFT, at), (_LEFT + _PLOT, at)]),
            _text(8, at + 4, f"{10.0**power:,g} µs"),
        ]
    for number, (name, each) in enumerate(found.items()):
        color = _COLORS[number % len(_COLORS)]
        points = [(x(size), y(value)) for size, value in sorted(each.items())]
        parts += [_line(points, color), _text(500, 60 + 20 * number, name, color)]
    parts.append(_text(_LEFT, 404, "rows in the table"))
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        f' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"\n{inside}\n</svg>\n"
    )


def _part(value: float, low: float, high: float) -> float:
    return (math.log10(value) - low) / ((high - low) or 1)


def _line(points: list[tuple[float, float]], color: str = "#dddddd") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    width = 1 if color == "#dddddd" else 2
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, color: str = "black", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}">{escape(text)}</text>'
