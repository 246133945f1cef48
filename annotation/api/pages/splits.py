"""The split page: who trains, who validates, who tests; asked for by ML staff, drawn by a job."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.learning.duplicates import request_split
from annotation.projects.rules import RefusedError
from annotation.projects.splits import Wanted, parts_for, split_of
from annotation.projects.splitting import LIKENESS_LIMITS
from jobs.selectors import jobs_now, open_jobs

JOBS = ["place_split"]
CROSSING_SHOWN = 20


class SplitForm(forms.Form):
    """Shares in percent, the seed of the draw, and from which cosine two images are the same."""

    val = forms.FloatField(min_value=0, max_value=90)
    test = forms.FloatField(min_value=0, max_value=90)
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    likeness = forms.FloatField(min_value=LIKENESS_LIMITS[0], max_value=LIKENESS_LIMITS[1])

    def wanted(self) -> Wanted:
        """Give what is asked for."""
        told = self.cleaned_data
        return Wanted(told["val"] / 100, told["test"] / 100, told["seed"], told["likeness"])


@require_GET
@member(Role.ML_STAFF, ADMIN)
def split(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how patients are divided; while that runs the page asks again by itself."""
    if request.headers.get("HX-Request"):
        return progress(request, visit, "split", JOBS)
    return shown(request, visit)


@require_POST
@member(Role.ML_STAFF)
def divide(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for patients to be placed; the form comes back with what is wrong."""
    form = SplitForm(request.POST)
    if form.is_valid():
        try:
            request_split(project=visit.project, wanted=form.wanted(), by=visit.user, now=timezone.now())
        except RefusedError as error:
            form.add_error(None, f"{error}.")
        else:
            messages.success(request, "Asked for. Patients who have a place keep it.")
            return redirect("split", project_id=visit.project.pk)
    return shown(request, visit, form, status=422)


def shown(
    request: HttpRequest, visit: Visit, form: SplitForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Render the page."""
    scope = [visit.project.pk]
    found = split_of(visit.project.pk)
    rows = parts_for(visit.user, visit.project.pk)
    total = sum(row.patients for row in rows)
    return project_page(
        request,
        "data/split.html",
        "data",
        visit,
        status=status,
        tab="split",
        split=found,
        form=form or SplitForm(initial=initial_of(found)),
        parts=[(row, row.patients / total if total else 0.0) for row in rows if row.part or row.patients],
        crossing=(found.figures.get("crossing", []) if found else [])[:CROSSING_SHOWN],
        **jobs_now(scope, JOBS)._asdict(),
    )


def initial_of(found: object) -> dict[str, float | str]:
    """Fill the form with what holds, in percent."""
    wanted = Wanted()
    told = {name: getattr(found, name, getattr(wanted, name)) for name in vars(wanted)}
    return {
        "val": f"{100 * told['val_share']:g}",
        "test": f"{100 * told['test_share']:g}",
        "seed": told["seed"],
        "likeness": told["likeness"],
    }


def progress(request: HttpRequest, visit: Visit, page: str, names: list[str]) -> HttpResponse:
    """Say how far a job of a page is; when it is done the page is loaded again."""
    busy = open_jobs([visit.project.pk], names).first()
    if busy is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return project_page(request, "data/busy.html", "data", visit, busy=busy, busy_page=page)
