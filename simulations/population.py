"""A client's customers as a population to draw samples from, straight in DuckDB.

Units are drawn whole: a person with household, the friends brought and whoever invited the same friend, with
everything that is theirs in any table; an anonymous receipt with its returns; an anonymous visitor, ticket or
respondent. Each comes as often as a Poisson variable says, so that how many come varies too. A unit drawn twice
becomes two: its ids get a suffix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kpibook import intake, params
from kpibook.engine.compute import Loaded
from kpibook.model import TABLES

#: The unit of a row, as SQL over the table ``t``; ``person(x)`` names the unit of a customer id, null if unknown.
UNITS = {
    "customers": "person(t.customer_id)",
    "transactions": "coalesce(person(t.customer_id), 'receipt ' || first(t.transaction_id))",
    "order_lines": "owner(t.transaction_id)",
    "memberships": "person(t.customer_id)",
    "tier_history": "person(holder(t.member_id))",
    "points_ledger": "person(holder(t.member_id))",
    "redemptions": "person(holder(t.member_id))",
    "campaign_targets": "person(t.customer_id)",
    "customer_scores": "person(t.customer_id)",
    "referrals": "person(t.referrer_customer_id)",
    "tickets": "coalesce(person(t.customer_id), 'ticket ' || t.ticket_id)",
    "funnel_events": "coalesce(person(visitor(t.visitor_id)), 'visitor ' || t.visitor_id)",
    "competitor_panel": "coalesce(person(t.customer_id), 'panel ' || t.wave_id || t.respondent_id)",
    "survey_invitations": "coalesce(person(t.customer_id), 'answer ' || t.survey_id || t.wave_id || "
    "coalesce(CAST(t.responded_at AS VARCHAR), t.invitation_id))",
    "survey_responses": "coalesce(person(t.customer_id), 'answer ' || t.survey_id || t.wave_id || "
    "CAST(t.ts AS VARCHAR))",
}  # fmt: skip
#: Columns that name something which belongs to one unit.
OWNED = {
    "customer_id", "referred_by_customer_id", "referrer_customer_id", "referred_customer_id", "household_id",
    "invitee_hash", "member_id", "transaction_id", "enrol_transaction_id", "line_id", "return_of_line_id", "entry_id",
    "lot_id", "redemption_id", "invitation_id", "response_id", "respondent_id", "ticket_id", "event_id", "visitor_id",
    "session_id", "referral_id",
}  # fmt: skip
#: Of these, what names somebody else than the row's own customer.
OTHERS = {"referred_by_customer_id", "referred_customer_id", "household_id", "invitee_hash"}
#: A card is one person's; the anonymous receipts paid with one card are units of their own.
_CARD = "CASE WHEN p.customer_id IS NULL THEN p.payment_token_hash ELSE p.payment_token_hash || d.suffix END"


@dataclass(frozen=True)
class Population:
    """``file``: a DuckDB database with the canonical tables, each row's unit number beside it, and ``units``."""

    file: Path
    supplied: Mapping[str, frozenset[str]]
    first: date
    last: date

    def whole(self) -> Loaded:
        """Everybody once."""
        return self._loaded("SELECT unit, '' AS suffix FROM pop.units")

    def part(self, every: int) -> Loaded:
        """Each so many-th unit, once."""
        return self._loaded(f"SELECT unit, '' AS suffix FROM pop.units WHERE unit % {every} = 0")

    def draws(self, seed: int, number: int, rate: float = 1.0) -> npt.NDArray[np.int64]:
        """How often each unit, by its number from 1, is in a sample: Poisson variables of mean ``rate``."""
        with duckdb.connect(str(self.file), read_only=True) as con:
            (units,) = con.execute("SELECT count(*) FROM units").fetchone()
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))
        return rng.poisson(rate, units)

    def sample(self, seed: int, number: int, rate: float = 1.0) -> Loaded:
        """Every unit as often as drawn."""
        times = self.draws(seed, number, rate)
        drawn = pd.DataFrame({"unit": np.repeat(np.arange(1, len(times) + 1), times)})
        drawn["copy"] = drawn.groupby("unit").cumcount()
        drawn["suffix"] = np.where(drawn["copy"] > 0, "~" + (drawn["copy"] + 1).astype(str), "")
        return self._loaded("SELECT unit, suffix FROM drawn", drawn[["unit", "suffix"]])

    def ids(self) -> pd.DataFrame:
        """Whose every id is: ``unit``, and ``own``, the number of its customer alone, where it has one; index ids.

        Those of friends and households are left out: they name others.
        """
        parts = []
        for name in UNITS:
            columns = set(TABLES[name].columns)
            who, join = ("t.customer_id" if "customer_id" in columns else "NULL"), ""
            if "referrer_customer_id" in columns:
                who = "t.referrer_customer_id"
            elif name == "order_lines":
                who, join = "x.customer_id", "LEFT JOIN transactions x USING (transaction_id)"
            elif "customer_id" not in columns and "member_id" in columns:
                who, join = "m.customer_id", "LEFT JOIN memberships m USING (member_id)"
            asked = f"t.unit, {who} AS who FROM {name} t {join}"
            parts += [f"SELECT t.{column} AS id, {asked}" for column in sorted(columns & OWNED - OTHERS)]
        every = " UNION ".join(parts)
        with duckdb.connect(str(self.file), read_only=True) as con:
            found = con.execute(
                f"SELECT id, max(unit) AS unit, max(who) AS who FROM ({every}) WHERE id IS NOT NULL "
                "GROUP BY id HAVING min(unit) = max(unit)"
            ).df()
        customer, names = pd.factorize(found["who"], sort=True)
        own = np.where(customer < 0, found["unit"] + len(names), customer + 1)
        return found.assign(own=own).set_index("id")[["unit", "own"]]

    def _loaded(self, draws: str, drawn: pd.DataFrame | None = None) -> Loaded:
        backend = ibis.duckdb.connect(threads=1, memory_limit="4GB")
        con = backend.con
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET enable_progress_bar = false")
        con.execute(f"ATTACH '{self.file}' AS pop (READ_ONLY)")
        if drawn is not None:
            con.register("drawn", drawn)
        con.execute(f"CREATE TEMP TABLE draws AS {draws}")
        rows = {}
        for name in TABLES:
            con.execute(f"CREATE TABLE {name} AS {_drawn(name)}")
            rows[name] = int(con.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
        con.execute("DROP TABLE draws")
        if drawn is not None:
            con.unregister("drawn")
        con.execute("DETACH pop")
        return Loaded(backend, self.supplied, rows, self.first, self.last)


def _drawn(name: str) -> str:
    if name not in UNITS:
        return f"SELECT * FROM pop.{name}"
    columns = []
    for column in TABLES[name].columns:
        if column == "payment_token_hash":
            columns.append(f"{_CARD} AS {column}")
        elif column in OWNED:
            columns.append(f"p.{column} || d.suffix AS {column}")
        else:
            columns.append(f"p.{column}")
    return f"SELECT {', '.join(columns)} FROM pop.{name} p JOIN draws d ON d.unit = p.unit"


def _copied(locked: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The canonical tables in a database that may write files: intake has locked its own."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name in TABLES:
        rows = locked.execute(f"SELECT * FROM {name}").to_arrow_table()
        con.register("rows_of_one", rows)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM rows_of_one")
        con.unregister("rows_of_one")
    return con


def population(client: Path, file: Path) -> Population:
    """Load a client and write the population's database, replacing an older one."""
    data = intake.load(params.load(client))
    con = _copied(data.con.con)
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"ATTACH '{file}' AS pop")
    con.register("persons", _persons(con))
    con.execute("CREATE TEMP TABLE person_units AS SELECT * FROM persons")
    con.execute(_LOOKUPS)
    for name in TABLES:
        unit = f", {_resolved(UNITS[name])} AS unit_name" if name in UNITS else ""
        con.execute(f"CREATE TABLE pop.named_{name} AS SELECT t.*{unit} FROM {name} t")
    every = " UNION ".join(f"SELECT unit_name FROM pop.named_{name}" for name in UNITS)
    con.execute(
        "CREATE TABLE pop.units AS SELECT unit_name, split_part(unit_name, ' ', 1) AS kind, "
        f"row_number() OVER (ORDER BY split_part(unit_name, ' ', 1), unit_name) AS unit FROM ({every}) "
        "WHERE unit_name IS NOT NULL"
    )
    for name in TABLES:
        source = f"SELECT n.* FROM pop.named_{name} n"
        if name in UNITS:
            source = (
                f"SELECT n.* EXCLUDE (unit_name), u.unit FROM pop.named_{name} n JOIN pop.units u USING (unit_name)"
            )
        con.execute(f"CREATE TABLE pop.{name} AS {source}")
        con.execute(f"DROP TABLE pop.named_{name}")
    con.execute("DETACH pop")
    supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in data.facts.items()}
    if data.data_start is None or data.data_end is None:
        raise ValueError(f"{client}: no receipts")
    return Population(file, supplied, data.data_start, data.data_end)


