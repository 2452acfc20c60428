"""Running a study: every stage stored under the hash of what made it, and resumed from there."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from alphastrata import __version__
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.study import artefacts, stages, truth
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.clusterings import clusters
from alphastrata.study.config import ClusterConfig, SortConfig, StudyConfig
from alphastrata.study.manifest import (
    InputFile,
    code_version,
    differences,
    input_files,
    machine,
    read_manifest,
    stage_key,
    write_manifest,
)
from alphastrata.study.performance import performance

Progress = Callable[[str, int, int], None]

LOG = logging.getLogger("alphastrata.study")
LOG.propagate = False


@dataclass(frozen=True)
class Finished:
    """A finished study.

    Attributes
    ----------
    out
        Folder that holds everything.
    report
        The page.
    answer
        The answer in sentences, as on the page.
    warnings
        What a reader has to know before believing the numbers.
    reused
        Stage -> whether it was already there.
    """

    out: Path
    report: Path
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    reused: Mapping[str, bool]


@dataclass
class _Store:
    """The stages of one run: computed once, loaded ever after."""

    out: Path
    report: Progress
    keys: dict[str, str] = field(default_factory=dict)
    reused: dict[str, bool] = field(default_factory=dict)
    contents: dict[str, dict[str, str]] = field(default_factory=dict)

    def stage(
        self, name: str, settings: Any, needs: tuple[str, ...], make: Callable[[], Artefacts]
    ) -> Artefacts:
        """Return a stage's artefacts, made now or on an earlier run."""
        key = stage_key(name, settings, [self.keys[need] for need in needs])
        self.keys[name] = key
        slug = re.sub(r"[^A-Za-z0-9-]+", "_", name)
        folder = self.out / "stages" / f"{slug}-{key[:16]}"
        self.reused[name] = (folder / artefacts.INDEX).is_file()
        self.report(name, 0, 1)
        start = time.perf_counter()
        if not self.reused[name]:
            LOG.info("%s: computing (%s)", name, key[:16])
            artefacts.save(folder, make())
        # Read back even what was just made: a resumed run sees the very same objects.
        found = artefacts.load(folder)
        self.contents[name] = artefacts.contents(folder)
        self.report(name, 1, 1)
        verb = "reused" if self.reused[name] else "done"
        LOG.info("%s: %s in %.1f s", name, verb, time.perf_counter() - start)
        return found


