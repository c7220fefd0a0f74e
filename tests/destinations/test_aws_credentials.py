"""Where the credentials for AWS come from, that nobody sees them, and what is said where there are none."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.destinations.aws_support import AwsPlace, deliver, place
from tests.destinations.support import SECRET, held
from tests.support.aws import CREDENTIALS
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import State
from tooken_ci.base.redact import redactor
from tooken_ci.base.secret import Secret
from tooken_ci.destinations import timing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.aws import Gate

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture
def opened(aws: Gate) -> Iterator[AwsPlace]:
    """Gives a secret without a value."""
    with place(aws) as made:
        yield made


@pytest.fixture
def none(monkeypatch: pytest.MonkeyPatch, opened: AwsPlace) -> AwsPlace:
    """Gives the same where the environment has no credentials."""
    for name in KEYS:
        monkeypatch.delenv(name)
    return opened


def shown(text: str) -> bool:
    return text in redactor.clean(f"see {text} there")


def test_from_the_environment(opened: AwsPlace) -> None:
    """The secret key and the session token are masked as soon as AWS is asked; the key's id is no secret."""
    opened.open().look()
    assert not shown(CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    assert not shown(CREDENTIALS["AWS_SESSION_TOKEN"])
    assert shown(CREDENTIALS["AWS_ACCESS_KEY_ID"])


def test_none_at_all(none: AwsPlace) -> None:
    """Without credentials a look and a check say what to give, and a write surely did nothing."""
    destination = none.open()
    look = destination.look()
    assert look.state is State.UNKNOWN
    assert look.reason.startswith("there are no AWS credentials. Give AWS_ACCESS_KEY_ID")
    with pytest.raises(DestinationError, match="no AWS credentials"):
        destination.check()
    with pytest.raises(DestinationError, match="no AWS credentials") as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    assert none.aws.log == []


def profile(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    path = folder / "aws-config"
    path.write_text(f"[default]\n{text}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))


def test_from_a_program(none: AwsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile's program gives credentials and region; both serve, and what it gave is masked."""
    program = tmp_path / "credentials.py"
    given = {"Version": 1, "AccessKeyId": "AKIAPLAINLYFAKE00002", "SecretAccessKey": "plainly-fake-key-of-a-program"}
    program.write_text(f"print({json.dumps(given)!r})", encoding="utf-8")
    profile(tmp_path, monkeypatch, f"region = eu-west-1\ncredential_process = {sys.executable} {program}")
    monkeypatch.delenv("AWS_REGION")
    fresh = AwsPlace(none.aws)
    deliver(fresh.open())
    assert fresh.open().look().held == held()
    assert not shown("plainly-fake-key-of-a-program")
    fresh.close()


def test_a_program_that_fails(none: AwsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a source of credentials says is passed on, and nothing was sent."""
    profile(tmp_path, monkeypatch, f'credential_process = {sys.executable} -c "import sys; sys.exit(3)"')
    with pytest.raises(DestinationError, match=r"AWS c") as caught:
        none.open().check()
    assert caught.value.surely_refused
    assert none.aws.log == []


def test_from_a_web_identity(none: AwsPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's identity is exchanged for credentials, which are masked before the first request."""
    token = tmp_path / "identity"
    token.write_text("plainly-fake-identity", encoding="utf-8")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", none.aws.moto_url)
    none.open().check()
    assert none.kind._aws is not None
    api = none.kind._aws.api("eu-west-1")
    given = api._credentials.get_frozen_credentials()
    assert given.token
    assert not shown(str(given.token))
    assert not shown(str(given.secret_key))


def test_no_region(aws: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing tells the region the error says where to tell it."""
    monkeypatch.delenv("AWS_REGION")
    with place(aws) as opened:
        with pytest.raises(DestinationError, match="in which AWS region") as caught:
            opened.open().check()
        assert "'region'" in caught.value.hint
        opened.open(region="eu-west-1").check()


def test_a_profile_that_does_not_exist(opened: AwsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt profile is told by its name."""
    monkeypatch.setenv("AWS_PROFILE", "shopp")
    with pytest.raises(DestinationError, match="shopp") as caught:
        opened.open().check()
    assert "AWS_PROFILE" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://secrets.example.com", "plain http: credentials would travel in the clear"),
        ("nonsense", "AWS cannot be asked: Invalid endpoint"),
    ],
)
def test_an_endpoint_that_is_not_used(opened: AwsPlace, monkeypatch: pytest.MonkeyPatch, url: str, told: str) -> None:
    """Nothing is sent in the clear over a network, or to what is no address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    look = opened.open().look()
    assert look.state is State.UNKNOWN
    assert told in look.reason


def test_an_endpoint_where_nobody_listens(opened: AwsPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot be reached is unknown, and took nothing."""
    monkeypatch.setattr(timing, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    destination = opened.open()
    assert "AWS could not be reached for DescribeSecret" in destination.look().reason
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    with pytest.raises(DestinationError) as caught:
        destination.holds(Secret(SECRET))
    assert not caught.value.surely_refused
