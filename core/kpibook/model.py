"""The canonical data model: 25 tables, their columns, types, units and keys.

A client's files are mapped onto these tables once, in the params file; everything
after intake speaks only these names. ``datetime`` columns hold wall-clock time in
the shop's zone (intake converts), ``money`` is decimal(18,4) in the reporting
currency, before VAT.

Column notation: ``name:type`` then ``?`` may be null, ``!`` part of the key,
``@`` the date that places a row in a period, ``=value`` assumed (and reported)
when a client does not supply the column, ``[...]`` unit or note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.schema as sch

SQL_TYPES = {
    "str": "VARCHAR",
    "enum": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "decimal": "DECIMAL(18,4)",
    "money": "DECIMAL(18,4)",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMP",
    "list": "VARCHAR[]",
}
IBIS_TYPES = {
    "str": "string",
    "enum": "string",
    "int": "int64",
    "float": "float64",
    "decimal": "decimal(18, 4)",
    "money": "decimal(18, 4)",
    "bool": "boolean",
    "date": "date",
    "time": "time",
    "datetime": "timestamp(6)",
    "list": "array<string>",
}


@dataclass(frozen=True)
class Column:
    """One column: ``kind`` is a key of SQL_TYPES, ``assumed`` the value taken when it is not supplied."""

    name: str
    kind: str
    nullable: bool = False
    key: bool = False
    dated: bool = False
    values: tuple[str, ...] = ()
    assumed: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    name: str
    what: str
    columns: dict[str, Column]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns.values() if c.key)

    @property
    def date(self) -> str | None:
        """The column that places a row in a period; None for tables without one."""
        return next((c.name for c in self.columns.values() if c.dated), None)


_COLUMN = re.compile(
    r"(?P<name>\w+):(?P<kind>enum|list|\w+)(?:\[(?P<values>[^\]]*)\])?(?P<nullable>\?)?(?P<key>!)?(?P<dated>@)?"
    r"(?:=(?P<assumed>[^\s\[]+))?(?:\s*\[(?P<note>.*)\])?"
)


def _column(source: str) -> Column:
    found = _COLUMN.fullmatch(" ".join(source.split()))
    if found is None:
        raise ValueError(f"column notation not understood: {source!r}")
    part = found.groupdict()
    values = tuple(v.strip() for v in (part["values"] or "").split(",")) if part["kind"] == "enum" else ()
    return Column(
        name=part["name"],
        kind=part["kind"],
        nullable=bool(part["nullable"]),
        key=bool(part["key"]),
        dated=bool(part["dated"]),
        values=tuple(v for v in values if v),
        assumed=part["assumed"],
        note=part["note"] or "",
    )


def _table(name: str, what: str, source: str) -> Table:
    columns = [_column(part) for part in source.split(";")]
    return Table(name, what, {c.name: c for c in columns})


_SOURCES = {
    "transactions": (
        "one receipt/order header",
        """transaction_id:str!; customer_id:str? [null=anonymous]; member_id:str? [card/login presented at THIS
        purchase]; ts:datetime [tz]; business_date:date@; store_id:str?; channel:enum[store, web, app,
        marketplace, phone, b2b]; status:enum[completed, cancelled]=completed; currency:str={currency}
        [ISO4217]; is_staff:bool=false; is_test:bool=false; payment_token_hash:str?=null [salted, optional
        dedup of anonymous buyers]""",
    ),
    "order_lines": (
        "one product line; returns are negative lines",
        """line_id:str!; transaction_id:str; product_id:str; quantity:decimal [units, <0 = return];
        return_of_line_id:str?=null; gross_amount:money [shelf value ex VAT]; general_discount:money [open
        to all]; loyalty_discount:money [member price/coupon]; personal_discount:money [individual offer];
        points_tender:money [paid with points, face value]; net_amount:money [ex VAT =
        gross-general-loyalty-personal, points_tender NOT deducted]; cogs:money; variable_cost:money [pick,
        ship, payment, commission]; supplier_funding:money [part of loyalty+personal discount refunded by
        supplier]""",
    ),
    "products": (
        "catalogue",
        """product_id:str!; category_id:str; brand:str; list_price:money; points_eligible:bool; launched_at:date""",
    ),
    "customers": (
        "identified persons",
        """customer_id:str!; household_id:str?=null; created_at:datetime; birth_year:int? [year]; postal_area:str?;
        socio_economic_band:str?; interests:list[str]?; acquisition_channel:enum?;
        acquisition_reason:enum[programme, recommendation, advertising, price, location, other, unknown]?;
        referred_by_customer_id:str?; consent_email:bool; consent_push:bool; consent_profiling:bool;
        deleted_at:datetime?=null""",
    ),
    "memberships": (
        "programme enrolment",
        """member_id:str!; customer_id:str; programme_id:str; enrolled_at:datetime; enrol_channel:enum;
        enrol_transaction_id:str? [purchase at which the person joined]; closed_at:datetime?=null;
        digital_card:bool; onboarding_done_at:datetime?""",
    ),
    "tier_history": (
        "status spells",
        """member_id:str!; tier_id:str; tier_rank:int [1=lowest]; valid_from:datetime!; valid_to:datetime?""",
    ),
    "programme_rules": (
        "earning rules by version",
        """programme_id:str!; valid_from:date!; valid_to:date?; launched_at:date; points_per_currency:decimal
        [points/EUR]; point_face_value:money [EUR/point]; expiry_days:int? [days]; first_reward_points:int
        [points]""",
    ),
    "points_ledger": (
        "every points movement, by lot",
        """entry_id:str!; member_id:str; ts:datetime@; type:enum[earn, bonus, redeem, expire, adjust, reverse];
        points:int [signed]; lot_id:str; transaction_id:str?; expires_at:datetime?; unit_cost:money
        [expected EUR cost per redeemed point]""",
    ),
    "redemptions": (
        "rewards taken",
        """redemption_id:str!; member_id:str; ts:datetime@; reward_type:enum[voucher, discount, product, partner,
        privilege, experience]; is_qualitative:bool [privilege, service, experience]; points_used:int;
        face_value:money; cost:money [cost to the firm]; transaction_id:str?""",
    ),
    "campaigns": (
        "initiatives",
        """campaign_id:str!; start_at:datetime; end_at:datetime; channel:enum; objective:str; target_rule:str? [data
        rule used to select]; lifecycle_stage:enum?; target_product_ids:list[str];
        target_min_quantity:decimal [units]; response_window_days:int [days]; fixed_cost:money;
        contact_cost:money [EUR/contact]; offer_type:enum; is_personalised:bool""",
    ),
    "campaign_targets": (
        "one row per campaign x customer, INCLUDING controls",
        """campaign_id:str!; customer_id:str!; assigned_at:datetime@=null; arm:enum[treatment, control]=treatment;
        is_random:bool=false; assignment_prob:float [0-1]; sent_at:datetime?=null; delivered:bool?=true;
        opened_at:datetime?; clicked_at:datetime?; replied_at:datetime?; unsubscribed_at:datetime?;
        offer_value:money?; predicted_uplift:float?""",
    ),
    "survey_invitations": (
        "who was asked",
        """invitation_id:str!; survey_id:str; wave_id:str; respondent_type:enum[customer, employee]; customer_id:str?;
        sent_at:datetime@; responded_at:datetime?""",
    ),
    "survey_responses": (
        "one row per answered item",
        """response_id:str!; survey_id:str; wave_id:str; respondent_type:enum[customer, employee, market_panel];
        customer_id:str?; ts:datetime@; touchpoint_type:enum?; channel:enum?; ticket_id:str?;
        question_code:enum[CSAT, CSAT_PROGRAMME, SAT_OVERALL, SAT_EXPECT, SAT_IDEAL, NPS, CES, SQ_E, SQ_P,
        SQ_WEIGHT, REWARD, EFFORT, TOLD_POS, TOLD_NEG, FIRST_CHOICE, ENPS, JOB_SAT]; dimension:enum[R, A, T,
        E, RS]?; item_no:int?; scale_min:int; scale_max:int; higher_is_better:bool; score:decimal;
        weight:float [post-stratification]""",
    ),
    "competitor_panel": (
        "category spend by brand, asked or panel",
        """wave_id:str; respondent_id:str; customer_id:str?; category_id:str; brand:str; is_own:bool;
        is_marketplace:bool; spend:money? [per year]; preference_rank:int? [1=best]; satisfaction:decimal?""",
    ),
    "tickets": (
        "service contacts",
        """ticket_id:str!; customer_id:str?; channel:enum; direction:enum[inbound, proactive]; created_at:datetime@;
        auto_reply_at:datetime?; first_human_reply_at:datetime?; resolved_at:datetime?; contacts_count:int;
        reopened_count:int; is_complaint:bool; is_spam:bool; abandoned:bool [left queue unanswered];
        sla_reply_minutes:int [business min]""",
    ),
    "funnel_events": (
        "digital and physical touchpoints",
        """event_id:str!; visitor_id:str; customer_id:str?; session_id:str; ts:datetime@; channel:enum;
        stage:enum[acquisition, activation, opportunity, conversion, post_sale, advocacy]; event_name:str;
        touchpoint_type:enum[seo, social, blog, community, website, survey, partnership, video, email, app,
        store, call, meeting, ads]; product_id:str?; transaction_id:str?; sentiment:decimal? [-1..1];
        is_bot:bool""",
    ),
    "referrals": (
        "invitations to friends",
        """referral_id:str!; referrer_customer_id:str; invitee_hash:str; sent_at:datetime@; mode:enum[organic,
        incentivised]; referred_customer_id:str?; first_purchase_at:datetime?; reward_cost:money""",
    ),
    "programme_costs": (
        "cost ledger of the programme",
        """cost_id:str!; programme_id:str; period_start:date@; period_end:date; cost_type:enum[loyalty_discount,
        personal_discount, reward, points_liability_change, operations, personnel, technology_opex,
        technology_amortisation, launch_capex, communication, enrolment_incentive, referral_incentive,
        research, fraud, other]; amount:money; is_in_transactions:bool [true = already deducted in
        order_lines]; is_estimate:bool""",
    ),
    "company_financials": (
        "audited totals for reconciliation",
        """period_start:date!@; period_end:date!; net_revenue:money; gross_margin:money; advertising_spend:money;
        marketing_spend:money""",
    ),
    "customer_scores": (
        "per-customer behaviour model output",
        """customer_id:str!; model_id:str!; scored_at:datetime!; horizon_days:int [days]; p_active:float [0-1];
        expected_purchases:float; expected_margin:money; recommended_discount:float? [0-1]""",
    ),
    "targets": (
        "objectives, versioned",
        """target_id:str!; kpi_id:str; segment:str=total; period_start:date; period_end:date; baseline_value:float;
        target_value:float; comparator:enum[>=, <=]; set_at:datetime; superseded_at:datetime?=null""",
    ),
    "benchmarks": (
        "external reference values",
        """benchmark_id:str!; kpi_id:str; segment:str; low:float; value:float; high:float; unit:str; geography:str;
        industry:str; year:int; n:int?; source:str; source_url:str; same_definition:bool;
        evidence_grade:enum[A, B, C, D]""",
    ),
    "audit_inventory": (
        "what the audited firm itself monitors",
        """item_id:str!; firm_kpi_name:str; kpi_id:str?; cadence_days:int [days]; last_refreshed_at:datetime;
        has_programme_segment:bool; has_comparator:bool [control or a-priori target];
        is_product_linked:bool; used_in_decision:bool""",
    ),
    "staff_periods": (
        "headcount",
        """unit_id:str!; period_start:date!@; period_end:date; headcount_start:int; headcount_end:int;
        leavers_total:int; leavers_voluntary:int""",
    ),
    "calendar": (
        "opening hours",
        """calendar_id:str!; date:date!; is_open:bool; open_from:time?; open_to:time?; fiscal_week:int""",
    ),
}

TABLES: dict[str, Table] = {name: _table(name, what, source) for name, (what, source) in _SOURCES.items()}

#: A purchase's header may arrive with its lines; these columns are then lifted into ``transactions``.
LIFTED = tuple(TABLES["transactions"].columns)


@cache
def schema(table: str) -> sch.Schema:
    """The Ibis schema of a canonical table. Everything but the key may be null once loaded."""
    import ibis

    columns = TABLES[table].columns.values()
    return ibis.schema({c.name: ("!" if c.key else "") + IBIS_TYPES[c.kind] for c in columns})


@cache
def references(table: str) -> dict[str, str]:
    """Foreign keys of a table: ``{column: referenced table}``.

    A column whose name ends in another table's key refers to that table
    (``referrer_customer_id`` -> ``customers``, ``return_of_line_id`` -> ``order_lines``).
    """
    found = {}
    for column in TABLES[table].columns:
        for other in TABLES.values():
            if len(other.key) != 1:
                continue
            own_key = other.name == table and column == other.key[0]
            if not own_key and (column == other.key[0] or column.endswith("_" + other.key[0])):
                found[column] = other.name
    return found
