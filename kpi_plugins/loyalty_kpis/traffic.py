"""Traffic: how many visits, by whom, and whether more of them bring more."""

from dataclasses import replace

from kpibook import change, kpi, ratio, share, total, variants, view
from loyalty_kpis.reach import inside
from loyalty_kpis.visits import marked_members, visitors_of


@view(key=("visitor_id", "period_id"))
def member_visitors(visits, memberships, periods):
    """Member visitors: one row per period and visitor, with whether a member at its beginning."""
    return marked_members(visitors_of(visits, periods), memberships)


@kpi(
    unit="ratio",
    better="higher",
    family="acquisition",
    question="How often do people visit, and do more visits bring margin?",
)
def visit_frequency(visits, member_visitors, purchase_days, periods):
    """Visit frequency (site/store): visits per visitor and month with a visit.

    visits_per_visitor counts the whole period. members and others split by membership at its beginning. Of identified
    visitors, margin_per_visit is the margin (net sales less cost of goods) of all their kept purchases per visit,
    margin_per_person per visitor; and visits_without_margin is the relative change of visits per visitor less that of
    margin per visitor: above 0, visits grew more than what they bring.
    """
    persons = visitors_of(visits, periods)
    earning = _earning(persons, purchase_days, periods)
    cluster, margin, seen = earning.visitor_id, earning.margin.sum(), earning.visits.sum()
    per_person = ratio(margin, earning.count(), cluster=cluster)
    visits_each = ratio(seen, earning.count(), cluster=cluster)
    return variants(
        _frequency(persons),
        visits_per_visitor=ratio(persons.visits.sum(), persons.count(), cluster=persons.visitor_id),
        members=_frequency(member_visitors, member_visitors.member),
        others=_frequency(member_visitors, ~member_visitors.member),
        margin_per_visit=ratio(margin, seen, cluster=cluster).in_unit("money"),
        margin_per_person=per_person.in_unit("money"),
        visits_without_margin=(change(visits_each) - change(per_person)).in_unit("percent"),
    )


@kpi(
    unit="count",
    better="neutral",
    family="acquisition",
    question="What traffic does the site have, of which identified members?",
)
def website_statistics(visits, member_visitors, periods, *, offline_channels: str = "store, phone"):
    """Website statistics (traffic): visits outside the offline_channels, each in the period in which it began.

    visitors are the persons behind them; identified_share is visits with a login, out of visits; member_share is visits
    by members at the period's beginning, out of visits; bounce_rate is visits of a single event, out of visits.
    """
    names = [name.strip() for name in offline_channels.split(",") if name.strip()]
    site = visits.filter(~visits.channel.isin(names).fill_null(False)) if names else visits
    cluster = site.visitor_id
    persons = visitors_of(site, periods)
    members = _placed(site, periods).left_join(
        member_visitors.filter(member_visitors.member).select("period_id", "visitor_id", "member"),
        ["period_id", "visitor_id"],
    )
    members = members.select("period_id", "visitor_id", "channel", member=members.member.fill_null(False))
    return variants(
        total(site.count(), cluster=cluster),
        visitors=total(persons.count(), cluster=persons.visitor_id).in_unit("persons"),
        identified_share=share(site.logged_in, cluster=cluster).in_unit("percent"),
        member_share=share(members.member, cluster=members.visitor_id).in_unit("percent"),
        bounce_rate=share(site.bounced, cluster=cluster).in_unit("percent"),
    )


def _frequency(persons, where=None):
    found = ratio(persons.visits.sum(where=where), persons.months.sum(where=where), cluster=persons.visitor_id)
    return replace(found, rule="M")


def _earning(persons, purchase_days, periods):
    """Identified visitors of a period with the margin of all that they bought and kept in it."""
    placed = purchase_days.join(periods, inside(purchase_days.business_date, periods.start, periods.end))
    bought = placed.group_by("period_id", "customer_id").agg(margin=(placed.net_amount - placed.cogs).sum())
    known = persons.filter(persons.customer_id.notnull())
    rows = known.left_join(bought, ["period_id", "customer_id"])
    return rows.select("period_id", "visitor_id", "customer_id", "visits", margin=rows.margin.fill_null(0))


def _placed(visits, periods):
    """Visits in the periods in which they began."""
    windows = periods.select("period_id", "start", "end")
    return visits.join(windows, inside(visits.began_at.date(), windows.start, windows.end))


DEFINITIONS = (member_visitors, visit_frequency, website_statistics)
