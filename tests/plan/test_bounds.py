"""The safety bounds: how much one apply may change, and what a blocked plan still permits."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    CI,
    READ,
    WRITE,
    codes,
    edited,
    empty,
    entry,
    holds,
    hours,
    mark,
    plan,
    spec,
    token,
    told,
)
from tooken_ci.plan.model import ActionKind, Plan
from tooken_ci.spec.model import Bound, Policy

if TYPE_CHECKING:
    from tooken_ci.base.record import Look
    from tooken_ci.spec.model import Spec
    from tooken_ci.tooken.model import Token


def blocks(made: Plan) -> list[str]:
    return [block.code for block in made.blocks]


def names(number: int, prefix: str = "ci") -> list[str]:
    return [f"{prefix}-{index:03}" for index in range(number)]


def removing(removed: int, kept: int, bound: Bound | None) -> Plan:
    """Half of what is removed is absent, half is pruned; what is kept is declared."""
    policy = Policy(max_revocations=bound)
    gone, declared = names(removed, "old"), names(kept)
    half = removed // 2
    of = spec(*map(entry, declared), policy=policy, absent=gone[:half], prune=[f"{name}*" for name in gone[half:]])
    unmanaged = [token(name) for name in names(40, "nobody")]
    return plan(of, [token(name) for name in [*gone, *declared]] + unmanaged)


@pytest.mark.parametrize(
    ("removed", "kept", "bound", "blocked"),
    [
        (1, 1, None, False), (2, 5, None, True), (2, 6, None, False),
        (5, 15, None, False), (5, 14, None, True), (5, 90, None, False), (6, 90, None, True),
        (3, 1, Bound(number=3), False), (4, 1, Bound(number=3), True), (1, 9, Bound(number=0), True),
        (2, 8, Bound(share=Fraction(1, 5)), False), (3, 8, Bound(share=Fraction(1, 5)), True),
        (1, 3, Bound(share=Fraction(1, 5)), True), (9, 1, Bound(share=Fraction(1)), False),
    ],
)  # fmt: skip
def test_max_revocations(removed: int, kept: int, bound: Bound | None, *, blocked: bool) -> None:
    """At most the smaller of 5 and a quarter of the managed tokens, at least 1, or what the policy says, may go."""
    made = removing(removed, kept, bound)
    assert blocks(made) == (["max_revocations"] if blocked else [])
    assert made.count(ActionKind.REVOKE) == removed
    assert [made.permits(action) for action in made.actions] == [not blocked] * removed


def test_max_revocations_tells_its_numbers() -> None:
    """The message names what is asked, what is allowed, and of how many."""
    assert "6 tokens" in removing(6, 90, None).blocks[0].message
    assert "at most 5" in removing(6, 90, None).blocks[0].message
    assert "20% allows 1 of 7" in removing(2, 5, Bound(share=Fraction(1, 5))).blocks[0].message


def test_retiring_is_not_counted() -> None:
    """Revocations by rule 4 are no matter of ``max_revocations``."""
    of = spec(*(entry(name, overlap=hours(0)) for name in names(9)), policy=Policy(max_revocations=Bound(number=0)))
    made = plan(of, [token(f"{name}{end}") for name in names(9) for end in ("", ".g2")])
    assert (made.count(ActionKind.REVOKE), blocks(made)) == (9, [])


def changing(changed: int, kept: int, bound: Bound | None = None) -> tuple[Spec, list[Token]]:
    """A spec of which so many entries ask for other scopes than their tokens have."""
    wanted = [entry(name, scopes=frozenset({WRITE})) for name in names(changed)]
    same = [entry(name) for name in names(kept, "same")]
    return spec(*wanted, *same, policy=Policy(max_changes=bound)), [token(one.name) for one in [*wanted, *same]]


@pytest.mark.parametrize(
    ("changed", "kept", "bound", "blocked"),
    [
        (10, 0, None, False), (11, 0, None, True), (11, 10, None, True), (11, 11, None, False), (20, 20, None, False),
        (21, 20, None, True), (3, 0, Bound(number=3), False), (4, 0, Bound(number=3), True),
        (2, 2, Bound(share=Fraction(1, 2)), False), (3, 2, Bound(share=Fraction(1, 2)), True),
        (1, 0, Bound(number=0), True),
    ],
)  # fmt: skip
def test_max_changes(changed: int, kept: int, bound: Bound | None, *, blocked: bool) -> None:
    """Half of the entries, at least 10, or what the policy says, may be replaced at once."""
    made = plan(*changing(changed, kept, bound))
    assert blocks(made) == (["max_changes"] if blocked else [])
    assert [made.permits(action) for action in made.actions] == [not blocked] * changed


def test_max_changes_tells_its_numbers() -> None:
    """The message names what is asked, what is allowed, and of how many."""
    message = plan(*changing(11, 0)).blocks[0].message
    assert ("11 tokens" in message, "at most 10" in message, "11 entries" in message) == (True, True, True)
    assert "50% allows 2 of 5 entries" in plan(*changing(3, 2, Bound(share=Fraction(1, 2)))).blocks[0].message


@pytest.mark.parametrize(
    ("look", "known"),
    [(None, None), (edited(token("ci-000")), token("ci-000")), (edited(token("ci-000"), mark()), token("ci-000"))],
    ids=["create", "replace of what nobody holds", "repair"],
)
def test_not_counted_as_change(look: Look | None, known: Token | None) -> None:
    """A create, and a replace of what no destination holds, are no matter of ``max_changes``."""
    of = spec(entry("ci-000"), policy=Policy(max_changes=Bound(number=0)))
    made = plan(of, [known] if known else [], {"file out/ci-000": look} if look else None)
    assert (len(made.actions), blocks(made)) == (1, [])


@pytest.mark.parametrize(
    ("look", "expected"),
    [(edited(token()), ["max_changes"]), (edited(token(), mark()), [])],
    ids=["drift", "repair"],
)
def test_cause_decides_what_counts(look: Look, expected: list[str]) -> None:
    """A replace of a held generation counts where the spec or drift causes it, not where a run is to be finished."""
    of = entry(deliver=(*entry("a").deliver, *entry("b").deliver))
    looks = {"file out/a": holds(token(), readable=False), "file out/b": look}
    made = plan(spec(of, policy=Policy(max_changes=Bound(number=0))), [token()], looks)
    assert (told(made), made.actions[0].held, blocks(made)) == ([f"replace {CI}.g2"], True, expected)


def test_redelivery_is_not_counted() -> None:
    """A copy changes no token, so ``max_changes`` has nothing to say about it."""
    deliver = (*entry("a").deliver, *entry("b").deliver)
    of = spec(entry(deliver=deliver), policy=Policy(max_changes=Bound(number=0)))
    made = plan(of, [token()], {"file out/b": empty()})
    assert (told(made), blocks(made)) == ([f"redeliver {CI}"], [])


@pytest.mark.parametrize(
    ("allow_empty", "prune", "expected"),
    [
        (False, ["ci-*"], ["empty_tokens"]),
        (True, ["ci-*"], []),
        (False, ["nothing"], ["empty_tokens"]),
        (False, [], []),
    ],
    ids=["refused", "allowed", "refused also where nothing matches", "nothing to prune"],
)
def test_empty_tokens(prune: list[str], expected: list[str], *, allow_empty: bool) -> None:
    """A spec that declares nothing may prune only where ``--allow-empty`` says so."""
    made = plan(spec(prune=prune), [token()], allow_empty=allow_empty)
    assert (blocks(made), [made.permits(action) for action in made.actions]) == (
        expected,
        [allow_empty] if "ci-*" in prune else [],
    )


def test_policy() -> None:
    """An entry that breaks the policy is not served, and the plan is blocked by it, once, with the place."""
    of = spec(
        entry("ci-a", scopes=frozenset({READ, WRITE})), entry("web"), policy=Policy(forbidden_scopes=frozenset({WRITE}))
    )
    made = plan(of)
    assert (told(made), codes(made), made.blocked_by) == (["create web"], ["policy"], ("policy",))
    assert "tooken.yml:1:1" in made.problems[0].message
    assert not made.permits(made.actions[0])


def test_policy_counts_its_breaches() -> None:
    """Every breach is told at its entry; the block says how many there are."""
    both = Policy(forbidden_scopes=frozenset({READ}), name_pattern="x+")
    made = plan(spec(entry("a"), entry("xx"), policy=both))
    assert [(problem.entry, str(problem.code)) for problem in made.problems] == [("a", "policy")] * 2 + [
        ("xx", "policy")
    ]
    assert "3 places" in made.blocks[0].message


def test_what_a_blocked_plan_permits() -> None:
    """Whatever blocks it, what is due or unfinished goes on; what the spec or drift asks for waits."""
    of = spec(
        entry("create"), entry("drift"), entry("repair"), entry("retire"), absent=["gone"],
        policy=Policy(max_revocations=Bound(number=0)),
    )  # fmt: skip
    tokens = [token(name) for name in ("drift", "repair", "retire", "retire.g2", "gone")]
    tokens[3] = token("retire.g2", age=hours(25))
    looks = {"file out/drift": edited(tokens[0]), "file out/repair": edited(tokens[1], mark("repair.g2"))}
    made = plan(of, tokens, looks)
    assert [(f"{action.kind} {action.token}", str(action.cause), made.permits(action)) for action in made.actions] == [
        ("create create", "spec", False),
        ("replace drift.g2", "drift", False),
        ("replace repair.g2", "repair", True),
        ("revoke retire", "time", True),
        ("revoke gone", "spec", False),
    ]


def test_blocked_replace_keeps_what_it_would_retire() -> None:
    """Where a bound forbids a replace, the revocations that only its delivery makes safe are forbidden too."""
    of = spec(
        entry(scopes=frozenset({WRITE}), overlap=hours(0), deliver=(*entry("a").deliver, *entry("b").deliver)),
        policy=Policy(max_changes=Bound(number=0)),
    )
    tokens = [token(age=hours(99)), token(f"{CI}.g2", age=hours(50))]
    made = plan(of, tokens, {"file out/a": edited(tokens[0])})
    assert (told(made), blocks(made)) == (
        [f"replace {CI}.g3", f"revoke {CI}", f"revoke {CI}.g2"],
        ["max_changes"],
    )
    assert [made.permits(action) for action in made.actions] == [False, False, False]


def test_several_blocks() -> None:
    """Everything that forbids a plan is told, blocks first, each code once."""
    of = spec(
        entry("a", scopes=frozenset({WRITE})),
        entry("b", protected=True, scopes=frozenset({WRITE})),
        entry("c", protected=True, scopes=frozenset({WRITE})),
        absent=["x", "y"],
        policy=Policy(max_changes=Bound(number=0)),
    )
    made = plan(of, [token(name) for name in "abcxy"])
    assert made.blocked_by == ("max_revocations", "max_changes", "protected")
