"""A presentation under way: the client's template or our own, its titles, the room below them, bytes that repeat."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER as KIND
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.exc import PackageNotFoundError, PythonPptxError
from pptx.opc.constants import RELATIONSHIP_TYPE as REL
from pptx.util import Emu, Inches, Pt

from kpibook.errors import ParamsError, Problem
from kpibook.exports import room
from kpibook.present.palette import NOW
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TITLES = (KIND.TITLE, KIND.CENTER_TITLE)
#: Placeholders that a slide may have empty without looking unfinished.
QUIET = (KIND.DATE, KIND.FOOTER, KIND.SLIDE_NUMBER)
SIZE = (Inches(13.333), Inches(7.5))
MARGIN = Inches(0.6)
TITLE_SIZES = (28, 24, 20, 17, 14, 12)
COVER_SIZES = (40, 32, 26, 20, 16, 12)
SMALLEST = (Inches(4), Inches(2.5))
WHERE = "template of the slides"
#: The one time that a file of a package bears: what a package is made of, not when.
EPOCH = (1980, 1, 1, 0, 0, 0)


class Deck:
    """Slides one after the other. ``area`` is where content goes below a title: left, top, width, height in EMU."""

    def __init__(self, template: Path | None) -> None:
        self.file = _opened(template)
        self.own = template is None
        if self.own:
            _made_ours(self.file)
        layouts = [layout for master in self.file.slide_masters for layout in master.slide_layouts]
        titled = [layout for layout in layouts if _kinds(layout) & set(TITLES)]
        if not titled:
            what = "it has no layout with a place for a title"
            raise ParamsError(Problem(f"{WHERE}: {template}", what, "add a layout such as 'Title Only' to its master"))
        self.plain = min(titled, key=lambda layout: len(_kinds(layout) - set(TITLES) - set(QUIET)))
        covers = [layout for layout in titled if KIND.SUBTITLE in _kinds(layout)]
        self.cover = covers[0] if covers else self.plain
        self.area = self._area()
        if self.area[2] < SMALLEST[0] or self.area[3] < SMALLEST[1]:
            what = f"its layout '{self.plain.name}' leaves too little room beside the title"
            remedy = "add a layout 'Title Only' with a title at the top"
            raise ParamsError(Problem(f"{WHERE}: {template}", what, remedy))

    def slide(self, title: str, *, cover: bool = False) -> Any:
        """A new slide with its title; other placeholders of its layout that would stay empty are taken out."""
        page = self.file.slides.add_slide(self.cover if cover else self.plain)
        for holder in list(page.placeholders):
            kind = holder.placeholder_format.type
            if kind not in TITLES and not (cover and kind == KIND.SUBTITLE):
                holder.element.getparent().remove(holder.element)
        self._titled(page.shapes.title, replaced(title), COVER_SIZES if cover else TITLE_SIZES)
        return page

    def _titled(self, shape: Any, title: str, sizes: Sequence[int]) -> None:
        size, shown = room.largest(title, sizes, shape.width * 0.97, shape.height)
        frame = shape.text_frame
        frame.text = shown
        frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
        for part in frame.paragraphs:
            if self.own:
                part.alignment = PP_ALIGN.LEFT
            for run in part.runs:
                run.font.size = Pt(size)

    def bytes(self, moment: datetime, title: str, language: str) -> bytes:
        """The file; the same bytes for the same slides."""
        about = self.file.core_properties
        about.title, about.author, about.last_modified_by, about.revision = title[:250], "kpibook", "kpibook", 1
        about.created = about.modified = about.last_printed = moment.replace(tzinfo=None)
        about.language = language
        target = io.BytesIO()
        self.file.save(target)
        return _repacked(target.getvalue())

    def _area(self) -> tuple[int, int, int, int]:
        title = next(h for h in self.plain.placeholders if h.placeholder_format.type in TITLES)
        width, height = int(self.file.slide_width), int(self.file.slide_height)
        left = min(max(int(title.left), int(MARGIN) // 2), width // 4)
        top = int(title.top) + int(title.height) + int(Inches(0.1))
        if top > height // 2:  # a title below its content: all the room above
            return left, int(MARGIN), width - 2 * left, int(title.top) - int(MARGIN) - int(Inches(0.1))
        return left, top, width - 2 * left, height - top - int(Inches(0.55))


def _repacked(content: bytes) -> bytes:
    """The package without the clock of the machine that made it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return target.getvalue()


def _opened(template: Path | None) -> Any:
    if template is None:
        return Presentation()
    where, remedy = f"{WHERE}: {template}", "name a presentation saved as .pptx"
    if not template.is_file():
        raise ParamsError(Problem(where, "there is no such file", remedy))
    try:
        file = Presentation(str(template))
    except (PackageNotFoundError, PythonPptxError, OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile):
        raise ParamsError(Problem(where, "is no presentation", remedy)) from None
    listed = file.slides._sldIdLst  # noqa: SLF001  python-pptx has no way of its own to take a slide out
    for entry in list(listed):
        file.part.drop_rel(entry.rId)
        listed.remove(entry)
    return file


def _kinds(layout: Any) -> set[Any]:
    return {holder.placeholder_format.type for holder in layout.placeholders}


def _made_ours(file: Any) -> None:
    """python-pptx's own template, as wide as screens are, with titles to the left and the report's colour."""
    factor = SIZE[0] / file.slide_width
    file.slide_width, file.slide_height = SIZE
    for page in (file.slide_master, *file.slide_layouts):
        for shape in page.shapes:
            shape.left, shape.width = Emu(int(shape.left * factor)), Emu(int(shape.width * factor))
    for page in (file.slide_master, *file.slide_layouts):
        for holder in page.placeholders:
            if holder.placeholder_format.type == KIND.TITLE:
                holder.left, holder.top = MARGIN, Inches(0.35)
                holder.width, holder.height = SIZE[0] - 2 * MARGIN, Inches(0.85)
                holder.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
            elif holder.placeholder_format.type == KIND.CENTER_TITLE:
                holder.left, holder.top = MARGIN, Inches(1.6)
                holder.width, holder.height = SIZE[0] - 2 * MARGIN, Inches(1.9)
                holder.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
            elif holder.placeholder_format.type == KIND.SUBTITLE:
                holder.left, holder.top = MARGIN, Inches(3.7)
                holder.width, holder.height = SIZE[0] - 2 * MARGIN, Inches(3.2)
    theme = file.slide_master.part.part_related_by(REL.THEME)
    theme._blob = theme.blob.replace(b"4F81BD", NOW[1:].upper().encode())  # noqa: SLF001  it is read-only else
