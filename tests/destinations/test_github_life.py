"""The life of a record at GitHub, with both sides held to GitHub's own contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.destinations.github_support import BARE_HOLDERS, HOLDERS, NAME, VARIABLE, deliver, kind, opened, target
from tests.destinations.support import OTHER, SECRET, held, mark, record
from tests.support.github import TOKEN
from tooken_ci.base.record import State
from tooken_ci.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.contract import Prism
    from tests.support.github import FakeGitHub

HOLDER = pytest.mark.parametrize(("settings", "of"), HOLDERS.values(), ids=HOLDERS)
BARE_HOLDER = pytest.mark.parametrize(("settings", "of"), BARE_HOLDERS.values(), ids=BARE_HOLDERS)


@HOLDER
def test_a_life(contract: Prism, github: FakeGitHub, settings: Mapping[str, Any], of: str) -> None:
    """A place is empty, marked, delivered to and delivered to again; what is opened there is what was delivered."""
    destination = opened(contract.url, settings)
    destination.check()
    look = destination.look()
    assert (look.state, look.reason, look.empty) == (State.ABSENT, "nothing was delivered yet", True)

    destination.write_record(record(marks=(mark(),)))
    look = destination.look()
    assert (look.state, look.reason, look.marks) == (State.ABSENT, "an unfinished run left only its mark", (mark(),))

    destination.write(Secret(SECRET))
    assert github.secret(NAME, of) == SECRET
    destination.write_record(record(of=held()))
    look = opened(contract.url, settings).look()
    assert (look.state, look.held, look.marks, look.value_newer) == (State.HOLDS, held(), (), False)

    again = opened(contract.url, settings)
    again.check()
    deliver(again, "tok_next", OTHER)
    assert opened(contract.url, settings).look().held == held("tok_next", OTHER)
    assert github.secret(NAME, of) == OTHER
    assert (github.variable(VARIABLE, of) or "").startswith("tooken-ci/1 workspace=default id=tok_next ")


@BARE_HOLDER
def test_a_life_without_a_record(contract: Prism, github: FakeGitHub, settings: Mapping[str, Any], of: str) -> None:
    """Where no record is kept, a look tells when the secret was written, and no variable is touched."""
    destination = opened(contract.url, settings)
    destination.check()
    assert destination.look().empty
    destination.write(Secret(SECRET))
    assert github.secret(NAME, of) == SECRET
    look = destination.look()
    assert (look.state, look.record, look.empty) == (State.ABSENT, None, False)
    assert look.written_at is not None
    assert abs(look.written_at.timestamp() - github.now()) < 60
    assert [line for line in github.log if "variables" in line] == []


@HOLDER
def test_many_at_once(contract: Prism, github: FakeGitHub, settings: Mapping[str, Any], of: str) -> None:
    """A look at several secrets of one holder finds of each what a look at it alone finds."""
    for name in ("ONE", "TWO"):
        deliver(opened(contract.url, {**settings, "name": name}), f"tok_{name.lower()}")
    targets = [target({**settings, "name": name}) for name in ("ONE", "TWO", "THREE")]
    one, two, three = kind(contract.url).look(targets)
    assert [one.held, two.held] == [held("tok_one"), held("tok_two")]
    assert three.empty


def test_a_repository_that_may_not_be_asked(contract: Prism) -> None:
    """Also a refusal passes the contract, and is told."""
    look = opened(contract.url, {"repository": "acme/nothing", "name": NAME}).look()
    assert look.state is State.UNKNOWN
    assert "not there, or the credential in GH_TOKEN may not see it" in look.reason


def test_what_breaks_the_contract_is_caught(contract: Prism, github: FakeGitHub) -> None:
    """A request that GitHub does not document is refused, and so is an answer of the fake's that it does not."""
    headers = {"Authorization": f"token {TOKEN}"}
    url = f"{contract.url}/repos/acme/shop/actions/secrets/{NAME}"
    asked = requests.put(url, json={"key_id": 1, "encrypted_value": "-"}, headers=headers, timeout=30)
    assert asked.status_code == 422
    assert "https://stoplight.io/prism/errors" in asked.text
    assert github.requests("PUT") == []

    github.fail("GET /repos/acme/shop/actions/secrets", status=200, message="no list")
    answered = requests.get(f"{contract.url}/repos/acme/shop/actions/secrets", headers=headers, timeout=30)
    assert answered.status_code == 500
    assert "https://stoplight.io/prism/errors#VIOLATIONS" in answered.text
