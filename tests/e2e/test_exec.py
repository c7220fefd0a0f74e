"""Delivery to a store behind a program: the real command, a real server, real programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.destinations.exec_support import Store, gone
from tests.e2e.leaks import files_under, findings
from tests.e2e.project import FOUR_MINUTES, entry, names, outcomes, spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.project import Project


READABLE = pytest.mark.parametrize("readable", [True, False], ids=["readable", "not-readable"])


@pytest.fixture
def store(tmp_path: Path, project: Project) -> Iterator[Store]:
    """Gives a store outside the project; whatever it holds may show nowhere, in the project or among its other files.

    Those tell the environment and the command line of every program that ran.
    """
    store = Store(tmp_path / "store")
    project.delivers(store.value)
    yield store
    project.scan({})  # to learn of the last secret
    files = {name: content for name, content in files_under(store.folder).items() if name != "value"}
    assert "env-record-read" in files
    assert list(findings(project.secrets, files)) == []


def exec_to(store: Store, *, readable: bool = True, **changes: Any) -> dict[str, Any]:
    """The destination as a spec has it."""
    keys = ("write", "record", "read") if readable else ("write", "record")
    return {"exec": {"name": "shop", **{key: [str(store.program), key] for key in keys}, **changes}}


def declare(project: Project, *deliver: dict[str, Any], **more: Any) -> None:
    """Writes a spec with one entry."""
    project.write(yaml.safe_dump(spec({"ci": {**entry(**more), "deliver": list(deliver)}})))


def held(project: Project, store: Store) -> str:
    """The secret in the store, which lives."""
    secret = store.value.read_text(encoding="utf-8")
    assert project.sandbox.authenticates(secret)
    return secret


@READABLE
def test_create_and_replace(project: Project, store: Store, *, readable: bool) -> None:
    """A token is made, delivered and recorded; nothing is left to do; a change replaces it, and the old one goes."""
    declare(project, exec_to(store, readable=readable))
    project.apply()
    first = held(project, store)
    project.converge()
    assert store.record.read_text(encoding="utf-8").startswith("tooken-ci/1 workspace=test id=tok_")

    declare(project, exec_to(store, readable=readable), scopes=["audit:read"])
    data = project.apply()

    assert outcomes(data) == [
        ("replace", "ci.g2", "done"),
        ("revoke", "ci", "done"),
    ]
    assert held(project, store) != first
    assert not project.sandbox.authenticates(first)
    assert names(project.sandbox) == ["ci.g2"]
    assert (store.folder / "env-read").exists() is readable
    project.converge()


def test_what_the_programs_are_told(project: Project, store: Store) -> None:
    """A program is told what it serves, and neither the key nor an option of ours is in its environment."""
    declare(project, exec_to(store))
    project.run("apply", env={"TOOKEN_WORKERS": "2", "KUBECONFIG": "/etc/k", "COPY": str(project.key)})
    told = store.told("write")
    assert (told["TOOKEN_CI_ENTRY"], told["TOOKEN_CI_TOKEN"], told["TOOKEN_CI_GENERATION"]) == ("ci", "ci", "1")
    assert (told["TOOKEN_CI_WORKSPACE"], told["TOOKEN_CI_DESTINATION"]) == ("test", "shop")
    assert told["KUBECONFIG"] == "/etc/k"
    assert not {"COPY", "TOOKEN_API_KEY", "TOOKEN_API_URL", "TOOKEN_WORKERS"} & set(told)
    assert store.told("record-write")["TOOKEN_CI_ID"] == project.sandbox.active_tokens()[0]["id"]
    assert (store.folder / "argv-write").read_text(encoding="utf-8").split() == ["/bin/sh", str(store.program), "write"]


def test_copied_to_a_file(project: Project, store: Store) -> None:
    """A file added beside a store that can be read gets the same secret, without a new token."""
    declare(project, exec_to(store))
    project.apply()
    declare(project, exec_to(store), {"file": {"path": "out/ci"}})
    project.delivers("out/ci")
    data = project.apply()
    assert outcomes(data) == [("redeliver", "ci", "done")]
    assert project.secret("out/ci") == held(project, store)
    assert len(project.sandbox.tokens()) == 1
    project.converge()


@READABLE
def test_copied_from_a_file(project: Project, store: Store, *, readable: bool) -> None:
    """A store added beside a file gets the file's secret, without a new token."""
    project.write(spec({"ci": entry("out/ci")}))
    project.apply()
    declare(project, {"file": {"path": "out/ci"}}, exec_to(store, readable=readable))
    data = project.apply()
    assert outcomes(data) == [("redeliver", "ci", "done")]
    assert project.secret("out/ci") == held(project, store)
    project.converge()


