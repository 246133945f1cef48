"""One study as its project's staff see it: its series, their pictures and tags, and what was read of them."""

from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from pydicom import dcmread
from pydicom.datadict import dictionary_description, dictionary_has_tag

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import record_view
from annotation.projects.models import Case
from annotation.projects.selectors import question_learned
from annotation.queue.dataset import readings_by_case, series_of_study, status_of, study_for
from annotation.studies import files
from annotation.studies.models import Instance, Series, Study
from annotation.studies.pictures import in_reading_order

LONGEST_VALUE, MOST_TAGS = 120, 400


@dataclass(frozen=True)
class Tag:
    """An element of a stored file's header: "(0028,0010)", its name, representation and value."""

    tag: str
    name: str
    vr: str
    value: str


@dataclass(frozen=True)
class SeriesRow:
    """A series, the project's case of it, and what was read."""

    series: Series
    case: Case | None
    status: str
    readings: int
    label: str
    images: int
    tags: list[Tag]
    originals: list[UUID]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def study(request: HttpRequest, visit: Visit, study_id: UUID) -> HttpResponse:
    """Show a study of the project; looking at its cases is audited."""
    try:
        shown = study_for(visit.user, visit.project.pk, study_id)
    except Study.DoesNotExist:
        raise Http404("no such study") from None
    series = series_of_study(shown, visit.project.pk)
    for _, case in series:
        if case is not None:
            record_view(request, case)
    return project_page(
        request,
        "data/study.html",
        "data",
        visit,
        tab="cases",
        study=shown,
        series=rows_of(visit, series),
    )


def rows_of(visit: Visit, series: list[tuple[Series, Case | None]]) -> list[SeriesRow]:
    """Collect what the page says of each series."""
    question, is_admin = question_learned(visit.project.pk), visit.user.is_admin
    counts = readings_by_case([case for _, case in series if case is not None])
    rows = []
    for one, case in series:
        standard = getattr(case, "reference", None) if case else None
        images = in_reading_order(one.instances.all())
        rows.append(
            SeriesRow(
                series=one,
                case=case,
                status=status_of(case) if case else "",
                readings=counts.get(case.pk, 0) if case else 0,
                label=question.told(standard.answers.get(question.key)) if standard else "",
                images=sum(image.frames for image in images),
                tags=tags_of(images[len(images) // 2]) if images else [],
                originals=[image.pk for image in images if is_admin and image.original_bytes is not None],
            )
        )
    return rows


def tags_of(instance: Instance) -> list[Tag]:
    """Read the header of a stored file: what de-identification left."""
    content = files.read_span(files.instance_name(instance.digest), 0, instance.pixel_offset)
    head = dcmread(BytesIO(content), stop_before_pixels=True, force=True)
    found = []
    for element in head:
        told = dictionary_description(element.tag) if dictionary_has_tag(element.tag) else "Unknown"
        value = f"{len(element.value)} items" if element.VR == "SQ" else str(element.value)
        found.append(
            Tag(f"({element.tag.group:04X},{element.tag.element:04X})", told, element.VR, shortened(value))
        )
    return found[:MOST_TAGS]


def shortened(value: str) -> str:
    """Cut a long value."""
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
