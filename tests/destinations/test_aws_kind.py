"""How the settings of ``aws_secret`` are read, and which places are the same."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from tests.destinations.support import HERE
from tooken_ci.base.errors import UsageError
from tooken_ci.destinations.aws_secret import AwsSecretKind
from tooken_ci.destinations.interface import Surroundings, demand
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.kinds import SettingsError

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ci/tooken-a1B2c3"
ELSEWHERE = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:ci/tooken-c3B2a1"


def kind(**environment: str) -> AwsSecretKind:
    return AwsSecretKind(Surroundings(environment=environment))


def clash(one: dict[str, Any], two: dict[str, Any], **environment: str) -> bool:
    """Whether two destinations are the same place, whichever is named first; both orders agree."""
    answers = set()
    for first, second in ((one, two), (two, one)):
        fresh = kind(**environment)
        answers.add(bool(fresh.parse(first, HERE).claims & fresh.parse(second, HERE).claims))
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"name": "ci/tooken"}, {"name": "ci/tooken"}),
        ({"name": "ci/tooken"}, {"name": "ci/tooken", "region": "eu-west-1"}),
        ({"name": "ci/tooken"}, {"name": ARN}),
        ({"name": "ci/tooken"}, {"name": ARN.removesuffix("-a1B2c3")}),
        ({"name": ARN}, {"name": ARN.removesuffix("-a1B2c3")}),
        ({"name": "ci/tooken", "key": "token"}, {"name": ARN, "key": "token"}),
        ({"name": "ci/tooken", "key": "token"}, {"name": "ci/tooken"}),
        ({"name": ARN, "key": "token"}, {"name": "ci/tooken", "create": True}),
    ],
)
def test_the_same_place(one: dict[str, Any], two: dict[str, Any]) -> None:
    """One place in whatever spelling, or a whole secret and a key of it, clash."""
    assert clash(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"name": "ci/tooken"}, {"name": "ci/other"}),
        ({"name": "ci/tooken", "region": "eu-west-1"}, {"name": "ci/tooken", "region": "us-east-1"}),
        ({"name": "ci/tooken", "key": "one"}, {"name": "ci/tooken", "key": "two"}),
        ({"name": ARN}, {"name": ELSEWHERE}),
        ({"name": ARN}, {"name": "ci/tooken", "region": "us-east-1"}),
    ],
)
def test_different_places(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Another secret, region, account or key is another place."""
    assert not clash(one, two)


def test_the_region_of_the_environment_counts() -> None:
    """Where the environment tells the region, a secret of another one is another place."""
    here, there = {"name": "ci/tooken"}, {"name": "ci/tooken", "region": "us-east-1"}
    assert clash(here, there)
    assert not clash(here, there, AWS_DEFAULT_REGION="eu-west-1")
    assert clash(here, there, AWS_DEFAULT_REGION="eu-west-1", AWS_REGION="us-east-1")


def test_places_are_shown_apart() -> None:
    """People see secret, key and region; what one look serves is one group."""
    fresh = kind(AWS_REGION="eu-west-1")
    whole = fresh.parse({"name": "a"}, HERE)
    one = fresh.parse({"name": "ci/tooken", "key": "one", "region": "us-east-1"}, HERE)
    two = fresh.parse({"name": "ci/tooken", "key": "two", "region": "us-east-1", "takeover": True}, HERE)
    assert whole.place == "aws_secret a"
    assert one.place == "aws_secret ci/tooken#one in us-east-1"
    assert one.group == two.group != whole.group
    assert (one.takeover, two.takeover) == (False, True)
    assert fresh.parse({"name": ARN, "key": "one"}, HERE).place == f"aws_secret {ARN}#one"


@pytest.mark.parametrize(
    ("settings", "told", "key"),
    [
        ({"name": "ci tooken"}, "neither a name that a secret can have nor the ARN", "name"),
        ({"name": "a" * 513}, "neither a name", "name"),
        ({"name": "arn:aws:s3:::bucket"}, "neither a name", "name"),
        ({"name": ARN.replace("123456789012", "1")}, "neither a name", "name"),
        ({"name": "ci\n/tooken"}, r"'ci\x0a/tooken'", "name"),
        ({"name": ARN, "region": "us-east-1"}, "the ARN is of 'eu-west-1'", "region"),
        ({"name": ARN, "create": True}, "cannot be made by its ARN", "create"),
        ({"name": "a", "key": "k\n"}, "printable", "key"),
        ({"name": "a", "key": "k" * 120}, "too long", "key"),
        ({"name": "a", "key": "ключ" * 10}, "too long", "key"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], told: str, key: str) -> None:
    """What no secret can be called, or what contradicts itself, is an error at its key."""
    jsonschema.validate(settings, AwsSecretKind.schema)
    with pytest.raises(SettingsError) as caught:
        kind().parse(settings, HERE)
    assert told in caught.value.message
    assert caught.value.key == key


@pytest.mark.parametrize(
    "settings",
    [{}, {"name": ""}, {"name": "a", "region": "Europe"}, {"name": "a", "key": ""}, {"name": "a", "keys": "b"}],
)
def test_the_schema_refuses(settings: dict[str, Any]) -> None:
    """What the schema can tell, it tells."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(settings, AwsSecretKind.schema)


def test_the_library_is_imported_only_where_it_is_used() -> None:
    """Neither the kinds nor the parsing of a destination import boto3; opening one does."""
    code = (
        "import sys\n"
        "from tooken_ci.base.position import Position\n"
        "from tooken_ci.destinations.interface import Surroundings\n"
        "from tooken_ci.destinations.registry import Registry\n"
        "registry = Registry(Surroundings())\n"
        "(kind,) = [kind for kind in registry.kinds if kind.name == 'aws_secret']\n"
        "target = kind.parse({'name': 'ci/tooken'}, Position('tooken.yml', 1, 1))\n"
        "registry.demand([target])\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)\n"
        "kind.open(target)\n"
        "assert {'boto3', 'botocore'} <= set(sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 0, ended.stderr


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where boto3 is missing the error names the extra that brings it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        demand(kind())
    assert "'boto3'" in caught.value.message
    assert "tooken-ci[aws]" in caught.value.hint


def test_only_its_own_targets_are_opened() -> None:
    """A target of another kind is a fault of the program."""
    registry = Registry(Surroundings())
    (file,) = [kind for kind in registry.kinds if kind.name == "file"]
    with pytest.raises(TypeError):
        kind().open(file.parse({"path": "a"}, HERE))
