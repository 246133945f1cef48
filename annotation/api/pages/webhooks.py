"""Webhooks: which other systems are told of what is audited; by administrators, audited."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.pages.access import admin_only
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.permissions import record_act
from audit.models import Event, Webhook
from audit.selectors import actions
from audit.webhooks.client import NotTakenError, send
from audit.webhooks.rules import WebhookRefusedError
from audit.webhooks.services import Described, add, change

TEXT = {"class": "input", "autocomplete": "off"}


class WebhookForm(forms.Form):
    """What an administrator says of a webhook."""

    name = forms.CharField(required=False, max_length=64, widget=forms.TextInput(attrs=TEXT))
    url = forms.CharField(required=False, max_length=500, widget=forms.TextInput(attrs=TEXT))
    actions = forms.CharField(required=False, widget=forms.Textarea(attrs=TEXT | {"rows": 3}))
    is_active = forms.BooleanField(required=False)


@require_GET
@admin_only
def webhooks(request: HttpRequest) -> HttpResponse:
    """List every webhook and how it does."""
    return page(request, "webhooks/list.html", "audit", webhooks=Webhook.objects.all(), now=timezone.now())


def to_list(_request: HttpRequest) -> str:
    """Go on, after the password, at the list."""
    return resolve_url("webhooks")


@require_http_methods(["GET", "POST"])
@admin_only
@confirmed()
def add_webhook(request: HttpRequest) -> HttpResponse:
    """Add a webhook; its secret is shown this once."""
    form = WebhookForm(request.POST if request.method == "POST" else None, initial={"is_active": True})
    if not form.is_valid():
        return shown(request, form)
    try:
        with transaction.atomic():
            made, secret = add(said=Described(**form.cleaned_data), now=timezone.now())
            record_act(request, "webhook.add", "webhook", made.pk, {"actions": made.actions})
    except WebhookRefusedError as error:
        return shown(request, form, problem=str(error))
    return page(request, "webhooks/secret.html", "audit", webhook=made, secret=secret)


@require_http_methods(["GET", "POST"])
@admin_only
@confirmed()
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Show and change a webhook."""
    found = found_webhook(webhook_id)
    said = {"name": found.name, "url": found.url, "is_active": found.is_active}
    form = WebhookForm(
        request.POST if request.method == "POST" else None,
        initial=said | {"actions": "\n".join(found.actions)},
    )
    if not form.is_valid():
        return shown(request, form, webhook=found)
    try:
        with transaction.atomic():
            change(webhook_id=webhook_id, said=Described(**form.cleaned_data))
            record_act(request, "webhook.change", "webhook", webhook_id)
    except WebhookRefusedError as error:
        return shown(request, form, problem=str(error), webhook=found)
    messages.success(request, "Saved. It is tried with the next event.")
    return redirect("webhooks")


def shown(
    request: HttpRequest, form: WebhookForm, *, problem: str = "", webhook: Webhook | None = None
) -> HttpResponse:
    """Show the form, with what is wrong."""
    status = 422 if problem else 200
    told = {"form": form, "problem": problem, "webhook": webhook, "known": actions()}
    return page(request, "webhooks/form.html", "audit", status=status, **told)


@require_POST
@admin_only
@confirmed(to_list)
def try_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send the event of this very trial, and say what came of it."""
    found = found_webhook(webhook_id)
    try:
        tried(request, found)
    except NotTakenError as error:
        messages.error(request, f"{found.name} did not take it: {error}.")
    else:
        messages.success(request, f"{found.name} took a message.")
    return redirect("webhooks")


def tried(request: HttpRequest, webhook: Webhook) -> None:
    """Send a webhook the event of this very trial, which is audited.

    raises: NotTakenError.
    """
    with transaction.atomic():
        record_act(request, "webhook.try", "webhook", webhook.pk)
    event = Event.objects.filter(action="webhook.try", object_id=str(webhook.pk)).latest("sequence")
    send(webhook, [event], message_id=f"{webhook.pk}:try-{event.sequence}")


@require_POST
@admin_only
@confirmed(to_list)
def remove_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Forget a webhook."""
    found = found_webhook(webhook_id)
    with transaction.atomic():
        record_act(request, "webhook.remove", "webhook", found.pk)
        found.delete()
    messages.success(request, f"{found.name} is told of nothing any more.")
    return redirect("webhooks")


def found_webhook(webhook_id: UUID) -> Webhook:
    """Look a webhook up.

    raises: Http404.
    """
    found = Webhook.objects.filter(pk=webhook_id).first()
    if found is None:
        raise Http404("no such webhook")
    return found
