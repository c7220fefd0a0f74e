"""The label of a spec that is not valid, as far as it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tooken_ci.spec.label import label_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("version: 1\nworkspace: production\ntokens: [\n", "production"),
        ("workspace: 'the shop' # ours\ntokens: 3\n", "the shop"),
        ('workspace: "production"\n', "production"),
        ("version: 1\ntokens: 3\n", "default"),
        ("tokens:\n  workspace: no\n", "default"),
        ("\x00\xff", "default"),
    ],
)
def test_one_file(tmp_path: Path, text: str, label: str) -> None:
    """It is that of the line that names it at the top, or the default one."""
    (tmp_path / "tooken.yml").write_text(text, encoding="utf-8")
    assert label_of([str(tmp_path / "tooken.yml")]) == label


def test_a_folder(tmp_path: Path) -> None:
    """Any of its files may name it."""
    (tmp_path / "a.yml").write_text("tokens: {}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("workspace: shop\n", encoding="utf-8")
    (tmp_path / "c.txt").write_text("workspace: no\n", encoding="utf-8")
    assert label_of([str(tmp_path)]) == "shop"


def test_nothing_to_read(tmp_path: Path) -> None:
    """Where there is no file there is no label."""
    assert label_of([str(tmp_path / "none.yml")]) is None
    assert label_of([]) is None
