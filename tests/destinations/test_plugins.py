"""Kinds of other packages that are broken, in every way: an error that names them, and never more than one entry."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.destinations.support import HERE, OTHER, SECRET, TOKEN_ID, held, record
from tests.spec.support import write as write_spec
from tooken_ci.base.errors import DestinationError, SpecError, UsageError
from tooken_ci.base.record import Look, State
from tooken_ci.base.secret import Secret
from tooken_ci.destinations.interface import Surroundings
from tooken_ci.destinations.plugins import GROUP
from tooken_ci.destinations.registry import Registry
from tooken_ci.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tooken_ci.spec.kinds import DestinationKind
    from tooken_ci.spec.model import Target

HEAD = """
from tooken_ci.base.errors import DestinationError
from tooken_ci.base.record import Look, State
from tooken_ci.base.secret import Secret
from tooken_ci.spec.kinds import SettingsError
from tooken_ci.spec.model import Target

class Kind:
    name = "store"
    extra = None
    schema = {"type": "object", "properties": {"key": {"type": "string"}}}
    def __init__(self, surroundings): pass
    def parse(self, settings, position):
        return Target(kind="store", place="store x", claims=frozenset({"x"}), settings=settings, takeover=False,
                      position=position)
    def open(self, target): return Destination()
    def look(self, targets): return [self.open(target).look() for target in targets]

class Destination:
    def look(self): return Look(state=State.ABSENT, empty=True)
    def check(self): pass
    def write_record(self, record): pass
    def write(self, secret): pass
    def holds(self, secret): return True
    def fetch(self, held): return Secret("tok_secret_0123456789")
"""
POINT = "{module}:Kind"
NUMBERS = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives a function that installs a package which brings one kind, as its lines change it."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def make(lines: str = "", *, name: str = "store", value: str = POINT, package: str = "acme-store") -> None:
        module = f"plugin_under_test_{next(NUMBERS)}"  # a name of its own, as an imported module stays
        info = tmp_path / "site" / f"{package.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", encoding="utf-8")
        point = f"[{GROUP}]\n{name} = {value.format(module=module)}\n"
        (info / "entry_points.txt").write_text(point, encoding="utf-8")
        (tmp_path / "site" / f"{module}.py").write_text(f"{HEAD}\n{lines}\n", encoding="utf-8")

    return make


def kind_of(registry: Registry, name: str = "store") -> DestinationKind:
    (kind,) = [kind for kind in registry.others({name}) if kind.name == name]
    return kind


def spec(tmp_path: Path, *deliver: str) -> list[str]:
    items = "\n".join(f"      - {item}" for item in deliver)
    text = f"version: 1\ntokens:\n  ci:\n    scopes: [tokens:read]\n    deliver:\n{items}\n"
    return write_spec(tmp_path, tooken=text)


def test_only_what_a_spec_names_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec with kinds of ours alone has no package searched; one that names another kind has."""
    asked: list[set[str]] = []
    registry = Registry(Surroundings())

    def others(names: Any) -> list[DestinationKind]:
        asked.append(set(names))
        return list(registry.others(names))

    load(
        spec(tmp_path, "file: {path: a}", "exec: {name: x, write: [a], record: [a]}"),
        kinds=registry.kinds,
        others=others,
    )
    assert asked == []
    with pytest.raises(SpecError):
        load(spec(tmp_path, "store: {}", "file: {path: a}", "other: 5"), kinds=registry.kinds, others=others)
    assert asked == [{"store", "other"}]


