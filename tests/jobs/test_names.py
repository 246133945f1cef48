"""Jobs are asked for by name: every name has somebody who does it, with the arguments that are given."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from mlworker.runtime import registered
from tests.servers import ROOT


def asked() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Find every job that the domain asks for: its name, lane and arguments.

    By `ask(name="…", lane=Lane.…, arguments={…})`, or `ask_for_project("…", project_id=…, lane=Lane.…)`.
    """
    for path in (ROOT / "annotation").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            words = {word.arg: word.value for word in call.keywords}
            called = name_of(call.func)
            if called == "ask" and isinstance(words.get("name"), ast.Constant):
                yield ast.literal_eval(words["name"]), lane_of(words["lane"]), keys_of(words["arguments"])
            elif called == "ask_for_project" and isinstance(call.args[0], ast.Constant):
                given = frozenset(word for word in words if word) - {"lane", "by"}
                yield ast.literal_eval(call.args[0]), lane_of(words["lane"]), given


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
