"""The component and each example for GitLab, run by gitlab-ci-local against a real server of the API.

It follows rules, artifacts, needs and after_script as GitLab does. Of resource groups, masks, id_tokens and reports it
knows nothing; ``test_files`` holds what the files say of those to GitLab's documentation.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ci.test_gitlab_reports import DOCUMENTED
from tests.gitlab.conftest import EXAMPLES, blocks
from tests.support.gitlab import TOKEN, FakeGitLab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.gitlab.conftest import Pipelines
    from tests.support.bao import Bao

pytestmark = [pytest.mark.gitlab, pytest.mark.timeout(240)]

MERGE_REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BRANCH": ""}
SCHEDULE = {"CI_PIPELINE_SOURCE": "schedule"}
KEPT = ["KEPT_A", "KEPT_B", "KEPT_C"]
FORTY_DAYS = 40 * 86400
POLICY = """
path "secret/data/ci/tooken" { capabilities = ["read", "update"] }
path "secret/metadata/ci/tooken" { capabilities = ["create", "read", "patch"] }
"""


def names(pipelines: Pipelines, entry: str) -> list[str]:
    """The active generations of an entry."""
    active = [one["name"] for one in pipelines.sandbox.active_tokens()]
    return sorted(name for name in active if re.fullmatch(rf"{entry}(\.g\d+)?", name))


def declared(pipelines: Pipelines, example: str, **names: str) -> str:
    """A spec with the entry that an example's comment shows, maybe under another name; gives its path."""
    ((name, entry),) = yaml.safe_load(blocks(example)[0]).items()
    return pipelines.spec(f"of-{example}", {names.get("name", name): entry})


def includes(pipelines: Pipelines) -> str:
    """The six lines, and one more for an API on this machine."""
    shown = (EXAMPLES / "component.yml").read_text(encoding="utf-8")
    (pipelines.folder / "here.yml").write_text(f"{shown}      api-url: {pipelines.sandbox.url}\n", encoding="utf-8")
    return "here.yml"


def test_the_component(pipelines: Pipelines) -> None:
    """A merge request is planned, with a key that may only read; a push is applied; later a schedule rotates."""
    file = includes(pipelines)
    reader = str(pipelines.sandbox.create("reader")["token"])
    plan, apply, rotate = (f"tooken-{kind}-production" for kind in ("plan", "apply", "rotate"))

    said = pipelines.run(file, env={"TOOKEN_PLAN_KEY": reader, "TOOKEN_API_KEY": "", **MERGE_REQUEST})
    assert plan in said
    assert apply not in said
    assert json.loads(pipelines.left(plan, ".tooken-ci/terraform.json")) == {"create": 1, "update": 0, "delete": 0}
    assert json.loads(pipelines.left(plan, ".tooken-ci/codequality.json")) == []
    assert pipelines.kept(plan) == {".tooken-ci/report.json"}
    assert names(pipelines, "shop-ci") == []

    said = pipelines.run(file)
    assert apply in said
    assert plan not in said
    assert names(pipelines, "shop-ci") == ["shop-ci"]

    pipelines.sandbox.advance(2 * FORTY_DAYS)
    said = pipelines.run(file, env=SCHEDULE)
    assert rotate in said
    assert apply not in said
    assert names(pipelines, "shop-ci") == ["shop-ci", "shop-ci.g2"]


def test_a_plan_without_a_key(pipelines: Pipelines) -> None:
    """Where a protected variable is kept back, the job says what to do, checks the spec all the same, and fails."""
    said = pipelines.run(includes(pipelines), env={"TOOKEN_API_KEY": "", **MERGE_REQUEST}, code=1)
    assert "make a variable TOOKEN_PLAN_KEY, masked and not protected" in said
    plan = "tooken-plan-production"
    assert json.loads(pipelines.left(plan, ".tooken-ci/terraform.json")) == {"failure": "no_key"}
    DOCUMENTED.validate(json.loads(pipelines.left(plan, ".tooken-ci/codequality.json")))
    assert pipelines.kept(plan) == {".tooken-ci/report.json"}


def test_plan_and_apply(pipelines: Pipelines) -> None:
    """A merge request is planned and nothing else; the default branch's saved plan goes to the job that applies it."""
    spec = pipelines.spec("two.yml", {"shop": pipelines.entry("shop")})
    said = pipelines.run("plan-and-apply.yml", env={"TOOKEN_SPEC": spec, **MERGE_REQUEST})
    assert "plan-to-apply" not in said
    assert names(pipelines, "shop") == []
    pipelines.run("plan-and-apply.yml", env={"TOOKEN_SPEC": spec})
    assert pipelines.kept("plan-to-apply") == {"plan.json"}
    assert names(pipelines, "shop") == ["shop"]


