"""``python -m kpibook.cli``."""

from kpibook.cli import main

main()
