"""The canonical tables: notation, keys, references."""

import pytest

from kpibook import model


def test_there_are_25_tables():
    assert len(model.TABLES) == 25
    assert sum(len(table.columns) for table in model.TABLES.values()) == 252


def test_the_notation():
    column = model.TABLES["transactions"].columns["payment_token_hash"]

    assert (column.kind, column.nullable, column.assumed) == ("str", True, "null")
    assert column.note == "salted, optional dedup of anonymous buyers"
    assert model.TABLES["transactions"].columns["channel"].values == (
        "store", "web", "app", "marketplace", "phone", "b2b",
    )  # fmt: skip
    assert model.TABLES["transactions"].date == "business_date"
    assert model.TABLES["campaign_targets"].key == ("campaign_id", "customer_id")


def test_a_notation_that_is_not_understood():
    with pytest.raises(ValueError, match="column notation") as caught:
        model._column("ts datetime")
    assert str(caught.value) == "column notation not understood: 'ts datetime'"


def test_references_follow_the_names_of_keys():
    assert model.references("order_lines") == {
        "transaction_id": "transactions",
        "product_id": "products",
        "return_of_line_id": "order_lines",
    }
    assert model.references("referrals")["referrer_customer_id"] == "customers"
    assert model.references("products") == {}


def test_an_unknown_public_name():
    import kpibook

    with pytest.raises(AttributeError) as caught:
        _ = kpibook.median
    assert str(caught.value) == "module 'kpibook' has no attribute 'median'"
