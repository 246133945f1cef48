"""Projects for programs: listed, begun from a template or a protocol, renamed, given their first images."""

import json
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema, Status
from pydantic import StringConstraints, model_validator

from annotation.api.errors import NotThereError
from annotation.api.guards import administered, administrator
from annotation.api.organise import JobView
from annotation.api.pages.protocol import read as readable
from annotation.api.permissions import person
from annotation.api.responses import ANSWERED, REFUSED, WRITE
from annotation.api.schemas import Body, ProjectView
from annotation.exchange.beginning import ask_cases_of, ask_examples
from annotation.exchange.lifecycle.usage import QuotaError
from annotation.projects.beginning import (
    begin_project,
    datasets_to_take,
    describe_again,
    images_by_dataset,
)
from annotation.projects.protocols import document_of
from annotation.projects.questions import Document
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force
from annotation.projects.templates import template_called, templates
from annotation.queue.selectors import ProjectRow, project_rows
from annotation.studies.models import Dataset

LINE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=LINE)]
# What a protocol holds is checked as a whole: problems name their place in it.
Questions = Annotated[list[Any], Field(max_length=1000, description="as in a protocol")]
SettingsGiven = Annotated[dict[str, Any], Field(description="as in a protocol; none: all by default")]


class TemplateView(Schema):
    """A ready-made protocol; document: its questions and settings."""

    name: str
    title: str
    standard: str
    modalities: list[str]
    document: dict[str, Any]


class NewProjectBody(Body):
    """A project's name, and what is asked: the name of a template, or questions."""

    name: Name
    template: Annotated[str, Field(max_length=64)] | None = None
    questions: Questions | None = None
    settings: SettingsGiven = {}

    @model_validator(mode="after")
    def asks_one_thing(self) -> "NewProjectBody":
        """Ask for one of the two."""
        if (self.template is None) == (self.questions is None):
            raise ValueError("give a template or questions")
        return self


class NewProjectView(Schema):
    """A project, and the version of its protocol that is in force."""

    id: UUID
    name: str
    dataset: UUID
    protocol_version: int


class NameBody(Body):
    """Another name."""

    name: Name


class TakableView(Schema):
    """A data set whose images an empty project can ask about."""

    id: UUID
    name: str
    images: int


class ImagesBody(Body):
    """The data set whose images are read; null: examples that are made here."""

    dataset: UUID | None


router = Router(tags=["projects"])


@router.get("projects", response={200: list[ProjectView], **REFUSED})
def list_projects(request: HttpRequest) -> list[ProjectRow]:
    """List the projects that the person is a member of."""
    return project_rows(person(request))


@router.get("templates", response={200: list[TemplateView], **REFUSED})
def list_templates(request: HttpRequest) -> list[dict[str, Any]]:
    """List the ready-made protocols, by title."""
    del request
    return [asdict(one) for one in templates()]


@router.post("projects", response={201: NewProjectView, **ANSWERED})
def make_project(request: HttpRequest, body: NewProjectBody) -> Status[NewProjectView]:
    """Make a project with a data set of its own and nobody in it."""
    me = administrator(request)
    made = begin_project(name=body.name, document=document_in(body), now=timezone.now(), by=me)
    view = NewProjectView(id=made.pk, name=made.name, dataset=made.dataset_id, protocol_version=1)
    return Status(201, view)


def document_in(body: NewProjectBody) -> Document:
    """Read what a new project asks.

    raises: UnknownTemplateError, ProtocolInvalidError.
    """
    if body.template is not None:
        return document_of(template_called(body.template).document)
    return checked_document(body.questions, body.settings)


def checked_document(questions: object, settings: object) -> Document:
    """Hold a protocol that a program sent to the same limits as one that was typed.

    raises: ProtocolInvalidError.
    """
    return document_of(
        readable(json.dumps({"questions": questions, "settings": settings}, ensure_ascii=False))
    )


@router.patch("projects/{uuid:project_id}", response={200: NewProjectView, **WRITE})
def rename_project(request: HttpRequest, project_id: UUID, body: NameBody) -> NewProjectView:
    """Give a project another name; addresses stay."""
    project = administered(request, project_id)
    describe_again(project=project, name=body.name, document=None, now=timezone.now(), by=person(request))
    version = protocol_in_force(project.pk).version
    return NewProjectView(id=project.pk, name=body.name, dataset=project.dataset_id, protocol_version=version)


@router.get("projects/{uuid:project_id}/datasets", response={200: list[TakableView], **WRITE})
def list_datasets(request: HttpRequest, project_id: UUID) -> list[TakableView]:
    """List the data sets whose images a project without any can take."""
    numbers = images_by_dataset()
    found = datasets_to_take(administered(request, project_id))
    return [TakableView(id=one.pk, name=one.name, images=numbers.get(one.pk, 0)) for one in found]


@router.post("projects/{uuid:project_id}/images", response={202: JobView, **WRITE})
def take_images(request: HttpRequest, project_id: UUID, body: ImagesBody) -> Status[JobView]:
    """Take the images of a data set that is there, or examples; a project that has images is refused."""
    project, me = administered(request, project_id), person(request)
    try:
        if body.dataset is None:
            _, job = ask_examples(project=project, by=me, now=timezone.now())
        else:
            job = ask_cases_of(project=project, dataset_id=body.dataset, by=me)
    except Dataset.DoesNotExist:
        raise NotThereError(f"dataset: there is no data set {body.dataset} to take") from None
    except QuotaError as error:
        raise RefusedError(str(error)) from None
    return Status(202, JobView(job=job.pk, state=job.state))
