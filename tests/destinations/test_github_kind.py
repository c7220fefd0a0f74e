"""The kind ``github_secret``: what its settings mean, and which of them GitHub would refuse."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.github_support import BARE, HOLDERS, NAME, SHOP, kind, target
from tests.destinations.support import HERE
from tooken_ci.base.errors import UsageError
from tooken_ci.destinations.interface import Surroundings, demand
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.kinds import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

ORGANIZATION: Mapping[str, Any] = {"organization": "acme", "name": NAME, "visibility": "all"}


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (SHOP, "github_secret acme/shop TOOKEN_TOKEN"),
        ({**SHOP, "environment": "Production"}, "github_secret acme/shop (environment production) TOOKEN_TOKEN"),
        ({**SHOP, "app": "dependabot"}, "github_secret acme/shop (dependabot) TOOKEN_TOKEN"),
        (ORGANIZATION, "github_secret acme (organization) TOOKEN_TOKEN"),
    ],
)
def test_the_place_is_told_to_people(settings: Mapping[str, Any], place: str) -> None:
    """What a secret belongs to and its name stand in the place."""
    assert target(settings).place == place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SHOP, {"repository": "ACME/Shop", "name": "tooken_token"}),
        (SHOP, BARE),
        ({**SHOP, "environment": "Production"}, {**SHOP, "environment": "PRODUCTION", "name": "Tooken_Token"}),
        (ORGANIZATION, {**ORGANIZATION, "organization": "Acme", "visibility": "private"}),
        ({**SHOP, "app": "dependabot"}, {**SHOP, "app": "dependabot", "repository": "acme/SHOP"}),
    ],
)
def test_one_place_in_two_spellings(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """GitHub tells no two names apart by case, so both settings claim the same secret."""
    assert target(one).claims & target(other).claims


def test_places_that_differ() -> None:
    """Secrets of one name that belong to different things, or to different apps, are different places."""
    claims = [target(settings).claims for settings, _ in HOLDERS.values() if settings.get("visibility") != "selected"]
    claims += [target({**SHOP, "app": "dependabot"}).claims, target({**SHOP, "repository": "acme/billing"}).claims]
    claims += [target({**SHOP, "environment": "production"}).claims, target({**SHOP, "name": "OTHER"}).claims]
    assert len(frozenset().union(*claims)) == sum(map(len, claims))


def test_what_one_look_serves() -> None:
    """The secrets of one repository are looked at together, those of its environment and of Dependabot apart."""
    assert target().group == target({**BARE, "name": "OTHER"}).group
    others = [target({**SHOP, "environment": "production"}), target({**SHOP, "app": "dependabot"})]
    assert len({target().group, *(one.group for one in others)}) == 3


def test_when_a_secret_is_read() -> None:
    """A run that is queued may hold the secret of a repository for a day; that of an environment is read by its job."""
    assert [target().read_ahead, target(ORGANIZATION).read_ahead] == [dt.timedelta(hours=24)] * 2
    assert target({**SHOP, "environment": "production"}).read_ahead == dt.timedelta(0)


def test_what_keeps_a_record() -> None:
    """A record stands in a variable unless the spec says otherwise, and never for Dependabot, which has none."""
    assert target().keeps_record
    assert not target(BARE).keeps_record
    assert not target({**SHOP, "app": "dependabot"}).keeps_record


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({**SHOP, "name": "GitHub_Token"}, "name", "may not begin with GITHUB_"),
        ({"name": NAME}, "", "neither is there"),
        ({**SHOP, **ORGANIZATION}, "", "both are there"),
        ({**ORGANIZATION, "environment": "production"}, "environment", "no environments"),
        ({**SHOP, "environment": "production", "app": "dependabot"}, "environment", "Dependabot"),
        ({**SHOP, "environment": ".."}, "environment", "cannot be the name"),
        ({**SHOP, "environment": "a\nb"}, "environment", "cannot be the name"),
        ({**SHOP, "repository": "acme/.."}, "repository", "cannot be the name"),
        ({**SHOP, "app": "dependabot", "record": "variable"}, "record", "no variables"),
        ({**SHOP, "visibility": "all"}, "visibility", "Only an organization's"),
        ({**SHOP, "repositories": ["shop"]}, "repositories", "visibility: selected"),
        ({"organization": "acme", "name": NAME}, "", "needs a 'visibility'"),
        ({**ORGANIZATION, "visibility": "selected"}, "visibility", "needs the 'repositories'"),
        ({**ORGANIZATION, "repositories": ["shop"]}, "repositories", "visibility: selected"),
        (
            {**ORGANIZATION, "visibility": "selected", "repositories": ["other/shop"]},
            "repositories",
            "no repository of",
        ),
    ],
)
def test_settings_that_make_no_sense(settings: Mapping[str, Any], key: str, words: str) -> None:
    """What GitHub would refuse, or what contradicts itself, is refused before anything is asked."""
    with pytest.raises(SettingsError, match=words) as caught:
        target(settings)
    assert caught.value.key == key


def test_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library the kind says which extra brings it."""
    demand(kind())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="'github'") as caught:
        Registry(Surroundings()).demand([kind().parse(SHOP, HERE)])
    assert "tooken-ci[github]" in caught.value.hint


def test_nothing_heavy_is_imported() -> None:
    """The registry of kinds imports no store's library, also when a spec names the kind."""
    code = (
        "import sys\n"
        "from tooken_ci.base.position import Position\n"
        "from tooken_ci.destinations.interface import Surroundings\n"
        "from tooken_ci.destinations.registry import Registry\n"
        "kinds = {kind.name: kind for kind in Registry(Surroundings()).kinds}\n"
        "kinds['github_secret'].parse({'repository': 'acme/shop', 'name': 'X'}, Position('tooken.yml', 1, 1))\n"
        "print(sorted({'github', 'nacl', 'requests'} & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
