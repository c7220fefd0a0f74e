"""What a run tells of the search for secrets at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tooken_ci.base import leaks
from tooken_ci.base.errors import ExitCode
from tooken_ci.base.secret import Secret
from tooken_ci.cli.leaks import searched

if TYPE_CHECKING:
    import pytest

VALUE = "tok_plainly_fake_0123456789"


def test_what_it_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that was found, and a file that could not be searched, are told each for itself; the run ends with 3."""
    Secret(VALUE)
    notes = tmp_path / "notes"
    leaks.written.note(notes)
    assert searched(ExitCode.OK, []) == ExitCode.OK
    leaks.written.note(Path("/proc/self/mem"))  # a file, but nothing can be read at its beginning
    assert searched(ExitCode.OK, []) == ExitCode.PARTIAL
    assert "could not search '/proc/self/mem', which" in capsys.readouterr().err
    notes.write_text(VALUE, encoding="utf-8")
    assert searched(ExitCode.OK, []) == ExitCode.PARTIAL
    assert f"found a secret in '{notes}', which" in capsys.readouterr().err
