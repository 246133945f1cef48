"""Home: the projects that a person belongs to, and the next thing to do in each."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_GET

from accounts.models import Role, User
from annotation.api.pages.access import signed_in
from annotation.api.pages.frame import ROLE_WORDS, page
from annotation.api.permissions import person
from annotation.queue.selectors import ProjectRow, project_rows


@dataclass(frozen=True)
class Card:
    """A project, the person's role in words, and where each act leads: the first is the next obvious one."""

    row: ProjectRow
    role: str
    acts: list[tuple[str, str]]


@require_GET
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """List a person's projects."""
    user = person(request)
    cards = [Card(row, ROLE_WORDS.get(row["role"], ""), acts(user, row)) for row in project_rows(user)]
    return page(request, "home.html", "home", cards=cards)


def acts(user: User, row: ProjectRow) -> list[tuple[str, str]]:
    """Name what the person can do in a project, the most useful first."""
    project = {"project_id": row["id"]}
    found = []
    if row["role"] == Role.READER:
        found.append((_("Read") if row["waiting"] else _("Reading room"), reverse("read", kwargs=project)))
    if row["role"] == Role.ML_STAFF:
        found.append((_("Learning"), reverse("ml", kwargs=project)))
    found.append((_("Overview"), reverse("project", kwargs=project)))
    if user.is_admin:
        importing = (_("Import images"), reverse("import", kwargs=project))
        found.insert(0 if row["waiting"] + row["labels"] == 0 else len(found), importing)
    return found
