"""Rule 5 and 6: what ``absent`` and ``prune`` revoke, and what is never touched."""

from __future__ import annotations

import pytest

from tests.plan.builders import (
    CI,
    UNBOUNDED,
    days,
    edited,
    entry,
    hours,
    only,
    plan,
    spec,
    token,
    told,
)
from tooken_ci.plan.model import ActionKind, Cause, Origin
from tooken_ci.spec.model import Entry, Policy

OTHERS = [token(name) for name in ("legacy", "ci-old.g10", "ci-old", "ci-old.g2", "ci-old-b", "ci-job.e-1-1-a", "web")]


def removals(*entries: Entry, absent: tuple[str, ...] = (), prune: tuple[str, ...] = ()) -> list[str]:
    """What is revoked of a workspace with all of ``OTHERS``."""
    return told(plan(spec(*entries, policy=UNBOUNDED, absent=absent, prune=prune), OTHERS, allow_empty=True))


def test_absent() -> None:
    """Every active generation of an absent name is revoked, the oldest first, and nothing of a similar name."""
    assert removals(absent=("ci-old",)) == ["revoke ci-old", "revoke ci-old.g2", "revoke ci-old.g10"]


def test_absent_action() -> None:
    """A revocation by ``absent`` says which name asks for it, and counts as the team's wish."""
    action = only(plan(spec(entry(), absent=["web"]), [token(), token("web", used=hours(1))]))
    assert (action.kind, action.origin, action.entry, action.token) == (ActionKind.REVOKE, Origin.ABSENT, "web", "web")
    assert (action.id, action.number, action.cause) == ("tok_web", 1, Cause.SPEC)
    assert (action.scopes, action.expires_at) == (("tokens:read",), token("web").expires_at)


def test_absent_and_gone() -> None:
    """A name in ``absent`` that nothing bears is no action and no error."""
    made = plan(spec(entry(), absent=["nobody"]), [token()])
    assert (told(made), made.problems, made.blocks) == ([], (), ())


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ci-*", ["ci-old", "ci-old.g2", "ci-old.g10", "ci-old-b"]),
        ("ci-old", ["ci-old"]),
        ("*", ["ci-old", "ci-old.g2", "ci-old.g10", "ci-old-b", "legacy", "web"]),
        ("CI-*", []),
        ("we?", ["web"]),
        ("[lw]e*", ["legacy", "web"]),
        ("e", []),
        ("", []),
    ],
)
def test_prune(pattern: str, expected: list[str]) -> None:
    """A pattern revokes the names it matches as a whole, letter for letter, but never a lease."""
    assert removals(prune=(pattern,)) == [f"revoke {name}" for name in expected]


def test_prune_minds_capitals() -> None:
    """Names are compared letter for letter: a pattern in small letters leaves capitals alone."""
    made = plan(spec(entry(), prune=["web*"], policy=UNBOUNDED), [token(), token("WEB"), token("web")])
    assert told(made) == ["revoke web"]


def test_prune_action() -> None:
    """A revocation by ``prune`` names the pattern, and belongs to the name that its generations share."""
    made = plan(spec(entry(), prune=["x", "ci-old*"], policy=UNBOUNDED), [token(), *OTHERS])
    assert [(action.origin, action.entry) for action in made.actions] == [(Origin.PRUNE, "ci-old")] * 3 + [
        (Origin.PRUNE, "ci-old-b")
    ]
    assert {action.cause for action in made.actions} == {Cause.SPEC}
    assert all("'ci-old*'" in action.reasons[0] for action in made.actions)


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "plain"])
def test_prune_spares_the_declared(*, protected: bool) -> None:
    """No generation of a declared entry is ever pruned, whether it is protected, watched or neither."""
    for deliver in ((), entry("ci-old").deliver):
        of = entry("ci-old", protected=protected, deliver=deliver)
        made = plan(spec(of, prune=["*"], policy=UNBOUNDED), [token("ci-old"), token("ci-old.g2", age=hours(1))])
        assert told(made) == []


def test_prune_leaves_absent_alone() -> None:
    """A name that is absent and matched is revoked once, as absent."""
    made = plan(spec(entry(), absent=["web"], prune=["w*"]), [token(), token("web")])
    assert [(action.token, action.origin) for action in made.actions] == [("web", Origin.ABSENT)]


def test_no_pattern_prunes_nothing() -> None:
    """Without ``prune`` nothing but ``absent`` is revoked."""
    assert removals(entry()) == [f"create {CI}"]


def test_counting() -> None:
    """Declared, absent and pruned tokens are managed; all others are unmanaged, leases among them."""
    tokens = [token(age=days(9)), token(f"{CI}.g2"), *OTHERS]
    made = plan(spec(entry(), absent=["web"], prune=["ci-*"], policy=UNBOUNDED), tokens)
    assert (made.managed, made.unmanaged) == (7, 2)
    assert plan(spec(entry()), tokens).unmanaged == 7


def test_blocked_prune_counts_as_managed() -> None:
    """What a pattern matches is managed also where a bound keeps it alive."""
    made = plan(spec(entry(), prune=["ci-old*"], policy=Policy()), [token(), *OTHERS])
    assert ([block.code for block in made.blocks], made.managed, made.unmanaged) == (["max_revocations"], 5, 3)


def test_entries_come_first() -> None:
    """Entries come before ``absent``, and ``absent`` before ``prune``."""
    of = spec(entry("zz"), entry("mm"), absent=["web", "legacy"], prune=["ci-old"], policy=UNBOUNDED)
    assert told(plan(of, OTHERS, {"file out/mm": edited(token("mm"))}, facts=[token("mm")])) == [
        "create mm.g2",
        "create zz",
        "revoke legacy",
        "revoke web",
        "revoke ci-old",
    ]
