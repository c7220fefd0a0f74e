"""What the document says of ``aws_secret`` is what the code does, and its example works."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.destinations.aws_support import deliver, long_record
from tests.destinations.support import held, record
from tests.support.aws import REGION
from tooken_ci.base.record import State
from tooken_ci.destinations import aws_delivery, aws_found, aws_tags, timing
from tooken_ci.destinations.aws_secret import AwsSecretKind
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from tests.support.aws import Gate

TEXT = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n## `aws_secret`\n")[1].split("\n## ")[0]
PLAN, APPLY = (
    {action.removeprefix("secretsmanager:") for action in json.loads(block)["Statement"][0]["Action"]}
    for block in re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL)
)


def test_the_example_works_with_the_permissions_that_it_names(aws: Gate, tmp_path: Path) -> None:
    """The spec can be pasted; looks need what a plan is allowed, deliveries what an apply is allowed and no more."""
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "tooken.yml").write_text(block, encoding="utf-8")
    kind = AwsSecretKind(Surroundings(environment=os.environ))
    spec = load([str(tmp_path / "tooken.yml")], kinds=(kind,))
    keyed, whole = (entry.deliver[0] for entry in spec.entries)
    assert (keyed.place, whole.place) == (
        f"aws_secret ci/tooken#token in {REGION}",
        f"aws_secret ci/nightly in {REGION}",
    )
    aws.direct.create_secret(Name="ci/tooken", SecretString='{"user": "shop"}')
    try:
        assert [kind.look([target])[0].state for target in (keyed, whole)] == [State.ABSENT] * 2
        assert set(aws.log) == PLAN
        deliver(kind.open(keyed))
        kind.open(keyed).write_record(long_record(4))
        kind.open(keyed).write_record(record(of=held()))
        assert set(aws.log) == APPLY
        deliver(kind.open(whole))
        assert set(aws.log) == APPLY | {"CreateSecret"}
        assert [kind.look([target])[0].held for target in (keyed, whole)] == [held()] * 2
    finally:
        for name in ("ci/tooken", "ci/nightly"):
            aws.direct.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_every_setting_is_documented() -> None:
    """The table has all settings, and no other."""
    assert set(re.findall(r"^\| `([a-z]+)` \|", SECTION, re.MULTILINE)) == set(AwsSecretKind.schema["properties"])


@pytest.mark.parametrize(
    "words",
    [
        f"A write takes {timing.LONGEST_WRITE:.0f} s at the most",
        f"below {aws_found.LARGEST} bytes",
        f"{('', 'one', 'two', 'three', 'four', 'five')[aws_delivery._TIMES]} times at the most",
        f"the {aws_tags.LONGEST_VALUE} characters of a tag",
        f"{('', 'one', 'two', 'three', 'four')[aws_tags.ROOM]} of the {aws_tags.MOST_TAGS} tags",
    ],
)
def test_the_numbers_are_those_of_the_code(words: str) -> None:
    """Every limit that the document names is the one that is kept."""
    assert words in " ".join(SECTION.split())
