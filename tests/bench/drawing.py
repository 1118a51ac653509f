"""Curves over a number of things as an SVG file: both axes logarithmic, no package needed."""

import math

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 210, 40, 60
COLOURS = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f"]


def decades(values):
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def label(power):
    value = 10.0**power
    if value >= 1_000_000:
        return f"{value / 1_000_000:g} M"
    return f"{value / 1000:g} k" if value >= 1000 else f"{value:g}"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Chart:
    def __init__(self, title, unit, curves, below):
        """`curves`: name to a list of (count, value), both above zero; `below` says what is counted."""
        self.title, self.unit, self.below = title, unit, below
        self.curves = {name: [p for p in points if p[1] > 0] for name, points in curves.items()}
        self.curves = {name: points for name, points in self.curves.items() if points}
        xs = [p[0] for points in self.curves.values() for p in points] or [1, 10]
        ys = [p[1] for points in self.curves.values() for p in points] or [1, 10]
        self.x_range, self.y_range = decades(xs), decades(ys)

    def x(self, value):
        low, high = self.x_range
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        low, high = self.y_range
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def grid(self):
        out = []
        for power in range(self.x_range[0], self.x_range[1] + 1):
            x = self.x(10.0**power)
            out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" class="g"/>')
            below = HEIGHT - BOTTOM + 18
            out.append(f'<text x="{x:.1f}" y="{below}" text-anchor="middle">{label(power)}</text>')
        for power in range(self.y_range[0], self.y_range[1] + 1):
            y = self.y(10.0**power)
            out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="g"/>')
            out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label(power)}</text>')
        return out

    def svg(self):
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            "<style>text{font:12px sans-serif;fill:#334155}.g{stroke:#e2e8f0}"
            "polyline{fill:none;stroke-width:2}.t{font-size:15px;font-weight:600}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="24" class="t">{escape(self.title)}</text>',
        ]
        out += self.grid()
        middle = (LEFT + WIDTH - RIGHT) / 2
        out.append(f'<text x="{middle:.0f}" y="{HEIGHT - 16}" text-anchor="middle">'
                   f"{escape(self.below)}</text>")
        out.append(
            f'<text x="20" y="{HEIGHT / 2:.0f}" text-anchor="middle" '
            f'transform="rotate(-90 20 {HEIGHT / 2:.0f})">{escape(self.unit)}</text>'
        )
        number = 0
        for index, (name, points) in enumerate(self.curves.items()):
            colour = COLOURS[index % len(COLOURS)]
            if len(points) == 1:    # there are more of these than colours, so each has its number beside it
                number += 1
                name = f"{number} {name}"
                is_odd = number % 2 == 1
                x = self.x(points[0][0]) + (6 if is_odd else -6)
                y = self.y(points[0][1]) + (-4 if is_odd else 12)
                anchor = "start" if is_odd else "end"
                out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{number}</text>')
            path = " ".join(f"{self.x(jobs):.1f},{self.y(value):.1f}" for jobs, value in points)
            out.append(f'<polyline points="{path}" stroke="{colour}"/>')
            for jobs, value in points:
                x, y = self.x(jobs), self.y(value)
                out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            y = TOP + 16 + 20 * index
            out.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 9}" width="12" height="3" fill="{colour}"/>')
            out.append(f'<text x="{WIDTH - RIGHT + 34}" y="{y - 3}">{escape(name)}</text>')
        out.append("</svg>")
        return "\n".join(out) + "\n"


def write(path, title, unit, curves, below="jobs in the queue"):
    with open(path, "w", encoding="utf-8") as file:
        file.write(Chart(title, unit, curves, below).svg())
