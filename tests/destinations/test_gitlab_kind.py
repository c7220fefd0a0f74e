"""How a spec names a variable of GitLab, and what it may not name."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.destinations.gitlab_support import KEY, SHOP
from tests.destinations.support import HERE
from tooken_ci.base.errors import ExitCode, UsageError
from tooken_ci.destinations.exec import ExecKind
from tooken_ci.destinations.gitlab_rules import refused, steers
from tooken_ci.destinations.gitlab_store import GitLabDestination
from tooken_ci.destinations.gitlab_variable import GitLabVariableKind
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.kinds import SettingsError

if TYPE_CHECKING:
    from tooken_ci.spec.model import Target

KIND = GitLabVariableKind(Surroundings())


def parsed(**settings: Any) -> Target:
    jsonschema.validate(settings, KIND.schema)
    return KIND.parse(settings, HERE)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (SHOP, "gitlab_variable acme/shop TOOKEN_TOKEN"),
        ({**SHOP, "environment_scope": "review/*"}, "gitlab_variable acme/shop TOOKEN_TOKEN (review/*)"),
        ({"group": "acme/web", "name": KEY}, "gitlab_variable group acme/web TOOKEN_TOKEN"),
        ({"instance": True, "name": KEY}, "gitlab_variable instance TOOKEN_TOKEN"),
    ],
)
def test_places(settings: dict[str, Any], place: str) -> None:
    """A place tells whose variable it is, its name, and the environments where it is not for all."""
    target = parsed(**settings)
    assert (target.place, target.kind, target.warnings) == (place, "gitlab_variable", ())
    assert target.keeps_record


def test_defaults() -> None:
    """Unless said otherwise a secret is masked, not expanded, readable, and for all environments."""
    wanted: Any = parsed(**SHOP).settings
    assert (wanted.masked, wanted.raw, wanted.hidden, wanted.protected, wanted.scope) == (True, True, False, None, "*")
    assert parsed(**SHOP, takeover=True).takeover
    assert not parsed(**SHOP).takeover


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SHOP, {**SHOP, "project": "Acme/SHOP"}, True),
        (SHOP, {**SHOP, "environment_scope": "*"}, True),
        (SHOP, {**SHOP, "environment_scope": "production"}, False),
        (SHOP, {**SHOP, "name": "TOOKEN_TOKEN_TOOKEN_MARK"}, True),
        (SHOP, {**SHOP, "name": "tooken_token"}, False),
        (SHOP, {**SHOP, "project": "acme/web"}, False),
        ({"group": "acme", "name": KEY}, {"group": "ACME", "name": KEY}, True),
        ({"group": "acme/shop", "name": KEY}, SHOP, False),
    ],
)
def test_claims(one: dict[str, Any], other: dict[str, Any], *, same: bool) -> None:
    """The same variable is known as that in any spelling, and so is the note beside another one."""
    assert bool(parsed(**one).claims & parsed(**other).claims) is same


def test_groups() -> None:
    """Variables of one project, group or instance are looked at together, whatever their environments."""
    assert parsed(**SHOP).group == parsed(project="Acme/Shop", name="B", environment_scope="production").group
    groups = {
        parsed(**{**one, "name": KEY}).group for one in ({"project": "a/b"}, {"group": "a/b"}, {"instance": True})
    }
    assert len(groups) == 3


def test_not_masked() -> None:
    """A secret that would show in job logs is a warning."""
    (warning,) = parsed(**SHOP, masked=False).warnings
    assert "would show in job logs" in warning


@pytest.mark.parametrize(
    ("settings", "key", "why"),
    [
        ({"name": KEY}, "", "found none of them"),
        ({**SHOP, "group": "acme"}, "group", "found 'project' and 'group'"),
        ({**SHOP, "instance": True}, "instance", "found 'project' and 'instance'"),
        ({"group": "123", "name": KEY}, "group", "is a number"),
        ({**SHOP, "project": "acme/.."}, "project", "is not the path of a project"),
        ({**SHOP, "name": "PATH"}, "name", "steers what jobs run"),
        ({**SHOP, "name": "ld_preload"}, "name", "steers what jobs run"),
        ({**SHOP, "name": "CI_JOB_TOKEN"}, "name", "GitLab's own"),
        ({**SHOP, "hidden": True, "masked": False}, "masked", "always masked"),
        ({"instance": True, "name": KEY, "hidden": True}, "hidden", "hides no variables of an instance"),
        ({"instance": True, "name": KEY, "environment_scope": "x"}, "environment_scope", "no environment scope"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], key: str, why: str) -> None:
    """What fits the schema and makes no sense is refused at its key."""
    with pytest.raises(SettingsError) as caught:
        parsed(**settings)
    assert why in caught.value.message
    assert caught.value.key == key


@pytest.mark.parametrize(
    "change",
    [
        {"project": "shop"},
        {"project": "/acme/shop"},
        {"project": "acme/shop/"},
        {"project": "acme//shop"},
        {"project": "acme/sh op"},
        {"project": "acme/shop?x"},
        {"project": 7},
        {"group": ""},
        {"group": "a/b/"},
        {"instance": False},
        {"name": ""},
        {"name": "1ST"},
        {"name": "TOOKEN-TOKEN"},
        {"name": "T" * 244},
        {"environment_scope": ""},
        {"environment_scope": "production;"},
        {"environment_scope": "x" * 256},
        {"masked": "yes"},
        {"unknown": True},
    ],
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    """What GitLab has no such name or value for does not fit the schema."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SHOP, **change}, KIND.schema)


