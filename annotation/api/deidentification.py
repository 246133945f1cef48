"""How a project's images are de-identified, and whether files are kept as they came: for programs."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from annotation.api.guards import administered, confirmed
from annotation.api.organise import JobView
from annotation.api.permissions import address_of, person
from annotation.api.responses import WRITE
from annotation.api.schemas import Body
from annotation.exchange.lifecycle.originals import ask_removal
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.studies.door.options import OPTIONS, known_options
from annotation.studies.originals import keep_originals, kept_in
from annotation.studies.services import choose_options


class DeidentificationView(Schema):
    """Which of the known options later imports are taken under; whether originals are kept, and how many."""

    options: list[str]
    known: dict[str, str]
    keeps_originals: bool
    originals: int
    original_bytes: int


class OptionsBody(Body):
    """Options in place of those in force."""

    options: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=50)]


class OriginalsBody(Body):
    """Whether files that are admitted from now on are kept as they came too, sealed."""

    keeps_originals: bool


router = Router(tags=["life cycle"])


@router.get("projects/{uuid:project_id}/deidentification", response={200: DeidentificationView, **WRITE})
def show_deidentification(request: HttpRequest, project_id: UUID) -> DeidentificationView:
    """Say how later imports are de-identified, and whether originals are kept."""
    return deidentification_view(administered(request, project_id))


@router.put("projects/{uuid:project_id}/deidentification", response={200: DeidentificationView, **WRITE})
def set_deidentification(request: HttpRequest, project_id: UUID, body: OptionsBody) -> DeidentificationView:
    """Put other options in force; imports that begin from now on are taken under them."""
    project = administered(request, project_id)
    unknown = set(body.options) - set(known_options(body.options))
    if unknown:
        known = ", ".join(one.name for one in OPTIONS)
        raise RefusedError(f'options: there is no "{min(unknown)}": there are {known}')
    project.dataset = choose_options(dataset=project.dataset, options=body.options, by=person(request))
    return deidentification_view(project)


@router.put("projects/{uuid:project_id}/originals", response={200: DeidentificationView, **WRITE})
def set_originals(request: HttpRequest, project_id: UUID, body: OriginalsBody) -> DeidentificationView:
    """Keep files as they came from now on, or no further ones. The password: typed lately."""
    project = administered(request, project_id)
    confirmed(request)
    project.dataset = keep_originals(
        dataset=project.dataset,
        keeps=body.keeps_originals,
        by=person(request),
        address=address_of(request),
    )
    return deidentification_view(project)


@router.delete("projects/{uuid:project_id}/originals", response={202: JobView, **WRITE})
def remove_originals(request: HttpRequest, project_id: UUID) -> Status[JobView]:
    """Ask for the kept originals to be removed; the images stay. The password: typed lately."""
    project = administered(request, project_id)
    confirmed(request)
    job = ask_removal(project=project, by=person(request), address=address_of(request))
    return Status(202, JobView(job=job.pk, state=job.state))


def deidentification_view(project: Project) -> DeidentificationView:
    """Describe how a project's data set takes images in."""
    count, size = kept_in(project.dataset)
    return DeidentificationView(
        options=list(known_options(project.dataset.deidentification)),
        known={one.name: one.label for one in OPTIONS},
        keeps_originals=project.dataset.keeps_originals,
        originals=count,
        original_bytes=size,
    )
