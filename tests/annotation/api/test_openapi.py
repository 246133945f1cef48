"""The API's description, from which the front end's client is generated."""

import json

from django.core.management import call_command

from annotation.api.http import api


def test_the_description_in_the_repository_is_current() -> None:
    call_command("openapi", check=True)


def test_every_operation_names_its_errors_as_problems() -> None:
    described = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    operations = [one for verbs in described["paths"].values() for one in verbs.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for operation in operations:
        assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"]
