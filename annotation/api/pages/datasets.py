"""The data pages of ML staff and administrators: a project's cases by what is known of them."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.queue.dataset import (
    NONE,
    PARTS,
    STATES,
    STREAMS,
    Choices,
    Cursor,
    Filters,
    case_page,
    choices_for,
)


@require_GET
@member(Role.ML_STAFF, ADMIN)
def data(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show one page of the cases that the address asks for; the address holds no patient's data."""
    filters, cursor = filters_in(request), cursor_in(request)
    found = case_page(visit.user, visit.project.pk, filters, cursor)
    named = filters.named()
    return project_page(
        request,
        "data/cases.html",
        "data",
        visit,
        tab="cases",
        found=found,
        fields=fields_of(choices_for(visit.user, visit.project.pk), filters),
        filtered=bool(named),
        query=f"{urlencode(named)}&" if named else "",
        paged=bool(cursor.after or cursor.before),
    )


def filters_in(request: HttpRequest) -> Filters:
    """Read the filters that an address names."""
    names = Filters.__dataclass_fields__
    return Filters(**{name: request.GET.get(name, "").strip()[:160] for name in names})


def cursor_in(request: HttpRequest) -> Cursor:
    """Read where a page begins."""
    return Cursor(after=number_in(request, "after"), before=number_in(request, "before"))


def number_in(request: HttpRequest, name: str) -> int:
    """Read a case's number; 0 for what is none."""
    told = request.GET.get(name, "")
    return int(told) if told.isdecimal() and len(told) < 10 else 0


def fields_of(choices: Choices, filters: Filters) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """List the filters in the order of the form: name, label, what is chosen, what can be."""
    plain = {
        "modality": ("Modality", pairs(choices.modalities)),
        "body_part": ("Body part", pairs(choices.body_parts)),
        "site": ("Site", pairs(choices.sites)),
        "scanner": ("Scanner", choices.scanners),
        "label": ("Class", [*choices.labels, (NONE, "Not labelled")]),
        "status": ("Status", STATES),
        "part": ("Split", PARTS),
        "stream": ("Stream", STREAMS),
    }
    return [(name, label, getattr(filters, name), found) for name, (label, found) in plain.items() if found]


def pairs(values: list[str]) -> list[tuple[str, str]]:
    """Show values as they are."""
    return [(value, value.capitalize() if value.isupper() and len(value) > 3 else value) for value in values]
