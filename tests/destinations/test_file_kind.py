from __future__ import annotations

import os
import re
from pathlib import Path

import jsonschema
import pytest

from tests.destinations.support import HERE, SECRET, Place, held, kind, record
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file_format import FORMS
from tooken_ci.destinations.file_store import FileDestination
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_target(tmp_path: Path) -> None:
    """A target is shown as the user named it, and a relative path starts at the working directory."""
    target = kind().parse({"path": "out/ci"}, HERE)
    assert (target.kind, target.place, target.position) == ("file", "file out/ci", HERE)
    assert target.claims == {f"file:{tmp_path}/out/ci", f"file:{tmp_path}/out/ci.tooken"}
    assert not target.takeover
    assert target.warnings == ()


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("out/ci", "out/../out/./ci", True),
        ("out/ci", "out//ci", True),
        ("out/ci", "out/ci.tooken", True),
        ("out/ci.tooken", "out/ci.tooken.tooken", True),
        ("out/ci", "out/ci2", False),
        ("out/ci", "other/ci", False),
    ],
)
def test_claims(one: str, other: str, *, shared: bool) -> None:
    """Two targets collide where they write one file, be it a secret or the record beside another one."""
    claims = [kind().parse({"path": path}, HERE).claims for path in (one, other)]
    assert bool(claims[0] & claims[1]) is shared


def test_claims_see_through_links(tmp_path: Path) -> None:
    """Two names of one file, by a link to the file or to its folder, are one place."""
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file").symlink_to("real/ci")
    claims = {kind().parse({"path": path}, HERE).claims for path in ("real/ci", "folder/ci", "file")}
    assert len(claims) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A secret that is delivered to a link lands in the file that it leads to, with the record beside that one."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/ci")
    destination = kind().open(kind().parse({"path": "link"}, HERE))
    destination.write(Secret(SECRET))
    destination.write_record(record(of=held()))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "ci").read_text(encoding="utf-8") == SECRET
    assert (tmp_path / "real" / "ci.tooken").exists()
    assert not (tmp_path / "link.tooken").exists()


@pytest.mark.parametrize("path", ["out/", "out/.", "out/..", ".", "..", "/", "a\0b"])
def test_no_path_of_a_file(path: str) -> None:
    """A path that can only be a folder's, or none at all, is refused at its key."""
    with pytest.raises(SettingsError, match="is not the path of a file") as caught:
        kind().parse({"path": path}, HERE)
    assert caught.value.key == "path"


@pytest.mark.parametrize("path", ["../outside", "/elsewhere/ci", "inside/../../outside", "link/ci", "linked"])
def test_confinement(tmp_path: Path, path: str) -> None:
    """In the action a path that leaves the workspace, also by way of a link, is refused."""
    workspace = tmp_path / "workspace"
    (workspace / "inside").mkdir(parents=True)
    (workspace / "link").symlink_to(tmp_path)
    (workspace / "linked").symlink_to(tmp_path / "outside")
    os.chdir(workspace)
    with pytest.raises(SettingsError, match="lies outside the workspace") as caught:
        kind(confined_to=workspace).parse({"path": path}, HERE)
    assert caught.value.key == "path"


def test_inside_the_workspace(tmp_path: Path) -> None:
    """In the action a path inside the workspace is taken, also where the workspace itself is reached by a link."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "alias").symlink_to("workspace")
    os.chdir(tmp_path / "workspace")
    target = kind(confined_to=tmp_path / "alias").parse({"path": "out/ci"}, HERE)
    assert f"file:{tmp_path}/workspace/out/ci" in target.claims


def test_a_neighbour_of_the_workspace_is_outside(tmp_path: Path) -> None:
    """A folder whose name merely begins like the workspace's is not inside it."""
    (tmp_path / "work").mkdir()
    with pytest.raises(SettingsError):
        kind(confined_to=tmp_path / "work").parse({"path": "workspace/ci"}, HERE)


