"""The JSON API: /api/v1."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from annotation.api import (
    adjudication,
    agreement,
    anchoring,
    audited,
    batches,
    deidentification,
    deliveries,
    errors,
    exports,
    frames,
    glance,
    gold,
    hanging,
    label_imports,
    learning,
    leases,
    lifecycle,
    machine,
    mistakes,
    models,
    notifications,
    organise,
    own,
    peers,
    people,
    projects,
    protocols,
    readers,
    readings,
    remarks,
    sendings,
    session,
    training,
)
from annotation.api.permissions import Session

PROBLEM, JSON = "application/problem+json", "application/json"
BYTES = {
    "get_frame": "application/octet-stream",
    "get_map_points": "application/octet-stream",
    "get_thumbnail": "image/png",
    "fetch_export": "application/zip",
    "export_audit": "application/jsonl",
}


class Api(NinjaAPI):
    """An API whose document names operations by their function and errors by their media type."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """List the routes; what none of them is gets a problem document too."""
        patterns, application, namespace = super().urls
        routes = [pattern for pattern in patterns if getattr(pattern, "name", "") != "api-root"]
        return [*routes, re_path("", nowhere)], application, namespace

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name an operation as its function."""
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Describe the API."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for verbs in schema["paths"].values():
            for operation in verbs.values():
                describe_media(operation)
        return schema


def describe_media(operation: dict[str, Any]) -> None:
    """Name the media type of each response: problems for errors, bytes for pixels."""
    for status, response in operation["responses"].items():
        content = response.get("content")
        if content and int(status) >= 400:
            response["content"] = {PROBLEM: content[JSON]}
        elif content and operation["operationId"] in BYTES:
            binary = {"schema": {"type": "string", "format": "binary"}}
            response["content"] = {BYTES[operation["operationId"]]: binary}


def nowhere(_request: HttpRequest, **_path: str) -> HttpResponse:
    """Answer for an address that no route has."""
    return errors.problem(404, "not_found", "there is no such address")


api = Api(title="Fovea", version="1", auth=Session(), docs_url=None, openapi_url="")
errors.register(api)
for noun in (
    session,
    projects,
    protocols,
    leases,
    readers,
    people,
    machine,
    audited,
    deliveries,
    lifecycle,
    deidentification,
    notifications,
    readings,
    own,
    remarks,
    frames,
    hanging,
    exports,
    sendings,
    label_imports,
    peers,
    organise,
    agreement,
    adjudication,
    gold,
    models,
    mistakes,
    training,
    learning,
    glance,
    anchoring,
    batches,
):
    api.add_router("", noun.router)
