"""The API's description, from which the front end's client is generated."""

import json
from collections import Counter
from collections.abc import Iterator

from django.core.management import call_command
from ninja import Schema

from annotation.api.http import api


def test_the_description_in_the_repository_is_current() -> None:
    call_command("openapi", check=True)


def test_every_operation_names_its_errors_as_problems() -> None:
    described = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    operations = [one for verbs in described["paths"].values() for one in verbs.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for operation in operations:
        assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"]


def test_no_two_shapes_share_a_name() -> None:
    names = Counter(one.__name__ for one in shapes(Schema) if one.__module__.startswith("annotation.api."))
    assert [name for name, count in names.items() if count > 1] == []


def shapes(base: type[Schema]) -> Iterator[type[Schema]]:
    """Every kind of a shape, each once."""
    for one in base.__subclasses__():
        yield one
        yield from shapes(one)
