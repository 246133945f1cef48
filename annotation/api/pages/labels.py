"""Labels in: hand in a file, look at what it would do, agree, and take the report along."""

import csv
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.selectors import is_id
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.imports import plain_cells
from annotation.api.permissions import address_of
from annotation.exchange.labels import services
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.labels.naming import MappingError, mapping_of, values_of
from annotation.exchange.labels.selectors import label_imports_for
from annotation.exchange.labels.statements import FORMATS
from annotation.projects.questions import questions_of
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force
from annotation.readings.models import Source
from jobs.models import Job
from jobs.selectors import is_open

LARGEST_FILE = 2 * 1024**3
IMPORTS_SHOWN, LINES_SHOWN = 30, 100
State = LabelImport.State
FIGURES = (
    ("new", "new readings"),
    ("changed", "changed readings"),
    ("same", "there already"),
    ("invalid", "invalid readings"),
    ("unmatched", "without a case"),
    ("unread", "could not be read"),
)
PURPOSES = {
    "csv": "a row an image, or our own table of readings",
    "coco": "instances_….json, or the whole folder as a zip",
    "voc": "XML, or a zip with SegmentationClass and labels.txt",
    "dicom": "one object, or a zip of them",
    "nifti": "one mask, or a zip; aligned to the images by where they lie in the patient",
}
USES = {
    "kept": "The reference standard stays the readers' alone.",
    "training": "In the pool, until a reader has read the case.",
    "reference": "In every stream, until a reader has read the case: for labels that you trust as your own.",
}
OUTCOMES = {"invalid": "Invalid", "unmatched": "No case", "new": "New", "changed": "Changed"}


class LabelForm(forms.Form):
    """Whose labels, in which format, how its names are taken."""

    source_name = forms.CharField(
        max_length=services.LONGEST_NAME, error_messages={"required": "Say whose labels these are."}
    )
    format = forms.ChoiceField(choices=list(FORMATS.items()), error_messages={"required": "Choose a format."})
    use = forms.ChoiceField(choices=Source.Use.choices)
    mapping = forms.CharField(required=False, max_length=20_000)
    file = forms.FileField(
        error_messages={"required": "Choose a file.", "empty": "The file is empty: choose another."}
    )

    def clean_mapping(self) -> dict[str, str]:
        """Read the lines.

        raises: ValidationError naming the one that is no mapping.
        """
        try:
            return mapping_of([self.cleaned_data["mapping"]])
        except MappingError as error:
            raise forms.ValidationError(f"{error}.") from None

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse what is too large.

        raises: ValidationError.
        """
        found: UploadedFile[Any] = self.cleaned_data["file"]
        if (found.size or 0) > LARGEST_FILE:
            raise forms.ValidationError("It is larger than 2 GiB: hand it in in parts, or use import-labels.")
        return found


@require_GET
@member(Role.ML_STAFF, ADMIN)
def labels(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the form, and what came in so far."""
    return shown(request, visit, LabelForm(initial=initial_of(visit, request.GET.get("again", ""))))


def initial_of(visit: Visit, again: str) -> dict[str, str]:
    """Begin with what an earlier import said, where the page was opened from it."""
    found = label_imports_for(visit.user, visit.project.pk).filter(pk=again).first() if is_id(again) else None
    if found is None:
        return {"format": "csv", "use": Source.Use.KEPT}
    mapping = "\n".join(f"{name}={meaning}" for name, meaning in found.mapping.items())
    return {
        "source_name": found.source_name,
        "format": found.format,
        "use": found.use,
        "mapping": mapping,
    }


def shown(request: HttpRequest, visit: Visit, form: LabelForm, *, status: int = 200) -> HttpResponse:
    """Render the page."""
    return project_page(
        request,
        "labels/page.html",
        "labels",
        visit,
        status=status,
        form=form,
        chosen_format=form["format"].value() or "csv",
        chosen_use=form["use"].value() or Source.Use.KEPT,
        formats=[(name, title, PURPOSES[name]) for name, title in FORMATS.items()],
        uses=[(value, words, USES[value]) for value, words in Source.Use.choices],
        asked=[
            (one.key, one.kind, values_of(one))
            for one in questions_of(protocol_in_force(visit.project.pk).questions)
            if one.kind != "computed"
        ],
        imports=label_imports_for(visit.user, visit.project.pk).defer("lines")[:IMPORTS_SHOWN],
    )