@pytest.mark.parametrize(
    "settings",
    [
        {**SHOP, "project": "acme/sub.group/a_b-c.d/shop"},
        {**SHOP, "name": "T" * 243},
        {**SHOP, "environment_scope": "review/feature-1 ${x}.*"},
        {"group": "acme", "name": "_x1"},
    ],
)
def test_the_schema_takes(settings: dict[str, Any]) -> None:
    """All that GitLab has names and values for fits."""
    parsed(**settings)


@pytest.mark.parametrize("name", ["TOOKEN_TOKEN", "DEPLOY_KEY", "MY_CI_TOKEN", "SCI_TOKEN"])
def test_free_names(name: str) -> None:
    """A name that only looks a little like GitLab's own is free."""
    assert not steers(name)


@pytest.mark.parametrize(
    ("value", "masked", "raw", "fine"),
    [
        ("tok_live_0123456789", True, True, True),
        ("tok_live_0123456789", True, False, True),
        ("$!%&/()=?", True, True, True),
        ("$!%&/()=?", True, False, False),
        ("seven_7", True, True, False),
        ("seven_7", False, True, True),
        ("with a space", True, True, False),
        ("a\nb_cdefghi", True, True, False),
        ("$x", False, False, False),
        ("x" * 10_000, True, True, True),
        ("x" * 10_001, False, True, False),
    ],
)
def test_values(value: str, *, masked: bool, raw: bool, fine: bool) -> None:
    """What GitLab masks depends on whether it expands."""
    assert (refused(value, masked=masked, raw=raw) == "") is fine


def test_the_registry_opens_it() -> None:
    """The registry knows the kind and opens its targets without asking anybody."""
    registry = Registry(Surroundings())
    assert isinstance(registry.open(parsed(**SHOP)), GitLabDestination)
    with pytest.raises(TypeError):
        KIND.open(ExecKind().parse({"name": "x", "write": ["x"], "record": ["x"]}, HERE))


def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "gitlab", None)
    with pytest.raises(UsageError, match="'gitlab', which is not installed") as caught:
        Registry(Surroundings()).demand([parsed(**SHOP)])
    assert "pip install 'tooken-ci[gitlab]'" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_library_is_not_imported_before_it_is_used() -> None:
    """Whoever delivers elsewhere waits for no library of GitLab's."""
    code = (
        "import sys, tooken_ci.destinations.registry as r; from tooken_ci.destinations.interface import Surroundings; "
        "r.Registry(Surroundings()); print([m for m in ('gitlab', 'requests') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
