"""Customers: explainable segments, a portfolio for each, a campaign within a budget."""

from __future__ import annotations

from alphastrata.customers.kinds import KINDS, infer_kinds
from alphastrata.customers.scf import read_scf
from alphastrata.customers.simulate import SimulatedCustomers, simulate
from alphastrata.customers.table import CustomerTable, make_table, read_customers
from alphastrata.customers.transactions import transaction_features

__all__ = [
    "KINDS",
    "CustomerTable",
    "SimulatedCustomers",
    "infer_kinds",
    "make_table",
    "read_customers",
    "read_scf",
    "simulate",
    "transaction_features",
]