def test_what_no_spec_names_is_not_imported(tmp_path: Path, install: Callable[..., None]) -> None:
    """A package that is installed but not named may be broken: its kind is known by name, and that is all."""
    install("raise RuntimeError('imported')")
    registry = Registry(Surroundings())
    with pytest.raises(SpecError) as caught:
        load(spec(tmp_path, "stroe: {}"), kinds=registry.kinds, others=registry.others)
    assert "Perhaps you meant 'store'?" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "value", "why"),
    [
        ("raise RuntimeError('no luck')", POINT, "RuntimeError: no luck"),
        ("import sys; sys.exit(3)", POINT, "SystemExit: 3"),
        ("import nowhere_to_be_found", POINT, "No module named 'nowhere_to_be_found'"),
        ("this is no Python", POINT, "SyntaxError"),
        ("", "{module}:Gone", "has no attribute 'Gone'"),
        ("", "nowhere_to_be_found:Kind", "No module named"),
        ("Kind = 5", POINT, "TypeError"),
        ("Kind.__init__ = lambda self: None", POINT, "TypeError"),
        ("Kind.name = 'shop'", POINT, "its class calls it 'shop'"),
        ("del Kind.name", POINT, "has no attribute 'name'"),
        ("del Kind.open, Kind.look", POINT, "its class lacks open, look"),
        ("Kind.parse = 5", POINT, "its class lacks parse"),
        ("Kind.schema = 5", POINT, "TypeError"),
        ("Kind.schema = {'type': object}", POINT, "not JSON serializable"),
        ("Kind.schema = {}", POINT, "does not say 'type: object'"),
        ("Kind.schema['properties']['key'] = {'$ref': '#/$defs/name'}", POINT, "$ref, but must stand alone"),
        ("Kind.schema['properties']['key'] = {'pattern': '('}", POINT, "error: missing )"),
        ("Kind.schema['required'] = 'key'", POINT, "is not of type 'array'"),
        ("Kind.schema = property(lambda self: 1 / 0)", POINT, "division by zero"),
    ],
)
def test_what_is_no_kind(tmp_path: Path, install: Callable[..., None], lines: str, value: str, why: str) -> None:
    """A package that cannot be imported, or whose class is no kind, is an error with package, entry point and cause."""
    install(lines, value=value)
    registry = Registry(Surroundings())
    with pytest.raises(UsageError) as caught:
        load(spec(tmp_path, "store: {}"), kinds=registry.kinds, others=registry.others)
    assert why in caught.value.message
    assert "package 'acme-store 1.2' (entry point 'store = " in caught.value.message
    assert caught.value.hint
    with pytest.raises(UsageError):
        registry.every()


@pytest.mark.parametrize("name", ["Store", "my store", "9", "store.x"])
def test_a_name_that_is_none(install: Callable[..., None], name: str) -> None:
    """A kind is named like ours are."""
    install(f"Kind.name = {name!r}", name=name)
    with pytest.raises(UsageError, match="its name must be"):
        Registry(Surroundings()).others({name})


@pytest.mark.parametrize("name", ["file", "exec", "job"])
def test_ours_are_never_replaced(tmp_path: Path, install: Callable[..., None], name: str) -> None:
    """A package that brings a kind with a name of ours is refused once packages are searched, and never used."""
    install(f"Kind.name = {name!r}", name=name)
    registry = Registry(Surroundings())
    loaded = load(spec(tmp_path, "file: {path: a}"), kinds=registry.kinds, others=registry.others)
    assert loaded.entries[0].deliver[0].place == "file a"
    with pytest.raises(UsageError, match=r"package 'acme-store 1.2'.* cannot be replaced"):
        registry.others({"store"})
    with pytest.raises(UsageError, match="cannot be replaced"):
        registry.every()


def test_two_of_one_name(install: Callable[..., None]) -> None:
    """Two packages that bring the same kind are an error that names both, where a spec names the kind."""
    install()
    install(package="other-store")
    registry = Registry(Surroundings())
    with pytest.raises(UsageError, match="More than one package") as caught:
        registry.others({"store"})
    assert "acme-store" in caught.value.message
    assert "other-store" in caught.value.message
    assert [kind.name for kind in Registry(Surroundings()).others({"another"})] == ["store"]


