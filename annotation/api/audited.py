"""The audit log and webhooks for programs: searched, checked, exported; told to other systems."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from annotation.api.guards import administrator, confirmed_administrator, show_once
from annotation.api.pages import audit_log
from annotation.api.pages.audit_forms import AuditForm
from annotation.api.pages.audit_rows import WRITERS, records_of
from annotation.api.pages.webhooks import tried
from annotation.api.permissions import record_act
from annotation.api.responses import WRITE
from annotation.projects.rules import RefusedError
from audit.models import ChainCheck, Webhook
from audit.selectors import actions, page_before
from audit.webhooks.client import NotTakenError
from audit.webhooks.rules import WebhookRefusedError
from audit.webhooks.services import Described, add, change


class EventView(Schema):
    """An audited act, as the chain holds it, with names beside ids."""

    sequence: int
    at: str
    actor: str
    actor_name: str
    action: str
    object_type: str
    object_id: str
    object_name: str
    outcome: str
    remote_address: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


class AuditView(Schema):
    """A page of events, the newest first; next: what to give as before, null at the end."""

    events: list[EventView]
    next: int | None


class AuditSearch(Schema):
    """Who did what to what, when; words or ids, as on the page."""

    who: str = Field("", max_length=150)
    action: str = Field("", max_length=64)
    object: str = Field("", max_length=150)
    outcome: Literal["", "ok", "denied", "unchanged"] = ""
    since: date | None = None
    until: date | None = None
    before: int | None = Field(None, ge=1)
    size: int = Field(100, ge=1, le=500)


class CheckView(Schema):
    """What the last walk along the chain found; job: the one that walks now, if any."""

    checked_at: datetime | None
    count: int
    head: str
    problems: list[str]
    job: UUID | None


class WebhookView(Schema):
    """Another system that is told of audited acts; its secret is never shown again."""

    id: UUID
    name: str
    url: str
    actions: list[str]
    is_active: bool
    failures: int
    problem: str
    taken_at: datetime | None


class WebhookBody(Schema):
    """What is said of a webhook."""

    name: str = Field(max_length=64)
    url: str = Field(max_length=500)
    actions: list[str] = Field(max_length=50)
    is_active: bool = True


class NewWebhookView(WebhookView):
    """A new webhook; its secret is shown this once."""

    secret: str


class TriedView(Schema):
    """Whether a webhook took a message, else why not."""

    was_taken: bool
    words: str


router = Router(tags=["audit"])


@router.get("audit", response={200: AuditView, **WRITE})
def search_audit(request: HttpRequest, search: Query[AuditSearch]) -> AuditView:
    """Search the audit log, the newest first."""
    administrator(request)
    form = AuditForm(search.model_dump(include={"who", "action", "object", "outcome", "since", "until"}))
    events, has_more = page_before(form.wanted(actions()), before=search.before, length=search.size)
    return AuditView(
        events=[EventView(**one) for one in records_of(events)],
        next=events[-1].sequence if has_more else None,
    )


@router.get("audit/check", response={200: CheckView, **WRITE})
def show_audit_check(request: HttpRequest) -> CheckView:
    """Say what the last walk along the chain found."""
    administrator(request)
    return check_view()


@router.post("audit/check", response={202: CheckView, **WRITE})
def check_audit(request: HttpRequest) -> Status[CheckView]:
    """Ask for a walk along the whole chain."""
    administrator(request)
    audit_log.ask_verification(request)
    return Status(202, check_view())


def check_view() -> CheckView:
    """Show the newest check."""
    check, job = ChainCheck.objects.first(), audit_log.open_verification()
    return CheckView(
        checked_at=check.checked_at if check else None,
        count=check.count if check else 0,
        head=check.head if check else "",
        problems=check.problems if check else [],
        job=job.pk if job else None,
    )


@router.get("audit/export", response={200: None, **WRITE})
def export_audit(
    request: HttpRequest, search: Query[AuditSearch], kind: Literal["csv", "jsonl"] = "jsonl"
) -> HttpResponseBase:
    """Stream what is searched for as a table or JSON lines; that it left the house is audited first."""
    confirmed_administrator(request)
    form = AuditForm(search.model_dump(include={"who", "action", "object", "outcome", "since", "until"}))
    return audit_log.streamed(request, form, kind, WRITERS[kind])


@router.get("webhooks", response={200: list[WebhookView], **WRITE})
def list_webhooks(request: HttpRequest) -> list[Webhook]:
    """List the webhooks."""
    administrator(request)
    return list(Webhook.objects.all())


@router.post("webhooks", response={201: NewWebhookView, **WRITE})
def add_one_webhook(request: HttpRequest, body: WebhookBody) -> Status[NewWebhookView]:
    """Add a webhook that hears of what comes from now on."""
    confirmed_administrator(request)
    try:
        with transaction.atomic():
            made, secret = add(said=described(body), now=timezone.now())
            record_act(request, "webhook.add", "webhook", made.pk, {"actions": made.actions})
    except WebhookRefusedError as error:
        raise RefusedError(str(error)) from None
    show_once(request)
    return Status(201, NewWebhookView(**WebhookView.from_orm(made).model_dump(), secret=secret))


@router.put("webhooks/{uuid:webhook_id}", response={200: WebhookView, **WRITE})
def change_one_webhook(request: HttpRequest, webhook_id: UUID, body: WebhookBody) -> Webhook:
    """Change a webhook; it is tried again at once."""
    confirmed_administrator(request)
    try:
        with transaction.atomic():
            changed = change(webhook_id=webhook_id, said=described(body))
            record_act(request, "webhook.change", "webhook", webhook_id)
    except WebhookRefusedError as error:
        raise RefusedError(str(error)) from None
    return changed


@router.delete("webhooks/{uuid:webhook_id}", response={204: None, **WRITE})
def remove_one_webhook(request: HttpRequest, webhook_id: UUID) -> Status[None]:
    """Forget a webhook."""
    confirmed_administrator(request)
    with transaction.atomic():
        found = Webhook.objects.get(pk=webhook_id)
        record_act(request, "webhook.remove", "webhook", webhook_id)
        found.delete()
    return Status(204, None)


@router.post("webhooks/{uuid:webhook_id}/try", response={200: TriedView, **WRITE})
def try_one_webhook(request: HttpRequest, webhook_id: UUID) -> TriedView:
    """Send a webhook the event of this very trial, and say what came of it."""
    confirmed_administrator(request)
    try:
        tried(request, Webhook.objects.get(pk=webhook_id))
    except NotTakenError as error:
        return TriedView(was_taken=False, words=str(error))
    return TriedView(was_taken=True, words="it took a message")


def described(body: WebhookBody) -> Described:
    """Read what is said of a webhook."""
    return Described(body.name, body.url, "\n".join(body.actions), is_active=body.is_active)
