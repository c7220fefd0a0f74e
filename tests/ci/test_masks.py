"""The runner is told what it needs to mask a secret in every form; what it derives by itself is left to it."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest

from tests.e2e.leaks import ways
from tooken_ci.base.secret import Secret
from tooken_ci.ci.github import masks

SECRETS = [
    "tok_plain0123456789abcdefghij",
    "tok/s3cr3t+ü'?=\"a b\\<&>",
    "-----BEGIN KEY-----\nMIIEvQI%BADAN\nshort\n-----END KEY-----\n",
    "twelve bytes",
]


def _told(secret: str) -> list[str]:
    """What the runner understands of the commands, each in one line."""
    told = []
    for line in masks(Secret(secret)):
        assert "\n" not in line
        name, text = line[2:].split("::", 1)
        assert name == "add-mask"
        told.append(text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"))
    return told


def _derived(value: str) -> set[str]:
    """What actions/runner makes of a mask: the encoders that its ``HostContext`` registers."""
    raw = value.encode()
    xml = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        value,
        *(base64.b64encode(raw[shift:]).decode() for shift in range(3)),
        value.replace('"', '\\"'),
        value.replace("'", "''"),
        json.dumps(value, ensure_ascii=False)[1:-1],
        urllib.parse.quote(value, safe=""),
        xml.replace('"', "&quot;").replace("'", "&apos;"),
    }


@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_is_masked_by_the_runner(secret: str) -> None:
    """Whatever later steps print, the runner masks it: each line, and each form that it does not derive itself."""
    known = {text for told in _told(secret) for text in _derived(told)}
    for way, spellings in ways(secret).items():
        for spelling in spellings:
            assert any(text in spelling for text in known), way


@pytest.mark.parametrize("secret", SECRETS)
def test_the_secret_itself_comes_first(secret: str) -> None:
    """The first command masks the secret as it is, the next ones its lines, and nothing that is short is masked."""
    told = _told(secret)
    lines = [line for line in secret.splitlines() if 8 <= len(line) < len(secret)]
    assert told[: 1 + len(lines)] == [secret, *lines]
    assert min(map(len, told)) >= 8
    assert len(told) == len(set(told))


def test_what_the_runner_derives_is_left_to_it() -> None:
    """Neither JSON nor what a URL needs is told again."""
    told = _told('tok "quoted"/and more')
    assert 'tok \\"quoted\\"/and more' not in told
    assert "tok%20%22quoted%22%2Fand%20more" not in told
    assert "tok%20%22quoted%22%2fand%20more" in told


def test_a_secret_that_is_no_text() -> None:
    """Bytes that a program printed and that are no text are masked as well as can be, and break nothing."""
    value = b"\xff\xfe not a text"
    told = masks(Secret(value.decode(errors="surrogateescape")))
    assert f"::add-mask::{value.hex()}" in told