def test_rotation_on_a_schedule(pipelines: Pipelines) -> None:
    """A push does nothing; a schedule renews what is due, and keeps the report."""
    spec = pipelines.spec("due.yml", {"nightly": pipelines.entry("nightly", rotation={"every": "30d"})})
    pipelines.tool("apply", "--spec", spec)
    pipelines.sandbox.advance(FORTY_DAYS)
    pipelines.run("rotate-on-schedule.yml", env={"TOOKEN_SPEC": spec, **SCHEDULE})
    assert "nightly.g2" in names(pipelines, "nightly")
    assert pipelines.kept("rotate") == {"report.json"}


def test_rotation_before_a_deploy(pipelines: Pipelines) -> None:
    """A job that starts later gets the rotated secret from the project's variable, at five deploys in a row."""
    spec = declared(pipelines, "rotate-before-deploy.yml")
    with FakeGitLab() as fake:
        owner = fake.project()
        given = {"TOOKEN_SPEC": spec, "CI_SERVER_URL": fake.url, "GITLAB_TOKEN": TOKEN}
        pipelines.tool("apply", env=given)
        (first,) = owner.find("TOOKEN_TOKEN")
        before = first["value"]
        pipelines.run("rotate-before-deploy.yml", "rotate", env=given)
        (second,) = owner.find("TOOKEN_TOKEN")
        assert second["value"] != before
        # the four that come an hour after one another find a place, too
        for _ in range(4):
            pipelines.sandbox.advance(3600)
            pipelines.tool("rotate", "ci-deploy", env=given)
            assert pipelines.sandbox.authenticates(owner.find("TOOKEN_TOKEN")[0]["value"])
        (second,) = owner.find("TOOKEN_TOKEN")
    # GitLab gives every job all of the project's variables
    given = {"TOOKEN_TOKEN": second["value"], "GITLAB_TOKEN": TOKEN}
    said = pipelines.run("rotate-before-deploy.yml", "deploy", env=given)
    assert "It answers 200" in said
    (waits,) = yaml.safe_load((EXAMPLES / "rotate-before-deploy.yml").read_text(encoding="utf-8"))["deploy"]["needs"]
    assert waits == "rotate"


def test_a_lease_for_a_job(pipelines: Pipelines) -> None:
    """The job gets a token of its own, uses it without the key, and gives it back; none of its files is kept."""
    said = pipelines.run("lease.yml", env={"TOOKEN_SPEC": declared(pipelines, "lease.yml")})
    assert "It answers 200" in said
    leases = [one for one in pipelines.sandbox.tokens() if one["name"].startswith("preview.e-")]
    assert [one["status"] for one in leases] == ["revoked"]
    assert pipelines.kept("preview") == set()


class Watched:
    """A project whose three tokens, each in a file and in a hidden variable, are as they should be.

    Attributes:
        owner: the project at GitLab, with its issues.
    """

    def __init__(self, pipelines: Pipelines, fake: FakeGitLab) -> None:
        self.pipelines, self.owner = pipelines, fake.project()
        number = str(list(fake.owners.values()).index(self.owner))
        self.known = {"CI_SERVER_URL": fake.url, "GITLAB_TOKEN": TOKEN}
        self.known |= {"CI_API_V4_URL": f"{fake.url}/api/v4", "CI_PROJECT_ID": number, "DRIFT_TOKEN": TOKEN}
        self.tokens = {name: pipelines.entry(name, rotation={"overlap": "0"}) for name in KEPT}
        for name, entry in self.tokens.items():
            variable = {"project": "acme/shop", "name": name.upper(), "hidden": True}
            entry["deliver"].append({"gitlab_variable": variable})
        self.mend()

    def mend(self) -> None:
        """Applies what is there."""
        spec = self.pipelines.spec("drift-spec.yml", self.tokens)
        self.pipelines.tool("apply", "--spec", spec, env=self.known)

    def look(
        self, bound: int = 10, code: int = 0, *, says: Mapping[str, Any] = MappingProxyType({}), **more: str
    ) -> str:
        """Looks for drift, with a spec that also has something new, and maybe says something else."""
        tokens = {**self.tokens, "new": self.pipelines.entry("new")}
        spec = self.pipelines.spec("drift-spec.yml", tokens, **{"policy": {"max_changes": bound}, **says})
        return self.pipelines.run("drift.yml", env={**self.known, **SCHEDULE, "TOOKEN_SPEC": spec, **more}, code=code)

    def told(self, number: int = 1) -> list[dict[str, Any]]:
        """What an issue tells of the drift."""
        text = self.owner.issues[number - 1]["description"]
        found: list[dict[str, Any]] = json.loads(re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)[0])
        return found


@pytest.fixture
def watched(pipelines: Pipelines) -> Iterator[Watched]:
    """Gives a project to look for drift in."""
    with FakeGitLab() as fake:
        yield Watched(pipelines, fake)


def by_hand(pipelines: Pipelines, *entries: str) -> None:
    """Somebody writes something else into the files of entries."""
    for name in entries:
        (pipelines.out / name).write_text("put here by hand", encoding="utf-8")