def test_a_store_that_was_edited(project: Project, store: Store) -> None:
    """A value that somebody replaced by hand is found by reading it, and the token is replaced."""
    declare(project, exec_to(store))
    project.apply()
    held(project, store)
    store.value.write_text("somebody-elses-value", encoding="utf-8")
    data = project.apply()
    assert ("replace", "ci.g2", "done") in outcomes(data)
    assert held(project, store)
    project.converge()


@READABLE
def test_a_write_that_surely_wrote_nothing(project: Project, store: Store, *, readable: bool) -> None:
    """A write that says so has its new token revoked and its mark taken back; the old secret lives on."""
    declare(project, exec_to(store, readable=readable))
    project.apply()
    first = held(project, store)
    no = store.sh("no", f"tee {store.folder}/asked | base64 >&2", "cat", "exit 75")
    project.delivers(store.folder / "asked")
    declare(project, exec_to(store, readable=readable, write=list(no), refused=75), scopes=["audit:read"])

    ended = project.run("apply", "--format", "json", code=3)

    (failed,) = [result for result in ended.data["results"] if result["status"] == "failed"]
    assert "'exec shop': its 'write' program ended with exit code 75: ***" in failed["error"]
    assert names(project.sandbox) == ["ci"]
    assert held(project, store) == first
    assert "mark=" not in store.record.read_text(encoding="utf-8")
    project.secrets.add((store.folder / "asked").read_text(encoding="utf-8"))
    (store.folder / "asked").unlink()
    project.scan({"standard error": ended.err.encode(), "standard output": ended.out.encode()})


@READABLE
@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("cat value >&2; exit 1", "ended with exit code 1"),
        ("exit 75", "ended with exit code 75"),
        ("sleep 60", "took too long and was stopped"),
        ("kill -KILL $$", "was ended by SIGKILL"),
    ],
)
def test_a_write_that_may_have_happened(
    project: Project, store: Store, after: str, told: str, *, readable: bool
) -> None:
    """After any other failure old and new token live, and the next run, in its time, finishes the work."""
    declare(project, exec_to(store, readable=readable))
    project.apply()
    first = held(project, store)
    broken = store.sh("broken", f"cd {store.folder}", "cat > value", after)
    declare(
        project,
        exec_to(store, readable=readable, write=list(broken), timeout="2s" if "sleep" in after else "30s"),
        scopes=["audit:read"],
    )

    ended = project.run("apply", "--format", "json", code=3)

    (failed,) = [result for result in ended.data["results"] if result["status"] == "failed"]
    assert f"'exec shop': its 'write' program {told}" in failed["error"]
    assert names(project.sandbox) == ["ci", "ci.g2"]
    assert held(project, store) != first
    assert "mark=create:ci.g2:" in store.record.read_text(encoding="utf-8")

    declare(project, exec_to(store, readable=readable), scopes=["audit:read"])
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert held(project, store)
    assert names(project.sandbox) == ["ci.g3"]
    project.converge()


