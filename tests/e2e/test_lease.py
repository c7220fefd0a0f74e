"""``lease`` and ``release``: a token for one job, handed to that job alone, and gone with it."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.exec_support import Store
from tests.e2e.held import Point, hold, kill, wait_for
from tests.e2e.leaks import findings
from tests.e2e.project import names, spec
from tests.support.runner import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.project import Project

GITLAB = {"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_ID": "77", "CI_JOB_ID": "123"}
LEASE = "preview.e-77-1-123"
CREATION = Point(method="POST", occurrence=2)
PROOF = Point(method="GET", occurrence=1)


def ephemeral(**deliver: str) -> dict[str, Any]:
    return {
        "ephemeral": True,
        "expires_in": "1h",
        "scopes": ["tokens:read"],
        "deliver": [{"job": deliver or {"file": "out/preview"}}],
    }


@pytest.fixture
def leasing(project: Project) -> Project:
    """A project with one ephemeral entry, handed over in a file."""
    project.write(spec({"preview": ephemeral()}))
    return project


def github(project: Project, **more: str) -> dict[str, str]:
    """The environment of the action's container, as the runner starts it."""
    files = {f"GITHUB_{name}": project.folder / f"runner-{name.lower()}" for name in ("ENV", "OUTPUT", "STATE")}
    for path in files.values():
        path.touch()
    job = {"GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "deploy", "RUNNER_NAME": "Runner 1"}
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "TOOKEN_CI_ACTION": "1",
        "GITHUB_ACTION": "__run",
        "GITHUB_WORKSPACE": str(project.folder),
        **job,
        **{name: str(path) for name, path in files.items()},
        **more,
    }


def left_in_state(env: Mapping[str, str]) -> str:
    """What the runner hands to the post step."""
    return values(Path(env["GITHUB_STATE"]).read_text(encoding="utf-8"))["leases"]


def test_a_lease_and_its_release(leasing: Project) -> None:
    """The job gets a living secret in a file of its own, and its release revokes the token."""
    ended = leasing.run("lease", "preview", "--format", "json", env=GITLAB)
    (lease,) = ended.data["leases"]
    assert (lease["token"], lease["status"]) == (LEASE, "leased")
    secret = leasing.folder / "out" / "preview"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert leasing.sandbox.authenticates(secret.read_text(encoding="utf-8"))
    (released,) = leasing.run("release", "--format", "json", env=GITLAB).data["leases"]
    assert (released["token"], released["status"]) == (LEASE, "released")
    assert not leasing.sandbox.authenticates(secret.read_text(encoding="utf-8"))
    leasing.run("release", env=GITLAB).says("nothing to release")


def test_another_job_is_left_alone(leasing: Project) -> None:
    """Neither a sibling, nor another run, nor one whose number begins alike releases it."""
    leasing.run("lease", "preview", env=GITLAB)
    for other in ({"CI_JOB_ID": "12"}, {"CI_JOB_ID": "1234"}, {"CI_PIPELINE_ID": "7"}):
        leasing.run("release", env={**GITLAB, **other}).says("nothing to release")
        leasing.run("release", "preview", env={**GITLAB, **other}).says("nothing to release")
    assert names(leasing.sandbox) == [LEASE]


def test_a_name_that_is_taken(leasing: Project) -> None:
    """Where the name is taken a random part is added, and the release finds that one too."""
    leasing.sandbox.delete(f"/tokens/{leasing.sandbox.create(LEASE)['id']}")
    leasing.run("lease", "preview", env=GITLAB)
    (name,) = names(leasing.sandbox)
    assert re.fullmatch(re.escape(LEASE) + "-[0-9a-f]{6}", name)
    leasing.run("release", env=GITLAB)
    assert names(leasing.sandbox) == []


def test_the_action(project: Project) -> None:
    """Variable and output are handed to the runner, the mask comes before them, and the state has the name alone."""
    project.write(spec({"preview": ephemeral(env="TOOKEN_TOKEN", output="token")}))
    env = github(project)
    running = project.start("lease", "preview", env=env)
    out, err = running.communicate(timeout=50)
    assert running.returncode == 0, err
    masked = re.findall(r"^::add-mask::(.+)$", err, re.MULTILINE)
    secret = masked[0]
    assert project.sandbox.authenticates(secret)
    assert secret.encode().hex() in masked
    seen = out + re.sub(r"^::add-mask::.*$", "", err, flags=re.MULTILINE)
    assert list(findings([secret], {"the log": seen.encode()})) == []
    assert err.index("::add-mask::") < err.index("leased")
    told = {file: values((project.folder / f"runner-{file}").read_text(encoding="utf-8")) for file in ("env", "output")}
    assert told == {"env": {"TOOKEN_TOKEN": secret}, "output": {"token": secret, "failure-reason": ""}}
    state = left_in_state(env)
    assert json.loads(state) == names(project.sandbox)
    assert secret not in state
    after = project.run("release", env={**env, "STATE_leases": state})
    after.says("released", json.loads(state)[0])
    assert names(project.sandbox) == []