@pytest.mark.parametrize(
    ("lines", "why", "column"),
    [
        (
            "def parse(self, s, p): raise SettingsError('Not this one.', hint='Another.', key='key')",
            "Not this one.",
            22,
        ),
        ("def parse(self, s, p): raise SettingsError('Not this one.', key='gone')", "Not this one.", 9),
        ("def parse(self, s, p): raise SettingsError('two\\n::error::lines')", "two\\x0a::error::lines", 9),
        ("def parse(self, s, p): 1 / 0", "acme-store 1.2' (entry point", 9),
        ("def parse(self, s, p): 1 / 0", "it raised ZeroDivisionError: division by zero", 9),
        ("def parse(self, s, p): raise SystemExit(1)", "it raised SystemExit: 1", 9),
        ("def parse(self): pass", "it raised TypeError", 9),
        ("def parse(self, s, p): return None", "it gave no Target, but NoneType", 9),
        ("def parse(self, s, p): return target(place='')", "place is no printable text", 9),
        ("def parse(self, s, p): return target(place='a\\nb')", "place is no printable text", 9),
        ("def parse(self, s, p): return target(claims=frozenset())", "claims nothing", 9),
        ("def parse(self, s, p): return target(claims=frozenset({1}))", "no frozenset of texts", 9),
        ("def parse(self, s, p): return target(warnings='careful')", "no tuple of texts", 9),
        ("def parse(self, s, p): return target(credentials='STORE_TOKEN')", "credentials are no frozenset of texts", 9),
    ],
)
def test_settings_that_cannot_be_read(
    tmp_path: Path, install: Callable[..., None], lines: str, why: str, column: int
) -> None:
    """What goes wrong in a class's own reading of its settings is told at their place, with all other faults."""
    install(
        "def target(**changes):\n"
        "    given = dict(kind='store', place='store x', claims=frozenset({'x'}), settings=None, takeover=False)\n"
        "    return Target(**{**given, 'position': None, **changes})\n"
        f"{lines}\nKind.parse = parse\n"
    )
    registry = Registry(Surroundings())
    with pytest.raises(SpecError) as caught:
        load(spec(tmp_path, "store: {key: x}", "file: {}"), kinds=registry.kinds, others=registry.others)
    first, second = caught.value.faults
    faults = {fault.position.line: fault for fault in (first, second)}
    assert why in faults[6].message
    assert faults[6].position.column == column
    assert "lacks 'path'" in faults[7].message


def test_two_places_of_one_name(tmp_path: Path, install: Callable[..., None]) -> None:
    """Two destinations that are shown alike would be taken for one another, whatever they claim."""
    install(
        "Kind.parse = lambda self, s, p: Target(kind='file', place='file a', claims=frozenset({s['key']}), "
        "settings=s, takeover=False, position=p)"
    )
    registry = Registry(Surroundings())
    with pytest.raises(SpecError, match="delivers twice to file a"):
        load(spec(tmp_path, "file: {path: a}", "store: {key: x}"), kinds=registry.kinds, others=registry.others)


def opened(lines: str, install: Callable[..., None]) -> tuple[Registry, Target]:
    install(lines)
    registry = Registry(Surroundings())
    return registry, kind_of(registry).parse({}, HERE)


