"""What a run was made from: settings, seed, inputs, machine and stages, for its manifest."""

from __future__ import annotations

from typing import Any

from alphastrata import __version__
from alphastrata.study.inputs import Inputs
from alphastrata.study.manifest import code_version, machine
from alphastrata.study.settings import StudyConfig
from alphastrata.study.stages.store import Stages


def record(config: StudyConfig, inputs: Inputs, store: Stages) -> dict[str, Any]:
    """Return the manifest of what was computed, before results are written.

    Parameters
    ----------
    config
        The study.
    inputs
        What it read.
    store
        Its stages, each computed or found.
    """
    read = inputs.by_stage()
    return {
        "alphastrata": __version__,
        "code": code_version(),
        "config": config.model_dump(mode="json"),
        "seed": config.seed,
        "data_folder": None if inputs.folder is None else str(inputs.folder.resolve()),
        "inputs": {
            f.name: {"sha256": f.sha256, "bytes": f.size, "vintage": f.vintage}
            for f in inputs.files
        },
        "left_out": dict(inputs.left_out),
        "machine": machine(),
        "stages": {
            name: {
                "key": key,
                "needs": list(store.needs[name]),
                "inputs": read.get(name, []),
                "artefacts": store.contents[name],
            }
            for name, key in store.keys.items()
        },
    }
