"""Opening a study's folder: its inputs checked before any work, its stages under a lock."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from alphastrata.study.inputs import Inputs, gather
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.store import LOG, Progress, Stages

__all__ = ["opened"]


@contextmanager
def opened(
    config: StudyConfig,
    out: Path,
    data: str | Path | None,
    progress: Progress | None,
    manifest: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Inputs, Stages]]:
    """Give what a study reads and where its stages are kept; nobody else writes there meanwhile.

    What happens is written to ``log.txt`` there.

    Parameters
    ----------
    config
        The study.
    out
        Its folder, made here.
    data
        Folder with the data, if it needs one.
    progress
        Called with (stage, done, total).
    manifest
        Of a finished run, to read the very editions that it names.

    Raises
    ------
    ConfigError
        For what the study asks and the data folder does not hold; the folder is not made then.
    """
    tell = progress or (lambda stage, done, total: None)
    folder = None if data is None else Path(data)
    inputs = gather(config, folder, report=tell, manifest=manifest)
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"), _log_to(out / "log.txt"):
        LOG.info("study %r, seed %d, data %s", config.name, config.seed, folder)
        for what, reason in inputs.left_out.items():
            LOG.warning("%s left out: %s", what, reason)
        yield inputs, Stages(out, tell)


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Append what the study does, with times, to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    except KeyboardInterrupt:
        LOG.warning("stopped by hand")
        raise
    except Exception:
        LOG.exception("the study stopped")
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()
