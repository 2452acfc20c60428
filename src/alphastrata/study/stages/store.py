"""Stages: computed once, stored under the hash of what made them, loaded ever after."""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alphastrata.study import artefacts
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.manifest import stage_key

Progress = Callable[[str, int, int], None]

LOG = logging.getLogger("alphastrata.study")
LOG.propagate = False


@dataclass
class Stages:
    """The stages of one run: computed once, loaded ever after."""

    out: Path
    report: Progress
    keys: dict[str, str] = field(default_factory=dict)
    reused: dict[str, bool] = field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    contents: dict[str, dict[str, str]] = field(default_factory=dict)

    def unfinished(self, name: str) -> Path:
        """Return the folder for what a stage has done so far; it goes when the stage is done.

        It carries the stage's key, so that it is found again by the very same stage alone.
        """
        return self.out / "stages" / f".unfinished-{_slug(name)}-{self.keys[name][:16]}"

    def stage(
        self, name: str, settings: Any, needs: tuple[str, ...], make: Callable[[], Artefacts]
    ) -> Artefacts:
        """Return a stage's artefacts, made now or on an earlier run."""
        key = stage_key(name, settings, [self.keys[need] for need in needs])
        self.keys[name] = key
        self.needs[name] = needs
        folder = self.out / "stages" / f"{_slug(name)}-{key[:16]}"
        self.reused[name] = (folder / artefacts.INDEX).is_file()
        start = time.perf_counter()
        if not self.reused[name]:
            self.report(name, 0, 1)
            LOG.info("%s: computing (%s)", name, key[:16])
            artefacts.save(folder, make())
            shutil.rmtree(self.unfinished(name), ignore_errors=True)
        # Read back even what was just made: a resumed run sees the very same objects.
        found = artefacts.load(folder)
        self.contents[name] = artefacts.contents(folder)
        self.report(name, 1, 1)
        verb = "reused" if self.reused[name] else "done"
        LOG.info("%s: %s in %.1f s", name, verb, time.perf_counter() - start)
        return found


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "_", name)
