"""Which edition of each stored answer a study reads: decided once, recorded, and read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from alphastrata.data import Entry, Store
from alphastrata.data.store import Fetched, Mode
from alphastrata.errors import SourceError
from alphastrata.study.manifest import InputFile

PREFIX = "store:"
"""How the manifest names what came from the store, beside files of the data folder."""


class Editions(Store):
    """A store that hands out, for each key, one edition for as long as it lives.

    The first request decides: as its mode says, or by the digest of an earlier run. Later
    requests get the same bytes, whatever their mode and whatever was fetched meanwhile.

    Parameters
    ----------
    root : Path or str, optional
        As for `Store`.
    pins : mapping of str to str, optional
        Key -> sha256 that an earlier run read.

    Examples
    --------
    >>> import tempfile
    >>> editions = Editions(tempfile.mkdtemp())
    >>> def fetch():
    ...     return Fetched(b"1,2", "https://example.org", "2026-01-01T00:00:00Z")
    >>> entry = editions.obtain("demo/x", fetch, command="")
    >>> [file.name for file in editions.inputs("demo/")]
    ['store:demo/x']
    """

    def __init__(self, root: Path | str | None = None, *, pins: Mapping[str, str] | None = None):
        super().__init__(root)
        self._pins = dict(pins or {})
        self._handed: dict[str, Entry] = {}

    def obtain(
        self,
        key: str,
        fetch: Callable[[], Fetched],
        *,
        command: str,
        mode: Mode | None = None,
        vintage: str | None = None,
    ) -> Entry:
        """Return the edition of a key that this study reads; parameters as for `Store.obtain`.

        Raises
        ------
        OfflineError
            As `Store.obtain`.
        SourceError
            An earlier run read an edition that the store no longer holds.
        """
        name = key if vintage is None else f"{key}@{vintage}"
        if name not in self._handed:
            pin = self._pins.get(name)
            if pin is None:
                found = super().obtain(key, fetch, command=command, mode=mode, vintage=vintage)
            else:
                found = self._pinned(key, pin)
            self._handed[name] = found
        return self._handed[name]

    def inputs(self, *prefixes: str) -> list[InputFile]:
        """Return what was handed out under keys with one of these prefixes, sorted by name."""
        return [
            InputFile(
                PREFIX + name, entry.size, entry.sha256, entry.vintage or entry.fetched_at[:10]
            )
            for name, entry in sorted(self._handed.items())
            if name.startswith(prefixes)
        ]

    def _pinned(self, key: str, sha256: str) -> Entry:
        found = next((e for e in self.editions(key) if e.sha256 == sha256), None)
        if found is None:
            raise SourceError(
                f"The study read {key!r} with sha256 {sha256}, and the store {self.root} no longer "
                "holds this edition. Point ALPHASTRATA_CACHE to the store that it ran with, or run "
                "the study anew."
            )
        return found


def pins_of(manifest: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    """Return key -> sha256 of what a finished study read from the store."""
    return {
        name.removeprefix(PREFIX): file["sha256"]
        for name, file in manifest["inputs"].items()
        if name.startswith(PREFIX)
    }
