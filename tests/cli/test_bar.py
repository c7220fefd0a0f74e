"""Progress where a person watches: a bar and a countdown, which harm nothing that is said meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import screen
from tooken_ci.base.secret import Secret
from tooken_ci.cli.bar import Bar
from tooken_ci.cli.reporting import say

if TYPE_CHECKING:
    from tests.cli.terminal import Hands, Terminal

SECRET = "tok_live_0123456789abcdefABCDEF0123456789"


def test_a_bar_has_patience(hands: Hands, terminal: Terminal) -> None:
    """Work that is done within half a second shows no bar; then it shows at once how much is done."""
    with terminal.watched():
        shown = Bar()
        shown.step("tokens read", 100, 900)
        hands.at += 0.4
        shown.step("tokens read", 200, 900)
        say("nothing yet")
        hands.at += 0.2
        shown.step("tokens read", 300, 900)
        shown.step("actions done", 7, 11)
        shown.rest()
    before, _, after = terminal.shown.partition("nothing yet")
    assert before == ""
    assert "tokens read" in after
    assert "300 of 900" in after
    assert "7 of 11" in after
    assert "200 of 900" not in after
    assert "of 100\x1b" not in after


def test_a_wait_is_counted_down(hands: Hands, terminal: Terminal) -> None:
    """A wait shows at once how long it still takes, whatever its reason, and is gone with the next step."""
    with terminal.watched():
        shown = Bar()
        why = "2 requests left until the reset, of which 2 are kept for others, and more words than a line holds"
        shown.wait(47, why)
        say("meanwhile")
        hands.at += 10
        assert shown._shown is not None
        shown._shown.refresh()  # as it does by itself, ten times a second
        say("still")
        shown.step("actions done", 1, 2)
        hands.at += 1
        shown.step("actions done", 1, 2)
        say("later")
        shown.rest()
    told = terminal.shown
    assert told.index("waiting 47 s: 2 requests") < told.index("meanwhile") < told.index("waiting 37 s: 2 requests")
    assert "waiting" not in told.partition("later")[2]
    assert screen(told) == ["meanwhile", "still", "later"]


def test_nothing_is_lost_or_left(hands: Hands, terminal: Terminal) -> None:
    """What is said while a bar stands is on the screen in the end, unbroken, and nothing of the bar is."""
    long = "words " * 40 + "end"
    texts = ["one", "[bold]no markup[/] :smile: 1234 'quoted' http://x", long, "two"]
    with terminal.watched():
        shown = Bar()
        for _ in range(2):
            shown.step("actions done", 1, 2)
            hands.at += 1
            shown.step("actions done", 1, 2)
            for text in texts:
                say(text)
            shown.wait(47, "why")
            shown.rest()
            say("afterwards")
    told = terminal.shown
    assert "1 of 2" in told
    assert screen(told) == [*texts, "afterwards"] * 2
    assert told.count("\x1b[?25l") == told.count("\x1b[?25h") == 2


@pytest.mark.parametrize("column", [0, 50, 70, 79])
def test_a_secret_is_masked_above_a_bar(hands: Hands, terminal: Terminal, column: int) -> None:
    """A secret in a text that is said while a bar stands is masked wherever in the line it stands."""
    Secret(SECRET)
    with terminal.watched():
        shown = Bar()
        shown.wait(47, "why")
        say("." * column + SECRET + " after")
        shown.rest()
    assert screen(terminal.shown) == ["." * column + "*** after"]


@pytest.mark.parametrize("why", ["[red]x[/red] [/] [link=http://x]y", "{task.fields} {0} %s :smile:"])
def test_a_reason_is_no_markup(hands: Hands, terminal: Terminal, why: str) -> None:
    """A reason is shown as it is, whatever stands in it."""
    with terminal.watched():
        shown = Bar()
        shown.wait(47, why)
        shown.rest()
    assert f"waiting 47 s: {why}" in terminal.shown


def test_words_from_outside(hands: Hands, terminal: Terminal) -> None:
    """The reason of a wait may hold a token's name: it is neither markup of the bar's nor a command to the terminal."""
    with terminal.watched():
        shown = Bar()
        shown.wait(47, "[red]a[/red] :skull: \x1b[2J\n::x")
        say("meanwhile")
        hands.at += 1
        shown.step("[bold]read[/bold]\x07", 1, 2)
        hands.at += 1
        shown.step("[bold]read[/bold]\x07", 1, 2)
        say("later")
        shown.rest()
    assert "[red]a[/red] :skull: \\x1b[2J\\x0a::x" in terminal.shown
    assert "[bold]read[/bold]\\x07" in terminal.shown
    assert "\x1b[2J" not in terminal.shown
