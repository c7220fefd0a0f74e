"""Delivery to GitHub: the real command, a real server that stands for GitHub, and a reader of its own."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.destinations.github_support import BARE_HOLDERS, HOLDERS, NAME, SHOP, VARIABLE
from tests.e2e.project import FOUR_MINUTES, Project, entry, names, outcomes, spec
from tests.support.github import JOB, TOKEN
from tests.support.sandbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.contract import Prism
    from tests.support.github import FakeGitHub
    from tests.support.sandbox import RunningSandbox

EVERY = {key: HOLDERS[key] for key in ("environment", "selected")} | {"dependabot": BARE_HOLDERS["dependabot"]}
SHOP_PATH = "/repos/acme/shop"
OF = f"{SHOP_PATH}/actions"


class GitHubProject(Project):
    """A project whose command knows where GitHub is; what GitHub was given may show nowhere else."""

    def __init__(self, folder: Path, sandbox: RunningSandbox, github: FakeGitHub) -> None:
        super().__init__(folder, sandbox)
        self.github = github
        self.variables |= {"GITHUB_API_URL": github.url, "GH_TOKEN": TOKEN}
        self.secrets |= {TOKEN, JOB}
        self.stores.append(github.secrets)

    def declare(self, *settings: Mapping[str, Any], files: tuple[str, ...] = (), **more: Any) -> None:
        """Writes a spec with one entry, and remembers the files."""
        one = entry(*files, **more)
        one["deliver"] = [{"github_secret": dict(each)} for each in settings] + one["deliver"]
        self.write(yaml.safe_load(yaml.safe_dump(spec({"ci": one}))))

    def held(self, of: str = OF) -> str:
        """The secret that GitHub has, opened; it lives."""
        secret = self.github.secret(NAME, of)
        assert secret is not None
        assert self.sandbox.authenticates(secret)
        return secret

    def later(self) -> None:
        """Lets both servers' clocks go on."""
        self.sandbox.advance(FOUR_MINUTES)
        self.github.ahead += FOUR_MINUTES


@pytest.fixture
def shop(tmp_path: Path, sandbox: RunningSandbox, github: FakeGitHub) -> Iterator[GitHubProject]:
    """Gives a project beside a GitHub; at its end nothing secret stands where it should not."""
    project = GitHubProject(tmp_path / "project", sandbox, github)
    yield project
    project.scan({})


@pytest.mark.parametrize(("settings", "of"), EVERY.values(), ids=EVERY)
def test_create_and_replace(shop: GitHubProject, contract: Prism, settings: Mapping[str, Any], of: str) -> None:
    """A token is made and delivered within GitHub's contract; a second plan is empty; a change replaces it."""
    shop.variables["GITHUB_API_URL"] = contract.url
    shop.declare(settings)
    shop.run("validate")
    shop.apply()
    first = shop.held(of)
    shop.converge()

    shop.later()
    shop.declare(settings, scopes=["audit:read"])
    assert outcomes(shop.apply()) == [("replace", "ci.g2", "done"), ("revoke", "ci", "done")]
    assert shop.held(of) != first
    assert not shop.sandbox.authenticates(first)
    shop.converge()
    assert (shop.github.variable(VARIABLE, of) is None) is (of.endswith("dependabot") or "record" in settings)


def test_the_documents_example(shop: GitHubProject, contract: Prism) -> None:
    """What the document shows is delivered to every place that it names, within GitHub's contract."""
    text = (ROOT / "docs" / "destinations.md").read_text(encoding="utf-8").partition("## `github_secret`")[2]
    shop.github.state.repositories["acme/web"] = 103
    shop.variables["GITHUB_API_URL"] = contract.url
    shop.write(text.partition("```yaml\n")[2].partition("```")[0])
    shop.apply()
    (one,) = {shop.held(of) for of in (OF, f"{SHOP_PATH}/environments/production", "/orgs/acme/actions")}
    assert shop.github.secret(NAME, f"{SHOP_PATH}/dependabot") == one
    assert shop.github.state.items["/orgs/acme/actions", "secrets"][NAME].ids == [102, 103]
    shop.converge()


