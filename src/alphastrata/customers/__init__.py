"""Customers: explainable segments, a portfolio for each, a campaign within a budget."""

from __future__ import annotations

from alphastrata.customers.choice import Effort, KChoice, choose_k, elbow
from alphastrata.customers.kinds import KINDS, infer_kinds
from alphastrata.customers.preprocess import MixedPreprocessor
from alphastrata.customers.scf import read_scf
from alphastrata.customers.search import StageSearch, candidates, search_stages
from alphastrata.customers.segmentation import Segmentation, SegmentModel, segment
from alphastrata.customers.simulate import SimulatedCustomers, simulate
from alphastrata.customers.stages import Stages
from alphastrata.customers.table import CustomerTable, make_table, read_customers
from alphastrata.customers.transactions import transaction_features

__all__ = [
    "KINDS",
    "CustomerTable",
    "Effort",
    "KChoice",
    "MixedPreprocessor",
    "SegmentModel",
    "Segmentation",
    "SimulatedCustomers",
    "StageSearch",
    "Stages",
    "candidates",
    "choose_k",
    "elbow",
    "infer_kinds",
    "make_table",
    "read_customers",
    "read_scf",
    "search_stages",
    "segment",
    "simulate",
    "transaction_features",
]
