from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata import customers
from alphastrata.errors import InputDataError


def write(tmp_path, text, name="customers.csv", encoding="utf-8"):
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    return file


GOOD = "customer_id,age,job,pay\n1,30,a,low\n2,40,b,high\n3,50,a,medium\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found(tmp_path, separator):
    table = customers.read_customers(write(tmp_path, GOOD.replace(",", separator)))
    assert table.columns() == ["age", "job", "pay"]
    assert table.frame.index.tolist() == ["1", "2", "3"]
    assert table.frame["pay"].cat.ordered


def test_the_same_from_csv_excel_and_parquet(tmp_path, made):
    made.customers.to_csv(tmp_path / "c.csv", index=False)
    made.customers.to_parquet(tmp_path / "c.parquet")
    made.customers.iloc[:50].to_excel(tmp_path / "c.xlsx", index=False)
    text = customers.read_customers(tmp_path / "c.csv")
    binary = customers.read_customers(tmp_path / "c.parquet")
    pd.testing.assert_frame_equal(text.frame, binary.frame)
    assert len(customers.read_customers(tmp_path / "c.xlsx")) == 50


def test_wrong_encoding_is_named(tmp_path):
    file = write(tmp_path, GOOD.replace("a,low", "café,low"), encoding="cp1252")
    with pytest.raises(InputDataError, match=r"text in utf-8; byte \d+ \(line 2\) is not"):
        customers.read_customers(file)
    table = customers.read_customers(file, encoding="cp1252")
    assert "café" in set(table.frame["job"].astype(str))


@pytest.mark.parametrize("mark", ["utf-16", "utf-8-sig"])
def test_byte_order_marks_are_understood(tmp_path, mark):
    assert len(customers.read_customers(write(tmp_path, GOOD, encoding=mark))) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("customer_id,age\n", "at least one row"),
        ("customer_id,age\n1,2,3,4\n1,2\n1,2,3,4,5\n", "as many fields"),
        ("customer_id,age\n1,30\n1,31\n2,40\n", "Each customer may appear once; 1 rows repeat"),
        ("customer_id,age\n1,\n2,\n", "at least one column that differs"),
        ("customer_id,age\n1,5\n2,5\n", "at least one column that differs"),
        ("customer_id,full_name\n1,x\n2,y\n", "at least one column that differs"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        customers.read_customers(write(tmp_path, text))


def test_absent_file_and_unknown_format(tmp_path):
    with pytest.raises(InputDataError, match="must be a file"):
        customers.read_customers(tmp_path / "none.csv")
    with pytest.raises(InputDataError, match="ends in '.json'"):
        customers.read_customers(write(tmp_path, "{}", "c.json"))


def test_what_is_changed_is_counted(tmp_path):
    rows = [f"{i},{20 + i},{'x' if i == 7 else i * 10},same,,T{i:05d}q" for i in range(60)]
    text = "customer_id,age,money,constant,empty,token\n" + "\n".join([*rows, rows[5]]) + "\n"
    table = customers.read_customers(write(tmp_path, text))
    said = "\n".join(map(str, table.notes))
    assert table.columns() == ["age", "money"]
    assert "a customer twice, alike: 1 of 61 dropped (first: 5)" in said
    assert "money: not a finite number: 1 of 60 made missing (first: 'x')" in said
    assert "the same value everywhere: 1 of 6 left out (first: constant)" in said
    assert "every value is missing: 1 of 6 left out (first: empty)" in said
    assert "nearly every value occurs once: 1 of 6 left out" in said


def test_nothing_personal_is_kept(table, made):
    held = table.frame.to_csv() + repr(table)
    assert "@example.com" not in held
    assert "Customer C" not in held
    assert not {"email", "full_name", "customer_id"} & set(table.frame.columns)
    assert "gender" not in table.columns()
    assert table.columns("protected") == ["gender"]


def test_infinities_become_missing_and_repeated_columns_fail():
    frame = pd.DataFrame({"a": [1.0, np.inf, 3.0], "b": [1, 2, 3]})
    assert customers.make_table(frame).frame["a"].isna().sum() == 1
    frame.columns = ["a", "a"]
    with pytest.raises(InputDataError, match="Each column may appear once"):
        customers.make_table(frame)


def test_keys_stay_whole_numbers(tmp_path):
    table = customers.read_customers(write(tmp_path, "customer_id,age\n1,20\n2,30\n,40\n3,50\n"))
    assert table.frame.index.tolist() == ["1", "2", "3"]
    assert "no key of a customer: 1 of 4 dropped" in "\n".join(map(str, table.notes))


def test_weights_must_be_positive():
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0], "weight": [1.0, 2.0, 3.0]})
    table = customers.make_table(frame)
    assert table.weight_values().tolist() == [0.5, 1.0, 1.5]
    frame.loc[1, "weight"] = 0
    with pytest.raises(InputDataError, match="weights must be positive; 1 are not"):
        customers.make_table(frame)
