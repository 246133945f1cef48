"""Jobs are asked for by name: every name has somebody who does it, with the arguments that are given."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from mlworker.runtime import registered
from tests.servers import ROOT


def asked() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Find every `ask(name="…", lane=Lane.…, arguments={…})` of the domain: its name, lane and arguments."""
    for path in (ROOT / "annotation").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            words = {word.arg: word.value for word in getattr(node, "keywords", [])}
            called = name_of(node.func) if isinstance(node, ast.Call) else ""
            if called == "ask" and isinstance(words.get("name"), ast.Constant):
                yield ast.literal_eval(words["name"]), lane_of(words["lane"]), keys_of(words["arguments"])


def name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def lane_of(value: ast.expr) -> str:
    return value.attr.lower() if isinstance(value, ast.Attribute) else str(ast.literal_eval(value))


def keys_of(value: ast.expr) -> frozenset[str]:
    assert isinstance(value, ast.Dict), "give a job's arguments as a literal dictionary"
    return frozenset(ast.literal_eval(key) for key in value.keys if key is not None)


@pytest.mark.parametrize(("name", "lane", "arguments"), sorted(set(asked()), key=str))
def test_every_job_asked_for_is_registered_with_its_lane_and_arguments(
    name: str, lane: str, arguments: frozenset[str]
) -> None:
    kind = registered()[name]
    taken = set(inspect.signature(kind.body).parameters) - {"work"}
    assert (kind.lane.value, taken) == (lane, set(arguments))
