"""The first-party KPI pack: one module per family, found by entry point like anybody's."""

from kpibook import hookimpl
from loyalty_kpis import campaigns, customers, customers_views, governance, retention, sales, sales_views, usage, views

MODULES = (views, sales_views, sales, customers_views, customers, retention, usage, campaigns, governance)
DEFINITIONS = tuple(definition for module in MODULES for definition in module.DEFINITIONS)


@hookimpl
def kpibook_definitions():
    """All views and KPIs of the pack, in the order of the report."""
    return list(DEFINITIONS)
