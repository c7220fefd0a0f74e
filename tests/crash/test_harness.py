"""The harness itself: what must not be is noticed, and harm is done where it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests import Session

from tests.crash.matrix import Case, Trial
from tests.crash.scenarios import APPLY, SCENARIOS, applied, entry, file, spec, store, two
from tests.crash.settle import Verdict, fingerprint, judge, settle
from tests.crash.stage import Harmed, Harms
from tests.crash.store import Harm
from tests.crash.zygote import Ended

if TYPE_CHECKING:
    from tests.crash.rig import Rig

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def request(rig: Rig, method: str, path: str, **options: object) -> None:
    """What a client that knows nothing of the rules does."""
    with Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {rig.stage.api_key}"}
        reply = session.request(method, rig.stage.url() + path, headers=headers, timeout=10, **options)  # type: ignore[arg-type]
        assert reply.status_code < 300, reply.text


def token_of(rig: Rig, name: str) -> str:
    rows = rig.stage.do(lambda: rig.stage.rows("SELECT id FROM tokens WHERE name = ?", name))
    return str(rows[0]["id"])


def test_a_dead_secret_is_noticed(rig: Rig) -> None:
    """Whoever revokes by the API what stands in a store, or rotates what stands in a file, leaves a dead secret."""
    applied(lambda rig: {"ci": entry(store(rig, "a")), "other": entry(file("out/b"))})(rig)
    assert rig.watch.violations == []
    request(rig, "DELETE", f"/tokens/{token_of(rig, 'ci')}")
    assert any("a of ci holds a dead secret" in told for told in rig.watch.violations)
    rig.watch.violations.clear()
    request(rig, "POST", f"/tokens/{token_of(rig, 'other')}/rotate")
    assert any("out/b of other holds a dead secret" in told for told in rig.watch.violations)


def test_what_somebody_else_revokes_is_no_violation(rig: Rig) -> None:
    """What was revoked in the dashboard is not dead by our hand."""
    applied(two)(rig)
    rig.stage.call("DELETE", f"/tokens/{token_of(rig, 'ci')}")
    rig.run("plan")
    assert rig.watch.violations == []


def test_a_stranger_that_is_touched_is_noticed(rig: Rig) -> None:
    """Whoever revokes what is nobody's business is told on."""
    SCENARIOS[0].prepare(rig)
    request(rig, "DELETE", f"/tokens/{token_of(rig, 'somebody')}")
    assert any("foreign token" in told for told in rig.watch.violations)


def test_too_many_generations_are_noticed(rig: Rig) -> None:
    """A fifth living generation of an entry is one too many."""
    applied(two)(rig)
    for number in range(2, 6):
        request(rig, "POST", "/tokens", json={"name": f"ci.g{number}", "scopes": ["tokens:read"]})
    assert any("5 generations of ci live" in told for told in rig.watch.violations)


def test_a_leak_is_noticed(rig: Rig) -> None:
    """A secret in a file that is no destination, or in what a run prints, is found."""
    applied(two)(rig)
    secret = rig.stage.store.shelves["a"].value or ""
    (rig.folder / "debug.log").write_text(f"got {secret}\n", encoding="utf-8")
    rig.watch.look_after_run(rig.stage, rig.folder, Ended(code=0, out=secret, err=""))
    assert rig.watch.violations == ["a secret shows in standard output", "a secret shows in debug.log"]


def test_a_wrong_exit_code_is_noticed(rig: Rig) -> None:
    """A run that says that it has changed nothing, and has, is found out; so is one that says that all is done."""
    scenario = BY_NAME["scope change"]
    scenario.prepare(rig)
    before, verdict = fingerprint(rig), Verdict(case="here")
    rig.stage.call("POST", "/tokens", {"name": "more", "scopes": ["tokens:read"]})
    judge(rig, verdict, Ended(code=1, out="", err=""), before)
    assert "exit code 1 although something was changed" in verdict.violations[0]
    settle(rig, scenario, verdict, Ended(code=0, out="", err=""))
    assert "exit code 0, and yet something is left to do" in verdict.violations[1]
    assert len(verdict.violations) == 2


def test_an_orphan_is_noticed(rig: Rig) -> None:
    """A second living generation in the end is one too many, and a destination without a living secret one too few."""
    scenario = BY_NAME["first apply"]
    scenario.prepare(rig)
    rig.run(*APPLY)
    verdict = Verdict(case="here")
    rig.stage.call("POST", "/tokens", {"name": "other.g2", "scopes": ["tokens:read"]})
    rig.watch.entries["nobody"] = rig.watch.entries["other"]
    rig.write(spec({"ci": entry(store(rig, "a"))}))
    rig.watch.expect(spec(two(rig)))
    settle(rig, scenario, verdict)
    assert verdict.violations == ["in the end other has ['other', 'other.g2']"]


def test_harm_is_done_where_it_should_be(rig: Rig) -> None:
    """Each request and each write that is to be harmed is, and a run that is killed is dead."""
    trial = Trial(rig, BY_NAME["first apply"])
    for case in trial.cases():
        if case.request is not None and case.request[1] is Harmed.KILLED_AFTER:
            break
    verdict = trial.attempt(case)
    assert (verdict.kills, verdict.faults, verdict.violations) == (1, 0, [])
    unclear = Case(scenario=trial.scenario, write=(2, Harm.UNCLEAR))
    verdict = trial.attempt(unclear)
    assert (verdict.kills, verdict.faults, verdict.violations) == (0, 1, [])
    assert verdict.runs > 2


def test_each_harm_is_told_apart(rig: Rig) -> None:
    """Before the work nothing is made; after it the token is there, whatever became of the answer."""
    trial = Trial(rig, BY_NAME["first apply"])
    made = {}
    for harmed in Harmed:
        rig.put_back(trial._kept)
        third = Case(scenario=trial.scenario, request=(3, harmed))
        rig.run(*APPLY, "--only", "ci", harms=Harms(harm=third.harm))
        rows = rig.stage.do(lambda: rig.stage.rows("SELECT name FROM tokens WHERE name LIKE 'ci%'"))
        made[harmed] = [row["name"] for row in rows]
    assert made[Harmed.KILLED_BEFORE] == []
    assert made[Harmed.KILLED_AFTER] == ["ci"]
    assert made[Harmed.ERROR_BEFORE] == ["ci"]  # the second try
    assert made[Harmed.LOST] == made[Harmed.ERROR_AFTER] == made[Harmed.TRUNCATED] == ["ci", "ci.g2"]
