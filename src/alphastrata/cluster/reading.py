"""What users hand in, read once: features as a frame of numbers, clusters as whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from alphastrata.core.checks import Violations

__all__ = ["read_features", "read_labels"]

Labels = NDArray[np.int64]


def read_features(
    X: Any, what: str, *, least: int = 1, missing: bool = True, empty: bool = True
) -> pd.DataFrame:
    """Return features (rows x columns) as float64, with the index and the columns of a frame.

    Parameters
    ----------
    X : array or DataFrame of shape (n, d)
        Numbers; an array's columns are called x0, x1, …
    what : str
        What needs them, the opening of the message.
    least : int
        Fewest rows.
    missing : bool
        Whether values may be missing (NaN).
    empty : bool
        Whether a column may have no value at all.

    Raises
    ------
    InputDataError
        If a rule is broken: two dimensions, enough rows, different names, numbers, none of them
        infinite. All that are broken are named together.

    Examples
    --------
    >>> read_features([[1, 2], [3, None]], "An example").columns.tolist()
    ['x0', 'x1']
    """
    check = Violations(what)
    if not isinstance(X, pd.DataFrame):
        given = np.asarray(X)
        shape = given.shape
        check.require(
            given.ndim == 2,
            "Features are a matrix, rows x columns",
            first=f"shape {shape}",
            remedy="Hand in a DataFrame or an array of two dimensions",
        )
        check.raise_if_any()
        X = pd.DataFrame(given, columns=[f"x{k}" for k in range(shape[1])])
    names = [str(name) for name in X.columns]
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    check.require(
        not twice,
        "Columns have different names",
        count=len(twice),
        first=repr(twice[0]) if twice else "",
        remedy="Rename or drop the repeated ones",
    )
    check.require(
        len(X) >= least and bool(names),
        f"There are at least {least} rows and one column",
        first=f"{len(X)} rows and {len(names)} columns",
        remedy="Take more assets",
    )
    check.raise_if_any()
    if all(kind == np.float64 for kind in X.dtypes):
        out = X
    else:
        out = pd.DataFrame({name: _numbers(X, name, check) for name in X.columns}, index=X.index)
    values = out.to_numpy(dtype=np.float64)
    _refuse(check, X, np.isinf(values), "No value is infinite", "Make them missing (NaN)")
    if not missing:
        rule, remedy = "No value is missing", "Replace them, or drop these rows"
        _refuse(check, X, np.isnan(values), rule, remedy)
    bare = out.columns[out.isna().all()] if not empty else out.columns[:0]
    check.require(
        not len(bare),
        "Every column has a value",
        count=len(bare),
        first=repr(bare[0]) if len(bare) else "",
        remedy="Leave these columns out",
    )
    check.raise_if_any()
    return out


def _numbers(X: pd.DataFrame, name: Any, check: Violations) -> NDArray[np.float64]:
    """Return a column as float64, recording the values that are no numbers."""
    column = X[name]
    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    numbers = pd.Series(np.nan, index=column.index)
    if pd.api.types.is_object_dtype(kind):
        numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    strange = (numbers.isna() & column.notna()).to_numpy()
    if strange.any():
        at = int(strange.argmax())
        check.add(
            f"Column {name!r} holds numbers",
            count=int(strange.sum()),
            first=f"{column.tolist()[at]!r} in row {X.index[at]}",
            remedy="Leave it out, or turn it into numbers",
        )
    return np.array(numbers)


def _refuse(
    check: Violations, X: pd.DataFrame, broken: NDArray[np.bool_], rule: str, remedy: str
) -> None:
    if broken.any():
        row, column = (int(i) for i in np.argwhere(broken)[0])
        first = f"row {X.index[row]}, column {X.columns[column]!r}"
        check.add(rule, count=int(broken.sum()), first=first, remedy=remedy)


def read_labels(labels: ArrayLike | pd.Series, n: int, what: str) -> Labels:
    """Return clusters (n,) as whole numbers; what is not classified, or missing, is negative.

    Raises
    ------
    InputDataError
        If there is not one label per row, or a label is no whole number.

    Examples
    --------
    >>> read_labels([2.0, None, -1.0], 3, "An example").tolist()
    [2, -1, -1]
    """
    given = pd.Series(labels).reset_index(drop=True)
    check = Violations(what)
    check.require(
        given.shape == (n,) and np.ndim(labels) == 1,
        "There is one label per row",
        first=f"labels of shape {np.shape(labels)} for {n} rows",
    )
    check.raise_if_any()
    numbers = pd.to_numeric(given, errors="coerce").astype(np.float64)
    strange = (numbers.isna() & given.notna()) | (numbers % 1 != 0) & numbers.notna()
    check.require(
        not strange.any(),
        "Clusters are whole numbers",
        count=int(strange.sum()),
        first=repr(given[strange].tolist()[0]) if strange.any() else "",
        remedy="Number them, as pandas.factorize does",
    )
    check.raise_if_any()
    codes: Labels = numbers.fillna(-1).to_numpy().astype(np.int64)
    return np.where(codes < 0, -1, codes)
