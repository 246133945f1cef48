"""The page of encoders, trainings and model versions: what is used, what was tried, and the way back."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.curves import loss_of
from annotation.api.pages.frame import project_page
from annotation.learning import promotion, training
from annotation.learning.catalogue import CATALOGUE
from annotation.learning.models import TrainingRun
from annotation.learning.selectors import encoders_for, models_for, policy_of, promotions_for
from annotation.learning.training import LIMITS, METHODS, MODES, TrainingSettings
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from jobs.models import Job, State
from jobs.selectors import is_open, jobs_in

JOBS = ("train", "pretrain", "adopt_encoder", "add_encoder")
JOBS_SHOWN, VERSIONS_SHOWN, DECISIONS_SHOWN = 6, 15, 10
LARGEST_WEIGHTS = 2 * 1024**3
SHORT = {"class": "input short"}
DEFAULTS = TrainingSettings()
COMPARED = {"candidate": "This encoder", "current": "The one before", "random": "Random weights"}


def number(name: str, *, whole: bool = True) -> forms.IntegerField | forms.FloatField:
    """Make a field with the limits of a setting."""
    low, high = LIMITS[name]
    if whole:
        widget = forms.NumberInput(attrs=SHORT)
        return forms.IntegerField(min_value=int(low), max_value=int(high), widget=widget)
    widget = forms.NumberInput(attrs=SHORT | {"step": "any"})
    return forms.FloatField(min_value=low, max_value=high, widget=widget)


class TrainForm(forms.Form):
    """How deep, how long and how fast."""

    mode = forms.ChoiceField(choices=list(MODES.items()))
    epochs = number("epochs")
    minutes = number("minutes", whole=False)
    rate = number("rate", whole=False)
    batch = number("batch")
    accumulate = number("accumulate")
    rank = number("rank")
    processes = number("processes")
    flip = forms.BooleanField(required=False)

    def settings(self) -> TrainingSettings:
        """Give what the service takes."""
        return TrainingSettings(**self.cleaned_data)


class PretrainForm(forms.Form):
    """By which method, how long, and on whose images beside the project's own."""

    method = forms.ChoiceField(choices=list(METHODS.items()))
    pretrain_minutes = number("minutes", whole=False)
    others = forms.ModelMultipleChoiceField(
        queryset=Project.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, project: Project, *args: Any, **named: Any) -> None:  # noqa: ANN401  as forms.Form
        super().__init__(*args, **named)
        sharing = training.sharing_projects().exclude(pk=project.pk)
        self.fields["others"].queryset = sharing  # type: ignore[attr-defined]


class UploadForm(forms.Form):
    """A weights file, and the encoder that it is for."""

    name = forms.ChoiceField(choices=[(one.name, one.title) for one in CATALOGUE.values()])
    weights = forms.FileField(widget=forms.ClearableFileInput(attrs={"accept": ".safetensors"}))

    def clean_weights(self) -> "UploadedFile[bytes]":
        """Refuse what is not called safetensors, or is too large; its content is checked in the worker."""
        sent: UploadedFile[bytes] = self.cleaned_data["weights"]
        if not str(sent.name).endswith(".safetensors"):
            raise forms.ValidationError(
                "Only .safetensors files can be sent here. Others are added by manage.py encoders add."
            )
        if (sent.size or 0) > LARGEST_WEIGHTS:
            raise forms.ValidationError("The file is larger than 2 GB.")
        return sent


