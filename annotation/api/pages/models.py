"""The page of encoders, trainings and model versions: what is used, what was tried, and the way back."""

import hashlib
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.confirming import typed_lately
from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import project_page
from annotation.api.pages.taking import made_by
from annotation.api.permissions import address_of
from annotation.learning import promotion
from annotation.learning.catalogue import CATALOGUE
from annotation.learning.judged import champion_of, passed_in
from annotation.learning.models import Encoder
from annotation.learning.selectors import encoders_for, models_for, policy_of, promotions_for
from annotation.projects.rules import RefusedError
from jobs.models import Job

VERSIONS_SHOWN, DECISIONS_SHOWN = 15, 10
LARGEST_WEIGHTS = 2 * 1024**3


class UploadForm(forms.Form):
    """A weights file, and the encoder that it is for."""

    name = forms.ChoiceField(
        choices=[(one.name, one.title) for one in CATALOGUE.values()],
        widget=forms.Select(attrs={"class": "input"}),
    )
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


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def models(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the page."""
    return shown(request, visit, UploadForm())


def shown(request: HttpRequest, visit: Visit, upload_form: UploadForm, *, status: int = 200) -> HttpResponse:
    """Render the page, with the form as it was filled in."""
    policy = policy_of(visit.user, visit.project.pk)
    versions = list(models_for(visit.user, visit.project.pk)[:VERSIONS_SHOWN])
    return project_page(
        request,
        "learning/models.html",
        "learning",
        visit,
        status=status,
        is_confirmed=typed_lately(request.session),
        policy=policy,
        versions=versions,
        passed=passed_in(versions),
        champion=champion_of(visit.user, visit.project.pk),
        decisions=list(promotions_for(visit.user, visit.project.pk)[:DECISIONS_SHOWN]),
        encoders=list(encoders_for(visit.user, visit.project.pk)),
        before=promotion.encoder_before(visit.project) if policy.encoder else None,
        catalogue=CATALOGUE.values(),
        upload_form=upload_form,
    )


@require_POST
@member(Role.ML_STAFF)
def upload(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Keep a weights file unread, and ask the worker to check it.

    A file is lost on the way to the password: the form says so, and links there.
    """
    form = UploadForm(request.POST, request.FILES)
    if not typed_lately(request.session):
        form.add_error(None, "Type your password first: it was typed too long ago. Then send the file again.")

    def keep() -> Job:
        stored, digest = kept(form.cleaned_data["weights"])
        return promotion.request_upload(
            project=visit.project,
            name=form.cleaned_data["name"],
            stored=stored,
            digest=digest,
            by=visit.user,
            address=address_of(request),
        )

    if made_by(form, keep) is None:
        return shown(request, visit, form, status=422)
    messages.success(
        request, "The file is there. The worker checks it, encodes the images with it, and then changes over."
    )
    return redirect("models", project_id=visit.project.pk)


def kept(sent: "UploadedFile[bytes]") -> tuple[str, str]:
    """Store a file that nobody has looked into: its name in the store, and its SHA-256."""
    told = hashlib.sha256()
    for chunk in sent.chunks():
        told.update(chunk)
    sent.seek(0)
    digest = told.hexdigest()
    return default_storage.save(f"incoming/{digest}.safetensors", sent), digest


def back_to_models(request: HttpRequest) -> str:
    """Go on, after the password, at the page of models."""
    match = request.resolver_match
    return resolve_url("models", project_id=match.kwargs["project_id"]) if match else resolve_url("home")


@require_POST
@member(Role.ML_STAFF)
def use(request: HttpRequest, visit: Visit, encoder_id: UUID) -> HttpResponseBase:
    """Ask for the images to be encoded with a registered encoder, and the project to change over."""
    encoder = encoders_for(visit.user, visit.project.pk).filter(pk=encoder_id).first()
    if encoder is None:
        raise Http404("no such encoder")
    return use_confirmed(request, visit, encoder)


@confirmed(back_to_models)
def use_confirmed(request: HttpRequest, visit: Visit, encoder: Encoder) -> HttpResponse:
    """Ask for it, where the password was typed lately."""
    try:
        promotion.request_encoder(
            project=visit.project, encoder=encoder, by=visit.user, address=address_of(request)
        )
    except RefusedError as error:
        messages.warning(request, f"Nothing was changed: {error}.")
    else:
        messages.success(
            request, "Asked for it. The project changes over when every image has its new vector."
        )
    return redirect("models", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
@confirmed(back_to_models)
def roll_back(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Go back to the encoder before."""
    try:
        made = promotion.roll_back(
            project=visit.project, by=visit.user, now=timezone.now(), address=address_of(request)
        )
    except RefusedError as error:
        messages.warning(request, f"Nothing was changed: {error}.")
    else:
        messages.success(request, f"Back on {made.encoder.name}. Its heads are fitted again in seconds.")
    return redirect("models", project_id=visit.project.pk)
