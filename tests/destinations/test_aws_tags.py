"""How a delivery record stands in tags: short or long, and never mixed up with what an earlier one left."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.destinations.aws_support import long_record
from tests.destinations.support import held, mark
from tooken_ci.base.record import DeliveryRecord
from tooken_ci.destinations.aws_tags import (
    LONGEST_KEY,
    LONGEST_VALUE,
    ROOM,
    from_tags,
    own_tags,
    tag_key,
    to_tags,
)

ALLOWED = re.compile(r"[A-Za-z0-9 +=._:/@-]*")
RECORD_TEXT = st.text("abcXYZ0189/=._:@- ", max_size=3000).map(lambda text: f"tooken-ci/1 {text}".strip())


def test_a_short_record_is_one_tag() -> None:
    """A record that fits stands there as it is, for people to read."""
    text = DeliveryRecord(workspace="test", held=held(), marks=(mark(),)).to_text()
    assert to_tags("tooken-ci", text) == {"tooken-ci": text}
    assert from_tags("tooken-ci", {"tooken-ci": text, "team": "shop"}) == text


@pytest.mark.parametrize("marks", range(5))
def test_a_long_record(marks: int) -> None:
    """A name of 100 characters and four marks fit into the tags that are kept free, and come back."""
    text = long_record(marks).to_text()
    tags = to_tags("tooken-ci", text)
    assert len(tags) <= ROOM
    assert list(tags) == ["tooken-ci", "tooken-ci.2", "tooken-ci.3", "tooken-ci.4"][: len(tags)]
    assert (len(tags) > 1) == bool(marks)
    assert from_tags("tooken-ci", tags) == text
    assert DeliveryRecord.parse(from_tags("tooken-ci", tags)) == long_record(marks)


@given(RECORD_TEXT)
def test_every_record_comes_back(text: str) -> None:
    """Whatever its length a record fits the limits of AWS's tags, and is read as it was written."""
    tags = to_tags("tooken-ci:k", text)
    assert from_tags("tooken-ci:k", tags) == text
    assert own_tags("tooken-ci:k", tags) == set(tags)
    for key, value in tags.items():
        assert len(key) <= LONGEST_KEY
        assert len(value) <= LONGEST_VALUE
        assert ALLOWED.fullmatch(key + value)
        assert value == value.strip()


@given(RECORD_TEXT, RECORD_TEXT)
def test_what_an_earlier_record_left_is_no_part_of_a_later_one(earlier: str, later: str) -> None:
    """Tags of a longer record that were not removed change nothing about the one that was set over it."""
    tags = {**to_tags("tooken-ci", earlier), **to_tags("tooken-ci", later)}
    assert from_tags("tooken-ci", tags) == later


@pytest.mark.parametrize("missing", ["tooken-ci.2", "tooken-ci.3"])
def test_parts_that_do_not_belong_together(missing: str) -> None:
    """Where a part is gone, or is another record's, there is no record to be read."""
    tags = to_tags("tooken-ci", long_record(4).to_text())
    other = to_tags("tooken-ci", long_record(4, "y").to_text())
    for broken in (
        {key: value for key, value in tags.items() if key != missing},
        {**tags, missing: other[missing]},
        {**tags, missing: tags[missing][:-1]},
    ):
        with pytest.raises(ValueError, match="not a delivery record"):
            DeliveryRecord.parse(from_tags("tooken-ci", broken))


def test_no_tags_are_no_record() -> None:
    """Without the first tag there is no record, whatever else stands there."""
    assert from_tags("tooken-ci", {"tooken-ci.2": "2/2:01234567:x", "tooken-ci:token": "x"}) == ""


def test_keys_have_tags_of_their_own() -> None:
    """No two keys of a secret, nor a key and a later part of another's record, share a tag."""
    keys = ["", "a", "a.2", "2", "a@2e2", "a b", "a/b", "ключ"]
    texts = {key: long_record(2, letter).to_text() for key, letter in zip(keys, "abcdefgh", strict=True)}
    tags: dict[str, str] = {}
    for key, text in texts.items():
        tags |= to_tags(tag_key(key), text)
    assert {key: from_tags(tag_key(key), tags) for key in keys} == texts
    owned = [own_tags(tag_key(key), tags) for key in keys]
    assert sum(map(len, owned)) == len(tags) == len(frozenset().union(*owned))
    assert tag_key("token") == "tooken-ci:token"
    assert all(ALLOWED.fullmatch(key) for key in tags)
