"""The command against a server behind TLS with a certificate of an authority of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.project import entry, spec
from tests.support.tls import Authority, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.project import Project


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Gives an authority that nobody trusts yet."""
    return Authority(tmp_path)


@pytest.fixture
def behind(authority: Authority, still_project: Project) -> Iterator[Project]:
    """Gives a project whose API is behind TLS."""
    still_project.write(spec({"ci": entry("ci")}))
    still_project.executed = True  # what the libraries know of certificates they may know from their import
    with served(authority.certify("127.0.0.1")) as (port, _):
        still_project.url = f"https://127.0.0.1:{port}/v1"
        yield still_project


def test_trusted_by_the_option(behind: Project, authority: Authority) -> None:
    """Without the option the plan fails with the remedy; with it, or its variable, all is well."""
    behind.run("plan", code=1).says("its TLS certificate is not trusted", "--ca-bundle", "TOOKEN_CA_BUNDLE")
    behind.run("plan", "--ca-bundle", str(authority.bundle)).says("1 to create")
    behind.run("plan", env={"TOOKEN_CA_BUNDLE": str(authority.bundle)}).says("1 to create")


def test_never_over_the_certificates(behind: Project, authority: Authority) -> None:
    """The file of certificates is no place for a plan or for a secret."""
    before = authority.bundle.read_bytes()
    bundle = ("--ca-bundle", str(authority.bundle))
    behind.run("plan", *bundle, "--out", str(authority.bundle), code=2).says("this run reads it")
    behind.write(spec({"ci": entry(str(authority.bundle))}))
    behind.run("apply", *bundle, code=2).says("it would be overwritten")
    assert authority.bundle.read_bytes() == before
