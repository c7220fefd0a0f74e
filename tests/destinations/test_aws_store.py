"""The life of a secret in AWS Secrets Manager, and everything there that is not as it should be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.aws_support import AwsPlace, deliver, long_record, place, states
from tests.destinations.support import OTHER, SECRET, held, mark, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws import Gate

KEPT = '{\n  "user": "shop",\n  "port": 5432\n}'


@pytest.fixture
def empty(aws: Gate) -> Iterator[AwsPlace]:
    """Gives a secret that never had a value."""
    with place(aws) as opened:
        yield opened


@pytest.fixture
def stored(aws: Gate) -> Iterator[AwsPlace]:
    """Gives a JSON secret with keys of somebody else's."""
    with place(aws, KEPT) as opened:
        yield opened


def test_the_life_of_a_whole_secret(empty: AwsPlace) -> None:
    """A secret and its successor are delivered; the record names each, and the one before stays as the previous."""
    destination = empty.open()
    destination.check()
    deliver(destination)
    assert empty.read() == SECRET
    assert empty.tags() == {"tooken-ci": record(of=held()).to_text()}
    assert empty.stages() == [["AWSCURRENT"]]

    deliver(destination, "tok_next", OTHER)
    look = destination.look()
    assert (look.state, look.held) == (State.HOLDS, held("tok_next", OTHER))
    assert empty.read() == OTHER
    assert empty.stages() == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_the_steps_of_a_write(stored: AwsPlace) -> None:
    """The new version is pending until it was read back, and only then it is what consumers read."""
    destination = stored.open(key="token")
    del stored.aws.log[:]
    destination.write(Secret(SECRET))
    assert stored.aws.log == [
        "DescribeSecret",
        "GetSecretValue",
        "PutSecretValue",
        "GetSecretValue",
        "UpdateSecretVersionStage",
        "UpdateSecretVersionStage",
    ]
    put = stored.aws.bodies[2]
    assert put["VersionStages"] == ["AWSPENDING"]
    before = stored.aws.bodies[4]["RemoveFromVersionId"]
    assert stored.aws.bodies[3]["VersionId"] == put["ClientRequestToken"] == stored.aws.bodies[4]["MoveToVersionId"]
    assert stored.aws.stages(stored.name) == {put["ClientRequestToken"]: ["AWSCURRENT"], before: ["AWSPREVIOUS"]}


def test_a_key_is_written_and_the_others_are_kept(stored: AwsPlace) -> None:
    """What stands beside the key stays as it is, also in its form."""
    deliver(stored.open(key="token"))
    assert stored.read() == KEPT[:-2] + f', "token": "{SECRET}"\n}}'
    deliver(stored.open(key="token"), "tok_next", OTHER)
    assert stored.read() == KEPT[:-2] + f', "token": "{OTHER}"\n}}'


def test_a_second_write_of_the_same(stored: AwsPlace) -> None:
    """What stands there already is not stored again."""
    destination = stored.open(key="token")
    destination.write(Secret(SECRET))
    versions = stored.aws.stages(stored.name)
    del stored.aws.log[:]
    destination.write(Secret(SECRET))
    assert "PutSecretValue" not in stored.aws.log
    assert stored.aws.stages(stored.name) == versions


def test_several_keys_are_looked_at_together(stored: AwsPlace) -> None:
    """However many keys of a secret the entries deliver to, a look costs two requests."""
    targets = [stored.target(key=key) for key in ("one", "two", "three")]
    assert len({target.group for target in targets}) == 1
    deliver(stored.open(key="one"))
    deliver(stored.open(key="two"), "tok_next", OTHER)
    del stored.aws.log[:]
    looks = list(stored.kind.look(targets))
    assert stored.aws.log == ["DescribeSecret", "GetSecretValue"]
    assert states(looks) == ["holds", "holds", "absent"]
    assert [look.held for look in looks] == [held(), held("tok_next", OTHER), None]
    assert stored.keys() == {"user": "shop", "port": 5432, "one": SECRET, "two": OTHER}


def test_keys_delivered_side_by_side(stored: AwsPlace) -> None:
    """Entries that deliver to one secret at the same time overwrite neither each other's key nor record."""
    secrets = {f"key-{number}": f"tok_secret_{number:010}" for number in range(6)}

    def serve(key: str) -> None:
        deliver(stored.open(key=key), f"tok_{key}", secrets[key])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(serve, secrets))

    assert stored.keys() == {"user": "shop", "port": 5432, **secrets}
    looks = stored.kind.look([stored.target(key=key) for key in secrets])
    assert [look.held for look in looks] == [held(f"tok_{key}", secret) for key, secret in secrets.items()]


def test_a_long_record_and_then_a_short_one(empty: AwsPlace) -> None:
    """A record that needs several tags is kept whole; a shorter one after it removes what is left over."""
    empty.tag(team="shop")
    destination = empty.open()
    destination.write_record(long_record(4))
    assert destination.look().record == long_record(4)
    assert len(empty.tags()) == 5
    destination.write_record(record(of=held()))
    assert empty.tags() == {"team": "shop", "tooken-ci": record(of=held()).to_text()}


