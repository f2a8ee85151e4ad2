"""Colours that colour-blind readers tell apart and that stay apart in grey (after Okabe and Ito)."""

from __future__ import annotations

NOW = "#0b5c8f"
BEFORE = "#7b8794"
OTHER = "#d55e00"
BAR = "#6fa3c7"
INK = "#1c2733"
SOFT = "#59636e"
LINE = "#d5dae0"
LIGHT, DARK = (0xEE, 0xF4, 0xF8), (0x0B, 0x4A, 0x74)


def shade(part: float) -> tuple[str, str]:
    """Background and text colour for a cell between 0 (light) and 1 (dark); contrast is at least 4.5 to 1."""
    part = min(1.0, max(0.0, part))
    mixed = [round(light + (dark - light) * part) for light, dark in zip(LIGHT, DARK, strict=True)]
    back = "#" + "".join(f"{c:02x}" for c in mixed)
    return back, next(ink for ink in (INK, "#ffffff", "#000000") if contrast(back, ink) >= 4.5)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two ``#rrggbb`` colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
