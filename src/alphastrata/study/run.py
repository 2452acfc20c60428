"""Running a study: every stage stored under the hash of what made it, and resumed from there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphastrata.core.shown import Shown
from alphastrata.inference.ledger import Ledger
from alphastrata.study import artefacts
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.inputs import Inputs
from alphastrata.study.manifest import differences, git_commit, read_manifest, write_manifest
from alphastrata.study.opening import opened
from alphastrata.study.plan import Whole
from alphastrata.study.record import record
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.store import Progress, Stages
from alphastrata.study.stages.trials import LEDGER, hurdles, many_tests
from alphastrata.study.stages.whole_way import compute


@dataclass(frozen=True)
class Finished(Shown):
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


def run(
    config: StudyConfig,
    *,
    out: str | Path,
    data: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    study: str | Path | None = None,
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
        Called with (stage, done, total), and with ("the whole study", per cent, 100).
    study
        The file that the study was read from: the git commit of its folder goes into the manifest.

    Raises
    ------
    ConfigError
        Before any work, for what the study asks and the data folder does not hold.
    InputDataError
        When the data break a rule of their contract.
    """
    finished = _run(config, Path(out), None if data is None else Path(data), workers, progress)
    if study is not None:
        write_manifest(
            finished.out,
            {**read_manifest(finished.out), "git": git_commit(Path(study).resolve().parent)},
        )
    return finished


def _run(
    config: StudyConfig,
    out: Path,
    folder: Path | None,
    workers: int | None,
    progress: Progress | None,
    manifest: Mapping[str, Any] | None = None,
) -> Finished:
    """Run a study; with a manifest, on the very editions of the store that it names."""
    told = None if progress is None else Whole(config, progress)
    with opened(config, out, folder, told, manifest) as (inputs, store):
        made = compute(config, inputs, store, workers or config.workers)
        return _write(config, inputs, store, made, workers or config.workers)


def _write(
    config: StudyConfig,
    inputs: Inputs,
    store: Stages,
    made: Mapping[str, Artefacts],
    workers: int,
) -> Finished:
    """Write tables, the report and the manifest."""
    from alphastrata.study.pages.page import page_of, write_page, write_results

    manifest = record(config, inputs, store)
    manifest["vintages"] = {
        name: {"vintage": factors.vintage or "bundled", "source": factors.source}
        for name, factors in made["benchmarks"].items()
    }
    store.report("report", 0, 1)
    ledger = store.out / LEDGER
    # The head carries times of day: it belongs in the manifest, not on a page that is compared.
    manifest["ledger"] = Ledger(ledger).head
    counted = {
        "many": many_tests(config, made, ledger),
        "hurdles": hurdles(config, made, ledger),
    }
    made = {**made, "trials": counted}
    page = page_of(config, made, manifest)
    outputs = [*write_page(page, store.out), *write_results(made, store.out)]
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
    from alphastrata.study.comparison import compare

    return compare(Path(before), Path(after))


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
        # The report counts the trials of the ledger, so the second run starts from it.
        for file in out.glob(f"{LEDGER}*"):
            shutil.copy2(file, scratch)
        folder = None if before["data_folder"] is None else Path(before["data_folder"])
        _run(config, Path(scratch), folder, workers, progress, before)
        after = read_manifest(Path(scratch))
    return changed + differences(before, after)