#: Who owns what: the first receipt of returned goods, a receipt's unit, a member's customer, a visitor's customer.
_LOOKUPS = """
CREATE TEMP TABLE firsts AS
SELECT r.transaction_id, min(o.transaction_id) AS origin FROM order_lines r
JOIN order_lines o ON o.line_id = r.return_of_line_id GROUP BY r.transaction_id;
CREATE TEMP TABLE owners AS
SELECT t.transaction_id,
  coalesce(p.unit_name, 'receipt ' || coalesce(f.origin, t.transaction_id)) AS unit_name
FROM transactions t LEFT JOIN person_units p USING (customer_id) LEFT JOIN firsts f USING (transaction_id);
CREATE TEMP TABLE visitors AS
SELECT visitor_id, max(customer_id) AS customer_id FROM funnel_events GROUP BY visitor_id;
"""


def _resolved(unit: str) -> str:
    """The SQL of ``UNITS`` with its lookups written out as scalar subqueries."""
    lookups = {
        "holder(t.member_id)": "(SELECT m.customer_id FROM memberships m WHERE m.member_id = t.member_id)",
        "visitor(t.visitor_id)": "(SELECT v.customer_id FROM visitors v WHERE v.visitor_id = t.visitor_id)",
        "owner(t.transaction_id)": "(SELECT o.unit_name FROM owners o WHERE o.transaction_id = t.transaction_id)",
        "first(t.transaction_id)": "coalesce((SELECT f.origin FROM firsts f "
        "WHERE f.transaction_id = t.transaction_id), t.transaction_id)",
    }
    for call, query in lookups.items():
        unit = unit.replace(call, query)
    while "person(" in unit:
        start = unit.index("person(")
        end = _closing(unit, start + len("person"))
        inner = unit[start + len("person(") : end]
        query = f"(SELECT p.unit_name FROM person_units p WHERE p.customer_id = {inner})"
        unit = unit[:start] + query + unit[end + 1 :]
    return unit


def _closing(text: str, opened: int) -> int:
    depth = 0
    for place in range(opened, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError(text)


def _persons(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """customer_id, unit_name: households, brought friends and all who invited the same one stay together."""
    people = con.execute("SELECT customer_id, household_id FROM customers ORDER BY customer_id").df()
    place = pd.Series(np.arange(len(people)), index=people["customer_id"].to_numpy())
    friends = con.execute(
        "SELECT referrer_customer_id, referred_customer_id AS other FROM referrals UNION "
        "SELECT referrer_customer_id, min(referrer_customer_id) OVER (PARTITION BY invitee_hash) FROM referrals "
        "WHERE invitee_hash IS NOT NULL"
    ).df()
    friends = friends[friends.isin(set(place.index)).all(axis=1)]
    shared = people.dropna(subset="household_id")
    head = shared.groupby("household_id")["customer_id"].transform("first")
    one = np.concatenate([place[friends["referrer_customer_id"]], place[head]])
    other = np.concatenate([place[friends["other"]], place[shared["customer_id"]]])
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(people), len(people)))
    group = connected_components(links, directed=False)[1]
    return pd.DataFrame({"customer_id": people["customer_id"], "unit_name": [f"person {g:07d}" for g in group]})
