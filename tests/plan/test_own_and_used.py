"""The token that runs tooken-ci comes last; and older generations that are still used, where the user lets them go."""

from __future__ import annotations

from tests.plan.builders import CI, WRITE, days, entry, hours, plan, spec, token, told, unknown
from tooken_ci.plan.terms import Terms

USED = Terms(revoke_used=True)
OLD, NEW = token(age=days(9), used=hours(2)), token(f"{CI}.g2", age=days(5))


def test_it_is_the_last_of_all() -> None:
    """Its actions stand behind those of every entry, of absent and of prune, whatever its name."""
    own = entry("a-own", scopes=frozenset({WRITE}), overlap=hours(0))
    of = spec(own, entry("web"), absent=["gone"], prune=["p-*"], own="a-own")
    made = plan(of, [token("a-own"), token("gone"), *(token(f"p-{number}") for number in range(8))])
    assert told(made) == [
        "create web", "revoke gone", *(f"revoke p-{number}" for number in range(8)), "replace a-own.g2", "revoke a-own",
    ]  # fmt: skip
    assert made.last == "a-own"


def test_prune_never_takes_it() -> None:
    """A pattern that matches the token that runs matches an entry, and those are never pruned."""
    made = plan(spec(entry("own"), prune=["*"], own="own"), [token("own"), token("other")])
    assert told(made) == ["revoke other"]


def test_a_used_one_goes_if_the_user_says_so() -> None:
    """What is still used waits, and goes with --revoke-used; the plan says so."""
    waiting, going = (plan(entry(), [OLD, NEW], terms=terms) for terms in (Terms(), USED))
    assert (told(waiting), [one.token for one in waiting.waiting]) == ([], [CI])
    assert (told(going), going.waiting) == ([f"revoke {CI}"], ())
    assert "which --revoke-used overrides" in going.actions[0].reasons[0]
    assert "because --revoke-used says so" in going.warnings[0]


def test_nothing_but_its_use_is_overridden() -> None:
    """Neither the overlap nor the delivery of the successor is: what they hold stays."""
    young = token(f"{CI}.g2", age=hours(23))
    assert told(plan(entry(), [OLD, young], terms=USED)) == []
    assert told(plan(entry(), [OLD, NEW], unknown(), terms=USED)) == []
