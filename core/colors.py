"""Contrast between colours, as WCAG 2.2 measures it. Colours are `#rrggbb`."""

# The ground of cards on light and on dark pages (static/app.css), and the least contrast of text on it.
LIGHT_GROUND, DARK_GROUND = "#ffffff", "#151c1f"
LEAST_CONTRAST = 4.5
# What a colour is lightened to for dark ground: well above the least.
GOOD_CONTRAST = 7.0


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def lightened(color: str) -> str:
    """Return the colour with as much white as it needs to be read well on dark ground."""
    mixed = color
    for percent in range(0, 101, 5):
        mixed = "#" + "".join(f"{part + (255 - part) * percent // 100:02x}" for part in _channels(color))
        if contrast(mixed, DARK_GROUND) >= GOOD_CONTRAST:
            break
    return mixed


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    """Return the relative luminance (WCAG 2.2), from 0 to 1."""
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
