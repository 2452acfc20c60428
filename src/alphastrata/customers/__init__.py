"""Customers: explainable segments, a portfolio for each, a campaign within a budget."""

from __future__ import annotations

from alphastrata.customers.allocation import Allocation, AllocationRules, allocate
from alphastrata.customers.association import (
    AssociationNetwork,
    CustomerNetwork,
    association_matrix,
    association_network,
    customer_network,
)
from alphastrata.customers.campaign import Budget, Campaign, plan_campaign
from alphastrata.customers.choice import Effort, KChoice, choose_k, elbow
from alphastrata.customers.explain import (
    CustomerShapley,
    Explanation,
    explain,
    segment_rules,
    shapley_by_column,
)
from alphastrata.customers.fairness import fairness
from alphastrata.customers.funds import simulate_fund_returns
from alphastrata.customers.kinds import KINDS, infer_kinds
from alphastrata.customers.lift import Lift, measure_lift
from alphastrata.customers.preprocess import MixedPreprocessor
from alphastrata.customers.profile import SegmentProfiles, profile_segments
from alphastrata.customers.propensity import Propensity, propensity
from alphastrata.customers.result import StudyResult
from alphastrata.customers.risk import risk_profiles
from alphastrata.customers.scf import read_scf
from alphastrata.customers.search import StageSearch, candidates, search_stages
from alphastrata.customers.segmentation import Segmentation, SegmentModel, segment
from alphastrata.customers.settings import CustomerStudy, read_study
from alphastrata.customers.simulate import SimulatedCustomers, simulate
from alphastrata.customers.stages import Stages
from alphastrata.customers.study import run_study, segment_study
from alphastrata.customers.table import CustomerTable, make_table, read_customers
from alphastrata.customers.themes import themes
from alphastrata.customers.transactions import transaction_features

__all__ = [
    "KINDS",
    "Allocation",
    "AllocationRules",
    "AssociationNetwork",
    "Budget",
    "Campaign",
    "CustomerNetwork",
    "CustomerShapley",
    "CustomerStudy",
    "CustomerTable",
    "Effort",
    "Explanation",
    "KChoice",
    "Lift",
    "MixedPreprocessor",
    "Propensity",
    "SegmentModel",
    "SegmentProfiles",
    "Segmentation",
    "SimulatedCustomers",
    "StageSearch",
    "Stages",
    "StudyResult",
    "allocate",
    "association_matrix",
    "association_network",
    "candidates",
    "choose_k",
    "customer_network",
    "elbow",
    "explain",
    "fairness",
    "infer_kinds",
    "make_table",
    "measure_lift",
    "plan_campaign",
    "profile_segments",
    "propensity",
    "read_customers",
    "read_scf",
    "read_study",
    "risk_profiles",
    "run_study",
    "search_stages",
    "segment",
    "segment_rules",
    "segment_study",
    "shapley_by_column",
    "simulate",
    "simulate_fund_returns",
    "themes",
    "transaction_features",
]
