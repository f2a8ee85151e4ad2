"""From a Vega-Lite specification to an SVG that can stand in a page: no script, no font, no outside reference.

Specifications are plain dictionaries: importing Altair would cost every run more than
drawing all its charts. The tests hold each of them against Altair's schema.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import vl_convert as vlc

from kpibook.present.display import slug
from kpibook.present.palette import INK, LINE, SOFT
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from kpibook.present.words import Words

VEGA_LITE = "5.20"
#: Bundled with vl-convert, so that text is measured alike on every machine.
FONT = "Liberation Sans"
WIDTH = 560
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "labelFontSize": 12,
        "titleColor": SOFT,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "domainColor": "#8b96a1",
        "gridColor": LINE,
        "ticks": False,
        "labelPadding": 6,
        "labelLimit": 260,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "labelLimit": 300,
        "symbolStrokeWidth": 2,
        "symbolSize": 110,
        "symbolOpacity": 1,
        "offset": 8,
        "columnPadding": 24,
    },
    "text": {"fontSize": 12, "color": INK},
}
DROPPED = ("role", "class", "font-family", "pointer-events", "stroke-miterlimit")


def draw(spec: dict[str, Any], words: Words, *, name: str, title: str, alt: str) -> str:
    """An inline ``<svg>`` with its title and alternative text; the same bytes for the same figures."""
    whole = {"width": WIDTH, **settled(spec), "config": CONFIG}
    raw = vlc.vegalite_to_svg(whole, vl_version=VEGA_LITE, format_locale=words.vega())
    root = ET.fromstring(raw)  # noqa: S314  our own drawing, made in the line above
    _tidy(root, slug(name))
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"class": "kb-chart", "role": "img", "viewBox": box, "width": box.split()[2], "aria-label": alt})
    about = ET.Element("title")
    about.text = title
    root.insert(0, about)
    return ET.tostring(root, encoding="unicode")


def settled(spec: Any) -> Any:
    """The specification with figures of six digits: sums in parallel differ in the last bits, the drawing must not.

    What no text holds would make the drawing no XML.
    """
    if isinstance(spec, str):
        return replaced(spec)
    if isinstance(spec, float):
        return float(f"{spec:.6g}")
    if isinstance(spec, dict):
        return {key: settled(value) for key, value in spec.items()}
    return [settled(value) for value in spec] if isinstance(spec, list) else spec


def _tidy(root: ET.Element, name: str) -> None:
    """Names without namespaces, ids that no other chart of the page has, nothing that is not seen."""
    ids: dict[str, str] = {}
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [k for k in element.attrib if k in DROPPED or k.startswith("aria-")]:
            del element.attrib[key]
        for child in list(element):
            if child.tag.endswith("path") and (not child.get("d") or child.get("d") == "M0,0h0v0h0Z"):
                element.remove(child)
        if "id" in element.attrib:
            element.set("id", ids.setdefault(element.attrib["id"], f"{name}-{len(ids)}"))
    for element in root.iter():
        for key, value in element.attrib.items():
            if value.startswith("url(#"):
                element.set(key, re.sub(r"#(.*)\)", lambda m: f"#{ids[m[1]]})", value))
