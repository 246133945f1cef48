"""The learning page of ML staff: what was learned so far, how the queue is driven, and Retrain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.answers import answers_of
from annotation.api.pages.curves import curve_of, metrics_of, simulations_of
from annotation.api.pages.forms import PolicyForm
from annotation.api.pages.frame import project_page
from annotation.api.permissions import address_of
from annotation.learning.drifts import newest_drift, request_drift
from annotation.learning.judgements import advice_for
from annotation.learning.models import ModelVersion, Policy
from annotation.learning.replays import replays_for
from annotation.learning.selectors import models_for, policy_of
from annotation.learning.services import request_retrain, set_policy
from annotation.projects.selectors import question_learned
from annotation.queue.glance import until_refit
from annotation.queue.selectors import queue_overview
from annotation.readings.effort import spent_hours
from annotation.readings.selectors import labels_by_stream
from jobs.selectors import last_failed, open_jobs

MODELS_SHOWN = 12
FRAGMENTS = {"now": "learning/now.html", "curve": "learning/curve.html", "advice": "learning/advice.html"}


@dataclass(frozen=True)
class Active:
    """What a replay said of active against random, in its own words."""

    when: datetime
    seeds: int
    words: list[str]


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def ml(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the page, or with ?part= one piece of it that has changed."""
    part = request.GET.get("part", "")
    context = parts(visit, request.GET.get("metric", ""))
    if part in FRAGMENTS:
        return project_page(request, FRAGMENTS[part], "learning", visit, **context)
    policy = policy_of(visit.user, visit.project.pk)
    return project_page(
        request,
        "learning/page.html",
        "learning",
        visit,
        **context,
        **encoder_parts(visit, policy),
        form=PolicyForm.of(policy),
        simulations=simulations_of(visit),
    )


@require_POST
@member(Role.ML_STAFF)
def retrain(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a refit and a new ranking now."""
    request_retrain(project=visit.project, by=visit.user, address=address_of(request))
    messages.success(request, "Asked for a new model and a new ranking. Readers go on undisturbed.")
    return redirect("ml", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def measure_drift(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask how far the newest images differ from labelled ones."""
    request_drift(project=visit.project, by=visit.user, address=address_of(request))
    messages.success(request, "Asked for. It takes seconds; the figure appears under the policy.")
    return redirect("ml", project_id=visit.project.pk)


@require_POST
@member(Role.ML_STAFF)
def policy(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Change how the queue is driven; the form comes back with what is wrong."""
    form = PolicyForm(request.POST)
    if form.is_valid():
        set_policy(project=visit.project, by=visit.user, address=address_of(request), **form.asked())
        messages.success(request, "The policy is saved. The next ranking follows it.")
        return redirect("ml", project_id=visit.project.pk)
    context = parts(visit, "") | encoder_parts(visit, policy_of(visit.user, visit.project.pk))
    return project_page(
        request,
        "learning/page.html",
        "learning",
        visit,
        status=422,
        **context,
        form=form,
        simulations=simulations_of(visit),
    )


def parts(visit: Visit, metric: str) -> dict[str, Any]:
    """Collect what changes while readers read: jobs, counts, the curve."""
    project = visit.project
    question = question_learned(project.pk)
    known = metrics_of(question)
    chosen = metric if metric in known else "balanced_accuracy"
    used = models_for(visit.user, project.pk).filter(origin=ModelVersion.Origin.REFIT)
    models = list(used[:MODELS_SHOWN])
    labels, policy = labels_by_stream(project.pk), policy_of(visit.user, project.pk)
    scopes = [project.pk, project.dataset_id]
    return {
        "learned": question,
        "models": models,
        "labels": labels,
        "queue": queue_overview(visit.user, project.pk),
        "policy": policy,
        "until_refit": until_refit(policy, labels["pool"], models[0] if models else None),
        "spent_hours": spent_hours(project.pk),
        "busy": list(open_jobs(scopes).order_by("-state", "created_at")),
        "failed": last_failed(scopes),
        "curve": curve_of(visit, chosen, question),
        "metric": chosen,
        "answers": answers_of(visit),
        "metrics": known,
        "advice": advice_for(visit.user, project.pk),
        "active": active_against_random(visit),
    }


def active_against_random(visit: Visit) -> Active | None:
    """Say what the newest replay found of the policy in force beside random; None where there was none."""
    run = replays_for(visit.user, visit.project.pk).first()
    return None if run is None else Active(run.created_at, run.result["seeds"], run.result["verdict"][:2])


def encoder_parts(visit: Visit, policy: Policy) -> dict[str, Any]:
    """Collect the encoder, what its training bought, and how far new images drifted."""
    return {"drift": newest_drift(visit.user, visit.project.pk), "encoder": policy.encoder}
