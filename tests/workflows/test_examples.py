"""The examples for GitHub do what they say, each walked through on this machine (tests/support/workflow tells how).

The workspace and GitHub's secrets are real servers of the tests' own, ``gh`` is a stand-in. tests/container has act run
them in containers, as they are pasted.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support import events, standins
from tests.support.shop import EXAMPLES, MERGE, PRODUCTION
from tests.support.standins.gh import WORKFLOWS, begin
from tests.support.workflow import SHELLS
from tooken_ci.spec.life import MOST_LIVING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.shop import Shop

DAY = 86400
MERGED = {"preview": "skipped", "plan": "success", "approve": "success", "apply": "success"}


def _pull_request(of: Any = events.SHOP, by: str = "octocat") -> dict[str, Any]:
    event = events.pull_request(of)
    event["pull_request"]["user"] = {"login": by}
    return {"event_name": "pull_request", "ref": "refs/pull/7/merge", "event": event}


def _results(jobs: dict[str, Any]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_pull_request_is_planned(shop: Shop) -> None:
    """A pull request shows its plan, in a comment too, with a key that only reads; a run without secrets is skipped."""
    jobs = shop.run("plan-apply.yml", _pull_request())
    assert _results(jobs) == {"preview": "success", "plan": "skipped", "approve": "skipped", "apply": "skipped"}
    assert "2 to create" in jobs["preview"].log
    assert "deployment" in jobs["preview"].steps[-1].summary
    assert shop.active() == []
    assert [("deployment" in comment.body) for comment in shop.github.comments.all] == [True]
    for event in (_pull_request(events.FORK), _pull_request(by="dependabot[bot]")):
        assert set(_results(shop.run("plan-apply.yml", event)).values()) == {"skipped"}


def test_a_merge_is_applied_as_it_was_planned(shop: Shop) -> None:
    """A merge applies the plan that its own run made, from one job to the other; the next one has nothing to apply."""
    jobs = shop.run("plan-apply.yml")
    assert _results(jobs) == MERGED, jobs["apply"].log
    assert jobs["apply"].steps[-1].outputs["create"] == "2"
    assert shop.active() == ["deployment", "shop"]
    assert shop.sandbox.authenticates(str(shop.github.secret("TOOKEN_TOKEN")))
    again = shop.run("plan-apply.yml")
    assert _results(again) == {**MERGED, "approve": "skipped", "apply": "skipped"}


def test_a_workspace_that_moved_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something changes between plan and approval, nothing is applied, and the step tells why."""
    # the apply job reads its environment's secrets when it starts: after the plan, before its first step
    read = shop.secrets_of

    def later(environment: str) -> dict[str, str]:
        if environment == "tokens":
            shop.sandbox.create("shop", "tokens:read")
        return read(environment)

    monkeypatch.setattr(shop, "secrets_of", later)
    jobs = shop.run("plan-apply.yml")
    assert jobs["apply"].result == "failure"
    assert jobs["apply"].steps[-1].outputs["failure-reason"] == "saved_plan"
    assert shop.active() == ["shop"]
    assert shop.github.secrets() == set()


def test_a_schedule_rotates_what_is_due(shop: Shop) -> None:
    """A month later the schedule replaces what is there; what the spec asks for beyond that waits for a merge."""
    shop.apply()
    with (shop.repository / "tooken.yml").open("a", encoding="utf-8") as spec:
        spec.write(
            "  newcomer: {scopes: [tokens:read], deliver: [github_secret: {repository: acme/shop, name: NEW}]}\n"
        )
    shop.later(31 * DAY)
    jobs = shop.run("rotate.yml", {**MERGE, "event_name": "schedule"})
    assert jobs["rotate"].result == "success", jobs["rotate"].log
    assert shop.active() == ["deployment", "deployment.g2", "shop", "shop.g2"]


