"""The component and each example for GitLab, run by gitlab-ci-local against a real server of the API.

It follows rules, artifacts, needs and after_script as GitLab does. Of resource groups, masks, id_tokens and reports it
knows nothing; ``test_files`` holds what the files say of those to GitLab's documentation.
"""

from __future__ import annotations

import json
import re
import shlex
import time
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
    from tests.gitlab.conftest import Pipelines
    from tests.support.bao import Bao

pytestmark = [pytest.mark.gitlab, pytest.mark.timeout(240)]

MERGE_REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BRANCH": ""}
SCHEDULE = {"CI_PIPELINE_SOURCE": "schedule"}
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
    assert json.loads(pipelines.left(plan, ".tooken-ci/terraform.json")) == {"failure": "usage"}
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
    """The rotated secret stands in the project's variable, from which a job that starts later gets it."""
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
    said = pipelines.run("rotate-before-deploy.yml", "deploy", env={"TOOKEN_TOKEN": second["value"]})
    assert "It answers 200" in said
    (waits,) = yaml.safe_load((EXAMPLES / "rotate-before-deploy.yml").read_text(encoding="utf-8"))["deploy"]["needs"]
    assert waits == "rotate"


def test_a_lease_for_a_job(pipelines: Pipelines) -> None:
    """The job gets a token of its own, uses it, and gives it back; none of its files is kept."""
    said = pipelines.run("lease.yml", env={"TOOKEN_SPEC": declared(pipelines, "lease.yml")})
    assert "It answers 200" in said
    leases = [one for one in pipelines.sandbox.tokens() if one["name"].startswith("preview.e-")]
    assert [one["status"] for one in leases] == ["revoked"]
    assert pipelines.kept("preview") == set()


def test_drift(pipelines: Pipelines) -> None:
    """Drift opens one issue, which later runs update; what the spec has new opens none, and is not told there."""
    tokens = {"kept": pipelines.entry("kept")}
    spec = pipelines.spec("drift-spec.yml", tokens)
    pipelines.tool("apply", "--spec", spec)
    pipelines.spec("drift-spec.yml", {**tokens, "new": pipelines.entry("new")})
    with FakeGitLab() as fake:
        owner = fake.project()
        number = str(list(fake.owners.values()).index(owner))
        given = {"CI_API_V4_URL": f"{fake.url}/api/v4", "CI_PROJECT_ID": number, "DRIFT_TOKEN": TOKEN}
        given |= {"TOOKEN_SPEC": spec, **SCHEDULE}
        pipelines.run("drift.yml", env=given)
        assert owner.issues == []
        (one,) = [token for token in pipelines.sandbox.active_tokens() if token["name"] == "kept"]
        pipelines.sandbox.delete(f"/tokens/{one['id']}")
        assert f"{fake.url}/acme/shop/-/issues/1" in pipelines.run("drift.yml", env=given)
        (issue,) = owner.issues
        told = json.loads(re.findall(r"```json\n(.*?)\n```", issue["description"], re.DOTALL)[0])
        assert [(action["action"], action["token"]) for action in told] == [("create", "kept.g2")]
        issue["description"] = ""
        pipelines.run("drift.yml", env=given)
        assert "kept.g2" in issue["description"]
        assert len(owner.issues) == 1


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
