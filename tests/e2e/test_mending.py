"""What somebody did to a delivered file is mended by the next apply; a second file is filled without a new token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.project import entry, names, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.project import Project


def _record(file: Path) -> Path:
    return file.with_name(f"{file.name}.tooken")


def _empty(file: Path) -> None:
    file.write_text("", encoding="utf-8")


def _edit(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8")[:-1] + "~", encoding="utf-8")


def _add_a_line_end(file: Path) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write("\n")


def _delete(file: Path) -> None:
    file.unlink()


def _delete_both(file: Path) -> None:
    file.unlink()
    _record(file).unlink()


def _delete_the_record(file: Path) -> None:
    _record(file).unlink()


def _damage_the_record(file: Path) -> None:
    _record(file).write_text("tooken-ci/1 workspace=test id=", encoding="utf-8")


HARMS: dict[str, Callable[[Path], None]] = {
    "added-to": _add_a_line_end,
    "damaged": _damage_the_record,
    "deleted": _delete,
    "edited": _edit,
    "emptied": _empty,
    "gone": _delete_both,
    "unrecorded": _delete_the_record,
}


def test_the_only_file_is_mended(project: Project) -> None:
    """An entry whose only file lost its secret gets the next generation, and the lost one is revoked."""
    project.write(spec({name: entry(f"out/{name}") for name in [*HARMS, "sound"]}))
    project.apply()
    lost = {name: project.secret(f"out/{name}") for name in HARMS}
    sound = project.secret("out/sound")
    project.secrets.update(lost.values())
    for name, harm in HARMS.items():
        harm(project.folder / "out" / name)

    project.sandbox.advance(200)
    data = project.apply()

    expected = [pair for name in HARMS for pair in (("replace", f"{name}.g2"), ("revoke", name))]
    assert [(action["action"], action["token"]) for action in data["actions"]] == expected
    assert {action["cause"] for action in data["actions"]} <= {"drift", "spec"}
    assert {result["status"] for result in data["results"]} == {"done"}
    assert names(project.sandbox) == sorted([*(f"{name}.g2" for name in HARMS), "sound"])
    for name, secret in lost.items():
        assert project.sandbox.authenticates(project.secret(f"out/{name}"))
        assert not project.sandbox.authenticates(secret)
    assert project.secret("out/sound") == sound
    project.converge()


def test_one_of_two_files_is_mended(project: Project) -> None:
    """Where another file of the entry still holds the secret, it is copied from there: no token is made or revoked."""
    project.write(spec({name: entry(f"out/{name}", f"copy/{name}") for name in HARMS}))
    project.apply()
    before = project.sandbox.tokens()
    secrets = {name: project.secret(f"out/{name}") for name in HARMS}
    for name, harm in HARMS.items():
        harm(project.folder / "out" / name)

    data = project.apply()

    assert [(result["action"], result["token"]) for result in data["results"]] == [
        ("redeliver", name) for name in HARMS
    ]
    assert {result["status"] for result in data["results"]} == {"done"}
    for name, secret in secrets.items():
        assert project.secret(f"out/{name}") == project.secret(f"copy/{name}") == secret
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
