"""Training runs: what waits, runs and ran; asked for with a form; followed live with loss, log and memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.frame import project_page
from annotation.api.pages.taking import made_by
from annotation.api.pages.training_forms import PretrainForm, TrainForm
from annotation.api.permissions import address_of
from annotation.learning import promotion, training
from annotation.learning.models import TrainingRun
from annotation.learning.runs import lines_of
from annotation.learning.selectors import policy_of
from annotation.learning.training import RUN_JOBS, TrainingSettings
from jobs.models import Job, State
from jobs.selectors import is_open, jobs_in

PAGE_LENGTH, LINES_SHOWN = 10, 200
DEFAULTS = TrainingSettings()
COMPARED = {"candidate": "This encoder", "current": "The one before", "random": "Random weights"}
SERIES = {"loss": "Images trained on", "held_back_loss": "Images held back"}


@dataclass(frozen=True)
class Trained:
    """A training job and its run, as far as it went; last: the newest point of its history."""

    job: Job
    run: TrainingRun | None
    last: Mapping[str, float]
    efficiency: Chart | None
    open: bool
    again: bool


@require_GET
@member(Role.ML_STAFF, ADMIN)
def runs(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the runs and the forms, or with ?part=runs the runs alone as they go."""
    if request.GET.get("part") == "runs":
        found = page_of_runs(request, visit)
        return project_page(
            request, "learning/runs_list.html", "learning", visit, part=found, trainings=found.object_list
        )
    return shown(request, visit)


def shown(request: HttpRequest, visit: Visit, *, status: int = 200, **filled: forms.Form) -> HttpResponse:
    """Render the page, with forms as they were filled in."""
    blank: dict[str, forms.Form] = {
        "train_form": TrainForm(initial=vars(DEFAULTS)),
        "pretrain_form": PretrainForm(visit.project, initial={"method": "SimCLR", "pretrain_minutes": 6}),
    }
    found = page_of_runs(request, visit)
    return project_page(
        request,
        "learning/runs_page.html",
        "learning",
        visit,
        status=status,
        policy=policy_of(visit.user, visit.project.pk),
        part=found,
        trainings=found.object_list,
        **(blank | filled),
    )


@require_GET
@member(Role.ML_STAFF, ADMIN)
def run(request: HttpRequest, visit: Visit, job_id: UUID) -> HttpResponse:
    """Show one run: loss, log, memory; with ?part=live what changes while it goes."""
    job = run_jobs(visit).filter(pk=job_id).first()
    if job is None:
        raise Http404("no such run")
    found = TrainingRun.objects.filter(pk=job.pk).first()
    template = "learning/run_live.html" if request.GET.get("part") == "live" else "learning/run.html"
    return project_page(
        request,
        template,
        "learning",
        visit,
        one=trained(job, found),
        run=found,
        lines=list(lines_of(found)[:LINES_SHOWN]) if found else [],
        figures=figures_of(found) if found else {},
    )


@require_POST
@member(Role.ML_STAFF)
def train(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for fine-tuning on the labels there are now."""
    form = TrainForm(request.POST)
    return answered(
        request,
        visit,
        {"train_form": form},
        lambda: training.request_training(
            project=visit.project,
            settings=form.settings(),
            by=visit.user,
            now=timezone.now(),
            address=address_of(request),
        ),
        "Asked for training. The labels are frozen as they are now; readers go on undisturbed.",
    )


@require_POST
@member(Role.ML_STAFF)
def pretrain(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for an encoder taught on images, without labels or with those of several projects."""
    form = PretrainForm(visit.project, request.POST)
    return answered(
        request,
        visit,
        {"pretrain_form": form},
        lambda: training.request_pretraining(
            project=visit.project,
            minutes=form.cleaned_data["pretrain_minutes"],
            method=form.cleaned_data["method"],
            others=list(form.cleaned_data["others"]),
            by=visit.user,
            address=address_of(request),
        ),
        "Asked for pretraining. The new encoder is used only if it measures better.",
    )


@require_POST
@member(Role.ML_STAFF)
def sharing(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let other projects' encoders learn from this project, or not."""
    wanted = request.POST.get("share_labels") == "on"
    promotion.set_sharing(
        project=visit.project, share_labels=wanted, by=visit.user, address=address_of(request)
    )
    messages.success(request, "Images and labels are shared." if wanted else "Nothing is shared any more.")
    return redirect("runs", project_id=visit.project.pk)


def answered(
    request: HttpRequest,
    visit: Visit,
    filled: dict[str, forms.Form],
    act: Callable[[], Job],
    words: str,
) -> HttpResponse:
    """Do what a form asks, or give it back with what is wrong."""
    (form,) = filled.values()
    job = made_by(form, act)
    if job is None:
        return shown(request, visit, status=422, **filled)
    messages.success(request, words)
    return redirect("run", project_id=visit.project.pk, job_id=job.pk)


def run_jobs(visit: Visit) -> QuerySet[Job]:
    """List training jobs of the project and its data set, newest first."""
    return jobs_in([visit.project.pk, visit.project.dataset_id]).filter(name__in=RUN_JOBS)


def page_of_runs(request: HttpRequest, visit: Visit) -> "Page[Any]":
    """Give one page of trainings with their runs."""
    found: Page[Any] = Paginator(run_jobs(visit), PAGE_LENGTH).get_page(request.GET.get("page"))
    known = TrainingRun.objects.in_bulk([job.pk for job in found])
    found.object_list = [trained(job, known.get(job.pk)) for job in found]
    return found


def figures_of(found: TrainingRun) -> dict[str, list[dict[str, Any]]]:
    """Give the browser what it draws: loss by epoch, memory and how busy the GPU is by minute."""
    loss = [
        {"series": words, "x": point["epoch"], "y": point[key]}
        for key, words in SERIES.items()
        for point in found.history
        if point.get(key) is not None
    ]
    memory = [
        {"series": words, "x": minute(one), "y": round(one[key] / 1024, 3)}
        for key, words in (("memory_mb", "Memory"), ("gpu_memory_mb", "GPU memory in use on the device"))
        for one in found.samples
        if key in one
    ]
    busy = [
        {"series": "GPU", "x": minute(one), "y": one["gpu_percent"]}
        for one in found.samples
        if "gpu_percent" in one
    ]
    return {"loss": loss, "memory": memory, "busy": busy}


def minute(sample: Mapping[str, float]) -> float:
    """Say when a sample was taken."""
    return round(sample["seconds"] / 60, 2)


def efficiency_of(run: TrainingRun) -> Chart | None:
    """Draw what heads reach with few labels on the new encoder, the one before, and random weights."""
    found = run.result.get("label_efficiency", {})
    lines = [
        Series(words, [Point(one["labels"], one["value"], one["low"], one["high"]) for one in found[key]])
        for key, words in COMPARED.items()
        if found.get(key)
    ]
    return chart(
        lines,
        title="Balanced accuracy by number of labels, on images that no encoder learned from",
        x_title="labels",
        y_title="Balanced accuracy on images it never saw",
        y_limits=(0.0, 1.0),
    )


def trained(job: Job, run: TrainingRun | None) -> Trained:
    """Describe one training."""
    return Trained(
        job=job,
        run=run,
        last=run.history[-1] if run is not None and run.history else {},
        efficiency=efficiency_of(run) if run is not None else None,
        open=is_open(job),
        again=job.state in (State.FAILED, State.CANCELLED),
    )
