"""A customer table: columns of known kinds, identifiers taken out, everything counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.shown import Shown
from alphastrata.customers.kinds import infer_kinds, parse_numbers
from alphastrata.errors import InputDataError

__all__ = ["CustomerTable", "make_table", "read_customers", "read_frame"]

STAGE = "customers"
FEATURES = ("numeric", "ordered", "nominal")


@dataclass(frozen=True, eq=False, repr=False)
class CustomerTable(Shown):
    """Customers with columns of known kinds; neither identifiers nor personal data inside.

    Attributes
    ----------
    frame : DataFrame
        One row per customer (or per implicate of one), index: key of the row. Numeric columns are
        float64, ordered and nominal and protected ones Categorical, targets float64 (0, 1).
    kinds : DataFrame
        As `infer_kinds` returns it, for every column of the source.
    weights : Series or None
        Sampling weight of each row (how many people it stands for).
    groups : Series or None
        Key of the customer that a row is an implicate of; rows of one customer stay together in
        every split.
    notes : tuple of Note
        What was dropped or changed.
    source : str
        Where the rows come from.
    """

    frame: pd.DataFrame
    kinds: pd.DataFrame
    weights: pd.Series | None = None
    groups: pd.Series | None = None
    notes: tuple[Note, ...] = ()
    source: str = ""

    def columns(self, *kinds: str) -> list[str]:
        """Return the names of the columns of these kinds; of all that make segments by default."""
        wanted = kinds or FEATURES
        kind = self.kinds["kind"]
        return [str(c) for c in self.frame.columns if kind[c] in wanted]

    def features(self) -> pd.DataFrame:
        """Return the columns that make segments."""
        return self.frame[self.columns()]

    def customer_keys(self) -> pd.Series:
        """Return the key of the customer of each row: its group, or the row itself."""
        if self.groups is not None:
            return self.groups
        return pd.Series(self.frame.index, index=self.frame.index)

    def weight_values(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the weights of the rows, with mean one."""
        if self.weights is None:
            return np.ones(len(self.frame))
        values = self.weights.to_numpy(dtype=np.float64)
        return values / values.mean()

    def take(
        self, rows: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> CustomerTable:
        """Return the rows at these positions."""
        where = np.asarray(rows)
        return replace(
            self,
            frame=self.frame.iloc[where],
            weights=None if self.weights is None else self.weights.iloc[where],
            groups=None if self.groups is None else self.groups.iloc[where],
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        found = self.kinds["kind"].value_counts()
        listed = ", ".join(f"{count} {kind}" for kind, count in found.items())
        return f"CustomerTable({len(self):,} rows; {listed})"


def read_frame(path: str | Path, *, encoding: str = "utf-8") -> pd.DataFrame:
    """Return a CSV, Excel or parquet file as it is: separators found out, nothing converted.

    Raises
    ------
    InputDataError
        If the file is absent, empty, of another format, or not in the encoding said; the message
        names the first byte that does not fit and what to try.
    """
    file = Path(path)
    if not file.is_file():
        raise InputDataError(f"A customer table must be a file; {file} is none.")
    ending = file.suffix.lower()
    if ending == ".parquet":
        return pd.read_parquet(file)
    if ending in (".xlsx", ".xls", ".xlsm"):
        return _read_excel(file)
    if ending not in (".csv", ".tsv", ".txt"):
        raise InputDataError(
            f"A customer table is CSV, Excel or parquet; {file.name} ends in {ending!r}."
        )
    raw = file.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif raw[:3] == b"\xef\xbb\xbf":
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputDataError(
            f"{file.name} must be text in {encoding}; byte {error.start} (line {line}) is not. "
            f'Save it as UTF-8, or say its encoding, for example encoding="cp1252".'
        ) from error
    if not text.strip():
        raise InputDataError(f"A customer table needs a heading and rows; {file.name} is empty.")
    return _read_text(text, file.name)


def _read_text(text: str, name: str) -> pd.DataFrame:
    from io import StringIO

    head = text.splitlines()[0]
    separator = max(",;\t|", key=head.count)
    try:
        return pd.read_csv(StringIO(text), sep=separator, low_memory=False, skipinitialspace=True)
    except pd.errors.ParserError as error:
        raise InputDataError(
            f"{name} must have as many fields in every row as headings "
            f"(separator {separator!r}): {str(error).strip()}."
        ) from error


def _read_excel(file: Path) -> pd.DataFrame:
    try:
        return pd.read_excel(file)
    except ImportError as error:
        raise InputDataError(
            f"Reading {file.name} needs the package openpyxl. "
            'Install it with: pip install "alphastrata[customers]".'
        ) from error


def read_customers(
    path: str | Path,
    *,
    kinds: Mapping[str, str | Sequence[str]] | None = None,
    transactions: str | Path | None = None,
    encoding: str = "utf-8",
) -> CustomerTable:
    r"""Return the customers of a CSV, Excel or parquet file, with features of their transactions.

    Parameters
    ----------
    path : path
        One row per customer.
    kinds : mapping, optional
        See `infer_kinds`.
    transactions : path, optional
        One row per customer, date and fund; see `transaction_features`.
    encoding : str
        Of CSV files; a byte-order mark overrules it.

    Raises
    ------
    InputDataError
        If a file is not what it should be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "customers.csv"
    ...     _ = file.write_text("customer_id,age,job\n1,30,a\n2,40,b\n3,50,a\n")
    ...     table = read_customers(file)
    >>> table.columns()
    ['age', 'job']
    """
    frame = read_frame(path, encoding=encoding)
    trades = None if transactions is None else read_frame(transactions, encoding=encoding)
    table = make_table(frame, kinds=kinds, transactions=trades)
    return replace(table, source=Path(path).name)


def make_table(
    frame: pd.DataFrame,
    *,
    kinds: Mapping[str, str | Sequence[str]] | None = None,
    transactions: pd.DataFrame | None = None,
    groups: str | None = None,
) -> CustomerTable:
    """Return a frame as a customer table: kinds settled, identifiers out, changes counted.

    Parameters
    ----------
    frame : DataFrame, one row per customer
        A column of kind "identifier" named like a customer key becomes the index; without one,
        the frame's own index is the key.
    kinds : mapping, optional
        See `infer_kinds`.
    transactions : DataFrame, optional
        See `transaction_features`; customers without any have missing features.
    groups : str, optional
        Column with the key of the customer that a row is an implicate of.

    Raises
    ------
    InputDataError
        If there are no rows, no column makes segments, names of columns repeat, or a customer
        occurs twice with different values; all violations together.

    Examples
    --------
    >>> make_table(pd.DataFrame({"age": [30, 40, 50], "same": [1, 1, 1]})).columns()
    ['age']
    """
    _check_frame(frame)
    notes: list[Note] = []
    frame = frame.rename(columns=str)
    settled = infer_kinds(frame, kinds=kinds)
    frame = _keyed(frame, settled, notes, repeats_allowed=groups is not None)
    if transactions is not None:
        frame, settled = _with_transactions(frame, settled, transactions, kinds)
    converted: dict[str, pd.Series] = {}
    for name, kind in settled["kind"].items():
        if kind in (*FEATURES, "protected", "target"):
            levels = settled["levels"][str(name)]
            converted[str(name)] = convert_column(frame[str(name)], kind, levels, notes)
    _note_columns(settled, notes)
    table = pd.DataFrame(converted, index=frame.index)
    constant = [c for c in table if table[c].nunique(dropna=True) < 2]
    for name in constant:
        settled.loc[name, "kind"] = "left out"
    table = table.drop(columns=constant)
    if not settled["kind"].reindex(table.columns).isin(FEATURES).any():
        raise InputDataError(
            "A customer table needs at least one column that differs between customers and is "
            f"numeric, ordered or nominal; none of its {len(settled)} columns is. "
            "First: " + ", ".join(f"{c} ({k})" for c, k in settled["kind"].head(3).items()) + "."
        )
    weights = [str(c) for c, kind in settled["kind"].items() if kind == "weight"]
    return CustomerTable(
        frame=table,
        kinds=settled,
        weights=_weights(frame, weights[0]) if weights else None,
        groups=None if groups is None else frame[groups].astype(str),
        notes=tuple(notes),
    )


def _check_frame(frame: pd.DataFrame) -> None:
    check = Violations("The customer table")
    names = pd.Index([str(c) for c in frame.columns])
    repeated = names[names.duplicated()]
    check.require(
        len(repeated) == 0,
        "Each column may appear once",
        count=len(repeated),
        first=str(repeated[0]) if len(repeated) else "",
        remedy="Rename or drop the repeats",
    )
    check.require(len(frame) > 0, "It needs at least one row", count=0)
    check.raise_if_any()


def _keyed(
    frame: pd.DataFrame, kinds: pd.DataFrame, notes: list[Note], *, repeats_allowed: bool
) -> pd.DataFrame:
    """Return the frame indexed by its key; customers who are there twice alike, once."""
    keyed = kinds[kinds["kind"] == "identifier"]
    # A key named as one, else one that a person named, else whatever tells customers apart.
    rank = np.where(
        keyed["reason"].str.startswith("named"), 0, np.where(keyed["reason"] == "as told", 1, 2)
    )
    keys = keyed.index[np.argsort(rank, kind="stable")].tolist()
    if not keys:
        return frame
    key = str(keys[0])
    lost = frame[key].isna()
    if lost.any():
        notes.append(
            Note("no key of a customer", int(lost.sum()), len(frame), "", "dropped", STAGE)
        )
        frame = frame[~lost]
    same = frame.duplicated()
    if same.any() and not repeats_allowed:
        count, first = int(same.sum()), str(frame.loc[same, key].iloc[0])
        notes.append(Note("a customer twice, alike", count, len(frame), first, "dropped", STAGE))
        frame = frame[~same]
    again = frame[key].duplicated()
    if again.any() and not repeats_allowed:
        raise InputDataError(
            f"Each customer may appear once; {int(again.sum())} rows repeat a key with other "
            f"values. First: {key}={frame.loc[again, key].iloc[0]}. Keep one row per customer, or "
            "aggregate them first."
        )
    values = frame[key]
    if pd.api.types.is_float_dtype(values.dtype) and (values % 1 == 0).all():
        # A key that was missing somewhere made whole numbers into 1.0, 2.0, ...
        values = values.astype("int64")
    return frame.set_index(values.astype(str).rename("customer"))


def _with_transactions(
    frame: pd.DataFrame,
    kinds: pd.DataFrame,
    transactions: pd.DataFrame,
    said: Mapping[str, str | Sequence[str]] | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    from alphastrata.customers.transactions import transaction_features

    features = transaction_features(transactions)
    fresh = features.drop(columns=[c for c in features if c in frame.columns])
    joined = frame.join(fresh, how="left")
    told = {c: k for c, k in (said or {}).items() if c in fresh.columns}
    more = infer_kinds(joined[list(fresh.columns)], kinds=told)
    return joined, pd.concat([kinds, more])


def convert_column(
    column: pd.Series, kind: str, levels: Sequence[str] | None, notes: list[Note]
) -> pd.Series:
    """Return a column in the type of its kind; what is lost on the way goes into ``notes``.

    Examples
    --------
    >>> convert_column(pd.Series(["1,200", "x"]), "numeric", None, []).tolist()
    [1200.0, nan]
    """
    name = str(column.name)
    before = int(column.notna().sum())
    if kind in ("numeric", "target"):
        values = _binary(column) if kind == "target" else parse_numbers(column)
        values = values.replace([np.inf, -np.inf], np.nan)
        lost = before - int(values.notna().sum())
        if lost:
            bad = column[column.notna() & values.isna()].iloc[0]
            action = "made missing"
            rule = f"{name}: not a finite number"
            notes.append(Note(rule, lost, len(column), repr(bad), action, STAGE))
        return values
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        text = column.map(lambda v: f"{v:g}", na_action="ignore")
    else:
        text = column.map(lambda v: str(v).strip(), na_action="ignore")
    if kind == "ordered":
        return pd.Series(
            pd.Categorical(text, categories=list(levels or ()), ordered=True),
            index=column.index,
            name=name,
        )
    found = sorted(text.dropna().unique())
    return pd.Series(pd.Categorical(text, categories=found), index=column.index, name=name)


def _binary(column: pd.Series) -> pd.Series:
    """Return a response as 0 and 1: numbers as they are, words by their usual meaning."""
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dropna().isin([0, 1]).all():
        return column.astype("float64")
    text = column.astype("string").str.strip().str.lower()
    yes = text.isin(["1", "1.0", "yes", "y", "true", "t", "accepted", "converted", "ya"])
    no = text.isin(["0", "0.0", "no", "n", "false", "f", "rejected", "declined", "tidak"])
    return yes.astype("float64").where(yes | no)


def _note_columns(kinds: pd.DataFrame, notes: list[Note]) -> None:
    """Count the columns that make no segments, by reason; personal data by number alone."""
    out = kinds[~kinds["kind"].isin([*FEATURES, "target", "weight", "protected"])]
    for (kind, reason), part in out.groupby(["kind", "reason"], sort=True):
        notes.append(
            Note(
                f"column is {kind}: {reason}",
                len(part),
                len(kinds),
                part.index[0],
                "left out",
                STAGE,
            )
        )


def _weights(frame: pd.DataFrame, name: str) -> pd.Series:
    values = parse_numbers(frame[name])
    bad = ~(values > 0)
    if bad.any():
        raise InputDataError(
            f"Sampling weights must be positive; {int(bad.sum())} are not. "
            f"First: row {values.index[bad][0]}. Drop those rows, or leave the column {name!r} out."
        )
    return values.rename("weight")
