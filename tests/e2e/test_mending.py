"""What somebody did to a delivered file is mended by the next apply; a second file is filled without a new token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.project import Project


def _empty(file: Path) -> None:
    file.write_text("", encoding="utf-8")


def _edit(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8")[:-1] + "~", encoding="utf-8")


def _end_the_line(file: Path) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write("\n")


def _delete(file: Path) -> None:
    file.unlink()


def _delete_both(file: Path) -> None:
    file.unlink()
    file.with_name(f"{file.name}.tooken").unlink()


def _delete_the_record(file: Path) -> None:
    file.with_name(f"{file.name}.tooken").unlink()


def _damage_the_record(file: Path) -> None:
    file.with_name(f"{file.name}.tooken").write_text("tooken-ci/1 workspace=test id=", encoding="utf-8")


@pytest.mark.parametrize(
    "harm", [_empty, _edit, _end_the_line, _delete, _delete_both, _delete_the_record, _damage_the_record]
)
def test_the_only_file_is_mended(project: Project, harm: Callable[[Path], None]) -> None:
    """An entry whose only file lost its secret gets the next generation, and the lost one is revoked."""
    project.write(spec({"ci": entry("out/ci"), "other": entry("out/other")}))
    project.apply()
    lost, other = project.secret("out/ci"), project.secret("out/other")
    harm(project.folder / "out/ci")
    project.secrets.add(lost)

    project.sandbox.advance(200)
    data = project.apply()

    assert [(action["action"], action["token"]) for action in data["actions"]] == [
        ("replace", "ci.g2"),
        ("revoke", "ci"),
    ]
    assert {result["status"] for result in data["results"]} == {"done"}
    assert names(project.sandbox) == ["ci.g2", "other"]
    assert project.sandbox.authenticates(project.secret("out/ci"))
    assert not project.sandbox.authenticates(lost)
    assert project.secret("out/other") == other
    project.converge()


@pytest.mark.parametrize("harm", [_empty, _edit, _delete, _delete_both, _delete_the_record, _damage_the_record])
def test_one_of_two_files_is_mended(project: Project, harm: Callable[[Path], None]) -> None:
    """Where another file of the entry still holds the secret, it is copied from there: no token is made or revoked."""
    project.write(spec({"ci": entry("out/ci", "out/copy")}))
    project.apply()
    before = project.sandbox.tokens()
    secret = project.secret("out/ci")
    harm(project.folder / "out/ci")

    data = project.apply()

    assert [(result["action"], result["status"]) for result in data["results"]] == [("redeliver", "done")]
    assert project.secret("out/ci") == project.secret("out/copy") == secret
    assert [token["id"] for token in project.sandbox.tokens()] == [token["id"] for token in before]
    project.converge()


def test_a_second_file_is_filled(project: Project) -> None:
    """A second file added to an entry is filled by redeliver, with no new token, at the price that the plan told."""
    project.write(spec({"ci": entry("out/ci")}))
    project.apply()
    project.write(spec({"ci": entry("out/ci", "elsewhere/ci")}))

    data = project.plan()
    assert [(action["action"], action["cause"]) for action in data["actions"]] == [("redeliver", "spec")]
    assert data["actions"][0]["destinations"] == ["file elsewhere/ci"]
    before = len(project.sandbox.requests())
    applied = project.apply()

    sent = len(project.sandbox.requests()) - before
    assert sent == applied["requests"]["spent"] + data["requests"]["apply"]
    assert project.secret("elsewhere/ci") == project.secret("out/ci")
    assert len(project.sandbox.tokens()) == 1
    project.converge()


def test_a_revoked_token_is_made_anew(project: Project) -> None:
    """A token that somebody revoked in the dashboard is replaced, and the file holds a living secret again."""
    project.write(spec({"ci": entry("ci")}))
    project.apply()
    project.sandbox.delete(f"/tokens/{project.sandbox.active_tokens()[0]['id']}")

    action = project.apply()["actions"][0]

    assert (action["action"], action["token"], action["cause"]) == ("create", "ci.g2", "drift")
    assert project.sandbox.authenticates(project.secret("ci"))
    project.converge()
