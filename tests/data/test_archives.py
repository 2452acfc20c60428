"""Zips that come from outside."""

from __future__ import annotations

import io
import zipfile

import pytest

from alphastrata.data.archives import is_zip, read_single_member, read_zip
from alphastrata.errors import InputDataError


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_members_come_back() -> None:
    raw = zipped({"a.csv": b"1,2", "folder/b.txt": b"x" * 3_000_000})
    assert is_zip(raw)
    assert read_zip(raw) == {"a.csv": b"1,2", "folder/b.txt": b"x" * 3_000_000}
    assert read_single_member(raw, suffixes=(".csv",)) == b"1,2"
    with pytest.raises(InputDataError, match="exactly one .json file; it holds 0"):
        read_single_member(raw, suffixes=(".json",))
    with pytest.raises(InputDataError, match="it holds 2"):
        read_single_member(raw, suffixes=(".csv", ".txt"))


def test_a_bomb_is_refused_by_what_it_says_and_by_what_it_does() -> None:
    raw = zipped({"a.csv": b"0" * 10_000_000})
    assert len(raw) < 20_000
    with pytest.raises(InputDataError, match="this one says 10,000,000"):
        read_zip(raw, max_bytes=1_000_000)
    # The same archive with a directory that understates the size.
    size = (10_000_000).to_bytes(4, "little")
    lying = raw.replace(size, (10).to_bytes(4, "little"))
    assert lying != raw
    with pytest.raises(InputDataError):
        read_zip(lying, max_bytes=1_000_000)


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "C:\\x.csv", "..\\x"])
def test_paths_outside_are_refused(name: str) -> None:
    with pytest.raises(InputDataError, match="no path outside"):
        read_zip(zipped({name: b"1"}))


def test_every_truncation_and_damage_is_refused() -> None:
    raw = zipped({"a.csv": bytes(range(256)) * 4})
    for cut in range(len(raw)):
        with pytest.raises(InputDataError):
            read_zip(raw[:cut])
    middle = len(raw) // 3
    with pytest.raises(InputDataError, match="damaged"):
        read_zip(raw[:middle] + bytes([raw[middle] ^ 255]) + raw[middle + 1 :])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", b"1")
        archive.writestr("a.csv", b"2")
    with pytest.raises(InputDataError, match="'a.csv' repeats"):
        read_zip(buffer.getvalue())
