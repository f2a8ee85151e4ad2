"""What a book is to the analyst at work in a notebook: it lists what it can show, explains, and is changed in a cell.

``kpibook.book.Book`` has all of this; the methods here say which parts of a book they need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from kpibook import explaining, listing, peek, progress
from kpibook.engine import compute as engine
from kpibook.errors import ParamsError, PluginError, Problem, did_you_mean
from kpibook.present import chapters

if TYPE_CHECKING:
    import pandas as pd

    from kpibook.catalog import Catalog
    from kpibook.intake import Intake
    from kpibook.params import Params
    from kpibook.present.display import Display
    from kpibook.present.words import Words

BookLike = TypeVar("BookLike", bound="Opened")


class Opened(Protocol):
    """A client's data and results, with the words to speak of them."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def params(self) -> Params: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def results(self) -> engine.Results: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def _words(self) -> Words: ...
    @property
    def _titles(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def _shown(self) -> pd.DataFrame: ...
    @property
    def _table_units(self) -> Mapping[str, Mapping[str, str]]: ...


class Workbench:
    """The part of a book that answers questions about one KPI, and that can be changed."""

    def __getitem__(self: Opened, kpi: str) -> Display:
        """One KPI: its figure, then its trends, breakdowns and tables. ``book["churn_rate"]``."""
        _known(self, kpi)
        card = self._shown[self._shown["kpi"] == kpi]
        own = {name: table for name, table in self.results.tables.items() if name.partition(".")[0] == kpi}
        family = self.catalog.kpis[kpi].definition.family
        return chapters.section(card, own, family, self._words, self._table_units)

    def explain(self: Opened, kpi: str) -> Display:
        """One KPI's definition, inputs with columns and rows, settings, origin, hash and query."""
        _known(self, kpi)
        known = self.params, self.intake, self.results, self.catalog
        return explaining.explained(kpi, *known, loaded(self.intake), self._words, self._titles[kpi])

    def why(self: Opened, kpi: str) -> Display:
        """Why a KPI has no figure, or not all of one, and what to ask the client for."""
        _known(self, kpi)
        return explaining.why(kpi, self.results, self._words, self._titles[kpi][0])

    def rows(self: Opened, table: str, most: int = 5) -> pd.DataFrame:
        """The first rows of a canonical table or a view, as a KPI that names it gets them. ``book.rows("receipts")``"""
        return peek.first_rows(table, most, self.catalog, self.results.resolution, loaded(self.intake))

    def with_settings(self: BookLike, **settings: Mapping[str, Any]) -> BookLike:  # noqa: PYI019  of whoever is such a book
        """Another book with other settings of KPIs or views, computed anew; the data are not read again.

        ``book.with_settings(churn_rate={"churn_days": 60})``; the params file stays as it is. Raises ParamsError for
        unknown KPIs and settings, and for values of another type.
        """
        given = {**self.params.settings}
        wrong = [
            Problem("with_settings", f"{name}={own!r} names no settings", f'write {name}={{"setting": value}}')
            for name, own in settings.items()
            if not isinstance(own, Mapping)
        ]
        if wrong:
            raise ParamsError(wrong)
        given |= {name: {**given.get(name, {}), **own} for name, own in settings.items()}
        try:
            self.catalog.resolve(given, lambda *_: "with_settings")
        except PluginError as error:
            raise ParamsError(error.problems) from None
        params = self.params.model_copy(update={"settings": given})
        with progress.told(self._words) as step:
            step("computing", n=len(self.catalog.kpis))
            found = engine.compute(self.catalog, params, loaded(self.intake), params.privacy.min_persons)
        return replace(self, params=params, results=found)

    def _ipython_key_completions_(self: Opened) -> list[str]:
        """What IPython offers after ``book["``."""
        return list(self.catalog.kpis)

    def _repr_mimebundle_(self: Opened, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return listing.listed(self.params, self.results, self._words)._repr_mimebundle_(include, exclude)

    def __repr__(self: Opened) -> str:
        return repr(listing.listed(self.params, self.results, self._words))


def loaded(data: Intake) -> engine.Loaded:
    """What the engine needs of an intake: assumed columns count as supplied."""
    supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in data.facts.items()}
    rows = {name: facts.rows for name, facts in data.facts.items()}
    assert data.data_start is not None and data.data_end is not None  # noqa: S101  intake refuses empty sales
    return engine.Loaded(data.con, supplied, rows, data.data_start, data.data_end, data.digests)


def _known(book: Opened, kpi: str) -> None:
    if kpi not in book.catalog.kpis:
        raise ParamsError(Problem("book", f"there is no KPI '{kpi}'", did_you_mean(str(kpi), book.catalog.kpis)))