def test_what_cannot_be_read_back_is_told(shop: GitHubProject) -> None:
    """That GitHub accepted a secret, and gives none back, is told in every format; of a file nothing is."""
    place = f"github_secret acme/shop {NAME}"
    for form, scope in (("json", "tokens:read"), ("text", "audit:read"), ("markdown", "webhooks:read")):
        shop.later()
        shop.declare(SHOP, files=("out/ci",), scopes=[scope])
        ended = shop.run("apply", "--format", form)
        if form == "json":
            (result,) = ended.data["results"]
            assert result["unread"] == [place]
        else:
            shown = ended.out if form == "markdown" else ended.err
            assert f"accepted, not read back: {place}" in html.unescape(shown)
            assert "not read back: out/ci" not in shown


def test_a_secret_that_was_removed(shop: GitHubProject) -> None:
    """A removed secret is replaced; where a file beside it holds the same, it is copied from there."""
    shop.declare(SHOP)
    shop.apply()
    shop.github.remove("secrets", NAME)
    assert outcomes(shop.apply())[0] == ("replace", "ci.g2", "done")
    shop.declare(SHOP, files=("out/ci",))
    assert outcomes(shop.apply())[0] == ("replace", "ci.g3", "done")  # GitHub gives nothing back to copy
    shop.github.remove("secrets", NAME)
    assert outcomes(shop.apply()) == [("redeliver", "ci.g3", "done")]
    assert shop.held() == shop.secret("out/ci")
    shop.converge()


def test_a_secret_that_was_changed(shop: GitHubProject) -> None:
    """What somebody wrote by hand is found by its time, and replaced."""
    shop.declare(SHOP)
    shop.apply()
    shop.later()
    shop.github.put("secrets", NAME, "somebody-elses-value")
    shop.run("--debug", "apply").says("replace", "ci.g2", "DEBUG GitHub: PUT /repos/acme/shop")
    assert shop.held()
    shop.converge()


def test_a_write_that_github_refuses(shop: GitHubProject) -> None:
    """Where GitHub surely took nothing, the new token is revoked and the old secret lives on."""
    shop.declare(SHOP)
    shop.apply()
    first = shop.held()
    shop.github.fail("PUT .*", status=403, message="Resource not accessible by personal access token")
    shop.declare(SHOP, scopes=["audit:read"])
    ended = shop.run("apply", code=3)
    ended.says("'github_secret acme/shop TOOKEN_TOKEN'", "does not let the credential in GH_TOKEN", "revoked again")
    assert names(shop.sandbox) == ["ci"]
    assert shop.held() == first
    assert "mark=" not in (shop.github.variable(VARIABLE) or "")
    assert outcomes(shop.apply())[0] == ("replace", "ci.g3", "done")


@pytest.mark.parametrize(
    ("settings", "done"),
    [(SHOP, True), (SHOP, False), ({**SHOP, "record": "none"}, True), ({**SHOP, "record": "none"}, False)],
    ids=["recorded, done", "recorded", "bare, done", "bare"],
)
def test_a_write_whose_answer_is_lost(shop: GitHubProject, settings: Mapping[str, Any], *, done: bool) -> None:
    """Where GitHub may have written, both secrets live, and the next run goes on by what stands there."""
    shop.declare(settings)
    shop.apply()
    shop.later()
    shop.github.fail("PUT .*", status=0, done=done, times=9)
    shop.declare(settings, scopes=["audit:read"])
    shop.run("apply", code=3).says("the connection broke")
    assert names(shop.sandbox) == ["ci", "ci.g2"]
    assert shop.held()
    shop.github.faults.clear()
    shop.later()
    data = shop.apply()
    assert shop.held()
    bare_and_done = done and "record" in settings
    assert ("replace", "ci.g3", "done") in outcomes(data) or bare_and_done
    assert names(shop.sandbox) == (["ci.g2"] if bare_and_done else ["ci.g3"])
    shop.converge()


def test_the_jobs_own_token(shop: GitHubProject) -> None:
    """The token of the job that runs is refused with what to do, before anything is made."""
    shop.variables = {"GITHUB_API_URL": shop.github.url, "GITHUB_TOKEN": JOB}
    shop.declare(SHOP)
    shop.run("plan", code=None).says("the job's own GITHUB_TOKEN, which may neither read nor write secrets")
    shop.run("apply", code=1).says("the job's own GITHUB_TOKEN", "Set GH_TOKEN")
    assert shop.sandbox.tokens() == []


