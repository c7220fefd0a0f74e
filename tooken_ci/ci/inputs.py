"""The inputs of the GitHub Action, and the variable that each of them sets; ``entrypoint.py`` hands them on."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "spec": "TOOKEN_SPEC",
        "api-key": "TOOKEN_API_KEY",
        "api-url": "TOOKEN_API_URL",
        "format": "TOOKEN_FORMAT",
        "names": "TOOKEN_NAMES",
        "plan-file": "TOOKEN_PLAN_FILE",
        "report-file": "TOOKEN_REPORT_FILE",
        "fail-on-changes": "TOOKEN_DETAILED_EXITCODE",
        "comment": "TOOKEN_COMMENT",
        "github-token": "TOOKEN_COMMENT_TOKEN",
        "only": "TOOKEN_ONLY",
        "overlap": "TOOKEN_OVERLAP",
        "deadline": "TOOKEN_DEADLINE",
    }
)
"""All but ``command``, which is no variable."""