def test_drift(pipelines: Pipelines, watched: Watched) -> None:
    """Drift opens one issue, which later runs update and the last one closes; what the spec has new is not told."""
    watched.look()
    assert watched.owner.issues == []
    by_hand(pipelines, "KEPT_A")
    assert "/acme/shop/-/issues/1" in watched.look()
    (issue,) = watched.owner.issues
    before = watched.told()
    assert [(one["action"], one["token"].partition(".")[0]) for one in before] == [
        ("replace", "KEPT_A"),
        ("revoke", "KEPT_A"),
    ]
    issue["description"] = issue["description"].splitlines()[0]
    watched.look()
    assert watched.told() == before
    watched.mend()
    watched.look()
    (issue,) = watched.owner.issues
    assert issue["state"] == "closed"
    assert "Nothing differs any more" in issue["description"]


def test_drift_beyond_a_bound(pipelines: Pipelines, watched: Watched) -> None:
    """Where drift is so much that a bound forbids the plan, the issue tells all of it, and the bound."""
    by_hand(pipelines, *KEPT)
    said = watched.look(bound=2)
    assert "issues/1" in said
    replaced = [one["token"].partition(".")[0] for one in watched.told() if one.get("action") == "replace"]
    assert replaced == KEPT
    assert "3 tokens that destinations hold would be replaced" in str(watched.told())


def test_drift_and_the_issues_of_others(pipelines: Pipelines, watched: Watched) -> None:
    """A stranger's copy of the issue, and another one of the same user, are neither changed nor closed."""
    by_hand(pipelines, "KEPT_B")
    watched.look()
    issues = watched.owner.issues
    others = [{**issues[0], "author": {"id": 99}}, {**issues[0], "description": "Of another workspace."}]
    kept = [{**one, "iid": number} for number, one in enumerate(others, 2)]
    issues += [dict(one) for one in kept]
    watched.mend()
    watched.look()
    assert (issues[0]["state"], issues[1:]) == ("closed", kept)
    by_hand(pipelines, "KEPT_B")
    watched.look()
    assert (issues[1:-1], len(issues), issues[-1]["state"]) == (kept, 4, "opened")


def test_drift_that_cannot_be_told(watched: Watched) -> None:
    """A plan that failed fails the job, and leaves the issue as it is."""
    watched.owner.issues.append({"state": "opened"})
    said = watched.look(code=1, TOOKEN_API_KEY="tok_live_plainly_wrong_as_nobody_has_it")
    assert "The plan failed: api_unauthorized. The issue stays as it is." in said
    assert watched.owner.issues == [{"state": "opened"}]


def test_drift_that_was_not_planned(pipelines: Pipelines, watched: Watched) -> None:
    """Where the policy, or the record of another workspace, keeps entries from being planned, the issue stays, too."""
    by_hand(pipelines, "KEPT_C")
    watched.owner.issues.append({"state": "opened"})
    for says, why in (
        ({"policy": {"forbidden_scopes": ["tokens:read"]}}, "policy"),
        ({"workspace": "of-another-key"}, "record"),
    ):
        said = watched.look(code=1, says=says)
        assert f"There is no drift in what was planned, but not all was: {why}. The issue stays as it is." in said
        assert watched.owner.issues == [{"state": "opened"}]


def test_vault(pipelines: Pipelines, bao: Bao) -> None:
    """With the role that the comment makes, the token that GitLab signs is enough to deliver; no other is given."""
    spec = declared(pipelines, "vault.yml", name="vaulted")
    job: dict[str, Any] = yaml.safe_load((EXAMPLES / "vault.yml").read_text(encoding="utf-8"))["apply"]
    (audience,) = [asked["aud"] for asked in job["id_tokens"].values()]
    assert list(job["id_tokens"]) == ["VAULT_ID_TOKEN"]
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    bao.send("POST", "sys/auth/jwt", {"type": "jwt"})
    bao.send("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [public.decode()]})
    bao.send("PUT", "sys/policies/acl/tooken-apply", {"policy": POLICY})
    _, _, path, *settings = shlex.split(blocks("vault.yml")[1].replace("\\\n", ""))
    role = dict(setting.split("=", 1) for setting in settings)
    bao.send("POST", path, {**role, "bound_claims": json.loads(role["bound_claims"])})

    now = time.time()
    claims = {"sub": "project_path:acme/shop", "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 600}
    signed = {**json.loads(role["bound_claims"]), **claims}
    given = {"TOOKEN_SPEC": spec, "VAULT_ADDR": bao.address}
    elsewhere = jwt.encode({**signed, "ref": "feature"}, key, algorithm="ES256")
    assert "claim" in pipelines.run("vault.yml", env={"VAULT_ID_TOKEN": elsewhere, **given}, code=1)
    assert names(pipelines, "vaulted") == []
    pipelines.run("vault.yml", env={"VAULT_ID_TOKEN": jwt.encode(signed, key, algorithm="ES256"), **given})
    assert pipelines.sandbox.authenticates(bao.data("secret", "ci/tooken")["token"])
