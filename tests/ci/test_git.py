"""Which files changed since a commit, as git tells it in real repositories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.destinations.exec_support import gone
from tests.support.repository import Repository
from tooken_ci.base.children import children
from tooken_ci.base.errors import RunnerError, UsageError
from tooken_ci.ci.git import changed_since

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Gives a repository with a file in each of two folders."""
    for name in ("fleet/a.yml", "fleet/b/x.yml", "other.txt"):
        (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / name).write_text(name * 20, encoding="utf-8")
    return Repository(tmp_path / "work")


def since(repository: Repository, ref: str, folder: str = "fleet") -> set[str] | None:
    files = changed_since(ref, str(repository.folder / folder), os.environ)
    return None if files is None else {os.path.relpath(file, repository.folder) for file in files}


def test_what_was_edited_added_deleted_and_moved(repository: Repository) -> None:
    """Every commit since then counts; a file that was moved counts at both places, whatever its name."""
    repository.write("other.txt", "edited")
    repository.write('fleet/new\n"name" ü.yml', "added")
    repository.commit()
    repository.git("rm", "-q", "fleet/a.yml")
    repository.git("mv", "fleet/b/x.yml", "fleet/b/y.yml")
    repository.commit()
    names = {"other.txt", 'fleet/new\n"name" ü.yml', "fleet/a.yml", "fleet/b/x.yml", "fleet/b/y.yml"}
    assert since(repository, repository.first) == names


def test_what_is_not_committed_does_not_count(repository: Repository) -> None:
    """Neither a file that was edited nor one that is new."""
    repository.write("fleet/a.yml", "edited")
    repository.write("fleet/new.yml", "added")
    assert since(repository, "main") == set()


def test_only_this_branch_counts(repository: Repository) -> None:
    """As in a pull request: what main has gone on with since the branch left it is none of its changes."""
    repository.git("switch", "-q", "-c", "branch")
    repository.write("fleet/a.yml", "by the branch")
    repository.commit()
    repository.git("switch", "-q", "main")
    repository.write("fleet/b/x.yml", "by main")
    repository.commit()
    repository.git("switch", "-q", "branch")
    assert since(repository, "main") == {"fleet/a.yml"}


def test_settings_of_git_change_nothing(repository: Repository) -> None:
    """Neither relative paths, nor prefixes, nor another tool for differences, as people set them."""
    program = repository.folder / "program"
    program.write_text("#!/bin/sh\ntouch ran\n", encoding="utf-8")
    program.chmod(0o755)
    for name, value in (("diff.relative", "true"), ("diff.external", str(program)), ("diff.renames", "copies")):
        repository.git("config", name, value)
    repository.write("other.txt", "edited")
    repository.commit()
    assert since(repository, repository.first, "fleet/b") == {"other.txt", "program"}
    assert not (repository.folder / "ran").exists()


@pytest.mark.parametrize("ref", ["", "0" * 40, "0" * 64])
def test_no_commit_before(tmp_path: Path, ref: str) -> None:
    """Where the system knows of no commit before, everything counts, and git is not even asked."""
    assert changed_since(ref, str(tmp_path), {}) is None


UNKNOWN = ["nowhere", "0" * 39, "1" * 40, "main:fleet", "main..main", "^main", " ", "a b", "HEAD~9"]


@pytest.mark.parametrize("ref", UNKNOWN)
def test_a_commit_that_git_does_not_know(repository: Repository, ref: str) -> None:
    """The error names what a shallow clone needs, on GitHub and on GitLab."""
    with pytest.raises(UsageError, match=r"does not know the commit .*fetch-depth: 0.*GIT_DEPTH"):
        since(repository, ref)


@pytest.mark.parametrize("ref", ["--output=stolen", "-h", "--all", "-", "a\0b", "a\nb", "\x1b[31m"])
def test_a_name_that_would_be_an_option(repository: Repository, ref: str) -> None:
    """What can name no commit is refused before git sees it."""
    with pytest.raises(UsageError, match="names no commit") as caught:
        since(repository, ref)
    assert str(caught.value).isprintable()
    assert not list(repository.folder.rglob("stolen"))


