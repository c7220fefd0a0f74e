"""The pages that ``golden/`` keeps, one a file; ``python -m tests.render.pages`` writes them anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tests.plan import builders
from tests.plan.builders import NOW, days, ending, endless, entry, hours, target, token
from tests.render.support import PRICE, report
from tests.support.hostile import HOSTILE
from tooken_ci.base.errors import Fault, PolicyError
from tooken_ci.base.position import Position
from tooken_ci.plan.leases import LeaseResult, LeaseStatus
from tooken_ci.plan.result import Outcome, Result, ResultStatus
from tooken_ci.render.markdown import as_comment, as_markdown
from tooken_ci.render.report import Report
from tooken_ci.spec.model import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tooken_ci.plan.model import Action, Plan
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token

GOLDEN = Path(__file__).parent / "golden"
COMMAND = "python -m tests.render.pages"
SMALL = 4000
"""Characters of a comment that has to be cut."""


def _shop() -> tuple[Spec, list[Token], Plan]:
    """A team's spec: something is due, something is new, something is to go, and something is forgotten."""
    store = target("github_secret acme/shop TOOKEN_TOKEN")
    spec = builders.spec(
        entry("ci-deploy", deliver=(store, target("vault secret/ci/tooken token"))),
        entry("metrics"),
        entry("nightly-backup", rotate_every=days(14), overlap=hours(48)),
        endless("status-page"),
        ending(NOW + days(5), "trade-fair"),
        absent=["old-bot"],
    )
    tokens = [
        token("ci-deploy.g3", age=days(22), used=hours(2)),
        token("metrics.g2", age=days(6), used=hours(1)),
        token("metrics", age=days(26), used=hours(3)),
        token("old-bot", age=days(200), used=days(90), expires_at=None),
        token("status-page", age=days(45), used=hours(1), expires_at=None),
        token("trade-fair", age=days(20), used=days(2), expires_at=NOW + days(5)),
        token("of-somebody-else", age=days(20)),
    ]
    return spec, tokens, builders.plan(spec, tokens)


def plan() -> Report:
    spec, tokens, made = _shop()
    return Report(workspace="production", spec=spec, tokens=tuple(tokens), plan=made, price=PRICE)


def failed_apply() -> Report:
    """One destination said no, so the entry's old token stays."""
    before = plan()
    assert before.plan is not None
    said = "github_secret acme/shop TOOKEN_TOKEN: GitHub refused the secret (403). Let its token write secrets there."

    def became(action: Action) -> Result:
        if action.token == "ci-deploy.g4":
            return Result.of(action, ResultStatus.FAILED, said)
        return dataclasses.replace(Result.of(action, ResultStatus.DONE), id="tok_new")

    results = tuple(map(became, before.plan.actions))
    made = Outcome(plan=before.plan, results=results, changed=True)
    return dataclasses.replace(before, outcome=made, error=made.verdict(), applying=True)


def blocked() -> Report:
    """Somebody removed too much of the spec at once."""
    tokens = [token(f"ci-{number:02}", used=days(number)) for number in range(1, 13)]
    spec = builders.spec(*(entry(one.name) for one in tokens[:3]), prune=["ci-*"])
    made = builders.plan(spec, tokens)
    return Report(workspace="production", spec=spec, tokens=tuple(tokens), plan=made, price=PRICE)


def many() -> Report:
    """A team's first plan."""
    spec = builders.spec(*(entry(f"service-{number:02}") for number in range(1, 61)))
    return Report(workspace="staging", spec=spec, plan=builders.plan(spec), price=PRICE)


def nothing_to_do() -> Report:
    tokens = (token("ci-deploy", used=hours(1)), token("metrics", age=days(8), used=hours(5)))
    spec = builders.spec(*(entry(one.name) for one in tokens))
    return Report(workspace="production", spec=spec, tokens=tokens, plan=builders.plan(spec, tokens), price=PRICE)


def not_planned() -> Report:
    """One entry breaks the policy, another has the record of another workspace, and nothing else is to be done."""
    tokens = (token("ci-deploy", used=hours(1)), token("metrics"), token("preview-bot"))
    policy = Policy(forbidden_scopes=frozenset({builders.WRITE}))
    spec = builders.spec(
        entry("ci-deploy"), entry("metrics", scopes=frozenset({builders.WRITE})), entry("preview-bot"), policy=policy
    )
    foreign = builders.holds(tokens[2], workspace="staging")
    made = builders.plan(spec, tokens, looks={"file out/preview-bot": foreign})
    error = Outcome(plan=made, results=(), changed=False).verdict()
    return Report(workspace="production", spec=spec, tokens=tokens, plan=made, price=PRICE, error=error)


def not_valid() -> Report:
    said = "'webhooks:write' is forbidden by policy.forbidden_scopes."
    faults = [Fault(Position("tooken.yml", line, 15), said, hint="Take the scope away.") for line in (12, 31)]
    return Report(workspace="production", error=PolicyError(faults))


def leases() -> Report:
    named = "preview.e-4711-1-2f0c9a1b22"
    said = "tok_3: The API could not be reached. It ends by itself; release it again."
    return Report(
        workspace="production",
        leases=(
            LeaseResult(token=named, id="tok_1", status=LeaseStatus.RELEASED),
            LeaseResult(token=f"smoke-{named}", id="tok_2", status=LeaseStatus.LEASED, expires_at=NOW + hours(1)),
            LeaseResult(
                token=f"load-{named}", id="tok_3", status=LeaseStatus.FAILED, expires_at=NOW + hours(1), error=said
            ),
        ),
    )


def hostile(words: Sequence[str] = HOSTILE) -> Report:
    """Each word is the name of an entry, of its token, of its destination and of the workspace."""
    spec = builders.spec(*(entry(word, deliver=(target(word),)) for word in words))
    tokens = tuple(token(word, age=days(25), used=days(1)) for word in words[::2])
    made = builders.plan(spec, tokens)
    return Report(workspace=words[0], spec=spec, tokens=tokens, plan=made, price=PRICE, warnings=tuple(words))


def everything() -> Report:
    """All that a report can hold, whether or not it can come to be at once."""
    return report()


PAGES: dict[str, Callable[[], str]] = {
    "plan": lambda: as_markdown(plan()),
    "failed-apply": lambda: as_markdown(failed_apply()),
    "blocked": lambda: as_markdown(blocked()),
    "cut": lambda: as_comment(many(), limit=SMALL),
    "many": lambda: as_markdown(many()),
    "nothing-to-do": lambda: as_markdown(nothing_to_do()),
    "not-planned": lambda: as_markdown(not_planned()),
    "not-valid": lambda: as_markdown(not_valid()),
    "leases": lambda: as_markdown(leases()),
    "hostile": lambda: as_markdown(hostile(HOSTILE[:-3:6])),
    "everything": lambda: as_markdown(everything()),
}


def main() -> None:
    for name, page in PAGES.items():
        (GOLDEN / f"{name}.md").write_text(page(), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
