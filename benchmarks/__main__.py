"""Runs the benchmark: ``python -m benchmarks [--quick] [--only NAME]…``; exits with 1 if a target is missed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import diff, four, plans, redaction, report, side_by_side, start_up, validation, windows
from benchmarks.effort import BenchmarkError, Effort, say

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

MEASUREMENTS = {
    "side-by-side": side_by_side.measure,
    "plans": plans.measure,
    "windows": windows.measure,
    "four": four.measure,
    "diff": diff.measure,
    "redaction": redaction.measure,
    "start-up": start_up.measure,
    "validation": validation.measure,
}


def main() -> int:
    """Measures, prints the tables, and writes the document if everything was measured in full."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="this measurement alone; repeatable")
    parser.add_argument("--quick", action="store_true", help="run everything once; the document is not written")
    options = parser.parse_args()
    chosen = options.only or list(MEASUREMENTS)
    tables = []
    try:
        for name in chosen:
            say(f"{name} …")
            tables.append(MEASUREMENTS[name](Effort(quick=options.quick)))
    except BenchmarkError as error:
        say(f"The benchmark failed: {error}")
        return 1
    sys.stdout.write(report.text(tables))
    if not options.quick and not options.only:
        DOCUMENT.write_text(report.document(tables), encoding="utf-8")
        say(f"Wrote {DOCUMENT.name}.")
    return 0 if all(verdict.holds for verdict in report.targets(tables)) else 1


if __name__ == "__main__":
    sys.exit(main())
