"""What a plan costs in requests: exact sums, an upper limit, and how long the allowance makes apply wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan.builders import (
    CI,
    UNBOUNDED,
    WRITE,
    codes,
    days,
    edited,
    empty,
    entry,
    hours,
    mark,
    minutes,
    plan,
    renamed,
    spec,
    target,
    token,
    told,
)
from tooken_ci.plan.busy import LOOKS
from tooken_ci.plan.model import Origin, Plan
from tooken_ci.plan.price import MINT_TRIES, PROOF_TRIES, Price, _Names, price, removals_by_entry
from tooken_ci.spec.model import Bound, Policy
from tooken_ci.tooken.quota import Allowance

if TYPE_CHECKING:
    from tooken_ci.tooken.model import Token

PLENTY = Allowance(limit=1000, remaining=1000, resets_in=30.0)
OLD, NEW = token(age=days(9)), token(f"{CI}.g2", age=days(5))
AT_ONCE = entry(scopes=frozenset({WRITE}), overlap=hours(0))


def cost(
    made: Plan, tokens: list[Token], allowance: Allowance = PLENTY, *, per_page: int = 100, reserve: int = 0
) -> Price:
    return price(made, tokens, spent=7, allowance=allowance, per_page=per_page, reserve=reserve)


def crowd(number: int, name: str = "ci-deploy-x") -> list[Token]:
    """Unmanaged tokens whose names hold the entry's."""
    return [token(f"{name}-{index}") for index in range(number)]


def test_nothing() -> None:
    """A plan with nothing to do costs nothing more than what it took."""
    tokens = [token()]
    assert cost(plan(entry(), tokens), tokens) == Price(spent=7, apply=0, at_most=0, seconds=0)


@pytest.mark.parametrize(
    ("made", "tokens", "requests"),
    [
        (plan(entry()), [], 1 + 2),
        (plan(spec(entry("a"), entry("b"), entry("c"))), [], 1 + 3 * 2),
        (plan(entry(scopes=frozenset({WRITE})), [OLD]), [OLD], 1 + 2),
        (plan(AT_ONCE, [OLD]), [OLD], 2 + 4),
        (plan(AT_ONCE, [OLD, NEW]), [OLD, NEW], 2 + 2 + 1 + 2),
        (plan(entry(), [OLD, NEW]), [OLD, NEW], 1 + 2),
        (plan(spec(entry(), absent=["web"]), [OLD, token("web")]), [OLD, token("web")], 1 + 2),
    ],
    ids=["create", "creates", "replace", "replace and revoke", "replace and revoke two", "revoke", "absent"],
)
def test_exact_sums(made: Plan, tokens: list[Token], requests: int) -> None:
    """A new token takes two requests, a replace with its revocation four, and each scope in need is probed once."""
    assert cost(made, tokens).apply == requests


def test_redeliver() -> None:
    """A copy looks the entry up once, and probes nothing: it neither makes nor revokes."""
    tokens = [token()]
    of = entry(deliver=(target("file a"), target("file b")))
    assert cost(plan(of, tokens, {"file b": empty()}), tokens).apply == 1


@pytest.mark.parametrize(("others", "pages"), [(99, 1), (100, 2), (199, 2), (200, 3)])
def test_look_up_over_several_pages(others: int, pages: int) -> None:
    """A look-up matches part of a name in any case, and takes a request for each hundred that match."""
    tokens = [token(), *crowd(others, "MY-CI-DEPLOY")]
    of = entry(deliver=(target("file a"), target("file b")))
    made = plan(of, tokens, {"file b": empty()})
    assert cost(made, tokens).apply == pages


@pytest.mark.parametrize(("others", "pages"), [(24, 1), (25, 2), (49, 2), (50, 3), (99, 4), (100, 5)])
def test_look_up_over_pages_of_another_size(others: int, pages: int) -> None:
    """A server that gives smaller pages than were asked for makes a look-up cost more of them."""
    tokens = [token(), *crowd(others)]
    of = entry(deliver=(target("file a"), target("file b")))
    assert cost(plan(of, tokens, {"file b": empty()}), tokens, per_page=25).apply == pages


@pytest.mark.parametrize(("others", "pages"), [(99, 1), (100, 2)])
def test_look_up_counts_a_name_once(others: int, pages: int) -> None:
    """A name that holds the entry's several times is one token all the same."""
    tokens = [token("ab"), *crowd(others, "AB-abab")]
    of = entry("ab", deliver=(target("file a"), target("file b")))
    assert cost(plan(of, tokens, {"file b": empty()}), tokens).apply == pages