def test_a_deployment_gets_the_new_secret(shop: Shop) -> None:
    """The deploying job reads the secret that the job before it made; the old one still works during the overlap."""
    shop.apply()
    old = str(shop.github.secret("TOOKEN_TOKEN", PRODUCTION))
    shop.script("deploy.sh", 'printf %s "$TOOKEN_TOKEN" | sha256sum')
    jobs = shop.run("deploy.yml")
    new = str(shop.github.secret("TOOKEN_TOKEN", PRODUCTION))
    assert _results(jobs) == {"rotate": "success", "deploy": "success"}, jobs["rotate"].log
    assert new != old
    assert jobs["deploy"].steps[-1].log.split()[0] == hashlib.sha256(new.encode()).hexdigest()
    assert shop.sandbox.authenticates(new)
    assert shop.sandbox.authenticates(old)


def test_many_deployments_in_a_day(shop: Shop) -> None:
    """Each of five deployments, forty minutes apart, gets a new secret, and no more than four are alive."""
    shop.apply()
    shop.script("deploy.sh", 'test -n "$TOOKEN_TOKEN"')
    held = set()
    for _ in range(5):
        jobs = shop.run("deploy.yml")
        assert set(_results(jobs).values()) == {"success"}, jobs["rotate"].log
        held.add(shop.github.secret("TOOKEN_TOKEN", PRODUCTION))
        assert len([name for name in shop.active() if name.startswith("deployment")]) <= MOST_LIVING
        shop.later(2400)
    assert len(held) == 5


def test_a_deployment_too_many(shop: Shop) -> None:
    """The fourth at once fails and changes nothing; after the overlap one run revokes what is old, the next deploys."""
    shop.apply()
    shop.script("deploy.sh", 'test -n "$TOOKEN_TOKEN"')
    for _ in range(3):
        assert set(_results(shop.run("deploy.yml")).values()) == {"success"}
        shop.later(300)
    before = (shop.active(), shop.github.secret("TOOKEN_TOKEN", PRODUCTION))
    jobs = shop.run("deploy.yml")
    assert _results(jobs) == {"rotate": "failure", "deploy": "skipped"}
    assert "no more than 4 may be" in jobs["rotate"].log
    assert (shop.active(), shop.github.secret("TOOKEN_TOKEN", PRODUCTION)) == before
    shop.later(3600)
    assert _results(shop.run("deploy.yml")) == {"rotate": "failure", "deploy": "skipped"}
    assert shop.active() == ["deployment.g4", "shop"]
    assert _results(shop.run("deploy.yml")) == {"rotate": "success", "deploy": "success"}


def test_a_lease_lives_as_long_as_its_job(shop: Shop) -> None:
    """The step that uses the lease can; after the job it is revoked, and the log says so."""
    shop.script(
        "preview.sh",
        "python3 - <<'PYTHON'",
        "import os, urllib.request",
        'request = urllib.request.Request(os.environ["TOOKEN_API_URL"] + "/tokens?per_page=1")',
        'request.add_header("Authorization", "Bearer " + os.environ["TOOKEN_TOKEN"])',
        'print("It answers", urllib.request.urlopen(request).status)',
        "PYTHON",
    )
    job = shop.run("lease.yml")["preview"]
    assert job.result == "success", job.log
    assert "It answers 200" in job.log
    (lease,) = shop.sandbox.tokens(name="preview.e-")
    assert lease["status"] == "revoked"
    assert f"released '{lease['name']}'" in job.log


