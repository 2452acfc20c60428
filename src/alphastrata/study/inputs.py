"""What a study reads: files of the data folder and editions of the store, with their hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from alphastrata import data
from alphastrata.core.faults import Fault, SettingError, within
from alphastrata.data.download import Progress
from alphastrata.study import markets
from alphastrata.study.artefacts import Artefacts, sha256_of
from alphastrata.study.editions import Editions, pins_of
from alphastrata.study.manifest import InputFile, input_files
from alphastrata.study.settings import StudyConfig
from alphastrata.study.settings.data import FOLDERS, STORED
from alphastrata.study.stored_markets import stored_market


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that a study reads.

    Attributes
    ----------
    folder
        The data folder, where there is one.
    market, benchmarks, macro
        Files and stored answers that each of the three is made from.
    editions
        The store, which hands out exactly these.
    build
        Makes the market's panels.
    left_out
        What was asked for and could not be had -> why.
    """

    folder: Path | None
    market: list[InputFile]
    benchmarks: list[InputFile]
    macro: list[InputFile]
    editions: Editions
    build: Callable[[], Artefacts]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> list[InputFile]:
        """Return all of them once, sorted by name."""
        found = {f.name: f for f in (*self.market, *self.benchmarks, *self.macro)}
        return [found[name] for name in sorted(found)]

    def by_stage(self) -> dict[str, list[str]]:
        """Return the names of the files that each stage reads."""
        read = {"data": self.market, "benchmarks": self.benchmarks, "features": self.macro}
        return {stage: [file.name for file in files] for stage, files in read.items()}


def hashes(files: list[InputFile]) -> dict[str, str]:
    """Return name -> sha256, for the hash of a stage."""
    return {file.name: file.sha256 for file in files}


def _bundled() -> InputFile:
    """Return the file of factors that comes with linearmodels."""
    file = data.bundled_file()
    name, size = f"bundled:{file.name}", file.stat().st_size
    return InputFile(name, size, sha256_of(file), f"linearmodels {version('linearmodels')}")


def _bytes(report: Callable[[str, int, int], None], name: str) -> Progress:
    """Return what tells of the bytes of one file."""
    return lambda done, total: report(name, done, total or done)


def gather(
    config: StudyConfig,
    folder: Path | None,
    *,
    report: Callable[[str, int, int], None],
    manifest: Mapping[str, Any] | None = None,
) -> Inputs:
    """Return everything that the study reads, fetching what the store lacks as the mode allows.

    Parameters
    ----------
    config
        The study.
    folder
        Folder with files.
    report
        Called with (what, done, total) while something is fetched.
    manifest
        Of a finished run that is to be repeated: the same editions are read, nothing is fetched.

    Raises
    ------
    SettingError
        Before any work, for files that are not there.
    OfflineError, RateLimitError, SourceError, InputDataError
        As the sources.
    """
    market: set[Path] = set()
    if config.data.source in FOLDERS:
        if folder is None:
            said = f'"{config.data.source}" reads a folder; say --data FOLDER'
            raise SettingError([Fault(("data", "source"), said)])
        if not folder.is_dir():
            said = f"there is no data folder {folder}; say --data FOLDER"
            raise SettingError([Fault(("data", "folder"), said)])
        market = {file for file in folder.iterdir() if file.is_file()}
    factors = set()
    for number, bench in enumerate(config.benchmarks):
        with within(("benchmarks", number)):
            factors |= set(markets.benchmark_files(bench, folder))
    editions = Editions(pins=pins_of(manifest) if manifest else None)
    for bench in config.benchmarks:
        for name in markets.library_names(bench, folder):
            data.fetch_french(
                name,
                vintage=bench.vintage,
                mode=config.data.mode,
                store=editions,
                progress=_bytes(report, name),
            )
    for number, wanted in enumerate(config.macro, start=1):
        data.fetch_fred(wanted.series, mode=config.data.mode, store=editions)
        report("fetch fred", number, len(config.macro))
    if config.data.source in STORED:
        known = manifest.get("left_out", {}) if manifest else {}
        stored = stored_market(config.data, editions, known, report)
        build, left_out = stored.build, stored.left_out
    else:
        build, left_out = (lambda: markets.market(config.data, folder, config.seed)), {}
    root = folder or Path()
    simulated = config.data.source == "simulated"
    bundled = any(bench.source == "bundled" for bench in config.benchmarks)
    return Inputs(
        folder=folder,
        market=[
            *input_files(root, market),
            *editions.inputs("yahoo/", "edgar/", "wrds/"),
            # Simulated returns are drawn around the factors' own history.
            *([_bundled()] if simulated else []),
        ],
        benchmarks=[
            *input_files(root, factors),
            *editions.inputs("french/"),
            *([_bundled()] if bundled else []),
        ],
        macro=editions.inputs("fred/"),
        editions=editions,
        build=build,
        left_out=left_out,
    )