@require_POST
@member(Role.ML_STAFF, ADMIN)
def start(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take a file, and have it checked."""
    form = LabelForm(request.POST, request.FILES)
    if not form.is_valid():
        return shown(request, visit, form, status=422)
    told = form.cleaned_data
    try:
        made = services.hand_in(
            project=visit.project,
            wanted=services.Wanted(told["source_name"], told["use"], told["format"], told["mapping"]),
            handed=services.Handed(told["file"].name or "labels", told["file"].file),
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        )
    except RefusedError as error:
        form.add_error(None, f"{error}.")
        return shown(request, visit, form, status=422)
    return redirect("label-import", project_id=visit.project.pk, label_import_id=made.pk)


def found_import(visit: Visit, label_import_id: UUID) -> LabelImport:
    """Find one of the project's imports.

    raises: Http404.
    """
    found = label_imports_for(visit.user, visit.project.pk).filter(pk=label_import_id).first()
    if found is None:
        raise Http404("no such import")
    return found


@require_GET
@member(Role.ML_STAFF, ADMIN)
def label_import(request: HttpRequest, visit: Visit, label_import_id: UUID) -> HttpResponse:
    """Show how far an import is; checked, what it would do; done, what it did."""
    found = found_import(visit, label_import_id)
    job = Job.objects.filter(pk=found.job_id).first() if found.job_id else None
    live = found.state in (State.CHECKING, State.WRITING) and (job is None or is_open(job))
    if "HX-Request" in request.headers and not live:
        return HttpResponse(headers={"HX-Refresh": "true"})
    part = "labels/state.html" if "HX-Request" in request.headers else "labels/import.html"
    return project_page(
        request,
        part,
        "labels",
        visit,
        found=found,
        job=job,
        live=live,
        use=Source.Use(found.use).label,
        format=FORMATS[found.format],
        figures=[(found.counts.get(name, 0), words) for name, words in FIGURES],
        would_write=found.counts.get("new", 0) + found.counts.get("changed", 0),
        rows=[
            (where, case, outcome, OUTCOMES.get(outcome, outcome), words)
            for where, case, outcome, words in found.lines[:LINES_SHOWN]
        ],
        more=max(0, len(found.lines) - LINES_SHOWN),
    )


@require_POST
@member(Role.ML_STAFF, ADMIN)
def agree(request: HttpRequest, visit: Visit, label_import_id: UUID) -> HttpResponse:
    """Have what was previewed written."""
    try:
        services.agree(asked=found_import(visit, label_import_id), by=visit.user, address=address_of(request))
    except RefusedError as error:
        messages.warning(request, f"Nothing was asked for: {error}.")
    return redirect("label-import", project_id=visit.project.pk, label_import_id=label_import_id)


@require_POST
@member(Role.ML_STAFF, ADMIN)
def discard(request: HttpRequest, visit: Visit, label_import_id: UUID) -> HttpResponse:
    """Drop a file that was not written."""
    found = found_import(visit, label_import_id)
    try:
        services.discard(asked=found, by=visit.user, now=timezone.now(), address=address_of(request))
    except RefusedError as error:
        messages.warning(request, f"Nothing was discarded: {error}.")
        return redirect("label-import", project_id=visit.project.pk, label_import_id=label_import_id)
    messages.success(request, f"“{found.file_title}” was discarded: nothing of it was written.")
    return redirect("labels", project_id=visit.project.pk)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def table(request: HttpRequest, visit: Visit, label_import_id: UUID) -> HttpResponse:
    """Download the report."""
    del request
    found = found_import(visit, label_import_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    rows = [tuple("" if cell is None else str(cell) for cell in line) for line in found.lines]
    csv.writer(response).writerows([("place", "case", "outcome", "what"), *map(plain_cells, rows)])
    response.headers["Content-Disposition"] = 'attachment; filename="labels.csv"'
    return response
