"""Fixtures of the room."""

from __future__ import annotations

import pytest

from alphastrata import customers


@pytest.fixture(scope="session")
def made():
    return customers.simulate(800, transactions=True, seed=3)


@pytest.fixture(scope="session")
def table(made):
    return customers.make_table(made.customers)