def test_drift_opens_an_issue(shop: Shop) -> None:
    """What somebody changed by hand opens an issue, which stays where the policy keeps the entries from being planned.

    What is merely not applied yet opens none.
    """
    assert shop.run("drift.yml")["drift"].result == "success"
    assert shop.gh["issues"] == {}
    shop.apply()
    shop.github.put("secrets", "TOOKEN_TOKEN", "put here by hand")
    assert shop.run("drift.yml")["drift"].result == "success"
    (issue,) = shop.gh["issues"].values()
    assert issue["open"]
    assert issue["body"].startswith(f"{MARK}\n")
    assert "runs/4711" in issue["body"]
    assert "    replace shop.g2: " in issue["body"]
    assert "deployment" not in issue["body"]
    spec = shop.repository / "tooken.yml"
    breach = spec.read_text(encoding="utf-8").replace("policy:\n", "policy:\n  forbidden_scopes: [tokens:read]\n")
    spec.write_text(breach, encoding="utf-8")
    job = shop.run("drift.yml")["drift"]
    assert job.result == "failure"
    assert job.steps[-1].log == NOT_PLANNED.format("policy")
    assert list(shop.gh["issues"].values()) == [issue]


MARK = "<!-- tooken-drift -->"
DRIFT = {"action": "replace", "token": "shop", "cause": "drift", "reasons": ["by hand"]}
DUE = {**DRIFT, "cause": "time"}
NOT_PLANNED = "There is no drift in what was planned, but not all was: {}. The issue stays as it is.\n"


def test_there_is_one_issue(tmp_path: Path) -> None:
    """The open issue is kept up to date, left alone where the plan failed, and closed once nothing differs any more."""
    issues = Issues(tmp_path)
    for other in ("by hand", "by hand again"):
        issues.report([{**DRIFT, "reasons": [other]}, DUE])
        assert [(one["open"], f"shop: {other}\n" in one["body"]) for one in issues.all] == [(True, True)]
    before = issues.all
    assert "api_unauthorized" in issues.report([], error={"code": "api_unauthorized"}, code=1)
    assert "The plan failed" in issues.report(None, code=1)
    assert issues.all == before
    issues.report([DUE])
    assert [(one["open"], one["comments"]) for one in issues.all] == [(False, ["Nothing differs any more, says RUN."])]
    issues.report([DRIFT])
    assert [one["open"] for one in issues.all] == [False, True]


def test_what_was_not_planned_may_differ(tmp_path: Path) -> None:
    """Where entries were not planned, no drift in the others closes no issue; the step says why, and fails."""
    issues = Issues(tmp_path)
    issues.report([DRIFT])
    before = issues.all
    for why, codes in {
        "policy": ["policy", "policy"],  # entries that break the policy
        "record, busy": ["record", "busy"],  # the key is that of another workspace
        "max_changes": ["max_changes"],  # of what is due then nothing tells what else differs
    }.items():
        problems = [{"code": code, "message": "It is as it is."} for code in codes]
        blocked: dict[str, Any] = {"problems": problems, "error": {"code": "blocked"}}
        assert issues.report([DUE], **blocked, code=1) == NOT_PLANNED.format(why)
        assert issues.all == before
    issues.report([{**DRIFT, "reasons": ["by hand again"]}], **blocked)
    assert [(one["open"], "by hand again" in one["body"]) for one in issues.all] == [(True, True)]
    assert "    It is as it is.\n" in issues.all[0]["body"]


@pytest.mark.parametrize(
    "other", [{"author": "mallory", "body": f"{MARK}\nhello"}, {"author": WORKFLOWS, "body": f"See {MARK}."}]
)
def test_other_issues_are_left_alone(tmp_path: Path, other: dict[str, str]) -> None:
    """An open issue with the label, by somebody else or without the mark, is neither rewritten nor closed."""
    issues = Issues(tmp_path)
    issues.add(other)
    before = issues.all
    issues.report([DUE])
    assert issues.all == before
    issues.report([DRIFT])
    issues.report([{**DRIFT, "reasons": ["by hand again"]}])
    issues.report([DUE])
    assert issues.all[:1] == before
    assert [(one["open"], "by hand again" in one["body"]) for one in issues.all[1:]] == [(False, True)]


