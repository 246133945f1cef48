"""A project's hanging rules: an editor with a preview on the project's own cases."""

import json
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.pages.written import UnreadableError, read_json
from annotation.projects.companions import companions_of, facts_of
from annotation.projects.hanging import (
    BUILT_IN,
    Facts,
    HangingInvalidError,
    Rule,
    hang,
    rows_of,
    rules_of,
)
from annotation.projects.models import Case
from annotation.projects.selectors import cases_for
from annotation.projects.services import save_hanging_rules
from annotation.studies.door.terms import BODY_PARTS, DESCRIPTION_WORDS, MODALITIES

LONGEST = 64 * 1024
PREVIEWED = 12
# What the form offers.
FACTS = {
    "words": sorted(DESCRIPTION_WORDS),
    "modalities": sorted(MODALITIES),
    "bodyParts": sorted(BODY_PARTS),
}


@dataclass(frozen=True)
class PreviewRow:
    """How one case would hang."""

    case: Case
    facts: Facts
    rule: Rule
    is_own: bool

    @property
    def description(self) -> str:
        """Name the words that are kept of its series' description."""
        return " ".join(sorted(self.facts.description))


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def hanging(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the rules and how the newest cases hang; preview what was written, or save it."""
    if request.method == "GET":
        return editor(request, visit, rules_of(visit.project.hanging_rules))
    written = request.POST.get("rules", "")
    try:
        rules = rules_of(read(written))
    except HangingInvalidError as error:
        current = rules_of(visit.project.hanging_rules)
        return editor(request, visit, current, written=written, problem=str(error))
    if request.POST.get("act") == "preview":
        return editor(request, visit, rules, is_preview=True)
    save_hanging_rules(project=visit.project, rules=rules, by=visit.user)
    messages.success(request, "Saved. The next case that is opened hangs by these rules.")
    return redirect("hanging", project_id=visit.project.pk)


def editor(
    request: HttpRequest,
    visit: Visit,
    rules: list[Rule],
    *,
    written: str = "",
    problem: str = "",
    is_preview: bool = False,
) -> HttpResponse:
    """Show rules to be edited, and what they do."""
    return project_page(
        request,
        "project/hanging.html",
        "hanging",
        visit,
        status=422 if problem else 200,
        written=written or json.dumps(rows_of(rules), indent=2, ensure_ascii=False),
        problem=problem,
        is_preview=is_preview,
        built_in=built_in(),
        rows=preview(visit, rules),
        facts=FACTS,
    )


def built_in() -> list[tuple[str, str]]:
    """List what holds where no rule of the project's own fits: a name, and the rest as JSON."""
    rows = [(row.pop("name"), row) for row in rows_of(BUILT_IN)]
    return [(name, json.dumps(row, ensure_ascii=False)) for name, row in rows]


def preview(visit: Visit, rules: list[Rule]) -> list[PreviewRow]:
    """Hang the project's newest cases."""
    cases = (
        cases_for(visit.user)
        .filter(project=visit.project)
        .select_related("series__study")
        .prefetch_related("series__instances")
        .order_by("-number")
    )
    rows = []
    for case in cases[:PREVIEWED]:
        facts = facts_of(case, companions_of(visit.user, case))
        rule = hang(rules, facts)
        rows.append(PreviewRow(case, facts, rule, is_own=rule in rules))
    return rows


def read(written: str) -> object:
    """Read JSON.

    raises: HangingInvalidError where it is none, or too much.
    """
    try:
        return read_json(written, what="rules have", most=LONGEST)
    except UnreadableError as error:
        raise HangingInvalidError(error.problem.message) from None
