"""The audit log as administrators read it: searched, exported, its chain checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import names_of
from annotation.api.pages.access import admin_only
from annotation.api.pages.audit_forms import AuditForm
from annotation.api.pages.audit_rows import WRITERS, Blocks, described
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.permissions import person, record_act
from audit.models import ChainCheck
from audit.selectors import actions, blocks_of, page_before
from audit.services import record
from jobs.models import OPEN, Job, Lane
from jobs.services import ask

PAGE_LENGTH = 100


@dataclass(frozen=True)
class Checked:
    """The last check of the chain, and who asked for it."""

    check: ChainCheck
    asked_by: str


@require_GET
@admin_only
def audit(request: HttpRequest) -> HttpResponse:
    """Search events, newest first."""
    known = actions()
    form = AuditForm(request.GET)
    before = request.GET.get("before", "")
    wanted = form.wanted(known)
    events, has_more = page_before(
        wanted, before=int(before) if before.isdecimal() else None, length=PAGE_LENGTH
    )
    return page(
        request,
        "audit/log.html",
        "audit",
        form=form,
        rows=described(events),
        actions=known,
        older=events[-1].sequence if has_more else None,
        is_narrowed=form.is_narrowed,
        checked=last_check(),
        checking=open_verification(),
    )


def last_check() -> Checked | None:
    """Find what the last walk along the chain found."""
    check = ChainCheck.objects.first()
    return Checked(check, names_of({check.asked_by}).get(check.asked_by, "")) if check else None


@require_POST
@admin_only
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a walk along the whole chain."""
    ask_verification(request)
    messages.success(request, "The chain is being checked. What is found stands here in a moment.")
    return redirect("audit")


@transaction.atomic
def ask_verification(request: HttpRequest) -> Job:
    """Ask for a walk along the chain, audited."""
    job = ask(
        name="verify_audit_chain",
        lane=Lane.LIGHT,
        arguments={"asked_by": str(person(request).pk)},
        requested_by=person(request),
        singleton_key="verify_audit_chain",
    )
    record_act(request, "audit.verify", "site", "")
    return job


def open_verification() -> Job | None:
    """Find the walk that waits or runs."""
    return Job.objects.filter(name="verify_audit_chain", state__in=OPEN).first()


def to_audit(request: HttpRequest) -> str:
    """Go on, after the password, at the search that was to be exported."""
    return f"{resolve_url('audit')}?{request.GET.urlencode()}"


@require_GET
@admin_only
@confirmed(to_audit)
def export(request: HttpRequest) -> HttpResponseBase:
    """Stream what was searched for as a table or as JSON lines; that it left the house is audited first."""
    kind = request.GET.get("format", "")
    if kind not in WRITERS:
        return redirect(to_audit(request))
    return streamed(request, AuditForm(request.GET), kind, WRITERS[kind])


def streamed(
    request: HttpRequest, form: AuditForm, kind: str, writer: tuple[str, Callable[[Blocks], Iterator[bytes]]]
) -> StreamingHttpResponse:
    """Audit that a search leaves the house, then stream it."""
    wanted = form.wanted(actions())
    event = record(
        actor=str(person(request).pk),
        action="audit.export",
        object_type="site",
        object_id="",
        remote_address=str(request.META.get("REMOTE_ADDR", "")),
        details={"format": kind, **form.recorded(wanted)},
    )
    content_type, write = writer
    response = StreamingHttpResponse(
        write(blocks_of(wanted, until=event.sequence)), content_type=content_type
    )
    name = f"fovea-audit-{timezone.now():%Y%m%d-%H%M%S}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
