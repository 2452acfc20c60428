"""Faults of settings: their places, and the lines of a file on which they stand."""

from __future__ import annotations

import pytest

from alphastrata.core.faults import Fault, SettingError, place_lines, refused, within

TEXT = """# a comment = 1
name = "x"
data.source = "panel"

[[sorts]]
name = "A"   # = "B"
by = [
    "leverage",
]
[sorts.screen]
min_price = 1
[[ sorts ]]
name = "B"
[[tests.fama_macbeth]]
x = ["roe"]
[[tests.further]]
test = "cusum"
[[tests.further]]
"test" = "rolling"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("name",), 2),
        (("data", "source"), 3),
        (("sorts", 0, "by", 0), 7),
        (("sorts", 0, "screen", "min_price"), 11),
        (("sorts", 0, "screen", "mask"), 10),
        (("sorts", 1, "name"), 13),
        (("sorts", 1, "by"), 12),
        (("tests", "fama_macbeth", 0, "x"), 15),
        (("tests", "further", 0, "test"), 17),
        (("tests", "further", 1, "test"), 19),
        (("tests", "lags"), 14),
        (("benchmarks", 0), 1),
    ],
)
def test_a_fault_is_told_with_its_line_or_that_of_the_table_around_it(place, line):
    error = refused("s.toml", TEXT, [Fault(place, "wrong")])
    key = ".".join(map(str, place))
    assert str(error) == f"s.toml: a setting is wrong.\n  line {line}, {key}: wrong"


def test_every_key_of_a_text_has_a_place():
    assert place_lines('a = 1\n[b.c]\nd = "[e]"') == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 2,
        ("b", "c", "d"): 3,
    }


def test_faults_are_told_in_the_order_of_the_file():
    found = [Fault(("sorts", 1, "name"), "late"), Fault(("name",), "early")]
    told = str(refused("s.toml", TEXT, found)).splitlines()
    assert told == [
        "s.toml: 2 settings are wrong.",
        "  line 2, name: early",
        "  line 13, sorts.1.name: late",
    ]


def test_a_fault_found_inside_a_table_is_one_of_the_table():
    with pytest.raises(SettingError) as raised, within(("sorts", 1)):
        raise SettingError([Fault(("by",), "wrong")])
    assert raised.value.faults == (Fault(("sorts", 1, "by"), "wrong"),)
    assert str(raised.value) == "sorts.1.by: wrong"
