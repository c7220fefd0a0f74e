"""A renamed entry takes over the generations of its previous names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plan.builders import (
    NOW,
    WRITE,
    codes,
    days,
    empty,
    entry,
    holds,
    hours,
    only,
    plan,
    renamed,
    spec,
    token,
    told,
)
from tooken_ci.plan.model import Cause
from tooken_ci.plan.view import generations_of
from tooken_ci.spec.model import Bound, Policy
from tooken_ci.tooken.model import Status

if TYPE_CHECKING:
    from tooken_ci.spec.model import Entry
    from tooken_ci.tooken.model import Token

NEW = entry("new", previously=renamed("old"))
AT_ONCE = entry("new", previously=renamed("old"), overlap=hours(0))
FIRST, THIRD = token("old", age=days(9)), token("old.g3", age=days(5))


def test_names() -> None:
    """An entry's own name comes first, then the previous ones as the spec lists them."""
    assert entry("c", previously=renamed("b", "a")).names == ("c", "b", "a")
    assert entry("c").names == ("c",)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([FIRST], ["replace new.g2"]),
        ([THIRD], ["replace new.g4"]),
        ([FIRST, THIRD], ["replace new.g4", "revoke old"]),
        ([THIRD, token("new", age=days(3))], ["revoke old.g3"]),
        ([FIRST, token("new.g2", age=hours(1))], []),
        ([token("other")], ["create new"]),
    ],
    ids=["first", "third", "both", "own", "overlap", "none"],
)
def test_numbers_go_on_over_both_names(tokens: list[Token], expected: list[str]) -> None:
    """A generation of the old name is replaced by the next one under the new name, and retires as any other."""
    assert told(plan(NEW, tokens)) == expected


def test_the_reason() -> None:
    """That a token bears the old name is told, is the team's wish, and counts as a change of what is held."""
    action = only(plan(NEW, [FIRST]))
    assert (action.cause, action.reasons, action.id) == (Cause.SPEC, ("it bears the previous name 'old'",), FIRST.id)
    made = plan(spec(NEW, policy=Policy(max_changes=Bound(number=0))), [FIRST])
    assert [block.code for block in made.blocks] == ["max_changes"]


def test_the_own_name_is_newer() -> None:
    """A generation under the own name is current, whatever numbers the old one came to."""
    living = generations_of(NEW, [token("new"), token("old.g7"), token("old.g2"), token("old.g10"), token("new.g2")])
    assert [generation.token.name for generation in living] == ["old.g2", "old.g7", "old.g10", "new", "new.g2"]
    made = plan(entry("new", previously=renamed("old"), scopes=frozenset({WRITE})), [token("old.g7"), token("new")])
    assert told(made)[0] == "replace new.g8"


def test_several_old_names() -> None:
    """Of several previous names the numbers count, and where they are the same, the time."""
    of = entry("c", previously=renamed("b", "a"))
    tokens = [token("b", age=days(5)), token("a", age=days(4)), token("a.g2", age=days(7)), token("c.g9")]
    expected = ["b", "a", "a.g2", "c.g9"]
    for order in (tokens, tokens[::-1]):
        assert [generation.token.name for generation in generations_of(of, order)] == expected


def test_looks_that_overlap() -> None:
    """A token that several look-ups gave is one generation."""
    assert len(generations_of(NEW, [FIRST, THIRD, FIRST])) == 2
    assert [generation.number for generation in generations_of(entry("old"), [FIRST, THIRD, token("new")])] == [1, 3]


def test_a_record_of_the_old_name_is_its_own() -> None:
    """What a destination holds from before the renaming does not block the entry, and its number is passed over."""
    ended = token("old.g4", status=Status.EXPIRED)
    made = plan(NEW, [], holds(ended), facts=[ended])
    assert (told(made), codes(made), only(made).cause) == (["create new.g5"], [], Cause.TIME)


def test_without_previously_a_renamed_entry_is_told_of_it() -> None:
    """Where the record of another name blocks an entry, the hint names ``previously``."""
    made = plan(entry("new"), [FIRST], holds(FIRST))
    assert (codes(made), "'previously'" in made.problems[0].hint) == (["record"], True)


@pytest.mark.parametrize("of", [NEW, entry("new", previously=renamed("old"), deliver=())], ids=["served", "watched"])
def test_prune_leaves_it(of: Entry) -> None:
    """No pattern takes a generation of a name that an entry claims, and all of them count as managed."""
    made = plan(spec(of, prune=["*"]), [FIRST, THIRD, token("older")])
    assert [action.token for action in made.removals] == ["older"]
    assert (made.managed, made.unmanaged) == (3, 0)


def test_watched() -> None:
    """An old name of an entry that is only watched is a warning."""
    made = plan(entry("new", previously=renamed("old"), deliver=()), [FIRST])
    assert (told(made), codes(made)) == ([], [])
    assert ["bears the previous name 'old'" in warning for warning in made.warnings] == [True]


def test_protected() -> None:
    """A protected entry may be renamed: its scopes stay, and no secret is lost."""
    made = plan(entry("new", previously=renamed("old"), protected=True, scopes=frozenset({WRITE})), [FIRST])
    assert (told(made), codes(made), only(made).scopes) == (["replace new.g2"], ["protected"], ("tokens:read",))


def test_the_cap_counts_all_names() -> None:
    """Four living generations are the most, whatever they are called."""
    tokens = [token(name, age=hours(9 - index)) for index, name in enumerate(("old", "old.g2", "old.g3", "old.g4"))]
    assert (told(plan(NEW, tokens)), codes(plan(NEW, tokens))) == ([], ["cap"])


def test_nothing_is_left_after_the_overlap() -> None:
    """With the old generation gone, ``previously`` asks for nothing more."""
    made = plan(NEW, [token("new.g2")])
    assert (told(made), made.waiting, made.warnings, made.unchanged) == ([], (), (), 1)


def test_the_old_one_goes_at_once_without_overlap() -> None:
    """With an overlap of 0 the generation under the old name goes in the same run."""
    assert told(plan(AT_ONCE, [FIRST])) == ["replace new.g2", "revoke old"]
    lost = plan(AT_ONCE, [FIRST], empty())
    assert (told(lost), lost.now) == (["replace new.g2", "revoke old"], NOW)
