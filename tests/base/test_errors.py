"""Errors: one class a cause, one code a class, and the exit codes that callers build on."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import tooken_ci
from tooken_ci.base import errors
from tooken_ci.base.errors import DestinationError, ExitCode, Fault, SpecError, TookenCIError
from tooken_ci.base.position import Position


def every_error() -> list[type[TookenCIError]]:
    """Every class of error in the package, wherever it is defined."""
    for module in pkgutil.walk_packages(tooken_ci.__path__, "tooken_ci."):
        if ".sandbox" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, known = [TookenCIError], {TookenCIError}
    for one in found:
        for subclass in one.__subclasses__():
            if subclass not in known and subclass.__module__.startswith("tooken_ci."):
                known.add(subclass)
                found.append(subclass)
    return found


def test_exit_codes() -> None:
    """The numbers are those of the documented table; scripts depend on them."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "PARTIAL": 3,
        "PENDING": 4,
        "FORBIDDEN": 5,
    }


def test_codes_are_distinct() -> None:
    """Every class of error has a code of its own, and tells in its docstring what it means."""
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes)) >= 18
    assert all(error.__doc__ for error in every_error())


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (TookenCIError, 1),
        (errors.WorkspaceError, 1),
        (errors.ApiError, 1),
        (errors.DestinationError, 1),
        (errors.DeclinedError, 1),
        (errors.IncompleteError, 1),
        (errors.UsageError, 2),
        (errors.SpecError, 2),
        (errors.PartialError, 3),
        (errors.ChangesError, 4),
        (errors.PolicyError, 5),
        (errors.BlockedError, 5),
    ],
)
def test_exit_code_of_a_class(error: type[TookenCIError], exit_code: int) -> None:
    """Failures are 1, wrong usage and specs 2, half-done runs 3, changes 4, and what policy or a bound forbids 5."""
    assert int(error.exit_code) == exit_code


def test_api_errors_fail() -> None:
    """Whatever the API answers, it is a plain failure."""
    found = [error for error in every_error() if issubclass(error, errors.ApiError)]
    assert len(found) >= 9
    assert {error.exit_code for error in found} == {ExitCode.FAILED}


def test_message_and_hint() -> None:
    """The text is the message followed by the hint, where there is one."""
    assert str(TookenCIError("It failed.", hint="Try again.")) == "It failed. Try again."
    assert str(TookenCIError("It failed.")) == "It failed."


def test_spec_error_tells_all_faults() -> None:
    """A spec error carries every fault with its place, and says how many there are."""
    faults = [Fault(Position("a.yml", 1, 2), "Bad.", hint="Mend it."), Fault(Position("b.yml", 3, 4), "Worse.")]
    error = SpecError(faults)
    assert error.faults == tuple(faults)
    assert "(2 errors)" in error.message
    assert "a.yml:1:2: Bad. Mend it.\nb.yml:3:4: Worse." in str(error)
    assert "(1 error)" in SpecError(faults[:1]).message
    assert repr(faults[1]) == "Fault(b.yml:3:4: Worse.)"


def test_details() -> None:
    """An API error knows its status and code; a destination's says whether it surely took nothing."""
    error = errors.ConflictError("taken", status=409, api_code="conflict")
    assert (error.status, error.api_code, errors.ApiError("x").status) == (409, "conflict", 0)
    assert DestinationError("no").surely_refused is True
    assert DestinationError("perhaps", surely_refused=False).surely_refused is False
