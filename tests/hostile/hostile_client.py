"""A client all of whose texts are attacks: segments, titles, notes, settings, file names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

import attacks

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project, Result

FILES = {
    "order_lines": "<img src=x onerror=alert(1)>.parquet",
    "customers": "=1+1;$(touch kb-hit) `id` '\"&.parquet",
    "products": "#7 $HOME %s \u00e4.parquet",
}
COLUMNS = ("store_id", "postal_area", "socio_economic_band", "acquisition_channel")
SLOTS = -(-len(attacks.EVERY) // len(COLUMNS))
PERSONS_EACH = 12
PLUGIN = '''
"""KPIs whose every word is an attack."""

import json
from pathlib import Path

from kpibook import hookimpl, kpi, share

ATTACKS = json.loads((Path(__file__).parent / "attacks.json").read_text(encoding="utf-8"))
LOUD = "\\x1b[2J\\x1b]0;kb-hit\\x07\\u202e<script>alert(1)</script>"


def made(number, text):
    def wanted(receipts, *, mark: str = ""):
        return share(receipts.net_amount >= number)

    wanted.__name__ = f"attack_{number}"
    wanted.__doc__ = f"{text}: out of all {text}."
    return kpi(unit="percent", better="neutral", question=text, by_columns=False)(wanted)


@kpi(unit="money", better="neutral")
def loud(receipts):
    """Loud: what fails aloud."""
    raise ValueError(LOUD)


@hookimpl
def kpibook_definitions():
    return [loud, *(made(number, text) for number, text in enumerate(ATTACKS))]
'''


@dataclass(frozen=True)
class Attacked:
    """What the command said, and the report it left."""

    project: Project
    result: Result
    report: Path


def notes() -> list[str]:
    return list(attacks.SPEAKABLE)


def files() -> dict[str, str | bytes | pd.DataFrame]:
    """Parquet, because it holds every text as it is; YAML by way of JSON, which it can read."""
    persons = [f"c{n}" for n in range(SLOTS * PERSONS_EACH)]
    padded = [*attacks.EVERY, *attacks.EVERY[: SLOTS * len(COLUMNS) - len(attacks.EVERY)]]
    texts = {name: padded[SLOTS * i : SLOTS * (i + 1)] for i, name in enumerate(COLUMNS)}
    rows = [(person, n % SLOTS, month) for n, person in enumerate(persons) for month in (1, 2, 4, 5)[: 4 - n % 2]]
    lines = pd.DataFrame(
        {
            "ticket": [f"{person}-{month}" for person, _, month in rows],
            "person": [person for person, _, _ in rows],
            "day": [pd.Timestamp(2024, month, 3, 12) for _, _, month in rows],
            "article": [f"a{slot}" for _, slot, _ in rows],
            "net": [10.0 + slot for _, slot, _ in rows],
            "store_id": [texts["store_id"][slot] for _, slot, _ in rows],
        }
    )
    slots = [n % SLOTS for n in range(len(persons))]
    customers = pd.DataFrame({"person": persons})
    for name in COLUMNS[1:]:
        customers[name] = [texts[name][slot] for slot in slots]
    products = pd.DataFrame({"article": [f"a{slot}" for slot in range(SLOTS)]})
    products["category_id"] = "tea"
    params = {
        "client": "attacked",
        "title": attacks.HTML[0],
        "language": "en",
        "currency": "EUR",
        "timezone": "Europe/Rome",
        "period": "2024-04-01/2024-06-30",
        "compare": "2024-01-01/2024-03-31",
        "source": "../data",
        "tables": {
            "order_lines": {
                "from": FILES["order_lines"],
                "columns": {
                    "transaction_id": "ticket",
                    "customer_id": "person",
                    "ts": "day",
                    "product_id": "article",
                    "net_amount": "net",
                    "store_id": "store_id",
                },
            },
            "customers": {
                "from": FILES["customers"],
                "columns": {"customer_id": "person", **{name: name for name in COLUMNS[1:]}},
            },
            "products": {
                "from": FILES["products"],
                "columns": {"product_id": "article", "category_id": "category_id"},
            },
        },
        "breakdowns": ["month", *COLUMNS],
        "settings": {f"attack_{n}": {"mark": text} for n, text in enumerate(attacks.SPEAKABLE)},
        "notes": notes(),
        "plugins": "../plugins",
    }
    return {
        "params/attacked.yaml": json.dumps(params, ensure_ascii=True, indent=1),
        "plugins/attacks.json": json.dumps(attacks.SPEAKABLE),
        "plugins/hostile.py": PLUGIN,
        f"data/{FILES['order_lines']}": lines,
        f"data/{FILES['customers']}": customers,
        f"data/{FILES['products']}": products,
    }
