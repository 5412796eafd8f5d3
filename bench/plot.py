"""The ratios of a run as a picture: one bar each, with its aim."""

from html import escape

from bench.run import Result

WIDTH, ROW, LEFT = 760, 34, 330


def draw(result: Result) -> str:
    """An SVG with a bar for every ratio, on a scale that the largest one fills."""
    rows = list(result.ratios.items())
    largest = max(value for _, (value, _) in rows)
    bars = "".join(_bar(place, name, value, aim, largest) for place, (name, (value, aim)) in enumerate(rows))
    height = ROW * len(rows) + 20
    style = "text{font:13px system-ui,sans-serif;fill:#1b2a26}rect{fill:#0b6b57}.aim{fill:#66736f}.page{fill:#fbfcfb}"
    page = '<rect class="page" width="100%" height="100%"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"><style>{style}</style>{page}{bars}</svg>\n'


def _bar(place: int, name: str, value: float, aim: str, largest: float) -> str:
    y, length = 10 + place * ROW, (WIDTH - LEFT - 130) * value / largest
    label = f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end">{escape(name)}</text>'
    figure = f'<text x="{LEFT + length + 8:.0f}" y="{y + 18}">{value:.2f} <tspan class="aim">{escape(aim)}</tspan></text>'
    return f'{label}<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{ROW - 10}" rx="3"/>{figure}'
