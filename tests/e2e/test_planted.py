"""Every command in every format at debug level among planted secrets: four searches, and none finds one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.e2e.leaks import findings
from tests.e2e.planted import FORMS, KEY, planted, play
from tests.e2e.scanners import detect_secrets, gitleaks
from tooken_ci.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.planted import Evidence

FAKE = "tok_Zk3vTq9LmX2bRw7YcN5hJd8PQs4tUf6gAe1iKo0n"
RAW = {
    "a-log.txt": f"DEBUG send: b'GET /v1/tokens HTTP/1.1\\r\\nAuthorization: Bearer {FAKE}\\r\\n'\n",
    "data.txt": f'{{"token": {{"name": "ci", "secret": "{FAKE}"}}}}\n',
    "words.txt": f"Error: the key {KEY} was refused.\n",
    "another-store.txt": "PRIVATE-TOKEN: glpat-Zk3vTq9LmX2bRw7YcN5h\n",
}
"""What a leak would look like: proof that each scanner would find one."""


@pytest.mark.timeout(240)  # some two hundred runs, and four searches
def test_no_planted_secret_shows(tmp_path: Path) -> None:
    """No secret shows in any output or file, by value, in any form, cut, or to gitleaks and detect-secrets."""
    with planted(tmp_path / "planted") as project:
        evidence = play(project)
    assert evidence.leaks() == []
    _check_what_was_run(evidence)
    _check_that_much_is_shown(evidence)

    folder = tmp_path / "evidence"
    evidence.write(folder)
    for name, text in RAW.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert gitleaks(folder, tmp_path / "rules.toml") == set(RAW)
    assert detect_secrets(folder) == set(RAW)


def _check_what_was_run(evidence: Evidence) -> None:
    """Each command there is, each that takes a format in each, and both that take a file."""
    assert {run[0] for run in evidence.runs} == set(cli.commands)
    formatted = {name for name, command in cli.commands.items() if any(one.name == "form" for one in command.params)}
    wanted = {(*command, form) for command in (*((name,) for name in formatted), ("plan", "--out")) for form in FORMS}
    run_as = {(*run[: len(one) - 1], run[-1]) for one in wanted for run in evidence.runs if "--format" in run[-2:-1]}
    assert wanted <= run_as
    assert sum(run[:1] == ("apply",) and run[1].startswith("saved") for run in evidence.runs) == len(FORMS)


def _check_that_much_is_shown(evidence: Evidence) -> None:
    """Debug lines, and masks where the secrets would stand; and a secret in one of these places is found."""
    shown = b"\n".join(evidence.places.values())
    assert shown.count(b"DEBUG ") > len(evidence.runs)
    assert shown.count(b"***") > len(evidence.runs)
    for secret in (KEY, *sorted(evidence.secrets)[:3]):
        for leak in (secret, base64.b64encode(secret.encode()).decode(), secret[: len(secret) * 2 // 3]):
            place, content = next(iter(evidence.places.items()))
            spoilt = {**evidence.places, place: content + leak.encode()}
            assert list(findings({secret, leak}, spoilt)) == [f"a secret shows in {place}"]