def test_tags_that_may_not_be_removed(empty: AwsPlace) -> None:
    """Where UntagResource is not allowed the record that was set counts all the same."""
    empty.aws.refuse("UntagResource", "AccessDeniedException")
    destination = empty.open()
    destination.write_record(long_record(4))
    destination.write_record(record(marks=(mark(),)))
    assert destination.look().record == record(marks=(mark(),))
    assert len(empty.tags()) == 4


def test_a_name_of_other_letters(empty: AwsPlace) -> None:
    """A record whose names need escapes is within what AWS takes."""
    destination = empty.open(key="ключ / 1")
    destination.write_record(record(workspace="Produktion, Süd", marks=(mark(),)))
    assert destination.look().record == record(workspace="Produktion, Süd", marks=(mark(),))


def test_by_arn(stored: AwsPlace) -> None:
    """The secret is found by its ARN too."""
    arn = stored.aws.direct.describe_secret(SecretId=stored.name)["ARN"]
    deliver(stored.open(name=arn, key="token"))
    assert stored.open(key="token").look().held == held()


@pytest.mark.parametrize("key", ["", "token"])
def test_a_secret_that_is_made(aws: Gate, key: str) -> None:
    """With ``create`` the first mark makes the secret, without a value; nothing is made before."""
    settings: dict[str, Any] = {"create": True, **({"key": key} if key else {})}
    with place(aws, made=False) as missing:
        destination = missing.open(**settings)
        destination.check()
        assert destination.look().empty
        assert destination.holds(Secret(SECRET)) is False
        assert "CreateSecret" not in aws.log
        destination.write_record(record(marks=(mark(),)))
        assert missing.stages() == []
        deliver(destination)
        assert missing.read() == (json.dumps({"token": SECRET}) if key else SECRET)
        assert destination.look().held == held()
        assert aws.log.count("CreateSecret") == 1


def test_a_secret_that_somebody_else_made_meanwhile(aws: Gate) -> None:
    """Two entries that make one secret both get their records there."""
    with place(aws, made=False) as missing:
        aws.fault("CreateSecret", "call", call=lambda: aws.direct.create_secret(Name=missing.name))
        missing.open(create=True).write_record(record(marks=(mark(),)))
        assert missing.tags() == {"tooken-ci": record(marks=(mark(),)).to_text()}


def test_values_that_are_read_are_secrets(aws: Gate) -> None:
    """Whatever stands in the secret is known to the redactor from the look on."""
    old = "plainly-fake-older-secret"
    with place(aws, json.dumps({"token": old})) as opened:
        opened.open(key="token").look()
        assert old not in redactor.clean(f"see {old}")


def broken(aws: Gate, opened: AwsPlace, how: str) -> None:
    """Has something be wrong with a secret."""
    if how == "deleted":
        aws.direct.delete_secret(SecretId=opened.name)
    elif how == "binary":
        aws.direct.put_secret_value(SecretId=opened.name, SecretBinary=b"\x00\x01")
    elif how == "gone":
        aws.direct.delete_secret(SecretId=opened.name, ForceDeleteWithoutRecovery=True)
    elif how == "kms":
        aws.refuse("GetSecretValue", "AccessDeniedException", "Access to KMS is not allowed")
    elif how == "decryption":
        aws.refuse("GetSecretValue", "DecryptionFailure", "KMS key is disabled")
    elif how == "describe":
        aws.refuse("DescribeSecret", "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized")
    elif how == "signature":
        aws.refuse("DescribeSecret", "UnrecognizedClientException", "The security token is invalid.")
    elif how == "hostile":
        aws.refuse("DescribeSecret", "Odd\n::error::x", "no\n::add-mask::y \x1b[31m")
    elif how == "redirect":
        aws.fault("DescribeSecret", "redirect", times=9)


@pytest.mark.parametrize(
    ("how", "key", "told", "remedy"),
    [
        ("deleted", "", "is scheduled for deletion on 20", "restore-secret"),
        ("binary", "", "is binary", "is text"),
        ("binary", "token", "is binary", "is text"),
        ("gone", "", "there is no secret 'test/", "create: true"),
        ("kms", "", "refused GetSecretValue, 'AccessDeniedException': Access to KMS", "kms:Decrypt"),
        ("decryption", "", "'DecryptionFailure': KMS key is disabled", "kms:Decrypt"),
        ("describe", "", "refused DescribeSecret, 'AccessDeniedException': User", "secretsmanager:DescribeSecret"),
        ("signature", "", "'UnrecognizedClientException'", "Check the credentials"),
        ("hostile", "", r"'Odd\x0a': no\x0a::add-mask::y \x1b[31m", ""),
        ("redirect", "", "refused DescribeSecret, '302'", ""),
    ],
)
def test_what_cannot_be_asked(stored: AwsPlace, how: str, key: str, told: str, remedy: str) -> None:
    """A secret that cannot be used is unknown to a look and an error of a check, with what to do."""
    broken(stored.aws, stored, how)
    destination = stored.open(**({"key": key} if key else {}))
    look = destination.look()
    assert look.state is State.UNKNOWN
    with pytest.raises(DestinationError) as caught:
        destination.check()
    for text in (look.reason, f"{caught.value.message} {caught.value.hint}"):
        assert told in text
        assert remedy in text
        assert "\n" not in text
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    assert destination.fetch(held()) is None
    assert not {"PutSecretValue", "TagResource", "CreateSecret"} & set(stored.aws.log)


