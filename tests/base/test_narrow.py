"""Records where there is little room: what gives way, in which order, and what never does."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.base.test_record import AT, HELD, MARK, RECORDS
from tooken_ci.base import naming
from tooken_ci.base.narrow import TooLongError, fitted, lacking
from tooken_ci.base.record import LONG_AGO, DeliveryRecord, Held, Mark, MarkKind

LIMIT = 255
ENTRY = "integration-test-runner"


def mark(number: int, *, seconds: int = 0, run: str = "", kind: MarkKind = MarkKind.CREATE, entry: str = ENTRY) -> Mark:
    """A mark that was made so many seconds ago."""
    name = naming.generation_name(entry, number)
    return Mark(kind=kind, name=name, run=run or f"{number:012x}", at=AT - dt.timedelta(seconds=seconds))


def record(*marks: Mark, entry: str = ENTRY, workspace: str = "production", held: bool = True) -> DeliveryRecord:
    of = dataclasses.replace(HELD, name=f"{entry}.g2") if held else None
    return DeliveryRecord(workspace=workspace, held=of, marks=marks)


def read(text: str) -> DeliveryRecord:
    return DeliveryRecord.parse(text)


def test_short_marks() -> None:
    """After the name of a token of the same entry a mark tells the number of its generation alone."""
    of = record(mark(1), mark(3), mark(4, entry="other"), mark(5, entry="other"))
    text = of.to_text(short=True)
    assert text.split(" ")[6:] == [
        "mark=create::1:000000000001:20261123T192015Z",
        "mark=create::3:000000000003:20261123T192015Z",
        "mark=create:other.g4:000000000004:20261123T192015Z",
        "mark=create::5:000000000005:20261123T192015Z",
    ]
    assert read(text) == of == read(of.to_text())


def test_short_marks_where_nothing_is_held() -> None:
    """The first mark gives its name, the others the number."""
    text = record(mark(1), mark(2), held=False).to_text(short=True)
    assert text.split(" ")[2:] == [
        f"mark=create:{ENTRY}:000000000001:20261123T192015Z",
        "mark=create::2:000000000002:20261123T192015Z",
    ]


def test_aged_marks() -> None:
    """An aged mark is written without run and time, whether short or not."""
    of = record(mark(3).aged, mark(1, entry="other", kind=MarkKind.ROTATE).aged)
    assert of.to_text(short=True).endswith(" mark=create::3 mark=rotate:other")
    assert of.to_text().endswith(f" mark=create:{ENTRY}.g3 mark=rotate:other")
    assert read(of.to_text(short=True)) == read(of.to_text()) == of
    assert {one.at for one in of.marks} == {LONG_AGO}
    assert not mark(3).aged.young(AT, dt.timedelta(days=36500))


@given(of=RECORDS, numbers=st.lists(st.integers(1, 10**20), max_size=3), aged=st.booleans())
@settings(deadline=None)
def test_round_trip(of: DeliveryRecord, numbers: list[int], *, aged: bool) -> None:
    """Whatever the names are, a short record is read as what it was."""
    name = of.held.name if of.held is not None else ENTRY
    marks = [mark(number, entry=naming.split(name)[0]) for number in numbers]
    of = dataclasses.replace(of, marks=(*(one.aged if aged else one for one in marks), *of.marks))
    assert read(of.to_text(short=True)) == of == read(of.to_text())


@pytest.mark.parametrize(
    "text",
    [
        "mark=create::3:run:20261123T192015Z",
        "mark=create::3",
        "mark=create::3 name=a",
        "mark=create:a mark=create::0",
        "mark=create:a mark=create::03",
        "mark=create:a mark=create::x:run:20261123T192015Z",
        "mark=create:a mark=create::",
        "mark=create:a mark=create::3:run",
        "mark=create:a mark=create::3:run:20261123T192015Z:4",
        "mark=create:a mark=create:a:3:run:20261123T192015Z",
        "mark=create:a:3",
        "mark=create",
        "mark=delete:a",
    ],
)
def test_malformed(text: str) -> None:
    """A mark of no token, or of a form that none has, makes the record none."""
    with pytest.raises(ValueError, match=r"."):
        read(f"tooken-ci/1 workspace=a {text}")


def test_what_fits_is_left_as_it_is() -> None:
    """Where there is room every mark keeps its run and its time."""
    of = record(mark(3, seconds=3600), mark(4))
    text = fitted(of, LIMIT)
    assert read(text) == of
    assert fitted(of, len(text)) == text


def test_the_oldest_gives_way_first() -> None:
    """Where there is not, the oldest marks lose run and time, as many as need be, and stay marks."""
    older, oldest, newest = mark(4, seconds=300), mark(3, seconds=3600), mark(6)
    of = record(older, oldest, newest)
    assert len(of.to_text(short=True)) > LIMIT
    found = read(fitted(of, LIMIT))
    assert found == dataclasses.replace(of, marks=(older, oldest.aged, newest))
    found = read(fitted(dataclasses.replace(of, marks=(older, oldest, mark(5, seconds=240), newest)), LIMIT))
    assert found.marks == (older.aged, oldest.aged, mark(5).aged, newest)


def test_young_marks_and_the_newest_do_not_give_way() -> None:
    """A mark of a run that may still be at work stays whole, even if the record then does not fit."""
    of = record(*(mark(number, seconds=179) for number in (3, 4, 5)), mark(6))
    with pytest.raises(TooLongError) as caught:
        fitted(of, LIMIT)
    assert caught.value.over == len(of.to_text(short=True)) - LIMIT


def test_rotate_marks_stay() -> None:
    """That a secret may be dead is told however old the mark is; twice the same is told once."""
    rotates = [mark(2, seconds=ago, run=f"run-{ago}", kind=MarkKind.ROTATE) for ago in (5400, 3600, 1800)]
    found = read(fitted(record(*rotates, mark(2, kind=MarkKind.ROTATE)), LIMIT))
    assert found.marks[0] == rotates[0].aged
    assert found.marks[-1] == mark(2, kind=MarkKind.ROTATE)
    assert all(one.kind is MarkKind.ROTATE for one in found.marks)


@given(
    made=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 600), st.sampled_from(MarkKind)), max_size=7),
    length=st.integers(1, 90),
    limit=st.integers(60, 400),
    held=st.booleans(),
)
@settings(deadline=None)
def test_nothing_is_forgotten(made: list[tuple[int, int, MarkKind]], length: int, limit: int, *, held: bool) -> None:
    """What fits tells the same names and kinds, and the run and time of all that is young; the rest does not fit."""
    entry = "n" * length
    marks = [mark(number, seconds=ago, kind=kind, entry=entry) for number, ago, kind in made]
    of = record(*marks, mark(7, entry=entry), entry=entry, held=held)
    old = [AT - one.at >= dt.timedelta(minutes=3) for one in of.marks]
    try:
        text = fitted(of, limit)
    except TooLongError:
        aged = dict.fromkeys(one.aged if is_old else one for one, is_old in zip(of.marks, old, strict=True))
        assert len(dataclasses.replace(of, marks=tuple(aged)).to_text(short=True)) > limit
        return
    assert len(text) <= limit
    found = read(text)
    assert (found.workspace, found.held) == (of.workspace, of.held)
    assert {one.aged for one in found.marks} == {one.aged for one in of.marks}
    assert found.marks[-1] == of.marks[-1]
    assert {one for one, is_old in zip(of.marks, old, strict=True) if not is_old} <= set(found.marks)


@given(st.text("abc.-é", min_size=1, max_size=90), st.text("abc é", min_size=1, max_size=60), st.integers(1, 12))
@settings(deadline=None)
def test_enough_room(entry: str, workspace: str, number: int) -> None:
    """Where the first mark finds enough room, the delivery, the next mark, and one after a run that died do as well."""
    first = DeliveryRecord(workspace=workspace, marks=(mark(number, entry=entry, seconds=3600),))
    if lacking(first, LIMIT):
        with pytest.raises(TooLongError):
            fitted(_after_a_death(first, number), LIMIT - lacking(first, LIMIT) - 20)
        return
    fitted(first, LIMIT)
    fitted(_after_a_death(first, number), LIMIT)


def _after_a_death(first: DeliveryRecord, number: int) -> DeliveryRecord:
    name = first.marks[0].name
    entry = naming.split(name)[0]
    held = Held(id="tok_" + 24 * "x", name=name, at=AT, fingerprint="0123456789abcdef")
    marks = (mark(number + 1, entry=entry, seconds=1800), mark(number + 2, entry=entry))
    return dataclasses.replace(first, held=held, marks=marks)


def test_how_much_is_lacking() -> None:
    """What is lacking is told in characters, so that people know how much shorter a name must be."""
    long = DeliveryRecord(workspace="production", marks=(dataclasses.replace(MARK, name="n" * 90),))
    over = lacking(long, LIMIT)
    assert over > 0
    assert lacking(dataclasses.replace(long, marks=(dataclasses.replace(MARK, name="n" * (90 - over)),)), LIMIT) == 0
    assert lacking(dataclasses.replace(long, marks=(dataclasses.replace(MARK, name="n" * (91 - over)),)), LIMIT) == 1