def test_legs_with_one_runners_name(project: Project) -> None:
    """Even where nothing tells two legs apart, each releases by its state what it has made, and nothing else."""
    project.write(spec({"preview": ephemeral(output="token")}))
    env = github(project)
    states = []
    for _ in range(2):
        (project.folder / "runner-state").write_text("", encoding="utf-8")
        running = project.start("lease", "preview", env=env)
        assert running.communicate(timeout=50)
        assert running.returncode == 0
        states.append(left_in_state(env))
    assert len(names(project.sandbox)) == 2
    project.run("release", env={**env, "STATE_leases": states[1]})
    assert names(project.sandbox) == json.loads(states[0])


@pytest.mark.parametrize("asked", [{"env": "TOOKEN_TOKEN"}, {"output": "token"}])
@pytest.mark.parametrize("where", [GITLAB, {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1"}, {}])
def test_a_place_that_is_not_there(project: Project, asked: dict[str, str], where: dict[str, str]) -> None:
    """Where no runner masks and takes variables, nothing is made, and the way that works is told."""
    project.write(spec({"preview": ephemeral(**asked)}))
    with project.unchanged():
        project.run("lease", "preview", env=where, code=1).says("GITHUB_", "only in the action", "Use 'file'")


def test_a_secret_that_cannot_be_handed_over(leasing: Project) -> None:
    """A lease that does not reach its job is revoked at once."""
    leasing.write(spec({"preview": ephemeral(file="tooken.d/x")}))
    (leasing.folder / "tooken.d").write_text("a file where a folder must be", encoding="utf-8")
    leasing.run("lease", "preview", env=GITLAB, code=None)
    assert names(leasing.sandbox) == []


@pytest.fixture
def store(project: Project, tmp_path: Path) -> Store:
    """A store outside the project, behind a program."""
    store = Store(tmp_path / "store")
    project.delivers(store.value)
    return store


def to_exec(store: Store, **changes: Any) -> dict[str, Any]:
    """An ephemeral entry that is delivered to a store behind a program."""
    settings = {"name": "shop", **{key: [str(store.program), key] for key in ("write", "read")}, **changes}
    return {**ephemeral(), "deliver": [{"exec": settings}]}


@pytest.mark.parametrize("record", [{}, {"record": ["./there-is-none.sh"]}], ids=["without", "with"])
def test_a_store_behind_a_program(project: Project, store: Store, record: dict[str, Any]) -> None:
    """A lease may go to a program, which is told whose it is; no record program is run. Its release revokes it."""
    project.write(spec({"preview": to_exec(store, **record)}))
    (lease,) = project.run("lease", "preview", "--format", "json", env=GITLAB).data["leases"]
    assert project.sandbox.authenticates(store.value.read_text(encoding="utf-8"))
    told = {name: value for name, value in store.told("write").items() if name.startswith("TOOKEN_CI_")}
    assert told == {
        "TOOKEN_CI_STEP": "write",
        "TOOKEN_CI_DESTINATION": "shop",
        "TOOKEN_CI_WORKSPACE": "test",
        "TOOKEN_CI_ENTRY": "preview",
        "TOOKEN_CI_TOKEN": LEASE,
        "TOOKEN_CI_ID": lease["id"],
    }
    project.run("release", env=GITLAB)
    assert not project.sandbox.authenticates(store.value.read_text(encoding="utf-8"))


@pytest.mark.parametrize("key", ["write", "read"])
@pytest.mark.parametrize("lines", [("cat > /dev/null", "exit 75"), ("cat > /dev/null", "echo another")])
def test_a_program_that_fails_with_a_lease(project: Project, store: Store, key: str, lines: tuple[str, ...]) -> None:
    """A lease whose secret did not arrive, or of which nobody knows, is revoked at once, and the reason is told."""
    project.write(spec({"preview": to_exec(store, **dict[str, Any]({key: list(store.sh("no", *lines))}))}))
    project.run("lease", "preview", env=GITLAB, code=3).says("'exec shop': ", f"'{LEASE}' was revoked")
    assert names(project.sandbox) == []


def test_a_program_that_no_lease_can_be_given(project: Project, store: Store) -> None:
    """Where its program is missing or its check does not agree, no lease is made."""
    for changes in ({"write": ["./missing.sh"]}, {"check": list(store.sh("no", "exit 4"))}):
        project.write(spec({"preview": to_exec(store, **changes)}))
        with project.unchanged():
            project.run("lease", "preview", env=GITLAB, code=1).says("'exec shop': its ")


@pytest.mark.parametrize("point", [CREATION, PROOF], ids=["creation", "proof"])
def test_a_job_that_is_killed(leasing: Project, point: Point) -> None:
    """Wherever the job is killed, its release leaves no living lease behind."""
    with hold(leasing.sandbox, point):
        running = leasing.start("lease", "preview", env=GITLAB)
        wait_for(leasing.sandbox, point)
        kill(leasing, running)
    leasing.run("release", env=GITLAB)
    assert names(leasing.sandbox) == []


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "truncated"])
def test_a_lost_answer(leasing: Project, kind: str) -> None:
    """A token whose secret was lost with the answer is revoked, and the job gets another one."""
    leasing.sandbox.set_faults([{"do": kind, "method": "POST", "path": "/v1/tokens", "occurrence": 2}])
    leasing.run("lease", "preview", env=GITLAB)
    (name,) = names(leasing.sandbox)
    assert name.startswith(f"{LEASE}-")
    assert leasing.sandbox.authenticates((leasing.folder / "out" / "preview").read_text(encoding="utf-8"))


def test_a_release_that_fails(leasing: Project) -> None:
    """A release is tried again, and one that fails for good is an error that names the lease."""
    leasing.run("lease", "preview", env=GITLAB)
    delete = {"method": "DELETE", "path": "/v1/tokens/.+"}
    leasing.sandbox.set_faults([{"do": "500_before", **delete, "times": 2}])
    leasing.run("release", env=GITLAB).says("released")
    leasing.run("lease", "preview", env=GITLAB)
    leasing.sandbox.set_faults([{"do": "500_before", "status": 403, **delete}])
    ended = leasing.run("release", "--format", "json", env=GITLAB, code=1)
    assert [lease["status"] for lease in ended.data["leases"]] == ["failed"]
    leasing.sandbox.set_faults([])
    leasing.run("release", env=GITLAB)
    assert names(leasing.sandbox) == []


def test_a_release_that_does_not_come_to_it(leasing: Project) -> None:
    """Where the deadline ends a release, every place names the lease that lives on, and says that it ends by itself."""
    leasing.run("lease", "preview", env=GITLAB)
    busy = {"do": "429", "method": "GET", "retry_after": 60}
    leasing.sandbox.set_faults([busy])
    env = github(leasing, STATE_leases=json.dumps([LEASE]), GITHUB_STEP_SUMMARY=str(leasing.folder / "summary"))
    ended = leasing.run("release", "--deadline", "5s", "--format", "json", env=env, code=1)
    assert ended.data["error"]["code"] == "deadline"
    (lease,) = ended.data["leases"]
    assert (lease["token"], lease["status"]) == (LEASE, "failed")
    told = "not revoked; it ends by itself, by its expiry"
    assert lease["error"].startswith(told)
    ended.says(f"  failed   '{LEASE}': {told}", f"::error title=tooken-ci::'{LEASE}': {told}")
    summary = (leasing.folder / "summary").read_text(encoding="utf-8")
    assert "Leases: **1** failed." in summary
    assert told in summary
    leasing.sandbox.set_faults([{**busy, "method": "DELETE"}])
    (lease,) = leasing.run("release", "--deadline", "5s", "--format", "json", env=env, code=1).data["leases"]
    assert lease["error"].startswith(f"not revoked; it ends by itself, at {lease['expires_at']}")
    leasing.key = None
    (lease,) = leasing.run("release", "--format", "json", env=env, code=2).data["leases"]
    assert lease["error"].startswith(told)


def test_a_stop(leasing: Project) -> None:
    """A lease that is stopped before its token is made makes none; one that is made is handed over or revoked."""
    with hold(leasing.sandbox, Point(method="POST", occurrence=1), seconds=1):
        running = leasing.start("lease", "preview", env=GITLAB)
        wait_for(leasing.sandbox, Point(method="POST", occurrence=1))
        running.send_signal(signal.SIGTERM)
        assert leasing.end(running).code == 1
    assert names(leasing.sandbox) == []


def test_plan_and_apply_pass_it_over(leasing: Project) -> None:
    """An ephemeral entry is nothing to plan or apply; its leases are neither pruned nor counted as wanted."""
    leasing.run("lease", "preview", env=GITLAB)
    leasing.write(spec({"preview": ephemeral()}, prune=["preview*"]))
    assert leasing.plan()["actions"] == []
    leasing.apply()
    assert names(leasing.sandbox) == [LEASE]


@pytest.mark.parametrize(
    ("name", "words"), [("preveiw", "Perhaps you meant 'preview'?"), ("lasting", "is not ephemeral")]
)
def test_an_entry_that_is_not_to_be_leased(leasing: Project, name: str, words: str) -> None:
    """A name that is not one of an ephemeral entry is wrong usage; nothing is made."""
    lasting = {"scopes": ["tokens:read"], "deliver": [{"file": {"path": "out/x", "persistent": True}}]}
    leasing.write(spec({"preview": ephemeral(), "lasting": lasting}))
    with leasing.unchanged():
        leasing.run("lease", "preview", name, env=GITLAB, code=2).says(words)


def test_outside_of_ci(leasing: Project) -> None:
    """A person's lease has a random leg, and is released by the name that was printed."""
    (lease,) = leasing.run("lease", "preview", "--format", "json").data["leases"]
    leasing.run("release", "preview", code=2).says("Give its full name")
    leasing.run("release", lease["token"]).says("released")
    assert names(leasing.sandbox) == []