def test_look_up_does_not_match_across_names() -> None:
    """Names that only together hold the entry's, line ends in them or not, are no match."""
    halves = [token(f"{index}-b"[-3:], id=f"tok_{index}") for index in range(10, 99)]
    of = entry("b\na", deliver=(target("file a"), target("file b")))
    tokens = [token("b\na"), token("b"), token("a"), token("a\nb"), token("B\nA.x"), *halves]
    made = plan(of, tokens, {"file b": empty()})
    assert [cost(made, tokens, per_page=size).apply for size in (1, 2, 3)] == [2, 1, 1]
    assert cost(made, tokens[::-1], per_page=1).apply == 2


def test_removing_a_name_leaves_those_that_hold_it() -> None:
    """What is revoked is taken off once, and not out of the middle of another name."""
    tokens = [token("a\nx"), token("xa"), token("a"), token("ab"), token("x")]
    made = plan(spec(absent=["a", "x"], policy=UNBOUNDED), tokens)
    assert told(made) == ["revoke a", "revoke x"]
    assert cost(made, tokens, per_page=1).apply == 1 + (4 + 1) + (3 + 1)


def test_names_that_differ_in_case_only() -> None:
    """Of two names that are the same in lower case, revoking one leaves the other."""
    tokens = [token("A"), token("ab"), token("a")]
    made = plan(spec(absent=["a", "A"], policy=UNBOUNDED), tokens)
    assert cost(made, tokens, per_page=1).apply == 1 + (3 + 1) + (2 + 1)


