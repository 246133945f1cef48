"""What can hang beside a case: other series of its study, and earlier studies; reads, scoped by the user."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import prefetch_related_objects

from accounts.models import User
from annotation.projects.hanging import Facts, Rule, earlier_in_words, hang, rules_of
from annotation.projects.models import Case
from annotation.projects.selectors import cases_for
from annotation.studies.models import Instance

MOST_OF_STUDY = 12
MOST_PRIORS = 4
# Deliveries without patients' names may put thousands of images under one pseudonym.
MOST_LOOKED_AT = 100


@dataclass(frozen=True)
class Companion:
    """Another case of the patient in the project; label: what stands over it."""

    case: Case
    label: str
    is_prior: bool


def companions_of(user: User, case: Case) -> list[Companion]:
    """Find a case's companions: its study's other series, then earlier studies of its modality, newest first.

    A study without a date is no prior, and neither is a later one: its reader could not have had it.
    """
    prefetch_related_objects([case], "project", "series__study", "series__instances")
    others = (
        cases_for(user)
        .filter(project=case.project_id, patient=case.patient_id)
        .exclude(pk=case.pk)
        .select_related("series__study")
        .prefetch_related("series__instances")
        .order_by("number")[:MOST_LOOKED_AT]
    )
    study = case.series.study_id
    same = [Companion(one, view_of(one), is_prior=False) for one in others if one.series.study_id == study]
    return same[:MOST_OF_STUDY] + priors(case, [one for one in others if one.series.study_id != study])


def priors(case: Case, others: Iterable[Case]) -> list[Companion]:
    """Keep the earlier ones of the case's modality."""
    made_on = study_date(case)
    found = []
    for other in others:
        before = study_date(other)
        if made_on and before and before < made_on and other.series.modality == case.series.modality:
            found.append(((made_on - before).days, other))
    found.sort(key=lambda one: (one[0], one[1].number))
    return [Companion(other, earlier_in_words(days), is_prior=True) for days, other in found[:MOST_PRIORS]]


def rule_for(case: Case, companions: Sequence[Companion], rules: Sequence[Rule]) -> Rule:
    """Take the rule by which a case hangs."""
    return hang(rules, facts_of(case, companions))


def own_rules(case: Case) -> list[Rule]:
    """Read the rules of the case's project."""
    return rules_of(case.project.hanging_rules)


def facts_of(case: Case, companions: Sequence[Companion]) -> Facts:
    """Sum up what rules ask of a case."""
    instances = list(case.series.instances.all())
    views = {view for one in instances if (view := view_of_instance(one))}
    beside = {one.label for one in companions if not one.is_prior and one.label}
    laterality, _, view = min(views, default="").partition(" ")
    return Facts(
        modality=case.series.modality,
        body_part=case.series.body_part_examined,
        laterality=laterality,
        view=view,
        frames=sum(one.frames for one in instances),
        has_prior=any(one.is_prior for one in companions),
        views=frozenset(views | beside),
    )


def view_of(case: Case) -> str:
    """Name the view of a series' first image, as "R MLO"; nothing where it says none."""
    return next((view for one in case.series.instances.all() if (view := view_of_instance(one))), "")


def view_of_instance(instance: Instance) -> str:
    """Name an image's side and view; nothing where one is absent."""
    said = instance.attributes
    laterality = said.get("ImageLaterality") or said.get("Laterality") or ""
    view = said.get("ViewPosition") or ""
    return f"{laterality} {view}" if laterality and view else ""


def study_date(case: Case) -> date | None:
    """Read when a case's study was made; None where no image says."""
    for instance in case.series.instances.all():
        written = str(instance.attributes.get("StudyDate", ""))
        if len(written) == len("YYYYMMDD") and written.isdecimal():
            return datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    return None
