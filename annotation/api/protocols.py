"""A project's protocol for programs: versions, a new one, a check; and its hanging rules."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from annotation.api.errors import NotThereError
from annotation.api.guards import administered
from annotation.api.pages.hanging import read as readable_rules
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import person
from annotation.api.projects import Questions, SettingsGiven, checked_document
from annotation.api.responses import ANSWERED, REFUSED, WRITE
from annotation.api.schemas import LARGEST, AnswerProblem, Body, ProtocolView, Version
from annotation.projects.changes import changes_between
from annotation.projects.hanging import rows_of, rules_of
from annotation.projects.models import Protocol
from annotation.projects.protocols import ProtocolInvalidError
from annotation.projects.questions import schema
from annotation.projects.selectors import document_in, protocol_in_force, versions_for
from annotation.projects.services import save_hanging_rules, save_protocol

ORDER = ("-version",)


class ProtocolVersionView(ProtocolView):
    """A version of the protocol, by whom, and what changed in it, a sentence each."""

    changes: list[str]
    saved_by: str | None
    saved_at: datetime


class VersionLineView(Schema):
    """A version in the list of versions."""

    version: int
    changes: list[str]
    saved_by: str | None
    saved_at: datetime


class VersionsView(Schema):
    """A page of versions, the newest first; next: the cursor of the next page, null at the end."""

    versions: list[VersionLineView]
    next: str | None


class VersionWanted(Schema):
    """Which version is shown; 0: the one in force."""

    version: int = Field(0, ge=0, le=LARGEST)


class DocumentBody(Body):
    """What is asked, and how."""

    questions: Questions
    settings: SettingsGiven = {}


class ProtocolBody(DocumentBody):
    """A new version; base_version: the one that it was made from."""

    base_version: Version


class CheckedView(Schema):
    """What is wrong with a protocol, else what it would change in the version in force."""

    problems: list[AnswerProblem]
    changes: list[str]
    version: int


class RulesView(Schema):
    """A project's own hanging rules, the first that fits is taken; without one the built-in ones hold."""

    rules: list[dict[str, Any]]


class RulesBody(Body):
    """Hanging rules in place of those there are."""

    rules: Annotated[list[Any], Field(max_length=1000)]


router = Router(tags=["projects"])


@router.get("protocol-schema", response={200: dict[str, Any], **REFUSED})
def show_protocol_schema(request: HttpRequest) -> dict[str, Any]:
    """Describe a protocol as JSON Schema."""
    del request
    return schema()


@router.get("projects/{uuid:project_id}/protocol", response={200: ProtocolVersionView, **WRITE})
def show_protocol(request: HttpRequest, project_id: UUID, wanted: Query[VersionWanted]) -> dict[str, Any]:
    """Show what a project asks now, or asked in an earlier version."""
    project = administered(request, project_id)
    versions = versions_for(person(request), project.pk)
    found = versions.filter(version=wanted.version).first() if wanted.version else versions.first()
    if found is None:
        raise NotThereError(f"version: there is no version {wanted.version}")
    return told(found)


@router.get("projects/{uuid:project_id}/protocol/versions", response={200: VersionsView, **WRITE})
def list_protocol_versions(request: HttpRequest, project_id: UUID, page: Query[After]) -> VersionsView:
    """List the versions, the newest first."""
    project = administered(request, project_id)
    rows = after(versions_for(person(request), project.pk), page, order=ORDER)
    return VersionsView(
        versions=[VersionLineView(**line_of(one)) for one in rows[: page.size]],
        next=next_of(rows, page, order=ORDER),
    )


@router.put("projects/{uuid:project_id}/protocol", response={200: ProtocolVersionView, **ANSWERED})
def put_protocol(request: HttpRequest, project_id: UUID, body: ProtocolBody) -> dict[str, Any]:
    """Put a new version in force; what does not differ makes none. Leases, drafts and readings stay."""
    project = administered(request, project_id)
    saved = save_protocol(
        project=project,
        document=checked_document(body.questions, body.settings),
        base_version=body.base_version,
        now=timezone.now(),
        by=person(request),
    )
    return told(saved)


@router.post("projects/{uuid:project_id}/protocol/check", response={200: CheckedView, **WRITE})
def check_protocol(request: HttpRequest, project_id: UUID, body: DocumentBody) -> dict[str, Any]:
    """Say what is wrong with a protocol, or what it would change; nothing is saved."""
    current = protocol_in_force(administered(request, project_id).pk)
    try:
        document = checked_document(body.questions, body.settings)
    except ProtocolInvalidError as error:
        problems = [one.as_row() for one in error.problems]
        return {"problems": problems, "changes": [], "version": current.version}
    changes = changes_between(document_in(current), document)
    return {"problems": [], "changes": changes, "version": current.version}


@router.get("projects/{uuid:project_id}/hanging", response={200: RulesView, **WRITE})
def show_hanging_rules(request: HttpRequest, project_id: UUID) -> RulesView:
    """List a project's own hanging rules."""
    return RulesView(rules=rows_of(rules_of(administered(request, project_id).hanging_rules)))


@router.put("projects/{uuid:project_id}/hanging", response={200: RulesView, **WRITE})
def put_hanging_rules(request: HttpRequest, project_id: UUID, body: RulesBody) -> RulesView:
    """Put hanging rules in force; the next case that is opened hangs by them."""
    project = administered(request, project_id)
    rules = rules_of(readable_rules(json.dumps(body.rules, ensure_ascii=False)))
    save_hanging_rules(project=project, rules=rules, by=person(request))
    return RulesView(rules=rows_of(rules))


def line_of(one: Protocol) -> dict[str, Any]:
    """Describe a version without what it asks."""
    return {
        "version": one.version,
        "changes": one.changes.splitlines(),
        "saved_by": one.created_by.username if one.created_by else None,
        "saved_at": one.created_at,
    }


def told(one: Protocol) -> dict[str, Any]:
    """Describe a version with what it asks."""
    document = document_in(one)
    return line_of(one) | {"questions": document.questions, "settings": document.settings}
