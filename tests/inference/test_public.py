"""What the room offers: every public name is there, and loading it stays cheap."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import alphastrata.inference as inference
from alphastrata.core import Result


def test_every_public_name_is_there_and_no_module_hides_one() -> None:
    for name in inference.__all__:
        assert not isinstance(getattr(inference, name), ModuleType), name
    assert dir(inference) == sorted(inference.__all__)


def test_loading_pulls_in_no_heavy_library() -> None:
    code = (
        "import sys, alphastrata.inference; "
        "print([m for m in ('sklearn', 'statsmodels', 'linearmodels', 'arch', 'torch', "
        "'matplotlib', 'scipy.stats') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


RESULTS = [name for name in inference.__all__ if name.endswith(("Result", "Comparison", "Check"))]


def test_results_are_one_family() -> None:
    others = ["SideBySide", "SharpeDifference", "DeflatedSharpe", "RollingBetas"]
    for name in [*RESULTS, *others]:
        kind = getattr(inference, name)
        assert issubclass(kind, Result), name
        assert kind.__dataclass_params__.frozen, name
