"""A plan that one run saves and another applies: as it was reviewed, or not at all."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.project import entry, names, spec
from tooken_ci.apply import planfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.project import Ended, Project

FILE = "plan.tooken"
DAY = 86_400
READ = {"ci": entry("out/ci"), "web": entry("out/web", rotation={"overlap": "1h"})}
MORE = {name: {**one, "scopes": ["tokens:read", "audit:read"]} for name, one in READ.items()}


@pytest.fixture
def saved(project: Project) -> Project:
    """Gives a project with two tokens, and a saved plan that replaces both; one of them with an overlap."""
    project.write(spec(READ))
    project.apply()
    project.write(spec(MORE))
    project.plan("--out", FILE)
    return project


def refused(project: Project, *words: str, arguments: tuple[str, ...] = ()) -> Ended:
    """Asserts that the saved plan is refused with exit code 1, that nothing changes, and why."""
    with project.unchanged():
        ended = project.run("apply", FILE, "--format", "json", *arguments, code=1)
    assert ended.data["error"]["code"] == "saved_plan"
    assert ended.data["actions"] == ended.data["results"] == []
    ended.says("saved plan", *words)
    assert all(difference in ended.err for difference in ended.data["error"]["differences"])
    return ended


def test_plan_then_apply(saved: Project) -> None:
    """A saved plan is applied as it was reviewed, without a question, and nothing is left to do but what waits."""
    old = saved.secret("out/web")
    saved.sandbox.advance(2 * DAY)

    data = json.loads(saved.run("apply", FILE, "--format", "json").out)

    assert {result["token"]: result["status"] for result in data["results"]} == {
        "ci.g2": "done", "ci": "done", "web.g2": "done",
    }  # fmt: skip
    assert names(saved.sandbox) == ["ci.g2", "web", "web.g2"]
    assert saved.sandbox.authenticates(old)
    assert saved.plan("--detailed-exitcode")["actions"] == []


def test_what_became_due_meanwhile(project: Project) -> None:
    """What is due only since the plan was saved is left to the next plan: the saved one does what was reviewed."""
    tokens = {"ci": entry("ci", expires_in="10d")}
    project.write(spec(tokens))
    project.apply()
    project.sandbox.advance(5 * DAY)
    project.write(spec({**tokens, "new": entry("new")}))
    project.plan("--out", FILE)
    project.sandbox.advance(3 * DAY)

    assert [result["token"] for result in project.apply(FILE)["results"]] == ["new"]

    assert [(action["token"], action["cause"]) for action in project.plan()["actions"]][:1] == [("ci.g2", "time")]


def test_a_rotation_in_place(project: Project) -> None:
    """A rotation in place is saved and applied like any other action, and tells which secret it ends."""
    project.write(spec({"ci": entry("ci", rotation={"strategy": "in_place", "every": "30h", "overlap": 0})}))
    project.apply()
    old = project.secret("ci")
    project.sandbox.advance(2 * DAY)
    project.run("plan", "--out", FILE).says("~ rotate ci (time: ", "      old     the secret, last used ")
    project.apply(FILE)
    project.secrets.add(old)
    assert not project.sandbox.authenticates(old)
    assert project.sandbox.authenticates(project.secret("ci"))
    refused(project, "'file ci' holds 'ci' as before, but its delivery record has changed")


def test_a_life_begins_with_the_apply(saved: Project) -> None:
    """A token that a saved plan makes lives as long as the spec says from then on, not from the plan on."""
    saved.sandbox.advance(6 * DAY)
    saved.apply(FILE)
    (made,) = [token for token in saved.sandbox.active_tokens() if token["name"] == "ci.g2"]
    again = saved.plan()
    assert again["actions"] == []
    left = _unix(made["expires_at"]) - saved.sandbox.now()
    assert 90 * DAY - 60 <= left <= 90 * DAY + 60


def _unix(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def test_the_file(saved: Project) -> None:
    """The file holds no secret, is readable by all, and may be overwritten by the next plan."""
    path = saved.folder / FILE
    assert path.stat().st_mode & 0o777 == 0o644
    text = path.read_text(encoding="utf-8")
    assert not any(secret in text for secret in saved.secrets)
    assert len(saved.secrets) == 3
    data = json.loads(text)
    assert (data["format"], data["workspace"], len(data["steps"])) == ("tooken-ci-plan/1", "test", 3)
    ended = saved.run("plan", "--out", FILE)
    ended.says(f"The plan was saved to '{FILE}'")
    assert path.read_text(encoding="utf-8") != text


def test_by_variable(saved: Project) -> None:
    """One variable names the file for the plan and for its apply."""
    variable = {"TOOKEN_PLAN_FILE": "other.plan"}
    saved.run("plan", env=variable)
    (saved.folder / FILE).unlink()
    saved.run("apply", env=variable)
    assert names(saved.sandbox) == ["ci.g2", "web", "web.g2"]


def test_twice(saved: Project) -> None:
    """A plan that was applied does not fit a second time."""
    saved.apply(FILE)
    refused(saved, "'ci.g2'", "is active now, and was not when the plan was made")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_truncated(saved: Project, share: float) -> None:
    """A file that was cut off, even by its last byte, is refused."""
    path = saved.folder / FILE
    content = path.read_bytes()
    path.write_bytes(content[: int(share * (len(content) - 1))])
    refused(saved, FILE)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b'"replace"', b'"revoke"'),
        (b"audit:read", b"tokens:write"),
        (b'"planned_at": "2', b'"planned_at": "3'),
        (b"sha256:", b"md5:"),
        (b'"allow_empty": false', b'"allow_empty": true'),
        (b"tooken-ci-plan/1", b"tooken-ci-plan/0"),
    ],
)
def test_edited(saved: Project, was: bytes, now: bytes) -> None:
    """A file that somebody edited is refused, whatever was edited."""
    path = saved.folder / FILE
    content = path.read_bytes()
    assert was in content
    path.write_bytes(content.replace(was, now, 1))
    refused(saved, "is not applied")


def test_missing(saved: Project) -> None:
    """A file that is not there is an error, and no reason to plan anew."""
    (saved.folder / FILE).unlink()
    refused(saved, f"There is no saved plan at '{FILE}'")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda whole: whole["tokens"]["ci"].update(scopes=["tokens:read"]), "The spec is not the one"),
        (lambda whole: whole["tokens"]["ci"].update(owner="somebody@example.com"), "The spec is not the one"),
        (lambda whole: whole.update(policy={"max_changes": 5}), "The spec is not the one"),
        (lambda whole: whole.update(workspace="staging"), "The plan is for the workspace 'test'"),
    ],
    ids=["scopes", "owner", "policy", "workspace"],
)
def test_another_spec(saved: Project, change: Callable[[dict[str, Any]], None], word: str) -> None:
    """A plan of another spec is refused before anybody is asked."""
    whole = json.loads(json.dumps(spec(MORE)))
    change(whole)
    saved.write(whole)
    saved.sandbox.clear_requests()
    refused(saved, word)
    assert saved.sandbox.requests() == []


def test_the_same_spec_written_otherwise(saved: Project) -> None:
    """Layout, comments and the name of the file are no part of what the spec says."""
    (saved.folder / "tooken.yml").unlink()
    (saved.folder / "teams").mkdir()
    (saved.folder / "teams/a.yaml").write_text(f"# the same\n{json.dumps(spec(MORE), indent=3)}\n", encoding="utf-8")
    saved.apply(FILE, "--spec", "teams")
    assert names(saved.sandbox) == ["ci.g2", "web", "web.g2"]


def test_another_version(saved: Project) -> None:
    """A plan of another version of the program is refused, even where all else is right."""
    _forge(saved, tool_version="99.0.0")
    refused(saved, "The plan was made by tooken-ci 99.0.0; this is ")


def test_another_api(saved: Project) -> None:
    """A plan that was made with another API is refused."""
    saved.url = saved.url.replace("127.0.0.1", "localhost")
    refused(saved, "The plan was made with the API at")


def test_an_address_that_is_none(saved: Project) -> None:
    """Where the API's address is malformed, nothing of it is shown: credentials may be in it."""
    with saved.unchanged():
        ended = saved.run("apply", FILE, code=2, env={"TOOKEN_API_URL": "https:/admin:hunter2secret@api.tooken.io/v1"})
    ended.says("The API address is not an http(s) address")
    assert "hunter2" not in ended.err + ended.out