@pytest.mark.parametrize("ref", ["v1.0", "HEAD~1", "refs/heads/main~1", "main@{0}"])
def test_any_name_of_a_commit(repository: Repository, ref: str) -> None:
    """Tags, branches and what git says of earlier commits will do."""
    repository.git("tag", "-a", "-m", "tag", "v1.0")
    repository.write("fleet/a.yml", "edited")
    repository.commit()
    assert since(repository, ref) == (set() if "@" in ref else {"fleet/a.yml"})


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    """A clone of the last commit alone knows neither the one before, nor where two branches parted."""
    repository.git("switch", "-q", "-c", "branch")
    for name in ("one", "two"):
        repository.write("fleet/a.yml", name)
        repository.commit()
    for depth, ref in (("1", repository.first), ("1", "origin/main")):
        clone = tmp_path / f"clone-{ref[:3]}"
        url = repository.folder.as_uri()
        repository.git("clone", "-q", "--depth", depth, "--no-single-branch", "-b", "branch", url, str(clone))
        with pytest.raises(UsageError, match="fetch-depth: 0"):
            changed_since(ref, str(clone / "fleet"), os.environ)


def test_two_histories(repository: Repository) -> None:
    """A commit that shares no past with HEAD tells nothing."""
    repository.git("switch", "-q", "--orphan", "apart")
    repository.commit()
    repository.write("fleet/a.yml", "apart")
    with pytest.raises(UsageError, match="no common past"):
        since(repository, "main")


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """Where there is no checkout, that is what is told."""
    with pytest.raises(UsageError, match="needs a checkout of git") as caught:
        changed_since("main", str(tmp_path), {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    assert "not a git repository" in str(caught.value)


def test_without_git(repository: Repository, tmp_path: Path) -> None:
    """Where git is not installed, the error says what needs it."""
    (tmp_path / "bin").mkdir()
    with pytest.raises(RunnerError, match="--changed-since needs git"):
        changed_since("main", str(repository.folder), {"PATH": str(tmp_path / "bin")})


def _instead_of_git(folder: Path, script: str) -> dict[str, str]:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "git").chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "TOOKEN_API_KEY": "tok_live_plainly_fake", "GIT_DIR": "elsewhere"}


def test_git_gets_no_key(repository: Repository, tmp_path: Path) -> None:
    """Git is told where programs and its settings are, and neither the key nor another repository."""
    environ = _instead_of_git(tmp_path / "bin", f"env >> {tmp_path}/env; exit 1")
    with pytest.raises(UsageError):
        changed_since("main", str(repository.folder), environ)
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text(encoding="utf-8").splitlines()}
    assert {"PATH", "HOME"} <= names
    assert not {name for name in names if name.startswith(("TOOKEN", "GIT_DIR"))}


def test_git_hangs(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that does not end is stopped, with what it started, and forgotten."""
    monkeypatch.setattr("tooken_ci.ci.git.SECONDS", 0.2)
    environ = _instead_of_git(tmp_path / "bin", f"sleep 50 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(RunnerError, match="was stopped"):
        changed_since("main", str(repository.folder), environ)
    assert gone([int((tmp_path / "child").read_text(encoding="utf-8"))])
    assert not children._groups


def test_the_comparison_fails(repository: Repository, tmp_path: Path) -> None:
    """Where git knows both commits and fails all the same, the first line of its complaint is told, made harmless."""
    fails = "diff-tree) printf '::error::broken\\nmore\\n' >&2; exit 128;;"
    script = f'case $1 in {fails} *) PATH="${{PATH#*:}}" exec git "$@";; esac'
    environ = _instead_of_git(tmp_path / "bin", script)
    with pytest.raises(RunnerError, match="could not compare") as caught:
        changed_since("main", str(repository.folder), environ)
    assert "broken" in str(caught.value)
    assert "more" not in str(caught.value)
