"""Label imports for programs: handed in, looked at, agreed to or discarded."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile

from annotation.api.errors import NotThereError
from annotation.api.pages.labels import LabelForm
from annotation.api.pages.taking import checked, files_of
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person
from annotation.api.responses import WRITE
from annotation.api.schemas import LARGEST
from annotation.exchange.labels import services
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.labels.selectors import label_imports_for
from annotation.exchange.out.selectors import exporting_project

NEWEST = ("-created_at", "-pk")


class LabelImportView(Schema):
    """A file of labels with what its check found, or what was written; counts: readings by outcome."""

    id: UUID
    source_name: str
    use: str
    format: str
    mapping: dict[str, str]
    file_title: str
    file_digest: str
    state: str
    counts: dict[str, int]
    error: str
    created_at: datetime
    finished_at: datetime | None


class LabelImportsView(Schema):
    """A page of label imports, the newest first; next: the cursor of the next page, null at the end."""

    imports: list[LabelImportView]
    next: str | None


class WantedForm(Schema):
    """Whose labels they are and how they are read; mapping: lines NAME=MEANING."""

    source_name: str = ""
    format: str = ""
    use: str = "kept"
    mapping: str = ""


class LinesWanted(Schema):
    """Which lines of a report; after: what a page gave as next."""

    after: int = Field(0, ge=0, le=LARGEST)
    size: int = Field(100, ge=1, le=500)


class LabelLineView(Schema):
    """A line of a report: place in the file, case by number, what becomes of it, what to do."""

    place: str
    case: int | None
    outcome: str
    words: str


class LinesView(Schema):
    """A page of a report's lines; next: what to give as after, 0 at the end."""

    lines: list[LabelLineView]
    next: int


router = Router(tags=["label imports"])


@router.get("projects/{uuid:project_id}/label-imports", response={200: LabelImportsView, **WRITE})
def list_label_imports(request: HttpRequest, project_id: UUID, page: Query[After]) -> LabelImportsView:
    """List a project's label imports, the newest first."""
    rows = after(label_imports_for(person(request), project_id).defer("lines"), page, order=NEWEST)
    return LabelImportsView(
        imports=[LabelImportView.from_orm(one) for one in rows[: page.size]],
        next=next_of(rows, page, order=NEWEST),
    )


@router.post("projects/{uuid:project_id}/label-imports", response={202: LabelImportView, **WRITE})
def hand_in_labels(
    request: HttpRequest,
    project_id: UUID,
    wanted: Form[WantedForm],
    file: File[UploadedFile | None] = None,
) -> Status[LabelImport]:
    """Hand in a file of labels and have it checked; nothing is written before somebody agrees."""
    project = exporting_project(person(request), project_id)
    told = checked(LabelForm(wanted.model_dump(), files_of(file=file))).cleaned_data
    made = services.hand_in(
        project=project,
        wanted=services.Wanted(told["source_name"], told["use"], told["format"], told["mapping"]),
        handed=services.Handed(told["file"].name or "labels", told["file"].file),
        by=person(request),
        now=timezone.now(),
        address=address_of(request),
    )
    return Status(202, made)


@router.get(
    "projects/{uuid:project_id}/label-imports/{uuid:label_import_id}",
    response={200: LabelImportView, **WRITE},
)
def show_label_import(request: HttpRequest, project_id: UUID, label_import_id: UUID) -> LabelImport:
    """Show how far an import is."""
    return found_import(request, project_id, label_import_id)


@router.get(
    "projects/{uuid:project_id}/label-imports/{uuid:label_import_id}/lines",
    response={200: LinesView, **WRITE},
)
def list_label_lines(
    request: HttpRequest, project_id: UUID, label_import_id: UUID, wanted: Query[LinesWanted]
) -> LinesView:
    """List what becomes of each reading of a file."""
    found = found_import(request, project_id, label_import_id).lines
    end = wanted.after + wanted.size
    return LinesView(
        lines=[
            LabelLineView(place=str(place), case=case, outcome=outcome, words=words)
            for place, case, outcome, words in found[wanted.after : end]
        ],
        next=end if end < len(found) else 0,
    )


@router.post(
    "projects/{uuid:project_id}/label-imports/{uuid:label_import_id}/agreement",
    response={202: LabelImportView, **WRITE},
)
def agree_to_labels(request: HttpRequest, project_id: UUID, label_import_id: UUID) -> Status[LabelImport]:
    """Have what was checked written."""
    found = found_import(request, project_id, label_import_id)
    return Status(202, services.agree(asked=found, by=person(request), address=address_of(request)))


@router.post(
    "projects/{uuid:project_id}/label-imports/{uuid:label_import_id}/discard",
    response={200: LabelImportView, **WRITE},
)
def discard_labels(request: HttpRequest, project_id: UUID, label_import_id: UUID) -> LabelImport:
    """Drop a file that was not written."""
    found = found_import(request, project_id, label_import_id)
    services.discard(asked=found, by=person(request), now=timezone.now(), address=address_of(request))
    found.refresh_from_db()
    return found


def found_import(request: HttpRequest, project_id: UUID, label_import_id: UUID) -> LabelImport:
    """Find one of a project's label imports.

    raises: NotThereError, Project.DoesNotExist, ForbiddenError.
    """
    found = label_imports_for(person(request), project_id).filter(pk=label_import_id).first()
    if found is None:
        raise NotThereError(f"there is no label import {label_import_id}")
    return found