def test_a_forged_plan_adds_nothing(saved: Project) -> None:
    """Whoever writes a plan with a right digest cannot have anything done that a plan made now does not have."""
    victim = saved.sandbox.create("victim")
    data = json.loads((saved.folder / FILE).read_text(encoding="utf-8"))
    step = {**data["steps"][-1], "kind": "revoke", "origin": "prune", "entry": "victim", "token": "victim"}
    _forge(saved, steps=[*data["steps"], {**step, "id": victim["id"]}])
    refused(saved, "'victim': the plan has revoke 'victim', and a plan made now nothing to do")


def _forge(project: Project, **changes: object) -> None:
    """Changes a plan as somebody does who knows how its digest is made."""
    path = project.folder / FILE
    data = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    del data["digest"]
    body = json.dumps(data)[:-1] + ", "
    path.write_text(body + planfile._seal(body), encoding="utf-8")


def test_forged_options(saved: Project) -> None:
    """A plan brings no other options than a plan has: not the API's address, not the key's file."""
    _forge(saved, options={"allow_empty": False, "api_key_file": ["tooken.yml"]})
    refused(saved, "has other options than a plan has")


def test_too_old(saved: Project) -> None:
    """A plan that is eight days old is refused; one of seven days less a minute is not."""
    saved.sandbox.advance(8 * DAY)
    refused(saved, "more than 7d ago")
    saved.sandbox.advance(-DAY - 60)
    saved.apply(FILE)


