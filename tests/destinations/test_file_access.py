"""Who may read a delivered file: its owner and its mode."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.destinations.support import HERE, SECRET, held, kind, record
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.file_store import FileDestination
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.job import JobKind
from tooken_ci.spec.kinds import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from tooken_ci.destinations.job import JobDestination

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def opened(*, confined_to: Path | None = None, **settings: Any) -> FileDestination:
    files = kind(confined_to=confined_to)
    jsonschema.validate(settings, files.schema)
    return files.open(files.parse(settings, HERE))


def deliver(destination: FileDestination) -> None:
    destination.check()
    destination.write_record(record())
    destination.write(Secret(SECRET))
    destination.write_record(record(of=held()))


def access(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return f"{stat.S_IMODE(found.st_mode):o}", found.st_uid, found.st_gid


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize(
    ("mode", "file", "folder"),
    [("0600", "600", "700"), ("0640", "640", "750"), ("440", "440", "750"), ("0400", "400", "700")],
)
def test_the_mode(tmp_path: Path, mode: str, file: str, folder: str) -> None:
    """A file gets its mode whatever the umask, a new folder lets through who may read it; the record stays private."""
    deliver(opened(path="out/ci", mode=mode))
    assert access(tmp_path / "out" / "ci")[0] == file
    assert access(tmp_path / "out" / "ci.tooken")[0] == "600"
    assert access(tmp_path / "out")[0] == folder


@pytest.mark.usefixtures("open_umask")
def test_the_mode_of_a_file_of_others(tmp_path: Path) -> None:
    """A file that others keep things in is as private as any other once a secret stands in it."""
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    deliver(opened(path=".env", format="dotenv", key="TOKEN"))
    assert access(tmp_path / ".env")[0] == "600"


@pytest.mark.parametrize("mode", ["0644", "0601", "666", "0647", "777"])
def test_nothing_for_everybody(mode: str) -> None:
    """A mode by which everybody has a part in the file is refused."""
    with pytest.raises(SettingsError, match="everybody on the machine") as caught:
        opened(path="ci", mode=mode)
    assert caught.value.key == "mode"


@pytest.mark.parametrize("mode", ["0o640", "06400", "64", "0680", "rw-r-----", "4600", " 640", "٠٦٤٠", "0000", "0240"])
def test_no_mode(mode: str) -> None:
    """A mode that is not three octal digits, or that would hide the file from its owner, is refused."""
    with pytest.raises(SettingsError) as caught:
        opened(path="ci", mode=mode)
    assert caught.value.key == "mode"


@pytest.mark.parametrize("owner", ["a b", ":group", "user:", "a:b:c", "4294967295", "0:99999999999", "٣"])
def test_no_owner(owner: str) -> None:
    """An owner that can be no user, or user and group, is refused."""
    with pytest.raises(SettingsError) as caught:
        opened(path="ci", owner=owner)
    assert caught.value.key == "owner"


@pytest.mark.parametrize("owner", ["nobody-of-that-name", "root:no-group-of-that-name", "-1"])
def test_an_unknown_owner(tmp_path: Path, owner: str) -> None:
    """A user or group that this machine does not know is refused by the check, not by validation."""
    destination = opened(path="ci", owner=owner)
    with pytest.raises(DestinationError, match="not known on this machine") as caught:
        destination.check()
    assert owner in caught.value.message
    with pytest.raises(DestinationError) as caught:
        destination.write(Secret(SECRET))
    assert caught.value.surely_refused
    assert list(tmp_path.iterdir()) == []


@ROOT
@pytest.mark.parametrize(
    ("owner", "uid", "gid"),
    [
        (1234, 1234, 0),
        ("1234:2345", 1234, 2345),
        ("nobody", pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid),
        ("1234:root", 1234, 0),
    ],
)
def test_the_owner(tmp_path: Path, owner: object, uid: int, gid: int) -> None:
    """The file and the folders made for it belong to the owner, the record to whoever runs this."""
    deliver(opened(path="out/ci", owner=owner))
    assert access(tmp_path / "out" / "ci") == ("600", uid, gid)
    assert access(tmp_path / "out") == ("700", uid, gid)
    assert access(tmp_path / "out" / "ci.tooken")[1:] == (0, 0)


@ROOT
def test_the_owner_stands_before_the_workspaces(tmp_path: Path) -> None:
    """In the action an owner that the spec names counts, and not the workspace's; the record is the workspace's."""
    os.chown(tmp_path, 1111, 1111)
    deliver(opened(confined_to=tmp_path, path="ci", owner="1234:2345"))
    assert access(tmp_path / "ci")[1:] == (1234, 2345)
    assert access(tmp_path / "ci.tooken")[1:] == (1111, 1111)


@ROOT
def test_a_file_of_others_stays_theirs(tmp_path: Path) -> None:
    """A file that others keep things in keeps its owner, unless the spec names one."""
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    os.chown(tmp_path / ".env", 1234, 2345)
    deliver(opened(path=".env", format="dotenv", key="TOKEN"))
    assert access(tmp_path / ".env") == ("600", 1234, 2345)
    deliver(opened(path=".env", format="dotenv", key="TOKEN", owner="1111:1111"))
    assert access(tmp_path / ".env") == ("600", 1111, 1111)


@ROOT
def test_the_owner_is_set_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose owner cannot be set is never seen under its name."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(DestinationError, match="operation not permitted") as caught:
        opened(path="ci", owner="1234").write(Secret(SECRET))
    assert caught.value.surely_refused
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def _not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this user one who is not root, as far as the code can tell."""
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 1234)
    monkeypatch.setattr(os, "getgroups", lambda: [1234, 2345])


