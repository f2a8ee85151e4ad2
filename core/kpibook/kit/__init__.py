"""The plugin kit: a KPI begun, tried on a case worked by hand, and admitted."""
