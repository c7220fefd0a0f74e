"""The delivery record: one line that survives any name, and that is refused where it is not whole."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooken_ci.base.record import DeliveryRecord, Held, Look, Mark, MarkKind, NewerRecordError, State

AT = dt.datetime(2026, 11, 23, 19, 20, 15, tzinfo=dt.UTC)
HELD = Held(id="tok_a1b2c3d4e5f6a7b8c9d0e1f2", name="ci-deploy.g2", at=AT, fingerprint="0123456789abcdef")
MARK = Mark(kind=MarkKind.CREATE, name="ci-deploy.g3", run="5f0c9a1b22d4", at=AT + dt.timedelta(days=30))
RECORD = DeliveryRecord(workspace="production", held=HELD, marks=(MARK,))
TEXT = (
    "tooken-ci/1 workspace=production id=tok_a1b2c3d4e5f6a7b8c9d0e1f2 name=ci-deploy.g2 at=20261123T192015Z "
    "fingerprint=0123456789abcdef mark=create:ci-deploy.g3:5f0c9a1b22d4:20261223T192015Z"
)

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(":@= /%\n"))
INSTANTS = st.integers(10**9, 7 * 10**9).map(lambda second: dt.datetime.fromtimestamp(second, tz=dt.UTC))
MARKS = st.builds(Mark, kind=st.sampled_from(MarkKind), name=ANY_TEXT, run=ANY_TEXT, at=INSTANTS)
HELDS = st.builds(
    Held, id=ANY_TEXT, name=ANY_TEXT, at=INSTANTS, fingerprint=st.text("0123456789abcdef", min_size=16, max_size=16)
)
RECORDS = st.builds(
    DeliveryRecord, workspace=ANY_TEXT, held=st.none() | HELDS, marks=st.lists(MARKS, max_size=3).map(tuple)
)


def test_format() -> None:
    """The line is exactly as it is documented: later versions must read what this one wrote."""
    assert RECORD.to_text() == TEXT
    assert DeliveryRecord.parse(f"{TEXT}\n") == RECORD


@given(RECORDS)
@settings(deadline=None)
def test_round_trip(record: DeliveryRecord) -> None:
    """Any names, workspaces and marks survive being written and read, in the characters that every store takes."""
    text = record.to_text()
    assert DeliveryRecord.parse(text) == record
    assert DeliveryRecord.parse(f"\n {text} \n") == record
    assert re.fullmatch(r"[A-Za-z0-9/=._:@ -]+", text)


@given(st.text() | st.text("tooken-ci/1 workspace=id:@mark\n"))
@settings(deadline=None)
def test_any_text(text: str) -> None:
    """Whatever stands there is a record or is refused as none; a record that is read is written the same."""
    try:
        record = DeliveryRecord.parse(text)
    except ValueError:
        return
    assert DeliveryRecord.parse(record.to_text()) == record


def test_length() -> None:
    """A record with the longest usual names and two marks fits the narrowest store, 255 characters."""
    held = dataclasses.replace(HELD, name="integration-test-runner.g12")
    marks = (dataclasses.replace(MARK, name="integration-test-runner.g13"),)
    assert len(DeliveryRecord(workspace="production", held=held, marks=marks).to_text()) < 255
    assert len(RECORD.marked(dataclasses.replace(MARK, name="ci-deploy.g4")).to_text()) < 255


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tok_0123456789abcdef",
        "tooken-ci/",
        "tooken-ci/0 workspace=a",
        "tooken-ci/01 workspace=a",
        "tooken-ci/x workspace=a",
        "tooken-ci/1workspace=a",
        "tooken-ci/1",
        "tooken-ci/1 id=a name=b at=20261123T192015Z fingerprint=0123456789abcdef",
        "tooken-ci/1 workspace=a id=b",
        "tooken-ci/1 workspace=a id=b name=c at=20261123T192015Z",
        "tooken-ci/1 workspace=a name=c at=20261123T192015Z fingerprint=0123456789abcdef",
        TEXT.replace("20261123", "20261323"),
        TEXT.replace("20261123T192015Z", "yesterday"),
        TEXT.replace("0123456789abcdef", "0123456789ABCDEF"),
        TEXT.replace("0123456789abcdef", "0123456789abcde"),
        TEXT.replace("create", "delete"),
        TEXT.replace(":5f0c9a1b22d4", ""),
        TEXT.replace("mark=", "mark"),
        TEXT.replace(" id=", "  id="),
        TEXT.replace(" id=", "\nid="),
        f"{TEXT} more",
        f"{TEXT} color=blue",
        f"{TEXT} workspace=other",
        f"{TEXT}\n{TEXT}",
        "tooken-ci/1 workspace=a@ff",
        "tooken-ci/1 workspace=ü",
    ],
)
def test_malformed(text: str) -> None:
    """What is cut, mixed up, repeated or foreign is no record, and is not taken for a newer one either."""
    with pytest.raises(ValueError, match=r".") as caught:
        DeliveryRecord.parse(text)
    assert not isinstance(caught.value, NewerRecordError)


@pytest.mark.parametrize("text", ["tooken-ci/2", "tooken-ci/2 {ü}", "tooken-ci/17 workspace=a id=b"])
def test_newer(text: str) -> None:
    """A later format is told apart from damage: it must not be replaced."""
    with pytest.raises(NewerRecordError, match="newer tooken-ci"):
        DeliveryRecord.parse(text)


def test_marks() -> None:
    """A mark is added after the others; a run takes only its own marks back."""
    other = dataclasses.replace(MARK, run="other")
    both = RECORD.marked(other)
    assert both.marks == (MARK, other)
    assert both.without_marks_of("other") == RECORD
    assert both.without_marks_of(MARK.run).marks == (other,)
    assert both.held == HELD


@pytest.mark.parametrize(("seconds", "young"), [(0, True), (179, True), (180, False), (3600, False), (-60, True)])
def test_young(seconds: int, *, young: bool) -> None:
    """A mark is young until the grace has passed, and while it is ahead of the clock; without a grace none is."""
    now = MARK.at + dt.timedelta(seconds=seconds)
    assert MARK.young(now, dt.timedelta(minutes=3)) is young
    assert not MARK.young(now, dt.timedelta(0))


def test_look() -> None:
    """Only a look that says ``holds`` tells whose secret stands there; any record tells whom it names and its marks."""
    holds = Look(state=State.HOLDS, record=RECORD)
    absent = Look(state=State.ABSENT, record=RECORD)
    assert (holds.held, holds.recorded, holds.marks) == (HELD, HELD, (MARK,))
    assert (absent.held, absent.recorded, absent.marks) == (None, HELD, (MARK,))
    nothing = Look(state=State.UNKNOWN)
    assert (nothing.held, nothing.recorded, nothing.marks) == (None, None, ())
