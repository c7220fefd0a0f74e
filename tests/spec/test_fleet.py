"""Which workspaces stand under a folder, and that the path of each loads exactly it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.support import KINDS
from tooken_ci.base.errors import SpecError, UsageError
from tooken_ci.spec.fleet import LONGEST_NAME, Workspace, find_fleet, name_for
from tooken_ci.spec.load import load

NAMES = ["a", "b", "c d", "ü", ".hidden"]
FILES = ["x.yml", "y.yaml", "z.txt", ".w.yml"]


PLACES = st.tuples(st.lists(st.sampled_from(NAMES), max_size=3), st.sampled_from(FILES))
TREES = st.sets(PLACES.map(lambda place: (*place[0], place[1])))


def spec(label: str) -> str:
    tokens = "{t: {scopes: [tokens:read], expires_in: 90d, deliver: [file: {path: t}]}}"
    return f"version: 1\nworkspace: {label!r}\ntokens: {tokens}\n"


def plant(folder: Path, **texts: str) -> None:
    """Writes files; ``__`` in a name stands for a folder."""
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(folder: Path) -> dict[str, str]:
    return {one.name: os.path.relpath(one.path, folder) for one in find_fleet(str(folder), kinds=KINDS)}


def test_a_file_in_the_folder_and_a_folder_of_files_are_workspaces(tmp_path: Path) -> None:
    """Each file that stands in the folder itself is one, and each folder below it that holds files, sorted by name."""
    plant(tmp_path, zeta=spec("zeta"), eu__x=spec("eu"), eu__deep__y=spec("deep"))
    plant(tmp_path, us__one=spec("us"), us__two="version: 1\ntokens: {}\n", none__a__b=spec("b"))
    assert found(tmp_path) == {"b": "none/a", "deep": "eu/deep", "eu": "eu", "us": "us", "zeta": "zeta.yml"}
    assert list(found(tmp_path)) == sorted(found(tmp_path))


def test_what_is_hidden_or_another_kind_of_file_is_passed_over(tmp_path: Path) -> None:
    """Neither hidden files and folders, nor links to folders, nor other files count."""
    plant(tmp_path, a=spec("a"), **{".b": spec("b"), ".git__c": spec("c")})
    (tmp_path / "README.md").write_text("# Workspaces\n", encoding="utf-8")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "folder.yml").mkdir()
    assert found(tmp_path) == {"a": "a.yml"}


def test_a_link_to_a_file_is_a_workspace(tmp_path: Path) -> None:
    """A file may be a link to one elsewhere, as --spec takes it too."""
    plant(tmp_path, shared=spec("shared"))
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "here.yml").symlink_to(tmp_path / "shared.yml")
    assert found(tmp_path / "fleet") == {"shared": "here.yml"}


def test_two_of_one_label_are_refused(tmp_path: Path) -> None:
    """Two specs of one label would be given one key: both files are named."""
    plant(tmp_path, a=spec("same"), b__x=spec("same"))
    with pytest.raises(SpecError) as caught:
        find_fleet(str(tmp_path), kinds=KINDS)
    (fault,) = caught.value.faults
    assert (fault.position.file, fault.position.line) == (str(tmp_path / "b" / "x.yml"), 1)
    assert f"'same' has the name of that in '{tmp_path / 'a.yml'}'" in str(fault)


def test_labels_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    """GitHub takes Prod and prod for one environment, and so for one key."""
    plant(tmp_path, a=spec("Prod"), b=spec("prod"))
    with pytest.raises(SpecError, match="differs in case alone"):
        find_fleet(str(tmp_path), kinds=KINDS)


def test_specs_without_a_label_are_all_the_same_one(tmp_path: Path) -> None:
    """Without a label each is 'default', so only one may be."""
    plant(tmp_path, a="version: 1\ntokens: {}\n")
    assert found(tmp_path) == {"default": "a.yml"}
    plant(tmp_path, b="version: 1\ntokens: {}\n")
    with pytest.raises(SpecError, match="workspace:"):
        find_fleet(str(tmp_path), kinds=KINDS)


def test_every_fault_of_every_spec_is_told(tmp_path: Path) -> None:
    """A spec that is not valid hides neither the faults of the others nor two of one name."""
    plant(tmp_path, a="version: 2\ntokens: {}\n", b__x="tokens: [", c=spec("c"), d=spec("c"))
    with pytest.raises(SpecError) as caught:
        find_fleet(str(tmp_path), kinds=KINDS)
    files = {os.path.relpath(fault.position.file, tmp_path) for fault in caught.value.faults}
    assert files == {"a.yml", "b/x.yml", "d.yml"}


@pytest.mark.parametrize(
    "name", ["$HOME", "a;b", "a`b", "a'b", 'a"b', "a\nb", "a\u202eb", "a\udcffb", "a" * 150, "a ", "a$(b)"]
)
def test_a_path_that_a_shell_would_read_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    """A folder's name goes into variables and perhaps into somebody's script, so it must be nothing but a path."""
    plant(tmp_path, a=spec("a"), **{f"{name}__x": spec("b")})
    with pytest.raises(UsageError, match="not fit for a CI system") as caught:
        find_fleet(str(tmp_path), kinds=KINDS)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("folder", ["none", "file.yml", "empty", "nul\0", ""])
def test_a_folder_without_workspaces_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """A folder that is not there, is a file, or holds no spec at all, is a slip and no empty fleet."""
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, file=spec("a"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        find_fleet(folder, kinds=KINDS)


@pytest.mark.parametrize("label", ["production", "eu-1", "a", "a.b_c", "0", "x" * LONGEST_NAME])
def test_a_plain_label_is_the_name(label: str) -> None:
    """Letters, digits and what stands between them is fit as it is."""
    assert name_for(label) == label


@pytest.mark.parametrize(
    ("label", "begins"),
    [
        ("Acme, Inc. (EU)", "Acme-Inc-EU-"),
        ("eu/prod", "eu-prod-"),
        ("${{ secrets.KEY }}", "secrets-KEY-"),
        ("-x", "x-"),
        ("a.", "a-"),
        ("ünïcode", "n-code-"),
        ("東京", ""),
        ("y" * 64, "y" * (LONGEST_NAME - 9) + "-"),
    ],
)
def test_any_other_label_gets_a_name_of_its_own(label: str, begins: str) -> None:
    """What is fit of it stays, and a digest tells it from all others."""
    name = name_for(label)
    assert name.startswith(begins)
    assert len(name) == len(begins) + 8


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_are_harmless_and_apart(one: str, other: str) -> None:
    """Whatever the label, its name is short and plain, and two labels have two names."""
    for label in (one, other):
        name = name_for(label)
        assert 0 < len(name) <= LONGEST_NAME
        assert all(char.isascii() and (char.isalnum() or char in "._-") for char in name)
        assert name[0].isalnum()
        assert name[-1].isalnum()
    assert (name_for(one) == name_for(other)) == (one == other)


@settings(max_examples=40)
@given(TREES)
def test_each_path_loads_exactly_its_workspace(tree: set[tuple[str, ...]]) -> None:
    """In any tree of folders every spec that is not hidden is loaded by the path of one workspace, and of one only."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        labels: dict[Path, str] = {}
        for number, parts in enumerate(sorted(tree)):
            file = top.joinpath(*parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            group = file if file.parent == top else file.parent
            known = group in labels or file.suffix == ".txt" or file.name.startswith(".")
            text = f"version: 1\ntokens: {{t{number}: {{scopes: [tokens:read], expires_in: 90d}}}}\n"
            file.write_text(text if known else f"workspace: w{number}\n{text}", encoding="utf-8")
            if not known:
                labels[group] = f"w{number}"
        visible = {top.joinpath(*parts) for parts in tree if parts[-1][0] != "." and parts[-1][-3:] != "txt"}
        expected = {file for file in visible if not any(part[0] == "." for part in file.relative_to(top).parts)}
        fleet: tuple[Workspace, ...] = find_fleet(name, kinds=KINDS) if expected else ()
        loaded = [file for one in fleet for file in load([one.path], kinds=KINDS).files]
        assert sorted(loaded) == sorted(map(str, expected))
        assert {one.name for one in fleet} == {labels[Path(one.path)] for one in fleet}
