"""Time and memory of the whole way on the Survey of Consumer Finances (28,885 rows).

Usage: python benchmarks/customers_survey.py path/to/scf2019.parquet [out]
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from alphastrata.customers import read_study, segment_study

STUDY = Path(__file__).resolve().parents[1] / "examples" / "survey.toml"


def main() -> None:
    path = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("out/survey")
    start = time.perf_counter()
    result = segment_study(path, study=read_study(STUDY), out=out)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*result.answer, *result.warnings, sep="\n")
    print(f"{len(result.found.labels):,} rows: {seconds:.0f} s, {peak:,.0f} MB at the peak")
    print(f"{time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    main()
