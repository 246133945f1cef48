"""How the system is: a page for administrators, a sign of life for proxies, metrics for Prometheus."""

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

from accounts.scopes import Scope
from accounts.tokens import TooManyError
from annotation.api.errors import problem
from annotation.api.pages.access import admin_only
from annotation.api.pages.frame import page
from annotation.api.permissions import UnauthenticatedError, record_denial, token_of
from annotation.exchange.lifecycle.usage import in_units
from jobs import health as machine
from jobs.metrics import exposition

LATE_BACKUPS = 3


@require_GET
@admin_only
def health(request: HttpRequest) -> HttpResponse:
    """Show queues, disk, database and versions; workers follow, since they are asked and take a second."""
    now, room, told = timezone.now(), machine.disk(), machine.database()
    queues, unsent, backup = machine.lanes(now), machine.unsent(now), machine.last_done("backup")
    is_late = bool(settings.BACKUP_FOLDER) and (
        backup is None or now - backup > LATE_BACKUPS * timedelta(seconds=settings.BACKUP_SECONDS)
    )
    return page(
        request,
        "health/health.html",
        "health",
        queues=queues,
        unsent=unsent,
        room=room,
        free=in_units(room.free),
        total=in_units(room.total),
        database=told,
        database_size=in_units(told.size),
        backup=backup,
        backup_folder=settings.BACKUP_FOLDER,
        is_backup_late=is_late,
        versions=machine.versions(),
        home=machine.home(),
        is_well=not (unsent or is_late or room.look != "ok" or any(one.is_stuck for one in queues)),
    )


@require_GET
@admin_only
def workers(request: HttpRequest) -> HttpResponse:
    """Show who answers, and whether the database has the tables that the code expects."""
    asked = machine.workers()
    return page(request, "health/workers.html", "health", asked=asked, unapplied=machine.unapplied())


@require_GET
def alive(_request: HttpRequest) -> HttpResponse:
    """Say to a proxy whether this process answers and reaches its database; nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape that brings an administrator's token made for it; refused tokens are audited."""
    try:
        token = token_of(request)
    except TooManyError as error:
        return problem(429, "too_many", str(error))
    except UnauthenticatedError:
        token = None
    if token is None:
        refused = problem(401, "unauthenticated", "send Authorization: Bearer with a token for metrics:read")
        refused["WWW-Authenticate"] = 'Bearer realm="fovea"'
        return refused
    if Scope.METRICS not in token.scopes or not token.user.is_admin:
        request.user = token.user
        record_denial(request, "site", "")
        return problem(403, "forbidden", "it wants an administrator's token that is made for metrics:read")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
