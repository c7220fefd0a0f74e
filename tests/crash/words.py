"""Counts what the documentation tells of secrets that show and of texts that speak: each is tried, and none does."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import yaml

from tests.crash.timing import SharedTime
from tests.crash.zygote import Zygote
from tests.e2e.planted import FORMS, planted, play
from tests.e2e.project import entry, spec
from tests.support.effects import effects
from tests.support.hostile import HOSTILE
from tests.support.sandbox import RunningSandbox

if TYPE_CHECKING:
    from pathlib import Path

A_PAGE = 40
"""How many actions of a kind a plan shows as text."""

_MADE = {"scopes": ["tokens:read"], "created_by": "::error::evil\n\x1b[31m"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """What came of it.

    Attributes:
        secrets: that were planted or made.
        forms: in which they were looked for, of all of them.
        runs: of the command, at debug level.
        places: outputs and files that were searched.
        leaks: the places that show a secret.
        texts: that attack whoever reads them.
        formats: in which each was shown.
        effects: that any of them had.
    """

    secrets: int
    forms: int
    runs: int
    places: int
    leaks: tuple[str, ...]
    texts: int
    formats: int
    effects: tuple[str, ...]


def counted(folder: Path) -> Words:
    """Runs every command among planted secrets, and shows every hostile text in every format."""
    folder.mkdir(parents=True, exist_ok=True)
    with planted(folder / "planted") as project:
        evidence = play(project)
    return Words(
        secrets=len(evidence.secrets),
        forms=evidence.forms,
        runs=len(evidence.runs),
        places=len(evidence.places),
        leaks=tuple(evidence.leaks()),
        texts=len(HOSTILE),
        formats=len(FORMS),
        effects=tuple(_effects(folder / "hostile")),
    )


def _effects(folder: Path) -> list[str]:
    """What the hostile names of tokens do where a plan is shown that revokes them all."""
    folder.mkdir()
    (folder / "tooken.yml").write_text(yaml.safe_dump(spec({"ci": entry("ci")}, prune=["*"])), encoding="utf-8")
    found: list[str] = []
    with SharedTime(folder / "time") as shared, Zygote(shared, folder / "run", 0) as zygote:
        for start in range(0, len(HOSTILE), A_PAGE):
            seed = [{"name": name, **_MADE} for name in HOSTILE[start : start + A_PAGE]]
            with RunningSandbox(seed=seed) as sandbox:
                for form in FORMS:
                    found += _shown(zygote, folder, sandbox, form)
    return found


def _shown(zygote: Zygote, folder: Path, sandbox: RunningSandbox, form: str) -> list[str]:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "TOOKEN_API_URL": sandbox.url,
        "TOOKEN_API_KEY": sandbox.api_key,
    }
    zygote.start("--debug", "plan", "--format", form, folder=folder, environment=environment)
    ended = zygote.end()
    assert "evil" in ended.out + ended.err, ended.err
    return effects(ended.out, ended.err, form)
