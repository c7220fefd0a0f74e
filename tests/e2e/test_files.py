"""Delivery into files that hold more than one secret: the real command, a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, spec
from tooken_ci.destinations.file_format import FORMS

if TYPE_CHECKING:
    from tests.e2e.project import Project

BEFORE = {"dotenv": "# ours\nA=1\n", "json": '{\n  "A": 1.50\n}\n'}
FORMATS = pytest.mark.parametrize("form", list(BEFORE))


def declare(project: Project, form: str, *, scopes: str = "tokens:read") -> None:
    """Writes a spec with two entries that share a file."""

    def deliver(key: str) -> list[dict[str, Any]]:
        return [{"file": {"path": "shared", "format": form, "key": key, "mode": "0640"}}]

    project.write(
        spec(
            {
                "one": {**entry(scopes=[scopes]), "deliver": deliver("ONE")},
                "two": {**entry(), "deliver": deliver("TWO")},
            }
        )
    )


def read(project: Project, form: str) -> dict[str, str]:
    """The secrets that stand in the file, all of which live."""
    text = (project.folder / "shared").read_text(encoding="utf-8")
    found = {key: str(FORMS[form].get(text, key)) for key in ("ONE", "TWO")}
    project.secrets.update(found.values())
    assert all(project.sandbox.authenticates(secret) for secret in found.values())
    return found


@FORMATS
def test_two_entries_share_a_file(project: Project, form: str) -> None:
    """Two entries deliver to one file side by side; what is changed for one leaves the other and all else alone."""
    (project.folder / "shared").write_text(BEFORE[form], encoding="utf-8")
    declare(project, form)
    project.run("validate")
    project.apply("--workers", "4")
    first = read(project, form)
    project.converge()

    declare(project, form, scopes="audit:read")
    data = project.apply()

    assert [(result["action"], result["token"]) for result in data["results"]] == [
        ("replace", "one.g2"),
        ("revoke", "one"),
    ]
    second = read(project, form)
    assert second["TWO"] == first["TWO"]
    assert second["ONE"] != first["ONE"]
    assert not project.sandbox.authenticates(first["ONE"])
    text = (project.folder / "shared").read_text(encoding="utf-8")
    assert text.startswith(BEFORE[form].rstrip("}\n"))
    assert (project.folder / "shared").stat().st_mode & 0o777 == 0o640
    project.converge()


@FORMATS
def test_a_key_that_was_removed(project: Project, form: str) -> None:
    """A secret that somebody took out of the file is replaced, and the other one stays."""
    declare(project, form)
    project.apply()
    first = read(project, form)
    path = project.folder / "shared"
    path.write_text(path.read_text(encoding="utf-8").replace("ONE", "GONE"), encoding="utf-8")

    data = project.apply()

    assert ("replace", "one.g2") in [(result["action"], result["token"]) for result in data["results"]]
    assert read(project, form)["TWO"] == first["TWO"]
    project.converge()


def test_a_file_that_is_no_object(project: Project) -> None:
    """A file in which no key can stand fails its entries before a token is made, and stays as it is."""
    (project.folder / "shared").write_text('["not an object"]', encoding="utf-8")
    declare(project, "json")
    with project.unchanged():
        ended = project.run("apply", code=1)
    ended.says("shared#ONE", "not a JSON object")


def test_an_owner_that_nobody_knows(project: Project) -> None:
    """A user that is not known here passes validation, and fails its entry before a token is made."""
    owned = {"path": "ci", "owner": "nobody-of-that-name"}
    project.write(spec({"ci": {**entry(), "deliver": [{"file": owned}]}}))
    project.run("validate")
    with project.unchanged():
        ended = project.run("apply", code=1)
    ended.says("nobody-of-that-name", "not known on this machine")


def test_a_mode_that_is_no_text(project: Project) -> None:
    """A mode without quotes is a number to YAML, and the error says what to do."""
    numbered = {"path": "ci", "mode": 640}
    project.write(spec({"ci": {**entry(), "deliver": [{"file": numbered}]}}))
    project.run("validate", code=2).says("'mode' must be text", "in quotes")
