"""Identities through time: invariant to numbering and row order, events at their windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphastrata.cluster import align
from alphastrata.errors import InputDataError


def windows(*groups):
    """Labels, assets and centres of windows given as lists of groups of asset codes."""
    labels, assets, centres = [], [], []
    for clusters in groups:
        members = sorted((a, c) for c, group in enumerate(clusters) for a in group)
        assets.append(np.array([a for a, _ in members]))
        labels.append(np.array([c for _, c in members]))
        # Each cluster stands at the mean of its members' codes, far from the others.
        centres.append({c: np.array([10.0 * np.mean(g)]) for c, g in enumerate(clusters)})
    return labels, assets, centres


A, B, C, D = (list(range(k, k + 10)) for k in (0, 100, 200, 300))


def kinds(result):
    return [(e.window, e.kind, e.cluster, e.related, e.members) for e in result.events]


def test_birth_and_death():
    result = align(*windows([A, B], [A, B, C], [A, C]))
    assert kinds(result) == [(1, "birth", 3, 0, 10), (2, "death", 2, 0, 10)]
    assert result.n == 3


def test_split_and_merge():
    result = align(*windows([A + B, C], [A, B, C], [A, B + C]))
    assert [(e.window, e.kind) for e in result.events] == [(1, "split"), (2, "merge")]
    split, merge = result.events
    assert (split.related, split.members, merge.members) == (1, 10, 10)


def test_a_replaced_cluster_is_another_one():
    result = align(*windows([A, B], [A, D]))
    assert [e.kind for e in result.events] == ["birth", "death"]


def test_members_that_all_left_are_recognised_by_place():
    labels, assets, centres = windows([A, B], [[a + 20 for a in A], [b + 20 for b in B]])
    assert align(labels, assets, centres).events == []


@given(st.randoms(use_true_random=False), st.integers(0, 2**32 - 1))
def test_numbering_and_row_order_change_nothing(random, seed):
    rng = np.random.default_rng(seed)
    labels = [rng.integers(-1, 4, 30) for _ in range(3)]
    assets = [rng.choice(50, 30, replace=False) for _ in range(3)]
    points = rng.normal(size=(50, 2))

    def centres(given):
        return [
            {int(c): points[a[x == c]].mean(0) for c in np.unique(x[x >= 0])}
            for x, a in zip(given, assets, strict=True)
        ]

    one = align(labels, assets, centres(labels))
    renamed = []
    for x in labels:
        new = random.sample(range(4), 4)
        renamed.append(np.where(x >= 0, np.array(new)[x], -1))
    two = align(renamed, assets, centres(renamed))
    for a, b in zip(one.labels, two.labels, strict=True):
        assert np.array_equal(a, b)
    assert one.events == two.events
    order = rng.permutation(30)
    three = align([x[order] for x in labels], [a[order] for a in assets], centres(labels))
    for a, b in zip(one.labels, three.labels, strict=True):
        assert np.array_equal(a[order], b)


def test_noise_stays_unclassified():
    labels, assets, centres = windows([A, B], [A, B])
    labels[1][:3] = -1
    got = align(labels, assets, centres)
    assert (got.labels[1][:3] == 0).all()
    # Overlap is among assets that are classified in both windows.
    assert got.overlap[1] == {1: 1.0, 2: 1.0}


def test_arguments_must_fit():
    with pytest.raises(InputDataError, match="same windows"):
        align([np.zeros(1, int)], [], [])


def test_windows_that_do_not_fit_are_named():
    one, codes, centre = np.array([0, 1]), np.array([0, 1]), {0: np.zeros(1), 1: np.ones(1)}
    with pytest.raises(InputDataError, match="window 1, 2 labels for 1 assets"):
        align([one, one], [codes, codes[:1]], [centre, centre])
    with pytest.raises(InputDataError, match="once in a window; 1 breaks this. First: window 0"):
        align([one, one], [codes * 0, codes], [centre, centre])
    with pytest.raises(InputDataError, match="window 1, cluster 1"):
        align([one, one], [codes, codes], [centre, {0: np.zeros(1)}])