def test_the_words_of_drift_are_quoted(tmp_path: Path) -> None:
    """Names and reasons stand in the issue as lines of code, whatever they hold; of a plan that is forbidden, too."""
    reasons = ["@everyone\n\n# Not a heading\n<img src=x>", "```"]
    action = {**DRIFT, "token": "shop\r\n", "reasons": reasons}
    issues = Issues(tmp_path)
    issues.report([action], problems=[{"message": "too many\nchanges"}], error={"code": "blocked"})
    lines = issues.all[0]["body"].splitlines()
    assert lines[3:5] == ["    replace shop : @everyone # Not a heading <img src=x>; ```", "    too many changes"]


class Issues:
    """The issues of a repository, as the last step of drift.yml keeps them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.step = yaml.safe_load((EXAMPLES / "drift.yml").read_text(encoding="utf-8"))["jobs"]["drift"]["steps"][-1]
        standins.install("gh", folder / "bin", folder / "gh")

    def report(self, actions: list[Any] | None, *, code: int = 0, **more: Any) -> str:
        """Runs the step on a report, or on none; gives what it says."""
        data = {"actions": actions, "problems": [], **more}
        (self.folder / "report.json").write_text(json.dumps(data), encoding="utf-8")
        path = {"PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])}
        own = {"MARK": self.step["env"]["MARK"], "REPORT": "" if actions is None else "report.json", "RUN": "RUN"}
        env = {**path, "GH_TOKEN": "fake", **own}
        shell = [*SHELLS[self.step["shell"]], "-c", self.step["run"]]
        ended = subprocess.run(shell, cwd=self.folder, env=env, check=False, capture_output=True, text=True)
        assert ended.returncode == code, ended.stderr
        return ended.stderr

    def add(self, issue: dict[str, str]) -> None:
        """Opens an issue with the label."""
        made = {"open": True, "label": "tooken-drift", "comments": [], **issue}
        state = {**begin(), "issues": {"1": made}, "labels": ["tooken-drift"]}
        (self.folder / "gh" / "state.json").write_text(json.dumps(state), encoding="utf-8")

    @property
    def all(self) -> list[Any]:
        state = json.loads((self.folder / "gh" / "state.json").read_text(encoding="utf-8"))
        return list(state["issues"].values())


def test_a_leaked_secret_dies_at_once(shop: Shop) -> None:
    """The entry that is named gets a new secret and the old one is dead; the others are left alone."""
    shop.apply()
    old, other = (str(shop.github.secret("TOOKEN_TOKEN", of)) for of in ("/repos/acme/shop/actions", PRODUCTION))
    asked = {**MERGE, "event_name": "workflow_dispatch"}
    why = "in a log; `id`\n$(touch here) @everyone"
    job = shop.run("leak.yml", asked, inputs={"name": "shop", "why": why})["rotate"]
    assert job.result == "success", job.log
    assert not shop.sandbox.authenticates(old)
    assert shop.sandbox.authenticates(str(shop.github.secret("TOOKEN_TOKEN")))
    assert shop.sandbox.authenticates(other)
    assert job.steps[-1].outputs["has-changes"] == "false"
    quoted = [line for line in job.steps[0].summary.splitlines() if line.strip()][1:]
    assert quoted == ["    octocat", "    shop", "    in a log; `id`", "    $(touch here) @everyone"]


def test_what_is_no_entry(shop: Shop) -> None:
    """What is typed is a name, never an option or a command; where the spec has none such, nothing is changed."""
    for name in ("--overlap=24h", "shop --yes\n$(touch here)"):
        job = shop.run("leak.yml", inputs={"name": name, "why": ""})["rotate"]
        assert job.result == "failure"
        assert job.steps[2].outputs["failure-reason"] == "usage"
    nobody = shop.run("leak.yml", inputs={"name": " \n", "why": ""})["rotate"]
    assert [step.outcome for step in nobody.steps] == ["failure", "skipped", "skipped", "skipped"]
    assert shop.active() == []
    assert list(shop.folder.rglob("here")) == []
