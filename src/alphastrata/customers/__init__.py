"""Customers: explainable segments, a portfolio for each, a campaign within a budget."""

from __future__ import annotations

from alphastrata.customers.association import (
    AssociationNetwork,
    CustomerNetwork,
    association_matrix,
    association_network,
    customer_network,
)
from alphastrata.customers.choice import Effort, KChoice, choose_k, elbow
from alphastrata.customers.explain import (
    CustomerShapley,
    Explanation,
    explain,
    segment_rules,
    shapley_by_column,
)
from alphastrata.customers.kinds import KINDS, infer_kinds
from alphastrata.customers.preprocess import MixedPreprocessor
from alphastrata.customers.profile import SegmentProfiles, profile_segments
from alphastrata.customers.scf import read_scf
from alphastrata.customers.search import StageSearch, candidates, search_stages
from alphastrata.customers.segmentation import Segmentation, SegmentModel, segment
from alphastrata.customers.simulate import SimulatedCustomers, simulate
from alphastrata.customers.stages import Stages
from alphastrata.customers.table import CustomerTable, make_table, read_customers
from alphastrata.customers.transactions import transaction_features

__all__ = [
    "KINDS",
    "AssociationNetwork",
    "CustomerNetwork",
    "CustomerShapley",
    "CustomerTable",
    "Effort",
    "Explanation",
    "KChoice",
    "MixedPreprocessor",
    "SegmentModel",
    "SegmentProfiles",
    "Segmentation",
    "SimulatedCustomers",
    "StageSearch",
    "Stages",
    "association_matrix",
    "association_network",
    "candidates",
    "choose_k",
    "customer_network",
    "elbow",
    "explain",
    "infer_kinds",
    "make_table",
    "profile_segments",
    "read_customers",
    "read_scf",
    "search_stages",
    "segment",
    "segment_rules",
    "shapley_by_column",
    "simulate",
    "transaction_features",
]
