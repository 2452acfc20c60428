"""Compiled kernels give the same bits in the process that compiles them and from the cache."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "alphastrata"


def compiled(tree: ast.Module) -> dict[str, tuple[ast.FunctionDef, set[str]]]:
    """Functions of a file that numba compiles, with the names of their options."""
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(call, ast.Name) and call.id == "njit":
                options = decorator.keywords if isinstance(decorator, ast.Call) else []
                found[node.name] = (node, {str(option.arg) for option in options})
    return found


def kernels() -> list[tuple[Path, ast.FunctionDef, set[str]]]:
    return [
        (file, node, options)
        for file in sorted(PACKAGE.rglob("*.py"))
        for node, options in compiled(ast.parse(file.read_text(encoding="utf-8"))).values()
    ]


REORDERED = {node.name for _, node, options in kernels() if "fastmath" in options}


def calls(node: ast.FunctionDef) -> set[str]:
    found = (c.func for c in ast.walk(node) if isinstance(c, ast.Call))
    return {f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in found}


def test_a_kernel_whose_sums_may_be_reordered_is_called_from_python_alone():
    # A call would find it as compiled for itself, or as compiled into its caller: other lanes.
    assert len(REORDERED) >= 8
    found = {(file.name, node.name): calls(node) & REORDERED for file, node, _ in kernels()}
    assert {where: helpers for where, helpers in found.items() if helpers} == {}


def test_a_kernel_whose_sums_may_be_reordered_does_not_ask_whether_a_sum_is_finite():
    # numba asks whether x - x is ordered, and a reordered x - x is zero.
    asks = {node.name for _, node, _ in kernels() if "isfinite" in calls(node)}
    assert not asks & REORDERED


SCRIPT = """
import hashlib, importlib
import numpy as np
from alphastrata.cluster import neighbors, tsne_kernels, validity
from alphastrata.core import crossproducts
from alphastrata.inference import many_series

rng = np.random.default_rng(0)
found = []
for n in (1, 7, 30, 82, 333, 511, 513, 1500):
    for p in (1, 2, 3, 4, 7):
        x, offsets = rng.normal(size=(p, 9 * n)), np.arange(10) * n
        whole = crossproducts.normal_equations(x, offsets)
        weighted = crossproducts.normal_equations(x, offsets, weights=rng.random(9 * n))
        x[:, ::37] = np.nan
        holes = crossproducts.normal_equations(x, offsets)
        found += [whole.moments, weighted.moments, holes.moments]
for n in (60, 83, 240):
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    y = rng.normal(size=(n, 213))
    projector = np.ascontiguousarray(X @ np.linalg.inv(X.T @ X))
    q = np.ascontiguousarray(np.linalg.qr(X)[0])
    found += many_series.bartlett_fits(q, projector, y, 7)
    found.append(many_series.bartlett_lanes(projector, y, 7))
for n, dims in ((61, 2), (150, 3), (333, 2)):
    X = rng.normal(size=(n, 5))
    found.append(neighbors.squared_distances(X, np.ascontiguousarray(X.T)))
    member = np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)].T.copy()
    found.append(validity._distance_sums(np.ascontiguousarray(X.T), member))
    offsets = np.arange(0, n * 4, 4)[: n + 1]
    offsets = np.append(offsets, 4 * n).astype(np.int64)[: n + 1]
    columns = rng.integers(0, n, 4 * n).astype(np.int32)
    values = rng.random(4 * n).astype(np.float32)
    Y = rng.normal(size=(dims, n)).astype(np.float32)
    found.append(tsne_kernels.gradient(Y, offsets, columns, values, 4.0))
    found.append(np.array(tsne_kernels.kl_divergence(Y, offsets, columns, values)))
    tsne_kernels.descend(Y, (offsets, columns, values), 20, 4.0, 50.0, 0.8)
    found.append(Y)
    nearest = columns[: 5 * 4].reshape(5, 4)
    found.append(tsne_kernels.place_rows(Y.astype(float), nearest, np.full((5, 4), 0.25), 30))
every = [v for m in (crossproducts, many_series, neighbors, validity, tsne_kernels)
         for v in vars(m).values() if getattr(v, "targetoptions", {}).get("fastmath")]
assert all(kernel.signatures for kernel in every), every
print(sorted({kernel.__name__ for kernel in every}))
print(hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in found)).hexdigest())
"""


@pytest.mark.slow
def test_compiled_here_or_loaded_from_the_cache_the_bits_are_the_same(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    cold, warm = (
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        ).stdout.split("\n")
        for _ in range(2)
    )
    assert set(ast.literal_eval(cold[0])) == REORDERED
    assert cold == warm
