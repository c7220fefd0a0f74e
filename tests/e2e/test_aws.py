"""Delivery to AWS Secrets Manager: the real command, a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.destinations.aws_support import AwsPlace
from tests.e2e.project import FOUR_MINUTES, entry, names, outcomes, spec
from tests.support.aws import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.project import Project
    from tests.support.aws import Gate


class Shop:
    """A project whose tokens go to AWS.

    Attributes:
        project: has AWS's credentials in its environment, which may show nowhere, nor may what stands in AWS.
        place: a secret with a key of somebody else's.
    """

    def __init__(self, project: Project, aws: Gate) -> None:
        self.project = project
        self.aws = aws
        self.place = AwsPlace(aws, json.dumps({"user": "shop"}))
        project.secrets |= {CREDENTIALS["AWS_SECRET_ACCESS_KEY"], CREDENTIALS["AWS_SESSION_TOKEN"]}
        project.variables |= aws.environment()
        project.stores.append(self.stored)

    def stored(self) -> set[str]:
        """Whatever stands in any version of the secret by now."""
        versions = self.aws.stages(self.place.name)
        texts = [self.aws.direct.get_secret_value(SecretId=self.place.name, VersionId=one) for one in versions]
        parts = [part for text in texts for part in json.loads(text["SecretString"]).items()]
        return {str(value) for key, value in parts if key != "user"}

    def declare(self, *more: Mapping[str, Any], **changes: Any) -> None:
        """Writes a spec with one entry."""
        deliver = [{"aws_secret": {"name": self.place.name, "key": "token"}}, *more]
        self.project.write(yaml.safe_dump(spec({"ci": {**entry(**changes), "deliver": deliver}})))

    def held(self) -> str:
        """The secret in the store, which lives, beside what is kept."""
        keys = self.place.keys()
        assert set(keys) == {"user", "token"}
        assert keys["user"] == "shop"
        secret = str(keys["token"])
        assert self.project.sandbox.authenticates(secret)
        return secret


@pytest.fixture
def shop(project: Project, aws: Gate) -> Iterator[Shop]:
    """Gives a project whose tokens go to AWS."""
    shop = Shop(project, aws)
    yield shop
    shop.place.close()


def test_the_program_of_a_profile(shop: Shop, tmp_path: Path) -> None:
    """The program that a profile names for AWS's credentials gets neither the key nor the comment's token."""
    given = {"Version": 1, "AccessKeyId": CREDENTIALS["AWS_ACCESS_KEY_ID"], "SecretAccessKey": "fake-key-of-a-program"}
    program = tmp_path / "credentials.sh"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\necho '{json.dumps(given)}'\n", encoding="utf-8")
    program.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = {program}\n", encoding="utf-8")
    for name in CREDENTIALS:
        del shop.project.variables[name]
    shop.declare()
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "TOOKEN_COMMENT_TOKEN": "plainly-fake-comment-token",
        "OTHER": "kept",
    }
    shop.project.run("plan", env=environment)
    told = (tmp_path / "env").read_text(encoding="utf-8")
    assert "OTHER=kept\n" in told
    assert "TOOKEN_API_KEY=" not in told
    assert "TOOKEN_COMMENT_TOKEN=" not in told


def test_the_life_of_a_token(shop: Shop) -> None:
    """A token is made and delivered; nothing is left to do; a removed value and a changed scope replace it."""
    project = shop.project
    shop.declare()
    project.run("validate")
    project.apply()
    first = shop.held()
    assert shop.place.tags()["tooken-ci:token"].startswith("tooken-ci/1 workspace=test id=tok_")
    project.converge()

    shop.aws.edit(shop.place.name, json.dumps({"user": "shop"}))
    assert outcomes(project.apply())[0] == ("replace", "ci.g2", "done")
    second = shop.held()
    assert second != first
    project.converge()

    shop.declare(scopes=["audit:read"])
    assert outcomes(project.apply()) == [("replace", "ci.g3", "done"), ("revoke", "ci.g2", "done")]
    assert shop.held() != second
    assert not project.sandbox.authenticates(second)
    assert names(project.sandbox) == ["ci.g3"]
    project.converge()


def test_a_removed_value_is_copied_back(shop: Shop) -> None:
    """Where a file holds the secret too it is copied from there, and from AWS to a file that was lost."""
    project = shop.project
    shop.declare({"file": {"path": "out/ci"}})
    project.delivers("out/ci")
    project.apply()
    first = shop.held()
    shop.aws.edit(shop.place.name, json.dumps({"user": "shop"}))
    assert outcomes(project.apply()) == [("redeliver", "ci", "done")]
    assert shop.held() == first == project.secret("out/ci")

    (project.folder / "out/ci").unlink()
    assert outcomes(project.apply()) == [("redeliver", "ci", "done")]
    assert project.secret("out/ci") == first
    assert len(project.sandbox.tokens()) == 1
    project.converge()


def test_a_delivery_that_was_surely_refused(shop: Shop) -> None:
    """Where AWS refuses to make it current, the new token is revoked, the old one lives, and no label is left."""
    project = shop.project
    shop.declare()
    project.apply()
    first = shop.held()
    labels = shop.place.stages()
    shop.aws.refuse("UpdateSecretVersionStage", "AccessDeniedException", "not authorized", times=1)
    shop.declare(scopes=["audit:read"])
    data = project.apply(code=3)
    (failed,) = [result for result in data["results"] if result["status"] == "failed"]
    assert "refused UpdateSecretVersionStage" in failed["error"]
    assert shop.held() == first
    assert names(project.sandbox) == ["ci"]
    assert "mark=" not in shop.place.tags()["tooken-ci:token"]
    assert shop.place.stages() == labels


def test_a_delivery_of_which_nothing_is_known(shop: Shop) -> None:
    """Where the move was done, but cannot be seen, old and new live, and the next run finishes the work."""
    project = shop.project
    shop.declare()
    project.apply()
    first = shop.held()
    shop.aws.fault(
        "UpdateSecretVersionStage",
        "reset",
        done=True,
        call=lambda: shop.aws.refuse("DescribeSecret", "AccessDeniedException"),
    )
    shop.declare(scopes=["audit:read"])
    data = project.apply(code=3)
    (failed,) = [result for result in data["results"] if result["status"] == "failed"]
    assert "The answer to UpdateSecretVersionStage" in failed["error"]
    assert names(project.sandbox) == ["ci", "ci.g2"]
    assert shop.held() != first

    shop.aws.faults.clear()
    project.sandbox.advance(FOUR_MINUTES)
    project.apply()
    assert shop.held()
    assert names(project.sandbox) == ["ci.g3"]
    project.converge()


def test_what_is_found_out_before_a_token_is_made(shop: Shop) -> None:
    """Without credentials, without the secret, or where it may not be marked, nothing is made, and the run says why."""
    project = shop.project
    shop.declare()
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
    project.run("apply", code=1, env=nobody).says("'aws_secret test/", "there are no AWS credentials", "AWS_PROFILE")
    shop.aws.refuse("TagResource", "AccessDeniedException", "not authorized", times=1)
    project.run("apply", code=1).says("refused TagResource", "Allow secretsmanager:TagResource")
    project.write(yaml.safe_dump(spec({"ci": {**entry(), "deliver": [{"aws_secret": {"name": "ci/no-such"}}]}})))
    project.run("apply", code=1).says("'aws_secret ci/no-such'", "there is no secret", "create: true")
    assert project.sandbox.tokens() == []


def test_two_entries_and_one_place(shop: Shop) -> None:
    """Two entries to one key, in whatever spelling, are an error of the spec."""
    arn = shop.aws.direct.describe_secret(SecretId=shop.place.name)["ARN"]
    both = {
        name: {**entry(), "deliver": [{"aws_secret": {"name": secret, "key": "token"}}]}
        for name, secret in (("one", shop.place.name), ("two", arn))
    }
    shop.project.write(yaml.safe_dump(spec(both)))
    shop.project.run("validate", code=2).says("'two' delivers to aws_secret arn:", "'one' at tooken.yml:", "overwrite")