@pytest.mark.parametrize("text", ["tok_secret_0123456789", "[1]", '{"token": 1, "token": 2}'])
def test_a_key_where_there_is_no_object(aws: Gate, text: str) -> None:
    """What is no JSON object, or has a key twice, gets no key; the error does not show it."""
    with place(aws, text) as opened:
        destination = opened.open(key="token")
        look = destination.look()
        assert look.state is State.UNKNOWN
        assert "has no key 'token' to write" in look.reason
        assert text not in look.reason
        for step in (destination.check, lambda: destination.write(Secret(SECRET))):
            with pytest.raises(DestinationError, match=r"it is (not )?a JSON object"):
                step()
        assert opened.read() == text


def test_a_secret_that_is_full(aws: Gate) -> None:
    """A JSON secret without room for another value is told before anything is written."""
    with place(aws, json.dumps({"a": "x" * 65_500})) as opened:
        with pytest.raises(DestinationError, match="too large to take another value"):
            opened.open(key="token").check()
        with pytest.raises(DestinationError, match="would have more than 65536 bytes") as caught:
            opened.open(key="token").write(Secret(SECRET))
        assert caught.value.surely_refused
        opened.open().check()  # as a whole it is replaced


def test_a_secret_with_many_tags(empty: AwsPlace) -> None:
    """Where the record might not find room no token is made."""
    empty.tag(**{f"tag-{number}": "x" for number in range(47)})
    with pytest.raises(DestinationError, match="47 other tags; of 50"):
        empty.open().check()
    empty.aws.direct.untag_resource(SecretId=empty.name, TagKeys=["tag-0"])
    empty.open().check()


def test_a_copy_in_another_region(aws: Gate) -> None:
    """A replica is refused with the region to name."""
    with place(aws, KEPT) as opened:
        aws.direct.replicate_secret_to_regions(SecretId=opened.name, AddReplicaRegions=[{"Region": "us-east-1"}])
        with pytest.raises(DestinationError, match="is a copy of the one in 'eu-west-1'") as caught:
            opened.open(region="us-east-1").check()
        assert "region: eu-west-1" in caught.value.hint
        opened.open().check()


def test_a_secret_of_a_service(empty: AwsPlace) -> None:
    """One that another service of AWS manages is refused."""
    empty.tag(**{"aws:secretsmanager:owningService": "rds"})
    with pytest.raises(DestinationError, match="is managed by 'rds'"):
        empty.open().check()


def pending(opened: AwsPlace, version: str, text: str = KEPT) -> None:
    opened.aws.direct.put_secret_value(
        SecretId=opened.name, SecretString=text, VersionStages=["AWSPENDING"], ClientRequestToken=version
    )


def test_a_rotation_under_way(stored: AwsPlace) -> None:
    """The label of a rotation that is not ours is never taken from it."""
    pending(stored, "rotation-" + "0" * 32)
    destination = stored.open(key="token")
    for step in (destination.check, lambda: destination.write(Secret(SECRET))):
        with pytest.raises(DestinationError, match=r"a rotation of the secret .* is under way") as caught:
            step()
        assert caught.value.surely_refused
        assert "--remove-from-version-id rotation-0" in caught.value.hint
    assert stored.read() == KEPT
    assert stored.stages() == [["AWSCURRENT"], ["AWSPENDING"]]


def test_a_rotation_that_is_over(stored: AwsPlace) -> None:
    """A label that a finished rotation left on what was current does no harm."""
    move = stored.aws.direct.update_secret_version_stage
    (version,) = stored.aws.stages(stored.name)
    move(SecretId=stored.name, VersionStage="AWSPENDING", MoveToVersionId=version)
    stored.open(key="token").check()
    stored.aws.edit(stored.name, '{"user": "new"}')
    assert stored.stages() == [["AWSCURRENT"], ["AWSPENDING", "AWSPREVIOUS"]]
    deliver(stored.open(key="token"))
    assert stored.keys() == {"user": "new", "token": SECRET}


def test_what_a_dead_run_left(stored: AwsPlace) -> None:
    """A pending version of ours that never became current is taken over."""
    pending(stored, "tooken-ci-" + "0" * 32, '{"token": "plainly-fake-lost-secret"}')
    destination = stored.open(key="token")
    assert destination.look().empty
    destination.check()
    deliver(destination)
    assert stored.keys() == {"user": "shop", "port": 5432, "token": SECRET}
    assert stored.stages() == [["AWSCURRENT"], ["AWSPREVIOUS"]]
