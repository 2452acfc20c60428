"""What differs between two studies' tables, whatever stands in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alphastrata.study import diff


def study(folder: Path, table: str) -> Path:
    """Return a folder that looks like a finished study with one table."""
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "t.csv").write_text(table, encoding="utf-8")
    manifest = {
        "config": {},
        "inputs": {},
        "machine": {},
        "stages": {},
        "alphastrata": "0",
        "code": "0",
        "outputs": {"tables/t.csv": str(hash(table))},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


BEFORE = "date,metric,k,score,word\n2020,s,1,0.5,w\n2020,s,2,0.25,w\n2020,t,1,0.5,w\n"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (BEFORE.replace("0.25", "0.5"), "1 of 3 numbers differ, most in 2020 s w 2, score: 0.25"),
        (BEFORE + "2020,t,2,1.0,w\n", "1 row only in the second (2020 t w 2)"),
        (BEFORE.replace(",k,", ",j,"), "1 column only in the first (k); 1 column only in the"),
        (BEFORE.replace("2020,t,1,0.5,w\n", ""), "1 row only in the first (2020 t w 1)"),
        (
            BEFORE.replace("0.25", ""),
            "1 of 3 numbers differ, most in 2020 s w 2, score: 0.25 -> nan",
        ),
        ("date,metric,k,score,word\n" + "\n".join(BEFORE.split("\n")[:0:-1]), "another order"),
    ],
)
def test_a_table_tells_rows_columns_and_the_number_that_differs_most(
    after: str, said: str, tmp_path: Path
) -> None:
    (line,) = diff(study(tmp_path / "a", BEFORE), study(tmp_path / "b", after))
    assert line.startswith("result tables/t.csv: ")
    assert said in line


def test_words_beside_a_name_of_their_own(tmp_path: Path) -> None:
    tables = ("name,word,x\nA,one,1.5\nB,two,2.5\n", "name,word,x\nA,ten,1.5\nB,two,3.5\n")
    (line,) = diff(*(study(tmp_path / str(i), table) for i, table in enumerate(tables)))
    assert line.endswith("1 of 2 numbers differ, most in B, x: 2.5 -> 3.5; 1 of 2 words differ")


def test_rows_without_a_name_are_counted(tmp_path: Path) -> None:
    tables = ("x\n0.5\n0.5\n", "x\n0.5\n0.5\n0.5\n")
    (line,) = diff(*(study(tmp_path / str(i), table) for i, table in enumerate(tables)))
    assert line.endswith("2 rows -> 3")