@pytest.mark.parametrize(
    ("in_ci", "settings", "warned"),
    [
        (True, {}, True),
        (True, {"persistent": False}, True),
        (True, {"persistent": True}, False),
        (False, {}, False),
    ],
)
def test_a_file_on_a_fresh_runner(settings: dict[str, bool], *, in_ci: bool, warned: bool) -> None:
    """In CI a file that is not said to be kept is worth a warning that names it."""
    warnings = kind(in_ci=in_ci).parse({"path": "out/ci", **settings}, HERE).warnings
    assert bool(warnings) is warned
    assert all("'out/ci'" in warning and "persistent: true" in warning for warning in warnings)


@pytest.mark.parametrize("takeover", [True, False])
def test_takeover(*, takeover: bool) -> None:
    """Whether a foreign record may be replaced is what the spec says."""
    assert kind().parse({"path": "ci", "takeover": takeover}, HERE).takeover is takeover


@pytest.mark.parametrize(
    "settings", [{}, {"path": ""}, {"path": 5}, {"path": "a", "mode": 1}, {"path": "a", "takeover": "yes"}]
)
def test_settings_that_do_not_fit(settings: dict[str, object]) -> None:
    """The schema of the kind refuses what is missing, of another type, or unknown."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(settings, kind().schema)


def test_the_settings_are_documented() -> None:
    """The document has every setting and every format, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
    section = text.split("\n## Destinations\n")[1].split("\n### ")[0]
    named = section.split("`file: {")[1].split("}`")[0].split(", ")
    assert set(named) == kind().schema["properties"].keys()
    rows = re.findall(r"^\| `([a-z]+)`(?:, the default)? \|", section.split("| --- |")[-1], re.MULTILINE)
    assert rows == list(FORMS) == kind().schema["properties"]["format"]["enum"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"key": "TOKEN"}, "key"),
        ({"format": "raw", "key": "TOKEN"}, "key"),
        ({"format": "dotenv"}, "format"),
        ({"format": "json"}, "format"),
        ({"format": "dotenv", "key": "a-b"}, "key"),
        ({"format": "dotenv", "key": "1A"}, "key"),
        ({"format": "dotenv", "key": "A=B"}, "key"),
        ({"format": "dotenv", "key": "\u0391"}, "key"),
        ({"format": "json", "key": "a\nb"}, "key"),
    ],
)
def test_formats_and_keys_that_do_not_fit(settings: dict[str, str], key: str) -> None:
    """A key where there is none, none where one is needed, or one that cannot be one, is refused at its place."""
    with pytest.raises(SettingsError) as caught:
        kind().parse({"path": "ci", **settings}, HERE)
    assert caught.value.key == key


def test_a_key_of_a_file(tmp_path: Path) -> None:
    """A key is shown behind its file; it claims itself and its record, and shares the file in its format."""
    target = kind().parse({"path": "c.json", "format": "json", "key": "a/b"}, HERE)
    assert target.place == "file c.json#a/b"
    assert target.claims == {f"file:{tmp_path}/c.json#a/b", f"file:{tmp_path}/c.json.a%2Fb.tooken"}
    assert target.shares == {(f"file:{tmp_path}/c.json", "json")}


def test_the_registry_opens_by_kind(tmp_path: Path) -> None:
    """A target is opened by the kind that made it."""
    registry = Registry(Surroundings())
    known = registry.kinds[0]
    destination = registry.open(known.parse({"path": "out/ci"}, HERE))
    assert isinstance(destination, FileDestination)
    destination.write(Secret(SECRET))
    assert Place(tmp_path / "out" / "ci").path.read_text(encoding="utf-8") == SECRET


def test_a_target_of_another_kind() -> None:
    """Settings of another kind are a fault of the program, never written somewhere by guess."""
    target = Target(kind="file", place="x", claims=frozenset(), settings={}, takeover=False, position=HERE)
    with pytest.raises(TypeError):
        kind().open(target)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away, and only root's are in the way")
def test_files_belong_to_the_workspaces_owner(tmp_path: Path) -> None:
    """What an action makes as root belongs to the owner of the workspace, so that later steps can read it."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    os.chown(workspace, 1234, 2345)
    os.chdir(workspace)
    inside = kind(confined_to=workspace)
    destination = inside.open(inside.parse({"path": "out/ci"}, HERE))
    destination.write(Secret(SECRET))
    destination.write_record(record(of=held()))
    for path in (workspace / "out", workspace / "out" / "ci", workspace / "out" / "ci.tooken"):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)