def test_from_the_future(saved: Project) -> None:
    """A plan whose time has not come yet, by the server's clock, is refused."""
    saved.sandbox.advance(-3600)
    refused(saved, "comes from the future")


def test_a_token_was_revoked(saved: Project) -> None:
    """A generation that somebody revoked since is told by name."""
    saved.sandbox.delete(f"/tokens/{_id(saved, 'ci')}")
    refused(
        saved,
        "'ci' (tok_",
        "was active when the plan was made, and is not any more",
        "the plan has replace 'ci.g2', and a plan made now create 'ci.g2'",
    )


def test_a_token_was_made(saved: Project) -> None:
    """A generation that somebody made since is told by name."""
    saved.sandbox.create("ci.g7", "tokens:read")
    refused(saved, "'ci.g7' (tok_", "is active now, and was not when the plan was made")


def test_a_token_is_another(saved: Project) -> None:
    """A generation that was revoked and made anew under its name, with other scopes, is another token."""
    saved.sandbox.delete(f"/tokens/{_id(saved, 'ci')}")
    made = saved.sandbox.post("/tokens", {"name": "ci.g3", "scopes": ["audit:read"]}).json()
    saved.secrets.add(made["token"])
    refused(saved, "'ci.g3' (tok_", "is not any more")


def test_a_record_was_changed(saved: Project) -> None:
    """A delivery record that another run marked since is a difference, although nothing else is another."""
    record = saved.record("out/ci").rstrip("\n")
    mark = "mark=create:ci.g2:0a1b2c3d4e5f:20200101T000000Z"
    (saved.folder / "out/ci.tooken").write_text(f"{record} {mark}\n", encoding="utf-8")
    refused(saved, "'file out/ci' holds 'ci' as before, but its delivery record has changed")


def test_a_destination_was_emptied(saved: Project) -> None:
    """A secret that somebody removed since is a difference."""
    (saved.folder / "out/ci").unlink()
    refused(saved, "'file out/ci' held 'ci' when the plan was made, and does not hold its secret now")


def test_what_is_used_meanwhile(saved: Project) -> None:
    """A token that was used since makes no difference."""
    assert saved.sandbox.send("GET", "/tokens", key=saved.secret("out/ci")).status_code == 200
    saved.apply(FILE)
    assert names(saved.sandbox) == ["ci.g2", "web", "web.g2"]


def test_unmanaged_tokens_make_no_difference(saved: Project) -> None:
    """What others make and revoke in the workspace since is none of the plan's business."""
    saved.sandbox.create("somebody-elses")
    saved.apply(FILE)
    assert names(saved.sandbox) == ["ci.g2", "somebody-elses", "web", "web.g2"]


def test_a_revocation_that_no_longer_holds(saved: Project) -> None:
    """A revocation by rule 4 that the plan has waits if the old secret was used since, and the rest is done."""
    old = saved.secret("out/web")
    saved.secrets.add(old)
    saved.apply(FILE)
    saved.sandbox.advance(3 * 3600)
    saved.write(spec({**MORE, "new": entry("out/new")}))
    assert {action["token"] for action in saved.plan("--out", FILE)["actions"]} == {"new", "web"}
    assert saved.sandbox.send("GET", "/tokens", key=old).status_code == 200

    data = saved.apply(FILE)

    assert [result["token"] for result in data["results"]] == ["new"]
    assert [(one["token"], "it was used at" in one["held_by"]) for one in data["waiting"]] == [("web", True)]
    assert saved.sandbox.authenticates(old)