@READABLE
def test_killed_by_its_own_program(project: Project, store: Store, *, readable: bool) -> None:
    """A run that is killed in the middle of a write loses nothing: the next one finishes the work."""
    deadly = store.sh("deadly", f"cd {store.folder}", "cat > value", "kill -KILL $PPID")
    declare(project, exec_to(store, readable=readable, write=list(deadly)))
    project.run("apply", code=-9)
    assert held(project, store)
    assert project.run("apply", "--deadline", "60s", code=1).err.lower().count("another run may be at work")

    declare(project, exec_to(store, readable=readable))
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert held(project, store)
    assert names(project.sandbox) == ["ci.g2"]
    project.converge()


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_stopped_in_the_middle_of_a_write(project: Project, store: Store, name: str) -> None:
    """A run that is asked to stop while a program writes finishes that delivery."""
    slow = store.sh("slow", f"kill -{name} $PPID", "sleep 0.3", f"cat > {store.value}")
    declare(project, exec_to(store, write=list(slow)))
    project.run("apply", code=None)
    assert held(project, store)
    declare(project, exec_to(store))
    project.converge()


@pytest.mark.parametrize(
    ("key", "deadline", "lines", "code"),
    [
        ("write", "5m", ("kill -TERM $PPID",), 3),
        ("write", "4s", (), 3),
        ("write", "5m", ("kill -INT $PPID", "sleep 1.5", "kill -TERM $PPID"), -15),
        ("read", "5m", ("kill -TERM $PPID",), 1),
    ],
    ids=["stopped", "deadline", "second-signal", "stopped-in-a-look"],
)
def test_no_program_outlives_its_run(
    project: Project, store: Store, *, key: str, deadline: str, lines: tuple[str, ...], code: int
) -> None:
    """A run that ends while a program hangs takes it along, with all that it started: nothing is written later."""
    pids = store.folder / "pids"
    hanging = store.sh("hanging", "trap '' TERM", f"sleep 60 & echo $! $$ > {pids}", *lines, "wait")
    declare(project, exec_to(store, **dict[str, Any]({key: list(hanging), "timeout": "45s"})))
    project.run("apply", "--deadline", deadline, code=code)
    assert gone([int(pid) for pid in pids.read_text(encoding="utf-8").split()])
    assert not store.value.exists()
    store.open().look()  # leaves what the fixture looks for


@pytest.mark.parametrize("key", ["write", "record"])
def test_a_program_that_is_missing(project: Project, store: Store, key: str) -> None:
    """A program that is missing is told with the next step, and no token is made."""
    declare(project, exec_to(store, **dict[str, Any]({key: ["./missing.sh"]})))
    project.run("apply", code=1).says(f"'{key}' program './missing.sh' was not found", "path")
    assert project.sandbox.tokens() == []
    store.open().look()  # leaves what the fixture looks for


def test_a_record_that_is_not_kept(project: Project, store: Store) -> None:
    """A record program that forgets what it was given would have every run replace the token: none is ever made."""
    forgetful = store.sh("forgetful", f"exec {store.program} < /dev/null")
    declare(project, exec_to(store, record=list(forgetful)))
    project.run("apply", code=1).says("is not the one that it was given to store", "TOOKEN_CI_STEP=record-write")
    assert project.sandbox.tokens() == []


def test_a_look_that_fails(project: Project, store: Store) -> None:
    """A store that cannot be asked is neither a cause to replace nor a permission to revoke, and the run says why."""
    declare(project, exec_to(store))
    project.apply()
    traced = store.sh("traced", "set -x", f": $(cat {store.value})", "exit 6")
    declare(project, exec_to(store, read=list(traced)))
    with project.unchanged():
        project.run("apply", code=1).says("could not be asked", "'read' program ended with exit code 6: + cat")


def test_two_entries_to_one_store(project: Project, store: Store) -> None:
    """Two destinations of one name are an error of the spec, which names both places."""
    both = {name: {**entry(), "deliver": [exec_to(store)]} for name in ("one", "two")}
    project.write(yaml.safe_dump(spec(both)))
    project.run("validate", code=2).says("both deliver to exec shop", "tooken.yml:")
    store.open().look()  # leaves what the fixture looks for
