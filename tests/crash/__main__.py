"""``python -m tests.crash``: the whole matrix, on all cores; prints what came of it, and writes it down."""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.campaign import Tally, parts, tried_alone
from tests.crash.report import written
from tests.crash.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

REPORT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
SHOWN = 20


def main() -> int:
    """Tries it all, and says whether anything that must not be was."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios whose name has these words")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    every = parts()
    chosen = [index for index, part in enumerate(every) if options.only in part.name]
    began = time.monotonic()
    tallies: dict[str, Tally] = {}
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.processes, mp_context=context, max_tasks_per_child=1) as pool:
        for index, tally in zip(chosen, pool.map(tried_alone, chosen), strict=True):
            part = every[index]
            told = f"{tally.cases} cases, {tally.kills} kills, {tally.faults} faults"
            print(f"{part.name}, names {part.revoked_names}: {told}, violations: {len(tally.violations)}", flush=True)
            tallies.setdefault(part.name, Tally()).join(tally)
    total = Tally()
    for tally in tallies.values():
        total.join(tally)
    print(
        f"\n{total.cases} cases, {total.runs} runs, {total.kills} kills, {total.faults} faults, "
        f"{total.checks} looks at the invariants in {time.monotonic() - began:.0f} s; "
        f"violations: {len(total.violations)}"
    )
    for told in total.violations[:SHOWN]:
        print(f"  {told}")
    if options.only or total.violations:
        return 1 if total.violations else 0
    return _written_down(tallies, total)


def _written_down(tallies: Mapping[str, Tally], total: Tally) -> int:
    """Looks for secrets that show and texts that speak as well, and writes the page if there is none."""
    with tempfile.TemporaryDirectory(prefix="words-") as folder:
        words = counted(Path(folder))
    wrong = [*words.leaks, *words.effects]
    print(f"{words.runs} runs among {words.secrets} secrets and {words.texts} texts that attack; found: {len(wrong)}")
    for told in wrong[:SHOWN]:
        print(f"  {told}")
    if not wrong:
        REPORT.write_text(written(tallies, total, words), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
