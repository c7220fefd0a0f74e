"""Loading: what a good spec becomes, where its files are found, and how several become one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from tests.spec.support import KINDS, loaded, told, write
from tooken_ci.base.errors import UsageError
from tooken_ci.base.position import Position
from tooken_ci.spec.load import load
from tooken_ci.spec.model import Bound, Named, Policy

ALL_KEYS = Path(__file__).parent / "good" / "all_keys.yml"
ONE = "version: 1\ntokens:\n  {}: {{scopes: [tokens:read]}}\n"


def test_every_key_arrives() -> None:
    """Each key of the spec is found in the model, with the defaults of its file and its place."""
    spec = load([str(ALL_KEYS)], kinds=KINDS)
    assert spec.workspace == "production"
    assert spec.files == (str(ALL_KEYS),)
    assert spec.policy == Policy(
        require_expiry=True,
        max_lifetime=timedelta(days=180),
        forbidden_scopes=frozenset({"webhooks:write"}),
        name_pattern="^[a-z0-9-]+$",
        max_revocations=Bound(number=5),
        max_changes=Bound(share=Fraction(1, 2)),
    )
    assert [entry.name for entry in spec.entries] == ["ci-deploy", "provisioner", "short-lived", "watched-short"]
    deploy, provisioner, short, watched = spec.entries
    assert deploy.scopes == {"tokens:read", "tokens:rotate"}
    assert (deploy.expires_in, deploy.overlap) == (timedelta(days=90), timedelta(hours=24))
    assert deploy.renew_before == timedelta(days=90) * 33 / 100
    assert (deploy.description, deploy.owner) == ("Deploys the shop from CI", "platform@example.com")
    assert deploy.position == Position(str(ALL_KEYS), 17, 3)
    assert deploy.where("scopes") == Position(str(ALL_KEYS), 20, 5)
    assert deploy.where("expires_in") == deploy.position
    assert deploy.deliver[0].position == Position(str(ALL_KEYS), 22, 9)
    assert (short.runs_every, short.renew_before, short.overlap) == (
        timedelta(hours=1),
        timedelta(days=1),
        timedelta(0),
    )
    assert [target.takeover for target in short.deliver] == [True, False]
    assert provisioner.protected
    assert provisioner.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (provisioner.expires_in, provisioner.renew_before) == (None, None)
    assert watched.watched
    assert spec.absent == (Named(text="old-bot", position=Position(str(ALL_KEYS), 39, 10)),)
    assert [named.text for named in spec.prune] == ["ci-*"]


def test_built_in_defaults(tmp_path: Path) -> None:
    """An entry that says nothing but its scopes never expires and is only watched."""
    spec = loaded(tmp_path, a=ONE.format("ci"))
    (entry,) = spec.entries
    assert spec.workspace == "default"
    assert (entry.expires_in, entry.expires_at, entry.renew_before) == (None, None, None)
    assert (entry.runs_every, entry.overlap) == (timedelta(hours=24), timedelta(hours=24))
    assert not entry.protected


def test_rotation_and_previous_names() -> None:
    """``every``, ``strategy`` and ``previously`` arrive with their defaults and places."""
    path = ALL_KEYS.parent / "rotation.yml"
    entries = {entry.name: entry for entry in load([str(path)], kinds=KINDS).entries}
    month, weekly, long = timedelta(days=30), entries["more-often"], entries["longer-than-the-life"]
    assert (entries["by-the-defaults"].rotate_every, entries["by-the-defaults"].overlap) == (month, timedelta(days=2))
    assert (weekly.rotate_every, weekly.overlap) == (timedelta(days=7), timedelta(days=2))
    assert (long.rotate_every, long.overlap) == (timedelta(weeks=52), timedelta(0))
    assert (entries["ends-at-a-fixed-time"].rotate_every, entries["ends-at-a-fixed-time"].expires_in) == (month, None)
    assert [name for name, entry in entries.items() if entry.in_place] == ["in-place"]
    renamed = entries["renamed"]
    assert renamed.previously == (
        Named(text="Old Name_1", position=Position(str(path), 32, 18)),
        Named(text="older", position=Position(str(path), 32, 30)),
    )
    assert renamed.names == ("renamed", "Old Name_1", "older")
    assert weekly.names == ("more-often",)


def test_what_is_rotated_more_often_than_apply_runs(tmp_path: Path) -> None:
    """A pace that no run can keep is a warning at the place that sets it, once where the defaults do."""
    text = (
        "version: 1\ndefaults: {rotation: {every: 2h, overlap: 1h}}\ntokens:\n"
        "  a: {scopes: [tokens:read], deliver: [file: {path: a}]}\n"
        "  b: {scopes: [tokens:read], deliver: [file: {path: b}]}\n"
        "  c: {scopes: [tokens:read], deliver: [file: {path: c}], runs_every: 2h}\n"
        "  d: {scopes: [tokens:read], deliver: [file: {path: d}], rotation: {every: 90m}}\n"
    )
    assert [str(warning).replace(f"{tmp_path}/", "") for warning in loaded(tmp_path, a=text).warnings] == [
        f"a.yml:{place}: 'every' {every} is shorter than runs_every 1d: tokens are rotated only when apply runs. "
        "Run apply more often, and say so in 'runs_every'; or rotate less often."
        for place, every in (("2:30", "2h"), ("7:76", "90m"))
    ]


def test_an_overlap_that_leaves_too_many_alive(tmp_path: Path) -> None:
    """A life so short that many tokens overlap is a warning with the arithmetic, at the key that sets the life."""
    text = (
        "version: 1\ntokens:\n  a:\n    scopes: [tokens:read]\n    deliver: [file: {path: a}]\n"
        "    runs_every: 1h\n    expires_in: 12h\n    renew_before: 10h\n"
    )
    assert [str(warning).replace(f"{tmp_path}/", "") for warning in loaded(tmp_path, a=text).warnings] == [
        (
            "a.yml:7:17: A token is renewed every 2h (expires_in 12h less renew_before), so with overlap 1d more than "
            "4 would be alive at once; no more are made then. "
            "Shorten the overlap to 84m, or let the token live longer."
        )
    ]
    assert loaded(tmp_path, a=f"{text}    rotation: {{overlap: 84m}}\n").warnings == ()
    assert len(loaded(tmp_path, a=f"{text}    rotation: {{overlap: 265m}}\n").warnings) == 1


def test_previous_names_in_several_files(tmp_path: Path) -> None:
    """A previous name is checked against all files, and told at its own line with the other place."""
    one = "version: 1\ntokens:\n  a: {scopes: [tokens:read], previously: [b, c]}\nabsent: [d]\n"
    two = "version: 1\ntokens:\n  b: {scopes: [tokens:read], previously: [c, d]}\n"
    assert [line.split(". ")[0] for line in told(tmp_path, one=one, two=two)] == [
        "one.yml:3:43: 'b' cannot be a previous name of 'a': it is declared at two.yml:3:3",
        "two.yml:3:43: 'c' cannot be a previous name of 'b': it is one of 'a' at one.yml:3:46",
        "two.yml:3:46: 'd' cannot be a previous name of 'b': it is absent at one.yml:4:10",
    ]


def test_renew_before_is_raised(tmp_path: Path) -> None:
    """A share that leaves no room for two runs is raised to twice runs_every plus two hours."""
    (entry,) = loaded(tmp_path, a=ONE.format("ci").replace("}", ", expires_in: 5d}")).entries
    assert entry.renew_before == timedelta(hours=50)


def test_an_end_in_the_past_is_no_fault_of_the_spec(tmp_path: Path) -> None:
    """The spec has no clock: such an entry fails alone, when it is planned."""
    (entry,) = loaded(tmp_path, a=ONE.format("ci").replace("}", ", expires_at: 2001-01-01T00:00:00Z}")).entries
    assert entry.expires_at == datetime(2001, 1, 1, tzinfo=UTC)


def test_names_are_text_as_written(tmp_path: Path) -> None:
    """Words that other readers of YAML take for something else are names like all others."""
    spec = loaded(tmp_path, a=(ALL_KEYS.parent / "words_that_yaml_1_1_reads_otherwise.yml").read_text("utf-8"))
    assert [entry.name for entry in spec.entries] == ["1", "null", "on", "yes"]
    assert [entry.description for entry in spec.entries] == ["0x10", "12:30:45", "no", "2027-01-01"]


def test_the_own_absolute_end_overrides_the_default_life(tmp_path: Path) -> None:
    """expires_at of an entry takes the place of expires_in of the defaults, and is brought to UTC."""
    text = (
        "version: 1\ndefaults: {expires_in: 90d}\n"
        "tokens:\n  a: {scopes: [tokens:read], expires_at: 2027-01-01T01:30:00+01:30}\n"
    )
    (entry,) = loaded(tmp_path, a=text).entries
    assert entry.expires_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert entry.expires_in is None


def test_warnings(tmp_path: Path) -> None:
    """What a kind wants to be known, and a renew_before without effect, are warnings with their place."""
    text = (
        "version: 1\ntokens:\n  a:\n    scopes: [tokens:read]\n    renew_before: 33%\n"
        "    deliver: [file: {path: /tmp/a}]\n  b:\n    scopes: [tokens:read]\n"
        "    expires_at: 2027-01-01T00:00:00Z\n    renew_before: 30d\n"
    )
    assert [str(warning).replace(f"{tmp_path}/", "") for warning in loaded(tmp_path, a=text).warnings] == [
        "a.yml:5:5: 'renew_before' has no effect: the token never expires. Remove it, or use 'expires_in'.",
        "a.yml:6:15: '/tmp/a' is lost with the runner.",
        (
            "a.yml:10:5: 'renew_before' has no effect: an absolute 'expires_at' is never renewed. "
            "Remove it, or use 'expires_in'."
        ),
    ]


def test_a_kind_may_refuse_the_destination_as_a_whole(tmp_path: Path) -> None:
    """Settings that make no sense together are shown at the kind."""
    text = "version: 1\ntokens:\n  a:\n    scopes: [tokens:read]\n    deliver: [file: {path: nowhere}]\n"
    assert told(tmp_path, a=text) == ["a.yml:5:15: There is no such place."]


def test_several_files_become_one(tmp_path: Path) -> None:
    """Entries merge; defaults hold for the file they stand in, and for that one only."""
    one = "version: 1\nworkspace: w\ndefaults: {expires_in: 90d, rotation: {overlap: 1h}}\n" + ONE.format("b")[11:]
    spec = loaded(tmp_path, one=one, two=ONE.format("a") + "absent: [old]\n")
    assert [(entry.name, entry.expires_in) for entry in spec.entries] == [("a", None), ("b", timedelta(days=90))]
    assert [entry.overlap for entry in spec.entries] == [timedelta(hours=24), timedelta(hours=1)]
    assert (spec.workspace, [named.text for named in spec.absent]) == ("w", ["old"])


def test_what_stands_in_one_file_only(tmp_path: Path) -> None:
    """A name, or a key of the whole spec, in two files is told at the second, with the place of the first."""
    keys_of_all = "workspace: a\npolicy: {}\nabsent: [x]\nprune: [y]\nself: ci\n"
    one = f"version: 1\n{keys_of_all}tokens:\n  ci: {{scopes: [tokens:read]}}\n"
    told_twice = (
        "two.yml:8:3: The token 'ci' is declared twice; the first place is one.yml:8:3. "
        "Remove one, or give it another name."
    )
    keys = ((2, "workspace"), (3, "policy"), (4, "absent"), (5, "prune"), (6, "self"))
    assert told(tmp_path, one=one, two=one) == [
        *(
            f"two.yml:{line}:1: '{key}' stands in one file only; the other place is one.yml:{line}:1. "
            "Move all of it to one of the two."
            for line, key in keys
        ),
        told_twice,
    ]


def test_faults_between_files_beside_faults_in_files(tmp_path: Path) -> None:
    """One broken file hides neither the faults of the others nor those between them."""
    bad = "version: 1\ntokens:\n  ci: {scopes: [tokens:raed], deliver: [file: {path: out}]}\n"
    good = "version: 1\ntokens:\n  other: {scopes: [tokens:read], deliver: [file: {path: out}]}\nabsent: [ci]\n"
    assert [line.split(" ")[0:4] for line in told(tmp_path, a="[", b=bad, c=good)] == [
        ["a.yml:2:1:", "This", "is", "not"],
        ["b.yml:3:17:", "'tokens:raed'", "is", "not"],
        ["c.yml:3:44:", "'other'", "and", "'ci'"],
        ["c.yml:4:10:", "'ci'", "cannot", "be"],
    ]


def test_a_folder(tmp_path: Path) -> None:
    """Of a folder all *.yml and *.yaml are read by name; hidden files and folders inside it are not."""
    for name in ("b.yml", "a.yaml", ".hidden.yml", "c.txt"):
        (tmp_path / name).write_text(ONE.format(name.replace(".", "-")), encoding="utf-8")
    (tmp_path / "deeper.yml").mkdir()
    spec = load([str(tmp_path)], kinds=KINDS)
    assert [Path(file).name for file in spec.files] == ["a.yaml", "b.yml"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """A file that two paths lead to does not declare its tokens twice."""
    (path,) = write(tmp_path, a=ONE.format("ci"))
    assert load([path, str(tmp_path)], kinds=KINDS).files == (path,)


def test_the_file_is_named_as_the_user_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions carry the path that was given, not an absolute one."""
    write(tmp_path, a=ONE.format("ci"))
    monkeypatch.chdir(tmp_path)
    assert load(["a.yml"], kinds=KINDS).entries[0].position == Position("a.yml", 3, 3)


@pytest.mark.parametrize("path", ["tooken.yml", "", "a\0b", "x" * 5000, "a.yml/b.yml"])
def test_a_path_that_leads_nowhere(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing spec says what was looked for, where, and what to do."""
    write(tmp_path, a=ONE.format("ci"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="There is no spec at ") as caught:
        load([path], kinds=KINDS)
    assert f"(looked for in {Path.cwd()})" in caught.value.message
    assert caught.value.hint == "Create it, or name another file or folder with --spec."


def test_a_folder_without_a_spec(tmp_path: Path) -> None:
    """A folder that holds no spec is an error, not an empty spec."""
    with pytest.raises(UsageError, match=r"holds no file named \*.yml or \*.yaml"):
        load([str(tmp_path)], kinds=KINDS)


def test_no_path_at_all() -> None:
    """Nothing to read is an error, not an empty spec."""
    with pytest.raises(UsageError, match="No spec was named"):
        load([], kinds=KINDS)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission says so."""
    (path,) = write(tmp_path, a=ONE.format("ci"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        load([path], kinds=KINDS)