def test_a_revocation_that_nobody_reviewed(saved: Project) -> None:
    """What rule 4 allows only by now is left to the next plan, and told as waiting."""
    saved.apply(FILE)
    assert saved.plan("--out", FILE)["actions"] == []
    saved.sandbox.advance(3 * 3600)

    data = saved.apply(FILE)

    assert (data["actions"], data["results"]) == ([], [])
    assert data["waiting"][0]["held_by"] == "the saved plan does not have its revocation"
    assert names(saved.sandbox) == ["ci.g2", "web", "web.g2"]
    saved.apply()
    assert names(saved.sandbox) == ["ci.g2", "web.g2"]


def test_a_blocked_plan(project: Project) -> None:
    """A plan over a bound may be saved; applied, it does what a direct apply does: what is due, and exit 5."""
    project.write(spec({**READ, "gone": entry("out/gone")}))
    project.apply()
    blocked = spec({"ci": MORE["ci"], "new": entry("out/new")}, absent=["gone"], policy={"max_revocations": 0})
    project.write(blocked)
    shown = project.plan("--out", FILE, code=5)
    assert shown["blocked_by"] == ["max_revocations"]
    with project.unchanged():
        data = project.apply(FILE, code=5)
    assert {result["status"] for result in data["results"]} == {"skipped"}
    project.write({**blocked, "policy": {"max_revocations": 1}})
    refused(project, "The spec is not the one")


def test_allow_empty_is_the_plans(project: Project) -> None:
    """--allow-empty belongs to the plan: apply goes by it, and refuses to be told otherwise."""
    project.sandbox.create("ci-old")
    project.write({"version": 1, "workspace": "test", "tokens": {}, "prune": ["ci-*"]})
    project.plan("--out", FILE, code=5)
    with project.unchanged():
        project.run("apply", FILE, "--allow-empty", code=2).says("not made with this --allow-empty")
    project.plan("--allow-empty", "--out", FILE)
    project.apply(FILE)
    assert names(project.sandbox) == []


@pytest.mark.parametrize(
    ("out", "options"),
    [
        ("tooken.yml", ()),
        ("./out/../tooken.yml", ()),
        ("../key", ("--api-key-file", "../key")),
        ("teams/plan.yml", ("--spec", "teams")),
        ("teams", ("--spec", "teams")),
    ],
)
def test_never_over_what_the_run_reads(project: Project, out: str, options: tuple[str, ...]) -> None:
    """A plan is saved over neither the spec nor the key's file, nor where the next run would read it as a spec."""
    key = project.folder.parent / "key"
    key.write_text(project.sandbox.api_key, encoding="utf-8")
    key.chmod(0o600)
    for folder in ("teams", "out"):
        (project.folder / folder).mkdir()
    project.write(spec(READ))
    project.write(spec(READ), "teams/a.yml")
    with project.unchanged():
        project.run("plan", "--out", out, *options, code=2).says("this run reads it", "--out")
    assert key.read_text(encoding="utf-8") == project.sandbox.api_key


def test_never_over_a_destination(project: Project) -> None:
    """A destination of the spec is no place for a plan."""
    project.write(spec(READ))
    project.run("plan", "--out", "out/ci", code=2).says("'out/ci'", "saved plan")
    assert not (project.folder / "out").exists()


def test_where_nothing_can_be_written(project: Project) -> None:
    """A plan that cannot be saved fails, after it was shown."""
    project.write(spec(READ))
    ended = project.run("plan", "--out", "missing/plan", code=1)
    told = "The plan cannot be saved to 'missing/plan': No such file or directory"
    ended.says("2 to create", told)
    project.write(spec({"ci": entry("out/ci")}, policy={"forbidden_scopes": ["tokens:read"]}))
    blocked = project.run("plan", "--out", "missing/plan", "--format", "json", code=5)
    assert blocked.data["error"]["code"] == "blocked"
    assert any(told in warning for warning in blocked.data["warnings"])


def test_outside_the_actions_workspace(project: Project) -> None:
    """In the action a plan must lie inside the workspace, or it would be gone with the container."""
    project.write(spec({"ci": entry("ci")}))
    action = {"GITHUB_ACTIONS": "true", "TOOKEN_CI_ACTION": "1", "GITHUB_WORKSPACE": str(project.folder)}
    project.run("plan", "--out", "../plan", code=2, env=action).says("gone with the action's container")
    project.run("plan", "--out", "plan", code=0, env=action)


def _id(project: Project, name: str) -> str:
    (found,) = [token["id"] for token in project.sandbox.active_tokens() if token["name"] == name]
    return str(found)
