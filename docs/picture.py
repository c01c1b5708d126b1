#!/usr/bin/env python3
"""Draws what a terminal shows as an SVG: text with ANSI colours on standard input, the picture on standard output.

    CLICOLOR_FORCE=1 adsum demo --once | docs/picture.py 'adsum demo' > docs/demo.svg

The first argument is the command line that the picture shows above the output.
"""

import re
import sys
from xml.sax.saxutils import escape

COLOURS = {"2": "#8b949e", "32": "#56d364", "33": "#e3b341", "36": "#76e3ea"}
CHARACTER, LINE, MARGIN, BAR = 8.43, 20, 22, 34


def runs(line):
    """The pieces of a line, each with the SGR parameter in force."""
    style = "0"
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if piece.startswith("\x1b["):
            style = piece[2:-1] or "0"
        elif piece:
            yield style, piece


def attributes(style):
    if style == "1":
        return ' font-weight="bold" fill="#f0f6fc"'
    return f' fill="{COLOURS[style]}"' if style in COLOURS else ""


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    if len(sys.argv) > 1:
        lines.insert(0, f"\x1b[32m$\x1b[0m \x1b[1m{sys.argv[1]}\x1b[0m")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = round(max(map(len, plain)) * CHARACTER + 2 * MARGIN)
    height = BAR + len(lines) * LINE + MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="A terminal">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>')
    for at, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        print(f'<circle cx="{20 + 20 * at}" cy="18" r="6" fill="{colour}"/>')
    print('<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">')
    for number, line in enumerate(lines):
        column, y = 0, BAR + (number + 1) * LINE - 4
        for style, text in runs(line):
            if text.strip():
                # The length is given, so that columns stay in line whatever the font.
                x, length = MARGIN + column * CHARACTER, len(text) * CHARACTER
                print(f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}"{attributes(style)}>{escape(text)}</text>')
            column += len(text)
    print("</g>\n</svg>")


main()
