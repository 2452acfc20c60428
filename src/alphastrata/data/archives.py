"""Opening zip files that came from outside, within stated bounds.

A zip from the internet may unpack to more than the disk holds, may name a path outside the
folder it is unpacked into, and may be cut short. Members are therefore read into memory, never
to a path, with a cap on their size that is checked while reading and not only in the directory
of the archive, which the archive itself could have made up.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath, PureWindowsPath

from alphastrata.errors import InputDataError

ZIP_MAGIC = b"PK\x03\x04"
MAX_UNPACKED = 512 * 2**20
"""Largest size in bytes to which a zip may unpack, unless a caller says otherwise."""

_CHUNK = 2**20


def is_zip(raw: bytes) -> bool:
    """Return whether the bytes start as a zip archive does."""
    return raw.startswith(ZIP_MAGIC) or raw.startswith(b"PK\x05\x06")


def _outside(name: str) -> bool:
    """Return whether a member's name leads out of the folder it would be unpacked into."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    climbs = ".." in posix.parts or ".." in windows.parts
    return climbs or posix.is_absolute() or bool(windows.drive) or windows.is_absolute()


def _read_capped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int) -> bytes:
    parts: list[bytes] = []
    got = 0
    with archive.open(info) as handle:
        while chunk := handle.read(_CHUNK):
            got += len(chunk)
            if got > left:
                raise InputDataError(
                    f"A zip may unpack to at most its cap; member {info.filename!r} goes past it "
                    f"({left:,} bytes left). Raise max_bytes if the archive is to be trusted."
                )
            parts.append(chunk)
    return b"".join(parts)


def read_zip(raw: bytes, *, max_bytes: int = MAX_UNPACKED) -> dict[str, bytes]:
    """Return the members of a zip archive, name to bytes, read in memory within a cap.

    Parameters
    ----------
    raw : bytes
        The whole archive.
    max_bytes : int
        Cap in bytes on all members together, counted while they are unpacked.

    Raises
    ------
    InputDataError
        The archive is cut short or damaged, names a path outside, is encrypted, or unpacks to
        more than `max_bytes`.

    Examples
    --------
    >>> import io, zipfile
    >>> buffer = io.BytesIO()
    >>> with zipfile.ZipFile(buffer, "w") as z:
    ...     z.writestr("a.csv", "1,2")
    >>> read_zip(buffer.getvalue())
    {'a.csv': b'1,2'}
    """
    members: dict[str, bytes] = {}
    left = max_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir()]
            names = [i.filename for i in infos]
            outside = [name for name in names if _outside(name)]
            if outside:
                raise InputDataError(
                    f"A zip may hold no path outside itself; {len(outside)} of {len(names)} "
                    f"members do. First: {outside[0]!r}."
                )
            twice = [name for i, name in enumerate(names) if name in names[:i]]
            if twice:
                raise InputDataError(f"Each name may appear once in a zip; {twice[0]!r} repeats.")
            if sum(i.file_size for i in infos) > max_bytes:
                raise InputDataError(
                    f"A zip may unpack to at most {max_bytes:,} bytes; this one says "
                    f"{sum(i.file_size for i in infos):,}. Raise max_bytes if it is to be trusted."
                )
            for info in infos:
                members[info.filename] = _read_capped(archive, info, left)
                left -= len(members[info.filename])
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
        raise InputDataError(
            f"The zip archive is damaged, cut short or encrypted ({exc}). Fetch it again."
        ) from exc
    return members


def read_single_member(
    raw: bytes, *, suffixes: tuple[str, ...], max_bytes: int = MAX_UNPACKED
) -> bytes:
    """Return the bytes of the one member of a zip whose name ends in one of `suffixes`.

    Raises
    ------
    InputDataError
        There is none, or there is more than one; and what :func:`read_zip` raises.
    """
    members = read_zip(raw, max_bytes=max_bytes)
    fitting = [n for n in members if n.lower().endswith(suffixes)]
    if len(fitting) != 1:
        raise InputDataError(
            f"The zip should hold exactly one {' or '.join(suffixes)} file; it holds "
            f"{len(fitting)} among {sorted(members) or 'no members'}."
        )
    return members[fitting[0]]
