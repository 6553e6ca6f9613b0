"""Charts as SVG, drawn on the server: nothing runs in the browser, and a table stands beside each.

What is drawn are attributes, no styles, so that it may stand in a page under a strict policy. Texts of the
data are escaped by the drawing library.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc  # type: ignore[import-untyped]

FONTS = Path(noto_cjk_sans_otc.__file__).parent
FONT = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
INK, FAINT, LINE = "#1c2b33", "#52646e", "#d5dddb"
ACCENT, SECOND = "#1d5c63", "#c77700"
WIDTH = 430
Rows = Sequence[Mapping[str, Any]]
_fonts_known: list[bool] = []


async def bars(rows: Rows, name: str, value: str, unit: str = "") -> str | None:
    """Return horizontal bars, one a row in the order given; None where there is nothing to draw."""
    if not any(row[value] for row in rows):
        return None
    return await asyncio.to_thread(_bars, [dict(row) for row in rows], name, value, unit)


async def lines(rows: Rows, x: str, count: str, shares: Mapping[str, str]) -> str | None:
    """Return bars of a count with lines of shares over them, by `x`; None where there is nothing."""
    if not rows:
        return None
    return await asyncio.to_thread(_lines, [dict(row) for row in rows], x, count, shares)


def _bars(rows: list[dict[str, Any]], name: str, value: str, unit: str) -> str:
    # Here and not at the head: the library takes half a second that no other page needs.
    import altair

    for row in rows:
        row["said"] = f"{row[value]:,g}{unit}"
    most = max(row[value] for row in rows)
    base = altair.Chart(altair.Data(values=rows)).encode(
        y=altair.Y(f"{name}:N", sort=None, title=None),
        x=altair.X(f"{value}:Q", title=None, axis=None, scale=altair.Scale(domain=[0, most * 1.25])),
    )
    drawn = base.mark_bar(color=ACCENT, height=16, cornerRadiusEnd=3)
    said = base.mark_text(align="left", dx=4, color=INK, fontSize=12).encode(text="said:N")
    return _svg(altair.layer(drawn, said).properties(width=WIDTH - 130, height=26 * len(rows)))


def _lines(rows: list[dict[str, Any]], x: str, count: str, shares: Mapping[str, str]) -> str:
    import altair

    data = altair.Data(values=rows)
    axis = altair.X(f"{x}:O", title=None, sort=None, axis=altair.Axis(labelAngle=-40))
    counted = (
        altair.Chart(data)
        .mark_bar(color=LINE)
        .encode(
            x=axis, y=altair.Y(f"{count}:Q", title="办理件", axis=altair.Axis(orient="right", tickMinStep=1))
        )
    )
    long = [
        {x: row[x], "figure": title, "share": row[name]}
        for row in rows
        for name, title in shares.items()
        if row[name] is not None
    ]
    shared = (
        altair.Chart(altair.Data(values=long))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=axis,
            y=altair.Y(
                "share:Q", title=None, scale=altair.Scale(domain=[0, 1]), axis=altair.Axis(format="%")
            ),
            color=altair.Color(
                "figure:N",
                title=None,
                scale=altair.Scale(domain=list(shares.values()), range=[ACCENT, SECOND, "#7b3f98"]),
                legend=altair.Legend(orient="top"),
            ),
        )
    )
    layered = altair.layer(counted, shared).resolve_scale(y="independent")
    return _svg(layered.properties(width=WIDTH - 70, height=200))


def _svg(chart: Any) -> str:
    import vl_convert

    if not _fonts_known:  # what the widths of Chinese letters are measured by
        vl_convert.register_font_directory(str(FONTS))
        _fonts_known.append(True)
    chart = chart.configure(font=FONT, background="transparent").configure_view(stroke=None)
    chart = chart.configure_axis(
        labelFontSize=12, titleFontSize=12, labelColor=FAINT, titleColor=FAINT, gridColor=LINE, labelLimit=140
    ).configure_legend(labelFontSize=12, labelColor=INK)
    drawn: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return drawn
