"""Notifications: the bell, the list, what a person wants to be told of and how."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.pages.access import signed_in
from annotation.api.pages.frame import page
from annotation.api.permissions import person
from notices.kinds import KINDS, sentence_of
from notices.mailing import can_mail
from notices.models import Notice, Wishes
from notices.services import mark_read, set_wishes, wishes_in_force

PAGE_LENGTH, MOST_COUNTED = 50, 99


@require_GET
@signed_in
def notifications(request: HttpRequest) -> HttpResponse:
    """List what the person was told, the newest first."""
    found = Notice.objects.filter(person=person(request))
    part = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    rows = [(one, sentence_of(one.kind, one.facts)) for one in part]
    return page(request, "notifications/list.html", "notifications", part=part, rows=rows)


@require_GET
@signed_in
def bell(request: HttpRequest) -> HttpResponse:
    """Count what is unread: the bar asks for it once a page."""
    unread = Notice.objects.filter(person=person(request), read_at=None).order_by()
    return page(
        request, "notifications/bell.html", "", unread=len(unread.values_list("pk")[: MOST_COUNTED + 1])
    )


@require_POST
@signed_in
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all of one's own as read."""
    mark_read(person(request), now=timezone.now())
    return redirect("notifications")


@require_POST
@signed_in
def open_notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark one of one's own as read, and go where it leads."""
    found = Notice.objects.filter(person=person(request), pk=notice_id).first()
    if found is None:
        raise Http404("no such notice")
    mark_read(person(request), now=timezone.now(), ids=[found.pk])
    return redirect(found.link or "notifications")


@require_http_methods(["GET", "POST"])
@signed_in
def wishes(request: HttpRequest) -> HttpResponse:
    """Show and keep what the person wants to be told of."""
    me = person(request)
    if request.method == "POST":
        told = request.POST
        if told.get("rhythm") in Wishes.Rhythm.values:
            unwanted = KINDS.keys() - set(told.getlist("told"))
            set_wishes(me, rhythm=told["rhythm"], mailed=told.getlist("mailed"), unwanted=unwanted)
            messages.success(request, _("Kept."))
        return redirect("notification-settings")
    kept = wishes_in_force(me)
    return page(
        request,
        "notifications/settings.html",
        "notifications",
        wishes=kept,
        kinds=[(one, one.name not in kept.unwanted, one.name in kept.mailed) for one in KINDS.values()],
        rhythms=Wishes.Rhythm.choices,
        can_mail=can_mail(),
    )
