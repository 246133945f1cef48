"""What a project stores, how much it may, what of it was deleted, and deleting more."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page, project_page
from annotation.api.permissions import address_of, person
from annotation.exchange.lifecycle.deleting import Asked, delete_project, delete_study
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.lifecycle.returning import bring_back
from annotation.exchange.lifecycle.usage import in_units, set_quota, usage_of
from annotation.projects.models import Case
from annotation.projects.rules import RefusedError
from annotation.studies.models import Deletion
from annotation.studies.services import GRACE

GIGABYTE = 1024**3
LISTED = 50


class QuotaForm(forms.Form):
    """How much a project may take in; empty: as much as the disk holds."""

    gigabytes = forms.FloatField(
        required=False,
        min_value=0.001,
        max_value=1e6,
        label="Images, in GiB",
        widget=forms.NumberInput(attrs={"class": "input short", "step": "any"}),
    )
    cases = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        label="Cases",
        widget=forms.NumberInput(attrs={"class": "input short"}),
    )


@dataclass(frozen=True)
class Row:
    """A deletion as a person reads it."""

    deletion: Deletion
    can_return: bool


def rows_of(deletions: QuerySet[Deletion]) -> list[Row]:
    """List deletions, newest first."""
    now = timezone.now()
    found = deletions.select_related("requested_by").order_by("-created_at")[:LISTED]
    return [Row(one, one.is_open and one.kept_until >= now) for one in found]


@require_GET
@member(ADMIN)
def storage(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show what is stored, the quotas, what was deleted and who was erased."""
    project = visit.project
    given = None if project.quota_bytes is None else round(project.quota_bytes / GIGABYTE, 3)
    return shown(request, visit, QuotaForm(initial={"gigabytes": given, "cases": project.quota_cases}))


def shown(request: HttpRequest, visit: Visit, form: QuotaForm, *, status: int = 200) -> HttpResponse:
    """Render the page."""
    used = usage_of(visit.project)
    rows = [(name, in_units(count), share(count, used.total), told) for name, count, told in used.rows()]
    return project_page(
        request,
        "lifecycle/storage.html",
        "storage",
        visit,
        status=status,
        form=form,
        rows=rows,
        used=used,
        total=in_units(used.total),
        counted=in_units(used.counted),
        quota=in_units(visit.project.quota_bytes) if visit.project.quota_bytes else "",
        share=share(used.counted, visit.project.quota_bytes),
        case_share=share(used.cases, visit.project.quota_cases),
        sharing=visit.project.dataset.projects.exclude(pk=visit.project.pk).count(),
        deletions=rows_of(Deletion.objects.filter(project_id=visit.project.pk)),
        erasures=Erasure.objects.filter(project_id=visit.project.pk).select_related("requested_by")[:LISTED],
        days=GRACE.days,
    )


def share(part: int, whole: int | None) -> float:
    """Per cent of a whole; 0 where there is none."""
    return 100 * part / whole if whole else 0.0


@require_POST
@member(ADMIN)
def quota(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Limit what the project takes in from now on."""
    form = QuotaForm(request.POST)
    if not form.is_valid():
        return shown(request, visit, form, status=422)
    given = form.cleaned_data["gigabytes"]
    set_quota(
        project=visit.project,
        bytes_=None if given is None else round(given * GIGABYTE),
        cases=form.cleaned_data["cases"],
        by=visit.user,
    )
    messages.success(request, "Saved. What is stored already stays.")
    return redirect("storage", project_id=visit.project.pk)


def to_storage(request: HttpRequest) -> str:
    """Go on, after the password, at the project's storage page."""
    match = request.resolver_match
    return resolve_url("storage", project_id=match.kwargs["project_id"]) if match else resolve_url("home")


def asked(request: HttpRequest) -> Asked:
    """Say who deletes, and why."""
    reason = request.POST.get("reason", "")
    return Asked(person(request), reason, timezone.now(), address_of(request))


@require_POST
@member(ADMIN)
@confirmed(to_storage)
def remove_project(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Set the whole project aside, where its name was typed and the password lately."""
    if request.POST.get("name", "") != visit.project.name:
        messages.error(request, "Nothing was deleted: type the project's name as it is written.")
        return redirect("storage", project_id=visit.project.pk)
    try:
        delete_project(project=visit.project, asked=asked(request))
    except RefusedError as error:
        messages.error(request, f"Nothing was deleted: {error}.")
        return redirect("storage", project_id=visit.project.pk)
    messages.success(request, f"The project is deleted. It can be brought back for {GRACE.days} days.")
    return redirect("deleted")


@require_POST
@member(ADMIN)
def remove_study(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """Set a case's study aside."""
    try:
        gone = delete_study(project=visit.project, number=number, asked=asked(request))
    except Case.DoesNotExist:
        raise Http404("no such case") from None
    except RefusedError as error:
        messages.error(request, f"Nothing was deleted: {error}.")
        return redirect("case", project_id=visit.project.pk, number=number)
    messages.success(
        request, f"{gone.what} is deleted with its study. It can be brought back for {GRACE.days} days."
    )
    return redirect("storage", project_id=visit.project.pk)


@require_GET
@admin_only
def deleted(request: HttpRequest) -> HttpResponse:
    """List everything that was deleted, of every project."""
    return page(request, "lifecycle/deleted.html", "deleted", deletions=rows_of(Deletion.objects.all()))


@require_POST
@admin_only
def give_back(request: HttpRequest, deletion_id: UUID) -> HttpResponse:
    """Bring back what was deleted."""
    try:
        back = bring_back(
            deletion_id=deletion_id, by=person(request), now=timezone.now(), address=address_of(request)
        )
    except Deletion.DoesNotExist:
        raise Http404("no such deletion") from None
    except RefusedError as error:
        messages.error(request, f"Nothing was changed: {error}.")
        return redirect("deleted")
    messages.success(request, f"{back.what} is back.")
    return redirect("storage", project_id=back.project_id)
