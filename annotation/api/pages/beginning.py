"""A new project in three steps: what is asked, the images, the people; then its first case."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.beginning_forms import AskedForm, PeopleForm
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page, project_page
from annotation.api.pages.imports import MODALITIES
from annotation.api.permissions import address_of, person
from annotation.exchange import uploads
from annotation.exchange.beginning import EXAMPLES, ask_cases_of, ask_examples, takes_examples
from annotation.exchange.lifecycle.usage import QuotaError
from annotation.projects.beginning import (
    NAME_TAKEN,
    NameTakenError,
    begin_project,
    datasets_to_take,
    describe_again,
    described,
    images_by_dataset,
)
from annotation.projects.models import Case, Membership, Project
from annotation.projects.rules import RefusedError
from annotation.studies.models import Dataset, Import
from jobs.models import Job, State
from jobs.selectors import is_open, jobs_in

BRINGING = ["import_delivery", "import_examples", "take_cases", "pull_studies", "import_received"]


@dataclass(frozen=True)
class Images:
    """How far a project's images are; job and delivery: the newest, if any."""

    cases: int
    job: Job | None
    delivery: Import | None

    @property
    def is_live(self) -> bool:
        """Whether something is on its way: the page asks again."""
        return self.job is not None and is_open(self.job)

    @property
    def is_failed(self) -> bool:
        """Whether it stopped before its end."""
        return self.job is not None and self.job.state == State.FAILED

    @property
    def all_held(self) -> bool:
        """Whether all that came waits in quarantine."""
        ended = self.delivery is not None and not self.is_live
        return ended and not self.cases and bool(self.delivery and self.delivery.quarantined)


def images_of(project: Project) -> Images:
    """Look how far a project's images are, in three queries; cases that are held out cannot be read."""
    readable = Case.objects.filter(project=project).exclude(stream=Case.Stream.HELD_OUT)
    return Images(
        cases=readable.count(),
        job=jobs_in([project.pk]).filter(name__in=BRINGING).order_by("-created_at").first(),
        delivery=Import.objects.filter(project_id=project.pk).order_by("-created_at").first(),
    )


@require_http_methods(["GET", "POST"])
@admin_only
def new_project(request: HttpRequest) -> HttpResponse:
    """Step 1: make a project of a name and what is asked."""
    form = AskedForm(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return page(
            request, "project/begin_asked.html", "home", form=form, status=422 if form.errors else 200
        )
    try:
        made = begin_project(
            name=form.cleaned_data["name"],
            document=form.document(),
            now=timezone.now(),
            by=person(request),
        )
    except NameTakenError:
        form.add_error("name", NAME_TAKEN)
        return page(request, "project/begin_asked.html", "home", form=form, status=422)
    return redirect("begin-images", project_id=made.pk)


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def asked(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Step 1 again: change the name or what is asked."""
    told = described(visit.project)
    form = AskedForm(
        request.POST if request.method == "POST" else None,
        project=visit.project,
        is_open=told is not None,
        initial={"name": visit.project.name} | (told or {}),
    )
    if request.method == "POST" and form.is_valid() and is_described(form, visit):
        return redirect("begin-images", project_id=visit.project.pk)
    status = 422 if form.errors else 200
    return project_page(request, "project/begin_asked.html", "overview", visit, form=form, status=status)


def is_described(form: AskedForm, visit: Visit) -> bool:
    """Keep what the form says; where it cannot be, the form says why."""
    try:
        describe_again(
            project=visit.project,
            name=form.cleaned_data["name"],
            document=form.document() if form.is_open else None,
            now=timezone.now(),
            by=visit.user,
        )
    except NameTakenError:
        form.add_error("name", NAME_TAKEN)
    except RefusedError as error:
        form.add_error("template", str(error))
    return form.is_valid()


@require_GET
@member(ADMIN)
def images(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Step 2: send images, take those of a data set, or examples."""
    numbers = images_by_dataset()
    return project_page(
        request,
        "project/begin_images.html",
        "overview",
        visit,
        images=images_of(visit.project),
        datasets=[(one, numbers.get(one.pk)) for one in datasets_to_take(visit.project)],
        takes_examples=takes_examples(visit.project),
        modalities=MODALITIES,
        examples=EXAMPLES,
        limit_gib=f"{settings.UPLOAD_MAX_BYTES / 1024**3:.0f}",
        limit_files=f"{uploads.MAX_FILES:,}",
    )


@require_POST
@member(ADMIN)
def take(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the images of a data set that is there, or examples that are made here; then on to the people."""
    try:
        if request.POST.get("dataset"):
            ask_cases_of(project=visit.project, dataset_id=UUID(request.POST["dataset"]), by=visit.user)
        else:
            ask_examples(project=visit.project, by=visit.user, now=timezone.now())
    except (RefusedError, QuotaError) as error:
        messages.error(request, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except (Dataset.DoesNotExist, ValueError):
        messages.error(request, "This data set is not there any more: choose another one.")
    else:
        return redirect("begin-people", project_id=visit.project.pk)
    return redirect("begin-images", project_id=visit.project.pk)


def to_people(request: HttpRequest) -> str:
    """Go on, after the password, at step 3."""
    match = request.resolver_match
    return resolve_url("begin-people", **match.kwargs) if match else resolve_url("home")


@require_http_methods(["GET", "POST"])
@member(ADMIN)
@confirmed(to_people)
def people(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Step 3: who reads, and how many of them each case; then the first case."""
    form = PeopleForm(
        request.POST if request.method == "POST" else None, project=visit.project, me=visit.user
    )
    if request.method == "POST" and form.is_valid():
        for name in form.save(address=address_of(request)):
            messages.warning(request, f"{name} got another role meanwhile: it was left as it is.")
        return redirect(onward(request, visit), project_id=visit.project.pk)
    return project_page(
        request,
        "project/begin_people.html",
        "overview",
        visit,
        status=422 if form.errors else 200,
        form=form,
        images=images_of(visit.project),
    )


def onward(request: HttpRequest, visit: Visit) -> str:
    """Name the page after step 3: the reading room to who reads, once there is a case."""
    reads = Membership.objects.filter(project=visit.project, user=visit.user, role=Role.READER).exists()
    if request.POST.get("then") == "read" and images_of(visit.project).cases:
        return "read" if reads else "project"
    messages.success(request, "Kept.")
    return "begin-people"


@require_GET
@member(ADMIN)
def state(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say how far the images are; the page asks again while something is on its way."""
    context: dict[str, Any] = {"images": images_of(visit.project), "step": request.GET.get("step", "")}
    return project_page(request, "project/begin_state.html", "overview", visit, **context)