STEPS: dict[str, Callable[[Any], Any]] = {
    "check": lambda destination: destination.check(),
    "write_record": lambda destination: destination.write_record(record()),
    "write": lambda destination: destination.write(Secret(SECRET)),
    "holds": lambda destination: destination.holds(Secret(SECRET)),
    "fetch": lambda destination: destination.fetch(held()),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("raised", ["ValueError('no luck')", "SystemExit(1)", "KeyError('x')", "SettingsError('x')"])
def test_what_a_step_raises(install: Callable[..., None], step: str, raised: str) -> None:
    """Whatever a step raises is a failed delivery, of which nobody knows whether it happened."""
    registry, target = opened(f"def fail(self, *given): raise {raised}\nDestination.{step} = fail", install)
    with pytest.raises(DestinationError) as caught:
        STEPS[step](registry.open(target))
    assert "the package 'acme-store 1.2' (entry point 'store = " in caught.value.message
    assert f"failed in '{step}': {raised.partition('(')[0]}" in caught.value.message
    assert caught.value.surely_refused is False


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("surely", [True, False])
def test_what_a_step_says_itself(install: Callable[..., None], step: str, *, surely: bool) -> None:
    """An error of the right kind keeps what it says, made harmless."""
    error = f"DestinationError('two\\nlines', hint='Mend it.', surely_refused={surely})"
    registry, target = opened(f"def fail(self, *given): raise {error}\nDestination.{step} = fail", install)
    with pytest.raises(DestinationError) as caught:
        STEPS[step](registry.open(target))
    assert (caught.value.message, caught.value.hint) == ("two\\x0alines", "Mend it.")
    assert caught.value.surely_refused is surely


def test_interruptions_pass(install: Callable[..., None]) -> None:
    """Ctrl-C is the user's, and no failure of a plug-in."""
    registry, target = opened("def fail(self, *given): raise KeyboardInterrupt\nDestination.write = fail", install)
    with pytest.raises(KeyboardInterrupt):
        registry.open(target).write(Secret(SECRET))


@pytest.mark.parametrize("step", STEPS)
def test_what_cannot_even_be_opened(install: Callable[..., None], step: str) -> None:
    """A class that fails to open a destination fails the entry when that is first used, and not the run."""
    registry, target = opened("Kind.open = lambda self, target: 1 / 0", install)
    destination = registry.open(target)
    assert destination.look().state is State.UNKNOWN
    with pytest.raises(DestinationError, match="division by zero"):
        STEPS[step](destination)


@pytest.mark.parametrize(
    ("look", "why"),
    [
        ("raise ValueError('no luck')", "failed: ValueError: no luck"),
        ("raise DestinationError('not\\nnow.')", "not\\x0anow"),
        ("return None", "failed: TypeError: a look was a NoneType"),
        ("return Look(state=State.UNKNOWN, reason='a\\nb')", "a\\x0ab"),
    ],
)
def test_a_look_never_fails(install: Callable[..., None], look: str, why: str) -> None:
    """A look that fails tells that nothing is known, and why, by itself and together with others."""
    registry, target = opened(f"def look(self): {look}\nDestination.look = look", install)
    for found in (registry.open(target).look(), *registry.look([target, target])):
        assert found.state is State.UNKNOWN
        assert found.reason.endswith(why)


@pytest.mark.parametrize("looks", ["[]", "None", "5", "[Look(state=State.HOLDS)] * 3"])
def test_too_few_looks(install: Callable[..., None], looks: str) -> None:
    """Where the looks are not one for each target, nothing is known of any."""
    registry, target = opened(f"Kind.look = lambda self, targets: {looks}", install)
    assert [look.state for look in registry.look([target, target])] == [State.UNKNOWN] * 2


@pytest.mark.parametrize("answer", ["0", "1", "'yes'"])
def test_a_comparison_that_says_neither(install: Callable[..., None], answer: str) -> None:
    """A read-back that answers neither yes, no nor unknown is not taken for a yes."""
    registry, target = opened(f"Destination.holds = lambda self, secret: {answer}", install)
    with pytest.raises(DestinationError, match="neither True, False nor None"):
        registry.open(target).holds(Secret(SECRET))


@pytest.mark.parametrize(
    ("value", "given"), [(f"Secret({SECRET!r})", True), (f"Secret({OTHER!r})", False), ("'x'", False), ("None", False)]
)
def test_only_the_recorded_secret_is_taken(install: Callable[..., None], value: str, *, given: bool) -> None:
    """What is fetched is used only if it matches the fingerprint of the token that was asked for."""
    registry, target = opened(f"Destination.fetch = lambda self, held: {value}", install)
    found = registry.open(target).fetch(held(TOKEN_ID, SECRET))
    assert (found is not None) is given


def test_one_that_works(tmp_path: Path, install: Callable[..., None]) -> None:
    """A kind that does as it should is asked, and its answers are given as they are."""
    install()
    registry = Registry(Surroundings())
    (entry,) = load(spec(tmp_path, "store: {key: x}"), kinds=registry.kinds, others=registry.others).entries
    (target,) = entry.deliver
    registry.demand([target])
    destination = registry.open(target)
    destination.check()
    destination.write_record(record())
    destination.write(Secret(SECRET))
    assert destination.holds(Secret(SECRET)) is True
    assert registry.look([target]) == [Look(state=State.ABSENT, empty=True)]
    assert (target.kind, target.position.line, target.position.column) == ("store", 6, 9)
