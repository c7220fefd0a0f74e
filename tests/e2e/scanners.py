"""Scanners for secrets that others wrote: with all that they know by themselves, and what our secrets look like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TIMEOUT = 50
DETECTOR = Path(__file__).with_name("tooken_detector.py")
RULES = r"""
[extend]
useDefault = true

[[rules]]
id = "tooken"
regex = '''tok_[^\s'"]{30,}'''

[[allowlists]]
description = "the name of a lease"
regexes = ['''^lease\.e-\d+-\d+-[0-9a-f]{10}(-[0-9a-f]{6})?$''']
"""


def gitleaks(folder: Path, rules: Path) -> set[str]:
    """The names of the files in which gitleaks finds a secret; its rules are left in a file."""
    rules.write_text(RULES, encoding="utf-8")
    found = json.loads(
        _said("gitleaks", "dir", "--config", str(rules), "--no-banner", "--log-level", "error", "--exit-code", "0",
              "--max-decode-depth", "2", "--report-format", "json", "--report-path", "-", str(folder))
    )  # fmt: skip
    return {Path(one["File"]).name for one in found}


def detect_secrets(folder: Path) -> set[str]:
    """The names of the files in which detect-secrets finds a secret.

    It does not look for hexadecimal digits, which digests and fingerprints are made of: all of ours are no secrets.
    """
    found = json.loads(
        _said("detect-secrets", "-C", str(folder), "scan", "--all-files", "--plugin", str(DETECTOR),
              "--disable-plugin", "HexHighEntropyString")
    )  # fmt: skip
    return {Path(name).name for name in found["results"]}


def _said(program: str, *arguments: str) -> str:
    beside = Path(sys.executable).parent
    environment = {"PATH": f"{beside}{os.pathsep}{os.defpath}", "HOME": str(beside)}
    return subprocess.run(
        [beside / program, *arguments], env=environment, capture_output=True, check=True, text=True, timeout=TIMEOUT
    ).stdout