@given(st.lists(st.text("aB\n.", min_size=1, max_size=4), unique=True, max_size=12), st.data())
def test_look_ups_are_exact(names: list[str], data: st.DataObject) -> None:
    """Whatever is made and revoked meanwhile, a look-up costs the pages that the names then fill."""
    per_page = data.draw(st.integers(1, 4))
    known, living = _Names(names, per_page), list(names)
    for _ in range(data.draw(st.integers(0, 6))):
        gone = data.draw(st.sampled_from([*living, None]))
        if gone is not None:
            living.remove(gone)
            known.remove(gone)
        else:
            living.append(data.draw(st.text("aB\n.", min_size=1, max_size=4)))
            known.add(living[-1])
        wanted = data.draw(st.text("aB\n.", min_size=1, max_size=3))
        found = sum(wanted.lower() in name.lower() for name in living)
        assert known.look_up(wanted) == max(1, -(-found // per_page))


@pytest.mark.parametrize(("others", "pages"), [(98, 1), (99, 2)])
def test_look_up_counts_what_was_made(others: int, pages: int) -> None:
    """The look-up before a revocation also finds the token that was made just before."""
    tokens = [OLD, *crowd(others)]
    assert cost(plan(AT_ONCE, tokens), tokens).apply == 2 + 2 + pages + 1


def test_look_up_no_longer_counts_what_was_revoked() -> None:
    """A later look-up no longer finds what an earlier entry revoked."""
    tokens = [token("ci", age=days(9)), token("ci.g2", age=days(5)), token("c"), *crowd(98, "ci-b")]
    assert cost(plan(spec(entry("ci"), absent=["c"]), tokens), tokens).apply == 1 + (1 + 1) + (1 + 1)
    assert cost(plan(spec(absent=["c"]), tokens), tokens).apply == 1 + (2 + 1)


def test_prune_looks_each_name_up_once() -> None:
    """The generations of a name share one look-up, whatever stands between them in the alphabet."""
    tokens = [token(name) for name in ("ci", "ci-b", "ci.g2", "ci.g10")]
    made = plan(spec(entry("zz"), prune=["ci*"], policy=UNBOUNDED), [*tokens, token("zz")])
    assert told(made) == ["revoke ci", "revoke ci.g2", "revoke ci.g10", "revoke ci-b"]
    assert cost(made, [*tokens, token("zz")]).apply == 1 + (1 + 3) + (1 + 1)
    grouped = [(name, len(actions)) for name, actions in removals_by_entry(made, Origin.PRUNE)]
    assert grouped == [("ci", 3), ("ci-b", 1)]
    assert removals_by_entry(made, Origin.ABSENT) == []


def test_a_busy_entry_costs_one_look_up_more() -> None:
    """What is done for a busy entry once it is busy no longer is in the price, and so is the look at it before."""
    tokens = [token(), token("old")]
    of = entry(scopes=frozenset({WRITE}), overlap=hours(0), previously=renamed("old"))
    calm, busy = (plan(of, tokens, edited(tokens[0], mark(age=minutes(age)))) for age in (4, 1))
    assert codes(busy) == ["busy"]
    assert cost(busy, tokens).apply == cost(calm, tokens).apply + 2
    assert cost(busy, tokens).at_most == cost(calm, tokens).at_most + 2


def test_what_is_not_permitted_costs_nothing() -> None:
    """Actions that a bound forbids are not in the price, nor are their probes."""
    tokens = [token()]
    blocked = plan(spec(AT_ONCE, absent=["x"], policy=Policy(max_revocations=Bound(number=0))), [*tokens, token("x")])
    assert (len(blocked.actions), cost(blocked, [*tokens, token("x")]).apply) == (3, 0)
    assert removals_by_entry(blocked, Origin.ABSENT) == []


def test_at_most() -> None:
    """The most it can take: busy twice, then every name but the last taken, and a proof that takes all its tries."""
    tokens = [OLD]
    made = plan(spec(AT_ONCE, entry("web")), tokens)
    spare = (MINT_TRIES - 1) * 2 + (PROOF_TRIES - 1) + 1
    busy = LOOKS * (MINT_TRIES * 2 + 1 + 1)
    assert cost(made, tokens).at_most == cost(made, tokens).apply + 2 * (spare + busy)


def test_at_most_of_revocations() -> None:
    """Revocations alone take exactly what they take."""
    told_price = cost(plan(entry(), [OLD, NEW]), [OLD, NEW])
    assert told_price.at_most == told_price.apply == 3


@pytest.mark.parametrize(
    ("allowance", "seconds"),
    [
        (Allowance(limit=None, remaining=None, resets_in=30.0), 0),
        (Allowance(limit=1000, remaining=None, resets_in=30.0), 0),
        (Allowance(limit=None, remaining=0, resets_in=30.0), 0),
        (Allowance(limit=1000, remaining=21, resets_in=30.0), 0),
        (Allowance(limit=1000, remaining=20, resets_in=29.2), 30),
        (Allowance(limit=10, remaining=11, resets_in=30.0), 30),
        (Allowance(limit=10, remaining=10, resets_in=30.0), 90),
        (Allowance(limit=1, remaining=0, resets_in=30.0), 30 + 20 * 60),
    ],
    ids=["not told", "no remaining", "no limit", "enough", "one more", "one window", "two windows", "one a minute"],
)
def test_seconds(allowance: Allowance, seconds: int) -> None:
    """What the allowance does not hold waits for the reset, and for a minute for each further allowance."""
    made = plan(spec(*(entry(f"ci-{index}") for index in range(10))))
    told_price = cost(made, [], allowance)
    assert (told_price.apply, told_price.seconds) == (21, seconds)


@pytest.mark.parametrize(
    ("allowance", "reserve", "seconds"),
    [
        (Allowance(limit=1000, remaining=121, resets_in=30.0), 100, 0),
        (Allowance(limit=1000, remaining=120, resets_in=30.0), 100, 30),
        (Allowance(limit=1000, remaining=50, resets_in=30.0), 100, 30),
        (Allowance(limit=11, remaining=12, resets_in=30.0), 1, 30),
        (Allowance(limit=11, remaining=11, resets_in=30.0), 1, 90),
        (Allowance(limit=22, remaining=0, resets_in=30.0), 1, 30),
        (Allowance(limit=21, remaining=0, resets_in=30.0), 1, 90),
        (Allowance(limit=5, remaining=5, resets_in=30.0), 5, 30 + 20 * 60),
        (Allowance(limit=None, remaining=5, resets_in=30.0), 5, 0),
    ],
    ids=[
        "enough", "one more", "below the reserve", "one window", "two windows",
        "a full window", "more than a full window", "nothing but the reserve", "not told",
    ],
)  # fmt: skip
def test_seconds_with_a_reserve(allowance: Allowance, reserve: int, seconds: int) -> None:
    """What is left to others is spent in no window; what remains below it is nobody's debt."""
    made = plan(spec(*(entry(f"ci-{index}") for index in range(10))))
    assert cost(made, [], allowance, reserve=reserve).seconds == seconds


def test_look_up_of_a_renamed_entry() -> None:
    """An entry that had other names is looked up once for each of its names."""
    tokens = [token("old"), *crowd(100, "OLD"), *crowd(7, "new")]
    deliver = (target("file a"), target("file b"))
    moved = entry("new", previously=renamed("old", "ancient"), overlap=hours(0), deliver=deliver)
    assert cost(plan(moved, tokens), tokens).apply == 2 + 2 + (1 + 2 + 1) + 1
    settled = [token("new.g2"), *tokens[1:]]
    assert cost(plan(moved, settled, {"file b": empty()}), settled).apply == 1 + 1 + 1
