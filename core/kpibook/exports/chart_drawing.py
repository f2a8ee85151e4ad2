"""Native charts on slides, with the figures in a workbook of their own, in which texts are texts."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.util import Pt

from kpibook.exports.deck import EPOCH
from kpibook.present.palette import BEFORE, LINE, NOW
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from kpibook.exports.slide_charts import Chart

SIZE = 11
#: A share above this would make an axis of shares end beyond the whole.
NEARLY = 0.8


class Figures(CategoryChartData):  # type: ignore[misc]  # python-pptx has no types
    """The data of a chart; a text that looks like a formula is a text in their workbook."""

    @property
    def xlsx_blob(self) -> bytes:
        import xlsxwriter

        target = io.BytesIO()
        inert = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
        book = xlsxwriter.Workbook(target, inert)
        book.set_properties({"created": datetime(*EPOCH)})  # noqa: DTZ001  the file format has no zone
        sheet = book.add_worksheet("Sheet1")
        for down, category in enumerate(self.categories, 1):
            sheet.write_string(down, 0, category.label)
        for across, series in enumerate(self, 1):
            sheet.write_string(0, across, series.name)
            for down, value in enumerate(series.values, 1):
                if value is not None:
                    sheet.write_number(down, across, value)
        book.close()
        return target.getvalue()


def draw(page: Any, chart: Chart, place: tuple[int, int, int, int]) -> None:
    """The chart at left, top, with width and height. Bars stand in the order of their table, from the top."""
    figures = Figures(number_format=chart.format)
    figures.categories = [replaced(text) for text in chart.categories]
    for each in chart.series:
        figures.add_series(replaced(each.name), each.values)
    kind = XL_CHART_TYPE.LINE_MARKERS if chart.lines else XL_CHART_TYPE.BAR_CLUSTERED
    frame = page.shapes.add_chart(kind, *place, figures)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", replaced(chart.title))  # noqa: SLF001  no way of its own
    drawn = frame.chart
    drawn.font.size = Pt(SIZE)
    drawn.has_title = False
    axis = drawn.value_axis
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = chart.format, False
    axis.has_major_gridlines = True
    axis.major_gridlines.format.line.color.rgb = RGBColor.from_string(LINE[1:])
    axis.format.line.fill.background()
    names = drawn.category_axis
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    values = [x for each in chart.series for x in each.values if x is not None]
    if "%" in chart.format and NEARLY < max(values) <= 1:
        axis.maximum_scale = 1
    if chart.lines:
        _legend(drawn, chart)
    else:
        drawn.has_legend = False
        drawn.plots[0].gap_width = 60
        names.reverse_order = True
        axis._element.find(qn("c:crosses")).set("val", "max")  # noqa: SLF001  below; its own way sets nothing here
        if min(values) >= 0:  # a bar that does not begin at nought misleads
            axis.minimum_scale = 0
    for series, each in zip(drawn.plots[0].series, chart.series, strict=True):
        _painted(series, each.look, lines=chart.lines)


def _legend(drawn: Any, chart: Chart) -> None:
    """The names of the periods; what the dotted lines are, the caption says."""
    drawn.has_legend = len(chart.series) > 1
    if not drawn.has_legend:
        return
    drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    place = drawn.legend._element.find(qn("c:legendPos"))  # noqa: SLF001  no way of its own to leave an entry out
    for index, each in reversed(list(enumerate(chart.series))):
        if each.look.startswith("end"):
            entry = place.makeelement(qn("c:legendEntry"))
            for tag, value in (("c:idx", str(index)), ("c:delete", "1")):
                entry.append(place.makeelement(qn(tag), {"val": value}))
            place.addnext(entry)


def _painted(series: Any, look: str, *, lines: bool) -> None:
    colour = RGBColor.from_string((BEFORE if look.endswith("before") else NOW)[1:])
    if not lines:
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = colour
        return
    end = look.startswith("end")
    series.smooth = False
    series.format.line.color.rgb = colour
    series.format.line.width = Pt(0.75 if end else 2.25)
    if end or look == "before":
        series.format.line.dash_style = MSO_LINE.ROUND_DOT if end else MSO_LINE.DASH
    series.marker.style = XL_MARKER_STYLE.NONE if end else XL_MARKER_STYLE.CIRCLE
    if not end:
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = colour
        series.marker.format.line.color.rgb = colour
