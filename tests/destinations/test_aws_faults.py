"""Requests to AWS that fail, or seem to: what is tried again, what is lost, and what surely was not done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.aws_support import AwsPlace, deliver, place
from tests.destinations.support import OTHER, SECRET, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import aws_api, aws_delivery, aws_session, aws_store, timing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Gate

MOVE, PUT = "UpdateSecretVersionStage", "PutSecretValue"
UNCLEAR = [
    {"how": "status", "status": 500},
    {"how": "status", "status": 503, "code": "ServiceUnavailable"},
    {"how": "reset"},
    {"how": "garbage"},
]


@pytest.fixture
def stored(aws: Gate) -> Iterator[AwsPlace]:
    """Gives a JSON secret in which a token was delivered."""
    with place(aws, json.dumps({"user": "shop"})) as opened:
        deliver(opened.open(key="token"))
        del aws.log[:]
        yield opened


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has tries follow each other at once."""
    monkeypatch.setattr(timing, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(aws_delivery, "_PAUSES", (0.01,))
    monkeypatch.setattr(aws_store, "_PAUSES", (0.01, 0.01))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has no answer waited for longer than two seconds."""
    monkeypatch.setattr(aws_session, "READ", 2.0)


def refused(opened: AwsPlace, *, key: str = "token") -> DestinationError:
    """The error of a write."""
    with pytest.raises(DestinationError) as caught:
        opened.open(**({"key": key} if key else {})).write(Secret(OTHER))
    assert OTHER not in caught.value.message
    return caught.value


def ids(fault: dict[str, Any]) -> str:
    return f"{fault['how']}-{fault.get('status', '')}"


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "done"])
@pytest.mark.parametrize("fault", UNCLEAR, ids=ids)
@pytest.mark.parametrize("operation", [PUT, MOVE, "GetSecretValue", "DescribeSecret"])
def test_a_fault_in_the_middle_of_a_write(
    stored: AwsPlace, operation: str, fault: dict[str, Any], *, done: bool
) -> None:
    """A single fault is overcome, whether or not the request was done; nothing is done twice."""
    stored.aws.fault(operation, done=done, **fault)
    destination = stored.open(key="token")
    destination.write(Secret(OTHER))
    assert stored.keys() == {"user": "shop", "token": OTHER}
    assert destination.holds(Secret(OTHER)) is True
    assert stored.stages() == [["AWSCURRENT"], ["AWSPREVIOUS"]]


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "done"])
@pytest.mark.parametrize("fault", UNCLEAR[:-1], ids=ids)
def test_a_fault_while_a_record_is_written(stored: AwsPlace, fault: dict[str, Any], *, done: bool) -> None:
    """A record or a mark is set again, which is harmless."""
    stored.aws.fault("TagResource", done=done, **fault)
    stored.open(key="token").write_record(record(of=held(), marks=(mark(),)))
    assert stored.tags() == {"tooken-ci:token": record(of=held(), marks=(mark(),)).to_text()}
    assert stored.aws.log.count("TagResource") == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("operation", [PUT, MOVE])
def test_an_answer_that_never_comes(stored: AwsPlace, operation: str) -> None:
    """What was done although its answer never came is found out."""
    stored.aws.fault(operation, "hang", done=True)
    stored.open(key="token").write(Secret(OTHER))
    assert stored.keys() == {"user": "shop", "token": OTHER}
    assert stored.stages() == [["AWSCURRENT"], ["AWSPREVIOUS"]]


@pytest.mark.parametrize("status", [429, 400])
def test_too_many_requests(stored: AwsPlace, status: int) -> None:
    """A request that was too many is sent again, after the time that AWS asks for."""
    throttled: dict[str, Any] = {"status": status, "code": "ThrottlingException", "text": "Rate exceeded"}
    for operation in ("DescribeSecret", PUT, MOVE, "TagResource"):
        stored.aws.fault(operation, headers={"Retry-After": "0.1"}, **throttled)
    deliver(stored.open(key="token"), "tok_next", OTHER)
    assert stored.open(key="token").look().held == held("tok_next", OTHER)


@pytest.mark.parametrize("operation", ["DescribeSecret", PUT, MOVE])
def test_a_wait_that_is_too_long(stored: AwsPlace, operation: str) -> None:
    """AWS is not waited for longer than a write may take; nothing was written, and it is sure."""
    throttled: dict[str, Any] = {"status": 429, "code": "ThrottlingException", "text": "Rate exceeded"}
    stored.aws.fault(operation, headers={"Retry-After": "3600"}, times=99, **throttled)
    error = refused(stored)
    assert "ThrottlingException" in error.message
    assert error.surely_refused
    assert stored.keys() == {"user": "shop", "token": SECRET}


@pytest.mark.parametrize("operation", ["DescribeSecret", "GetSecretValue", PUT, MOVE])
def test_a_refusal(stored: AwsPlace, operation: str) -> None:
    """What is not allowed is not tried again; it names the permission, and surely nothing is read by consumers."""
    versions = stored.aws.stages(stored.name)
    stored.aws.refuse(operation, "AccessDeniedException", f"User x is not authorized: {OTHER}", times=1)
    error = refused(stored)
    assert error.surely_refused
    assert error.hint == f"Allow secretsmanager:{operation} on the secret."
    assert stored.aws.stages(stored.name) == versions
    assert stored.keys() == {"user": "shop", "token": SECRET}


def test_a_version_that_cannot_be_proven(stored: AwsPlace) -> None:
    """A new version that cannot be read back is never made current, and loses its label."""
    versions = stored.aws.stages(stored.name)
    stored.aws.refuse("GetSecretValue", "DecryptionFailure", after=1)
    error = refused(stored)
    assert error.surely_refused
    assert stored.aws.stages(stored.name) == versions


@pytest.mark.parametrize("fault", UNCLEAR, ids=ids)
def test_a_put_that_keeps_failing(stored: AwsPlace, fault: dict[str, Any]) -> None:
    """Whether or not the version is there, no consumer reads it: it is sure, and no label is left."""
    versions = stored.aws.stages(stored.name)
    stored.aws.fault(PUT, done=True, times=99, **fault)
    assert refused(stored).surely_refused
    assert stored.aws.stages(stored.name) == versions
    assert stored.keys() == {"user": "shop", "token": SECRET}


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "done"])
def test_a_first_version_that_keeps_failing(aws: Gate, *, done: bool) -> None:
    """The first version of a secret is current at once, so nobody knows what consumers read."""
    with place(aws) as opened:
        aws.fault(PUT, done=done, times=99)
        assert not refused(opened, key="").surely_refused


def test_a_first_version_that_is_refused(aws: Gate) -> None:
    """Where AWS refuses even the first version, it is sure."""
    with place(aws) as opened:
        aws.refuse(PUT, "EncryptionFailure")
        error = refused(opened, key="")
        assert error.surely_refused
        assert "kms:GenerateDataKey" in error.hint


def test_a_first_version_that_was_lost_and_then_refused(aws: Gate) -> None:
    """A refusal after a lost answer does not tell what became of the try before."""
    with place(aws) as opened:
        aws.fault(PUT, "reset", done=True)
        aws.refuse(PUT, "LimitExceededException", after=0)
        assert not refused(opened, key="").surely_refused


def test_a_move_that_keeps_failing(stored: AwsPlace) -> None:
    """As long as a move may still come to pass it is not sure, although it is not seen."""
    stored.aws.fault(MOVE, times=99)
    assert not refused(stored).surely_refused
    assert stored.keys() == {"user": "shop", "token": SECRET}


def test_a_move_after_which_nothing_is_known(stored: AwsPlace) -> None:
    """Where it cannot be asked how a move ended, it may have happened."""
    stored.aws.fault(MOVE, "reset", done=True)
    stored.aws.refuse("DescribeSecret", "AccessDeniedException", after=1)
    error = refused(stored)
    assert not error.surely_refused
    assert f"The answer to {MOVE}" in error.message
    assert stored.keys() == {"user": "shop", "token": OTHER}


def test_a_move_that_was_lost_and_then_refused(stored: AwsPlace) -> None:
    """A refusal after a lost answer does not make it sure."""
    stored.aws.fault(MOVE, "reset")
    stored.aws.refuse(MOVE, "AccessDeniedException", times=1)
    assert not refused(stored).surely_refused


def test_somebody_elses_change_is_not_lost(stored: AwsPlace) -> None:
    """Another key that is changed between reading and writing keeps its new value."""
    stored.aws.fault(MOVE, "call", call=lambda: stored.aws.edit(stored.name, '{"user": "new", "token": null}'))
    stored.open(key="token").write(Secret(OTHER))
    assert stored.keys() == {"user": "new", "token": OTHER}
    assert stored.aws.log.count(PUT) == 2
    assert stored.stages() == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_somebody_who_never_stops(stored: AwsPlace) -> None:
    """After a few tries a write gives up, surely without having written."""
    numbers = iter(range(99))
    stored.aws.fault(
        MOVE, "call", times=99, call=lambda: stored.aws.edit(stored.name, json.dumps({"user": next(numbers)}))
    )
    error = refused(stored)
    assert "was changed by somebody else during each of 5 tries" in error.message
    assert error.surely_refused
    assert "token" not in stored.keys()  # noqa: SIM118 - a method of ours


def test_a_change_after_a_move_that_was_lost(stored: AwsPlace) -> None:
    """Where the move was done, its answer lost, and somebody wrote over it, the write begins again on theirs."""
    stored.aws.fault(MOVE, "reset", done=True)
    stored.aws.fault("DescribeSecret", "call", after=1, call=lambda: stored.aws.edit(stored.name, '{"user": "new"}'))
    stored.open(key="token").write(Secret(OTHER))
    assert stored.keys() == {"user": "new", "token": OTHER}


def test_two_programs_at_one_secret(aws: Gate, stored: AwsPlace) -> None:
    """Another program that writes another key in between loses nothing, and neither do we."""
    other = AwsPlace(aws, made=False)
    other.name = stored.name
    stored.aws.fault(MOVE, "call", call=lambda: deliver(other.open(key="other"), "tok_other"))
    deliver(stored.open(key="token"), "tok_next", OTHER)
    other.close()
    assert stored.keys() == {"user": "shop", "token": OTHER, "other": SECRET}
    looks = stored.kind.look([stored.target(key="token"), stored.target(key="other")])
    assert [look.held for look in looks] == [held("tok_next", OTHER), held("tok_other")]


def test_what_is_read_back_late(stored: AwsPlace) -> None:
    """Until everybody sees the new version, reading back is patient; it does not take the old one for a failure."""
    destination = stored.open(key="token")
    destination.write(Secret(OTHER))
    destination._written = "tooken-ci-not-yet-seen-by-this-part-of-aws"
    stored.aws.edit(stored.name, json.dumps({"token": SECRET}))
    late = json.dumps({"token": OTHER})
    stored.aws.fault("GetSecretValue", "call", after=1, call=lambda: stored.aws.edit(stored.name, late))
    assert destination.holds(Secret(OTHER)) is True
    destination._written = ""
    assert destination.holds(Secret(SECRET)) is False


def test_reading_back_fails(stored: AwsPlace) -> None:
    """A read that fails after a write does not make the write undone."""
    destination = stored.open(key="token")
    destination.write(Secret(OTHER))
    stored.aws.refuse("GetSecretValue", "AccessDeniedException")
    with pytest.raises(DestinationError) as caught:
        destination.holds(Secret(OTHER))
    assert not caught.value.surely_refused


def test_a_record_that_is_not_kept(stored: AwsPlace) -> None:
    """Tags that are not there when they are read again are an error, and not taken for nothing having happened."""
    stored.aws.fault(
        "DescribeSecret",
        "call",
        times=9,
        call=lambda: stored.aws.direct.untag_resource(SecretId=stored.name, TagKeys=["tooken-ci:token"]),
    )
    with pytest.raises(DestinationError, match="is not what its tags say") as caught:
        stored.open(key="token").write_record(record(of=held()))
    assert not caught.value.surely_refused


def test_a_record_that_a_proxy_took(stored: AwsPlace) -> None:
    """AWS answers nothing to tags that were set, so that anybody's page looks like it; reading back tells."""
    stored.aws.fault("TagResource", "garbage")
    with pytest.raises(DestinationError, match="is not what its tags say"):
        stored.open(key="token").write_record(record(of=held(), marks=(mark(),)))


def test_a_tag_that_is_refused(stored: AwsPlace) -> None:
    """A mark that may not be set is the first to tell that the secret cannot be written."""
    stored.aws.refuse("TagResource", "AccessDeniedException")
    with pytest.raises(DestinationError) as caught:
        stored.open(key="token").write_record(record(of=held(), marks=(mark(),)))
    assert caught.value.hint == "Allow secretsmanager:TagResource on the secret."
    assert caught.value.surely_refused


@pytest.mark.parametrize("fault", UNCLEAR, ids=ids)
def test_a_look_at_a_store_that_keeps_failing(stored: AwsPlace, fault: dict[str, Any]) -> None:
    """A look asks a few times, and then says why it does not know."""
    stored.aws.fault("DescribeSecret", times=99, **fault)
    look = stored.open(key="token").look()
    assert look.state is State.UNKNOWN
    assert "DescribeSecret" in look.reason
    assert stored.aws.log.count("DescribeSecret") == 5


def test_a_version_that_is_not_seen_at_once(stored: AwsPlace) -> None:
    """A new version that a part of AWS does not know yet is asked for again."""
    stored.aws.refuse("GetSecretValue", "ResourceNotFoundException", after=1, times=1)
    stored.open(key="token").write(Secret(OTHER))
    assert stored.keys() == {"user": "shop", "token": OTHER}


def test_a_version_that_is_another(stored: AwsPlace) -> None:
    """Where not what was given is read back, it is never made current."""

    def meddle() -> None:
        stored.aws.direct.put_secret_value(
            SecretId=stored.name,
            SecretString="{}",
            VersionStages=["AWSPENDING"],
            ClientRequestToken=stored.aws.bodies[-1]["VersionId"],
        )

    stored.aws.fault("GetSecretValue", "call", after=1, call=meddle)
    error = refused(stored)
    assert "is not what it was given" in error.message
    assert error.surely_refused
    assert stored.keys() == {"user": "shop", "token": SECRET}


def test_no_time_left(stored: AwsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request begins that might end after the time that a write may take."""
    monkeypatch.setattr(timing, "LONGEST_WRITE", aws_api.LONGEST_TRY / 2)
    with pytest.raises(DestinationError) as caught:
        stored.open(key="token").write_record(record(of=held()))
    assert "no time left for TagResource" in caught.value.message
    assert refused(stored).surely_refused
    assert stored.aws.log == []


def test_another_delivery_that_takes_too_long(stored: AwsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that another entry of the run is writing to is not waited for for ever."""
    monkeypatch.setattr(timing, "LONGEST_WRITE", aws_api.LONGEST_TRY + 0.1)
    with stored.kind._shared().writing(stored.open(key="token")._spot):
        error = refused(stored)
    assert "other deliveries to the secret" in error.message
    assert error.surely_refused