@dataclass(frozen=True)
class Trained:
    """A training job, its run, and its loss as far as it went."""

    job: Job
    run: TrainingRun | None
    loss: Chart | None
    efficiency: Chart | None
    open: bool
    again: bool


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def models(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the page, or with ?part=runs the trainings as they go."""
    if request.GET.get("part") == "runs":
        trainings = trainings_of(visit)
        return project_page(request, "learning/models_runs.html", "learning", visit, trainings=trainings)
    return shown(request, visit)


def shown(request: HttpRequest, visit: Visit, *, status: int = 200, **filled: forms.Form) -> HttpResponse:
    """Render the page, with forms as they were filled in."""
    policy = policy_of(visit.user, visit.project.pk)
    blank: dict[str, forms.Form] = {
        "train_form": TrainForm(initial=vars(DEFAULTS)),
        "pretrain_form": PretrainForm(visit.project, initial={"method": "SimCLR", "pretrain_minutes": 6}),
        "upload_form": UploadForm(),
    }
    return project_page(
        request,
        "learning/models.html",
        "learning",
        visit,
        status=status,
        policy=policy,
        trainings=trainings_of(visit),
        versions=list(models_for(visit.user, visit.project.pk)[:VERSIONS_SHOWN]),
        decisions=list(promotions_for(visit.user, visit.project.pk)[:DECISIONS_SHOWN]),
        encoders=list(encoders_for(visit.user, visit.project.pk)),
        before=promotion.encoder_before(visit.project) if policy.encoder else None,
        catalogue=CATALOGUE.values(),
        **(blank | filled),
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
            project=visit.project, settings=form.settings(), by=visit.user, now=timezone.now()
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
        ),
        "Asked for pretraining. The new encoder is used only if it measures better.",
    )


@require_POST
@member(Role.ML_STAFF)
def upload(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Keep a weights file unread, and ask the worker to check it."""
    form = UploadForm(request.POST, request.FILES)

    def keep() -> Job:
        stored, digest = kept(form.cleaned_data["weights"])
        return promotion.request_upload(
            project=visit.project, name=form.cleaned_data["name"], stored=stored, digest=digest, by=visit.user
        )

    words = "The file is there. The worker checks it, encodes the images with it, and then changes over."
    return answered(request, visit, {"upload_form": form}, keep, words)


def kept(sent: "UploadedFile[bytes]") -> tuple[str, str]:
    """Store a file that nobody has looked into: its name in the store, and its SHA-256."""
    told = hashlib.sha256()
    for chunk in sent.chunks():
        told.update(chunk)
    sent.seek(0)
    digest = told.hexdigest()
    return default_storage.save(f"incoming/{digest}.safetensors", sent), digest


@require_POST
@member(Role.ML_STAFF)
def use(request: HttpRequest, visit: Visit, encoder_id: UUID) -> HttpResponse:
    """Ask for the images to be encoded with a registered encoder, and the project to change over."""
    encoder = encoders_for(visit.user, visit.project.pk).filter(pk=encoder_id).first()
    if encoder is None:
        raise Http404("no such encoder")
    promotion.request_encoder(project=visit.project, encoder=encoder, by=visit.user)
    messages.success(request, "Asked for it. The project changes over when every image has its new vector.")
    return redirect("models", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def roll_back(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Go back to the encoder before."""
    try:
        made = promotion.roll_back(project=visit.project, by=visit.user, now=timezone.now())
    except RefusedError as error:
        messages.warning(request, f"Nothing was changed: {error}.")
    else:
        messages.success(request, f"Back on {made.encoder.name}. Its heads are fitted again in seconds.")
    return redirect("models", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def sharing(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let other projects' encoders learn from this project, or not."""
    wanted = request.POST.get("share_labels") == "on"
    promotion.set_sharing(project=visit.project, share_labels=wanted, by=visit.user)
    messages.success(request, "Images and labels are shared." if wanted else "Nothing is shared any more.")
    return redirect("models", project_id=visit.project.pk)


def answered(
    request: HttpRequest,
    visit: Visit,
    filled: dict[str, forms.Form],
    act: Callable[[], Job],
    words: str,
) -> HttpResponse:
    """Do what a form asks, or give it back with what is wrong."""
    (form,) = filled.values()
    if form.is_valid():
        try:
            act()
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, words)
            return redirect("models", project_id=visit.project.pk)
    return shown(request, visit, status=422, **filled)


def trainings_of(visit: Visit) -> list[Trained]:
    """Training jobs of the project and its data set, newest first, with their runs."""
    jobs = list(jobs_in([visit.project.pk, visit.project.dataset_id]).filter(name__in=JOBS)[:JOBS_SHOWN])
    runs = TrainingRun.objects.in_bulk([job.pk for job in jobs])
    return [trained(job, runs.get(job.pk)) for job in jobs]


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
        loss=loss_of(run) if run is not None and run.history else None,
        efficiency=efficiency_of(run) if run is not None else None,
        open=is_open(job),
        again=job.state in (State.FAILED, State.CANCELLED),
    )