def run(
    config: StudyConfig,
    *,
    out: str | Path,
    data: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Finished:
    """Run a study and return where its report is.

    Parameters
    ----------
    config
        The study, from `read_config` or built in code.
    out
        Folder for stages, tables, the report and the manifest. A run that was killed goes on
        from its last finished stage, and ends with the same bits.
    data
        Folder with the data; not needed for the simulated market.
    workers
        Processes; the study's own setting when None. Never changes a result.
    progress
        Called with (stage, done, total).

    Raises
    ------
    ConfigError
        Before any work, for what the study asks and the data folder does not hold.
    InputDataError
        When the data break a rule of their contract.
    """
    out, folder = Path(out), None if data is None else Path(data)
    inputs = _inputs(config, folder)
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"), _log_to(out / "log.txt"):
        LOG.info("study %r, seed %d, data %s", config.name, config.seed, folder)
        store = _Store(out, progress or (lambda stage, done, total: None))
        made = _compute(config, folder, inputs, store, workers or config.workers)
        return _write(config, folder, inputs, store, made, workers or config.workers)


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Append what the study does, with times, to a file."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    except Exception:
        LOG.exception("the study stopped")
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()


def _inputs(config: StudyConfig, folder: Path | None) -> list[InputFile]:
    """Return every file that the study reads, with its hash, or say what is missing."""
    files: set[Path] = set()
    if config.data.source != "simulated":
        if folder is None:
            raise ConfigError(f'data.source = "{config.data.source}" needs --data FOLDER.')
        if not folder.is_dir():
            raise ConfigError(f"There is no data folder {folder}; say --data FOLDER.")
        files |= {file for file in folder.iterdir() if file.is_file()}
    for benchmark in config.benchmarks:
        files |= set(stages.benchmark_files(benchmark, folder))
    return input_files(folder or Path(), files)


def _compute(
    config: StudyConfig,
    folder: Path | None,
    inputs: list[InputFile],
    store: _Store,
    workers: int,
) -> dict[str, Artefacts]:
    """Return the artefacts of every stage, by stage."""
    made: dict[str, Artefacts] = {}
    seen = {file.name: file.sha256 for file in inputs}
    made["data"] = store.stage(
        "data",
        [config.data.model_dump(), config.seed, seen],
        (),
        lambda: stages.market(config.data, folder, config.seed),
    )
    made["benchmarks"] = store.stage(
        "benchmarks",
        [[b.model_dump() for b in config.benchmarks], seen],
        (),
        lambda: {b.name: stages.benchmark(b, folder) for b in config.benchmarks},
    )
    raw: Panel = made["data"]["panel"]
    daily: Panel | None = made["data"].get("daily")
    made["features"] = store.stage(
        "features",
        config.characteristics,
        ("data",),
        lambda: {"panel": stages.characteristics(config, raw, daily)},
    )
    panel: Panel = made["features"]["panel"]
    for part in config.parts:
        made[_stage_of(part)] = _group(config, part, panel, store, workers)
    parts = [(part, made[_stage_of(part)]["strata"]) for part in config.parts]
    strata_stages = tuple(_stage_of(p) for p, _ in parts)
    made["factors"] = store.stage(
        "factors",
        [p.model_dump() for p, _ in parts],
        ("features", *strata_stages),
        lambda: _factors(parts, panel, daily),
    )
    made["performance"] = store.stage(
        "performance",
        config.tests.lags,
        ("factors",),
        lambda: performance(made["factors"]["spreads M"], lags=config.tests.lags),
    )
    made["tests"] = store.stage(
        "tests",
        [config.tests.model_dump(), [b.model_dump() for b in config.benchmarks]],
        ("factors", "benchmarks"),
        lambda: _tests(config, made),
    )
    if config.data.source == "simulated":
        made["truth"] = store.stage("truth", None, ("tests",), lambda: _truth(config, made, parts))
    return made


def _group(
    config: StudyConfig,
    part: ClusterConfig | SortConfig,
    panel: Panel,
    store: _Store,
    workers: int,
) -> Artefacts:
    """Return the strata of one clustering or sort, and what comes with them."""
    name = _stage_of(part)
    if isinstance(part, SortConfig):
        settings: Any = part.model_dump(include={"by", "n", "breakpoints", "rebalance"})
        return store.stage(name, settings, ("features",), lambda: stages.sort(part, panel))
    return store.stage(
        name,
        # What ranks the clusters and weighs their members comes later.
        [part.model_dump(exclude={"rank_by", "weighting"}), config.seed],
        ("features",),
        lambda: clusters(
            part,
            panel,
            seed=config.seed,
            workers=workers,
            progress=lambda done, total: store.report(name, done, total),
        ),
    )


def _stage_of(part: ClusterConfig | SortConfig) -> str:
    return f"{'clusters' if isinstance(part, ClusterConfig) else 'sort'} {part.name}"


def _factors(
    parts: list[tuple[ClusterConfig | SortConfig, Strata]], panel: Panel, daily: Panel | None
) -> Artefacts:
    """Return long-short factors and the portfolios of each set of strata, by frequency."""
    out: Artefacts = {}
    for freq, market in (("M", panel), ("D", daily)):
        if market is None:
            continue
        out[f"spreads {freq}"] = stages.joined(
            stages.spread(part, strata, panel, market) for part, strata in parts
        )
    for part, strata in parts:
        out[f"portfolios {part.name}"] = stages.portfolio_returns(part, strata, panel)
    return out


def _tests(config: StudyConfig, made: Mapping[str, Artefacts]) -> Artefacts:
    """Return every test as frames and plain values, by benchmark and name."""
    out: Artefacts = {}
    factors, benchmarks = made["factors"], made["benchmarks"]
    panel: Panel = made["features"]["panel"]
    for benchmark in config.benchmarks:
        lags = config.tests.lags if benchmark.frequency == "M" else config.tests.daily_lags
        known: FactorReturns = benchmarks[benchmark.name]
        spreads: FactorReturns = factors[f"spreads {benchmark.frequency}"]
        found = stages.alphas(spreads, known, lags=lags)
        out |= {f"alphas {benchmark.name} {part}": value for part, value in found.items()}
        if benchmark.frequency == "M":
            out[f"grs {benchmark.name}"] = {
                part.name: stages.joint_test(factors[f"portfolios {part.name}"], known)
                for part in config.parts
            }
    for table in config.tests.fama_macbeth:
        found = stages.cross_section(panel, table.x, lags=config.tests.lags)
        out |= {f"cross-section {table.name} {part}": value for part, value in found.items()}
    return out


def _truth(
    config: StudyConfig,
    made: Mapping[str, Artefacts],
    parts: list[tuple[ClusterConfig | SortConfig, Strata]],
) -> Artefacts:
    """Return what was planted beside what was estimated."""
    planted, panel = made["data"], made["features"]["panel"]
    betas: pd.DataFrame = planted["truth_betas"]
    rows = []
    priced = [b for b in config.benchmarks if set(b.factors) == set(betas.columns)]
    if priced:
        known = truth.planted_in_factors(
            panel,
            planted["truth_expected"]["expected"],
            betas,
            lambda market: stages.joined(
                stages.spread(part, strata, panel, market) for part, strata in parts
            ),
        )
        tests = made["tests"]
        name = f"alphas {priced[0].name}"
        params, errors = tests[f"{name} params"], tests[f"{name} std_errors"]
        rows.append(
            truth.beside(
                known["alpha"].to_dict(),
                params["alpha"],
                errors["alpha"],
                group=f"alphas against {priced[0].name}, per month",
            )
        )
        rows += [
            truth.beside(
                known.loc[factor].drop("alpha").to_dict(),
                params.loc[factor],
                errors.loc[factor],
                group=f"betas of {factor}",
            )
            for factor in known.index
        ]
    for table in config.tests.fama_macbeth:
        slopes = made["tests"][f"cross-section {table.name} table"]
        rows.append(
            truth.beside(
                planted["truth_premia"],
                slopes["params"],
                slopes["std_errors"],
                group=f"premia, Fama-MacBeth ({table.name})",
            )
        )
    return {"truth": pd.concat(rows, ignore_index=True)} if rows else {}


def _write(
    config: StudyConfig,
    folder: Path | None,
    inputs: list[InputFile],
    store: _Store,
    made: Mapping[str, Artefacts],
    workers: int,
) -> Finished:
    """Write tables, the report and the manifest."""
    from alphastrata.study.page import page_of, write_page

    manifest: dict[str, Any] = {
        "alphastrata": __version__,
        "code": code_version(),
        "config": config.model_dump(mode="json"),
        "seed": config.seed,
        "data_folder": None if folder is None else str(folder.resolve()),
        "inputs": {file.name: {"sha256": file.sha256, "bytes": file.size} for file in inputs},
        "vintages": {
            name: {"vintage": factors.vintage, "source": factors.source}
            for name, factors in made["benchmarks"].items()
        },
        "machine": machine(),
        "stages": {
            name: {"key": key, "artefacts": store.contents[name]}
            for name, key in store.keys.items()
        },
    }
    store.report("report", 0, 1)
    page = page_of(config, made, manifest)
    outputs = write_page(page, store.out)
    manifest["outputs"] = {
        path.relative_to(store.out).as_posix(): artefacts.sha256_of(path) for path in outputs
    }
    write_manifest(store.out, manifest)
    store.report("report", 1, 1)
    return Finished(
        out=store.out,
        report=store.out / "report.html",
        answer=tuple(page.answer),
        warnings=tuple(page.warnings),
        reused=dict(store.reused),
    )


def diff(before: str | Path, after: str | Path) -> list[str]:
    """Return, a line each, where two finished studies differ: inputs, settings, results.

    Raises
    ------
    ConfigError
        When one of the folders holds no finished study.
    """
    return differences(read_manifest(Path(before)), read_manifest(Path(after)))


def verify(
    out: str | Path, *, workers: int | None = None, progress: Progress | None = None
) -> list[str]:
    """Compute a finished study again elsewhere and return, a line each, what differs.

    Parameters
    ----------
    out
        Folder of a finished study.
    workers, progress
        As for `run`.

    Returns
    -------
    list of str
        Empty when every artefact and output came out bit for bit.

    Raises
    ------
    ConfigError
        When the folder holds no finished study.
    """
    import tempfile

    out = Path(out)
    before = read_manifest(out)
    changed = [
        f"outputs.{name}: the file is not what the manifest says"
        for name, sha in before["outputs"].items()
        if not (out / name).is_file() or artefacts.sha256_of(out / name) != sha
    ]
    config = StudyConfig.model_validate(before["config"])
    with tempfile.TemporaryDirectory(prefix="alphastrata-verify-") as scratch:
        run(config, out=scratch, data=before["data_folder"], workers=workers, progress=progress)
        after = read_manifest(Path(scratch))
    return changed + differences(before, after)