@pytest.mark.usefixtures("_not_root")
@pytest.mark.parametrize(
    ("owner", "allowed"), [("1234", True), ("1234:2345", True), ("1234:3456", False), ("root", False), ("999", False)]
)
def test_who_is_not_root_gives_nothing_away(owner: str, *, allowed: bool) -> None:
    """The check refuses an owner that this user cannot give a file to, and says what can be done."""
    destination = opened(path="ci", owner=owner)
    if allowed:
        destination.check()
        return
    with pytest.raises(DestinationError, match="cannot be given to") as caught:
        destination.check()
    assert "as root" in caught.value.hint


@pytest.mark.usefixtures("_not_root")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    """Who is not root does not take a file away from those whose it is, unless it is all secret."""
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    with pytest.raises(DestinationError, match="belongs to another user"):
        opened(path=".env", format="dotenv", key="TOKEN").check()
    opened(path=".env").check()


@ROOT
def test_another_user_reads_it(tmp_path: Path) -> None:
    """The owner, and nobody else but root, can open the file in the folders that were made for it."""
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    deliver(opened(path="out/deep/ci", owner="1234:2345"))
    for user, expected in ((1234, SECRET), (4321, "")):
        done = subprocess.run(
            ["cat", "out/deep/ci"], user=user, group=user, extra_groups=[], capture_output=True, check=False
        )
        assert done.stdout.decode() == expected


@pytest.mark.parametrize("by_job", [False, True], ids=["file", "job"])
def test_a_link_that_is_made_later(tmp_path: Path, by_job: bool) -> None:  # noqa: FBT001  # two kinds
    """In the action a folder that becomes a link after the spec was read leads no secret out of the workspace."""
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    (workspace / "out").mkdir(parents=True)
    outside.mkdir()
    os.chdir(workspace)
    surroundings = Surroundings(confined_to=workspace)
    destination: FileDestination | JobDestination
    if by_job:
        job = JobKind(surroundings)
        destination = job.open(job.parse({"file": "out/deep/ci"}, HERE))
    else:
        destination = opened(confined_to=workspace, path="out/deep/ci")
    destination.check()
    (workspace / "out").rmdir()
    (workspace / "out").symlink_to(outside)
    for step in (destination.check, lambda: destination.write(Secret(SECRET))):
        with pytest.raises(DestinationError, match="a link that was made after the spec was read"):
            step()
    if isinstance(destination, FileDestination):
        with pytest.raises(DestinationError, match="a link that was made after the spec was read"):
            destination.write_record(record())
    assert list(outside.iterdir()) == []


def test_the_file_itself_as_a_link(tmp_path: Path) -> None:
    """A link in the place of the file is replaced; what it leads to is not written."""
    workspace, target = tmp_path / "workspace", tmp_path / "target"
    workspace.mkdir()
    os.chdir(workspace)
    destination = opened(confined_to=workspace, path="ci")
    (workspace / "ci").symlink_to(target)
    destination.write(Secret(SECRET))
    assert not target.exists()
    assert (workspace / "ci").read_text(encoding="utf-8") == SECRET
