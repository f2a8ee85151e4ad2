"""The client that intake tests write and load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intake.shop_client import Client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)
