"""Line charts as SVG: axes with round numbers, units, a legend; readable on light and dark pages."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 74, 24, 92, 58
# Told apart by colour and by shape.
STYLES = {
    "adsum": ("#0a66c2", "#58a6ff", "circle"),
    "prosody": ("#b35900", "#ffa657", "square"),
    "prosody-as-shipped": ("#8a6d3b", "#d2b48c", "square"),
    "ejabberd": ("#b3261e", "#ff7b72", "triangle"),
    "kamailio": ("#1a7f37", "#56d364", "diamond"),
    "kamailio-sqlite": ("#5b7f1a", "#b5cf6b", "diamond"),
}
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.small { fill: #57606a }
.page { fill: #ffffff; stroke: #d0d7de }
.grid { stroke: #d8dee4; stroke-width: 1 }
.axis { stroke: #57606a; stroke-width: 1.2 }
"""
DARK = """
text { fill: #e6edf3 } .small { fill: #9da7b3 } .page { fill: #0d1117; stroke: #30363d }
.grid { stroke: #21262d } .axis { stroke: #9da7b3 }
"""


def style(keys):
    """The style sheet, with the colours of these servers."""
    light = "".join(f".{key} {{ stroke: {STYLES[key][0]}; fill: {STYLES[key][0]} }}\n" for key in keys)
    dark = "".join(f".{key} {{ stroke: {STYLES[key][1]}; fill: {STYLES[key][1]} }}\n" for key in keys)
    lines = ".line { fill: none; stroke-width: 2.2; stroke-linejoin: round } .faint { stroke-dasharray: 5 4; stroke-width: 1.6 }"
    return f"<style>{STYLE}{light}{lines}\n@media (prefers-color-scheme: dark) {{{DARK}{dark}}}</style>"


def number(value):
    """A number as people write it."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.10f}".rstrip("0").rstrip(".")


class Axis:
    """Values from `low` to `high` along pixels from `start` to `end`."""

    def __init__(self, values, start, end, log):
        self.start, self.end, self.log = start, end, log
        low, high = min(values), max(values)
        if log:
            self.low, self.high = 10 ** (math.log10(low) - 0.08), 10 ** (math.log10(high) + 0.08)
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            self.ticks = [tick for tick in ticks if self.low <= tick <= self.high]
        else:
            step = self.step(high)
            self.low, self.high = 0, math.ceil(high * 1.04 / step) * step
            self.ticks = [step * turn for turn in range(round(self.high / step) + 1)]

    @staticmethod
    def step(high):
        """A round step that gives four to eight parts."""
        size = 10 ** math.floor(math.log10(high / 4))
        return next(size * factor for factor in (1, 2, 2.5, 5, 10) if high / (size * factor) <= 8)

    def at(self, value):
        """The pixel of a value."""
        turn = math.log10 if self.log else float
        low, high = (turn(self.low), turn(self.high)) if self.log else (self.low, self.high)
        return self.start + (turn(value) - low) / (high - low) * (self.end - self.start)


def mark(shape, key, x, y, size=4.2):
    """The mark of one point."""
    if shape == "circle":
        return f'<circle class="{key}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>'
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1)),
        "diamond": ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    }[shape]
    points = " ".join(f"{x + size * right:.1f},{y + size * down:.1f}" for right, down in corners)
    return f'<polygon class="{key}" points="{points}"/>'


def chart(title, below, across, up, series, log=(False, False)):
    """An SVG. `series`: (key of a server, name, points, faint); a faint line is dashed and not named."""
    series = [(key, name, sorted(points), faint) for key, name, points, faint in series if points]
    xs, ys = ([point[part] for _, _, points, _ in series for point in points] for part in (0, 1))
    horizontal, vertical = Axis(xs, LEFT, WIDTH - RIGHT, log[0]), Axis(ys, HEIGHT - BOTTOM, TOP, log[1])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
           f'aria-label="{escape(title)}">', style(dict.fromkeys(key for key, *_ in series)),
           f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
           f'<text class="title" x="{LEFT - 50}" y="30">{escape(title)}</text>',
           f'<text class="small" x="{LEFT - 50}" y="50">{escape(below)}</text>']
    for tick in horizontal.ticks:
        x = horizontal.at(tick)
        out.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text class="small" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(tick)}</text>')
    for tick in vertical.ticks:
        y = vertical.at(tick)
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        out.append(f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    out.append(f'<path class="axis" fill="none" d="M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(across)}</text>')
    out.append(f'<text transform="translate(20 {middle}) rotate(-90)" text-anchor="middle">{escape(up)}</text>')
    named = LEFT
    for key, name, points, faint in series:
        path = "L".join(f"{horizontal.at(x):.1f},{vertical.at(y):.1f}" for x, y in points)
        out.append(f'<path class="{key} line{" faint" if faint else ""}" style="fill:none" d="M{path}"/>')
        shape = STYLES[key][2]
        out.extend(mark(shape, key, horizontal.at(x), vertical.at(y), 3 if faint else 4.2) for x, y in points)
        if not faint:
            out.append(f'<path class="{key} line" style="fill:none" d="M{named},72h22"/>' + mark(shape, key, named + 11, 72))
            out.append(f'<text x="{named + 28}" y="76.5">{escape(name)}</text>')
            named += 52 + 7.4 * len(name)
    return "\n".join([*out, "</svg>", ""])
