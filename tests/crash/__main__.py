"""``python -m tests.crash``: the whole matrix, on all cores; prints what came of it, and writes it down."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
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

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"
KEPT = ROOT / "build" / "crash.json"
"""What came of the last whole run, from which the page can be written anew."""

SHOWN = 20


def main() -> int:
    """Tries it all, and says whether anything that must not be was."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios whose name has these words")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--page", action="store_true", help="only write the page anew, from the last whole run")
    options = parser.parse_args()
    if options.page:
        return _written_down({name: Tally(**of) for name, of in json.loads(KEPT.read_text(encoding="utf-8")).items()})
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
    total = Tally.of(tallies.values())
    print(
        f"\n{total.cases} cases, {total.runs} runs, {total.kills} kills, {total.faults} faults, "
        f"{total.checks} looks at the invariants in {time.monotonic() - began:.0f} s; "
        f"violations: {len(total.violations)}"
    )
    for told in total.violations[:SHOWN]:
        print(f"  {told}")
    if options.only or total.violations:
        return 1 if total.violations else 0
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps({name: dataclasses.asdict(tally) for name, tally in tallies.items()}), "utf-8")
    return _written_down(tallies)


def _written_down(tallies: Mapping[str, Tally]) -> int:
    """Looks for secrets that show and texts that speak as well, and writes the page if there is none."""
    with tempfile.TemporaryDirectory(prefix="words-") as folder:
        words = counted(Path(folder))
    wrong = [*words.leaks, *words.effects]
    print(f"{words.runs} runs among {words.secrets} secrets and {words.texts} texts that attack; found: {len(wrong)}")
    for told in wrong[:SHOWN]:
        print(f"  {told}")
    if not wrong:
        PAGE.write_text(written(tallies, Tally.of(tallies.values()), words), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