def test_a_token_that_only_plans(shop: GitHubProject) -> None:
    """A credential that may only read is enough to plan, and apply tells what it lacks before anything is made."""
    shop.variables["GH_TOKEN"] = "github_pat_that_only_reads_0123456"
    shop.declare(SHOP)
    assert shop.plan()["problems"] == []
    shop.run("apply", code=1).says("does not let the credential in GH_TOKEN do that", "Nothing was made")
    assert shop.sandbox.tokens() == []


def test_a_record_of_another_entry(shop: GitHubProject) -> None:
    """What another entry delivered is replaced only where the spec says so."""
    shop.declare(SHOP)
    shop.apply()
    other = {"other": {**entry(), "deliver": [{"github_secret": dict(SHOP)}]}}
    shop.write(spec(other))
    shop.run("apply", code=5).says("holds the record of 'ci'", "takeover: true")
    other["other"]["deliver"] = [{"github_secret": {**SHOP, "takeover": True}}]
    shop.write(spec(other))
    assert outcomes(shop.apply()) == [("create", "other", "done")]
    assert shop.held()


def test_one_secret_twice(shop: GitHubProject) -> None:
    """Two entries that deliver to one secret, however it is spelt, are an error with both places."""
    spelt = {"repository": "ACME/Shop", "name": "tooken_token"}
    both = {
        name: {**entry(), "deliver": [{"github_secret": dict(settings)}]}
        for name, settings in (("one", SHOP), ("two", spelt))
    }
    shop.write(spec(both))
    shop.run("validate", code=2).says("delivers to github_secret acme/shop tooken_token", "'one' at tooken.yml:")


def test_a_short_overlap(shop: GitHubProject) -> None:
    """A run reads its secrets when it is queued, so an overlap of less than a day is worth a warning."""
    shop.declare(SHOP)
    shop.run("validate").says("may have read it up to 1d before it uses it", "the overlap is 0")
    shop.declare(SHOP, rotation={"overlap": "24h"})
    assert "may have read it" not in shop.run("validate").err


def test_a_bare_store_never_rotates_in_place(shop: GitHubProject) -> None:
    """A rotation in place needs a record."""
    shop.declare({**SHOP, "app": "dependabot"}, rotation={"every": "30d", "strategy": "in_place"})
    shop.run("validate", code=2).says("in_place needs a delivery record", "(dependabot)")


def test_two_changes_within_three_minutes(shop: GitHubProject) -> None:
    """Where no record tells two generations apart, the second one is not made before three minutes have passed."""
    settings, of = BARE_HOLDERS["dependabot"]
    shop.declare(settings)
    shop.apply()
    first = shop.held(of)
    shop.declare(settings, scopes=["audit:read"])
    shop.run("apply", "--busy-grace", "0", code=1).says("keeps no record", "could not be told apart")
    assert shop.held(of) == first
    shop.later()
    shop.apply()
    assert shop.held(of) != first
    assert names(shop.sandbox) == ["ci.g2"]


def test_an_answer_lost_by_the_api(shop: GitHubProject) -> None:
    """Where the secret of a new token was lost, no other is made at once that could not be told from it."""
    settings, of = BARE_HOLDERS["dependabot"]
    shop.declare(settings)
    shop.sandbox.set_faults([{"method": "POST", "path": "/v1/tokens", "occurrence": 2, "do": "drop_after"}])
    shop.run("apply", "--busy-grace", "0", code=3).says("keeps no record", "told apart")
    assert shop.github.secret(NAME, of) is None
    assert names(shop.sandbox) == ["ci"]
    shop.sandbox.set_faults([])
    shop.later()
    shop.apply()
    assert shop.held(of)
    assert names(shop.sandbox) == ["ci.g2"]
    shop.converge()


def test_what_a_person_revokes(shop: GitHubProject) -> None:
    """Whoever revokes by hand is told of a store that may hold the token, though no record says so."""
    settings, _ = BARE_HOLDERS["dependabot"]
    shop.declare(settings)
    shop.apply()
    shop.run("revoke", "ci", "--yes", code=None).says("may hold 'ci'")


def test_without_the_library(shop: GitHubProject) -> None:
    """Without PyGithub the command says which extra brings it, and asks nobody."""
    shop.declare(SHOP)
    (shop.folder / "sitecustomize.py").write_text("import sys\nsys.modules['github'] = None\n", encoding="utf-8")
    ended = shop.run("apply", code=2, env={"PYTHONPATH": str(shop.folder)})
    ended.says("'github'", "pip install 'tooken-ci[github]'")
    assert shop.sandbox.requests() == []
