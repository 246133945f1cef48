"""What can hang beside a case: views of its study, the newest earlier study; reads, scoped by the user."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.db.models.fields.json import KT

from accounts.models import User
from annotation.projects.hanging import Facts, Rule, earlier_in_words, hang, rules_of
from annotation.projects.models import Case
from annotation.projects.selectors import cases_for
from annotation.studies.models import Instance

MOST_OF_STUDY = 12
# Deliveries without patients' names may put thousands of images under one pseudonym.
MOST_LOOKED_AT = 100
SAID = ("StudyDate", "ImageLaterality", "Laterality", "ViewPosition")


@dataclass(frozen=True)
class Companion:
    """Another case of the patient in the project, with its images; label: what stands over it."""

    case: Case
    label: str
    is_prior: bool


class Said(NamedTuple):
    """What an image says of itself; None where it does not."""

    study_date: str | None
    image_laterality: str | None
    laterality: str | None
    view_position: str | None

    @property
    def view(self) -> str:
        """Name side and view, as "R MLO"; nothing where one is absent."""
        laterality = self.image_laterality or self.laterality
        return f"{laterality} {self.view_position}" if laterality and self.view_position else ""

    @property
    def made_on(self) -> date | None:
        """Read when its study was made; None where it does not say."""
        written = self.study_date or ""
        if len(written) != len("YYYYMMDD") or not written.isdecimal():
            return None
        return datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone


class Other(NamedTuple):
    """Another case of the patient, as it is chosen from: without its images."""

    case_id: UUID
    is_of_study: bool
    modality: str
    said: Said


def companions_of(user: User, case: Case) -> list[Companion]:
    """Find what a stage can show beside a case: its study's other views, and the newest study before it.

    Images are loaded of these alone. A study without a date is no prior, and neither is a later one: its
    reader could not have had it.
    """
    others = others_of(user, case)
    views = [(one.case_id, one.said.view) for one in others if one.is_of_study and one.said.view]
    labels = dict(views[:MOST_OF_STUDY])
    prior = newest_prior(case, [one for one in others if not one.is_of_study])
    found = (
        Case.objects.filter(pk__in=[*labels, *prior])
        .select_related("series")
        .prefetch_related("series__instances")
        .order_by("number")
    )
    return sorted(
        (Companion(one, (labels | prior)[one.pk], is_prior=one.pk in prior) for one in found),
        key=lambda one: one.is_prior,
    )


def others_of(user: User, case: Case) -> list[Other]:
    """List the patient's other cases in the project."""
    rows = (
        cases_for(user)
        .filter(project=case.project_id, patient=case.patient_id)
        .exclude(pk=case.pk)
        .order_by("number")
        .values_list("pk", "series__study", "series__modality", *map(said_by_first, SAID))
    )
    return [
        Other(case_id, study == case.series.study_id, modality, Said(*said))
        for case_id, study, modality, *said in rows[:MOST_LOOKED_AT]
    ]


def said_by_first(keyword: str) -> Subquery:
    """Ask a series' first image that says it for an attribute."""
    images = Instance.objects.filter(series=OuterRef("series"), attributes__has_key=keyword)
    return Subquery(
        images.order_by("instance_number", "sop_instance_uid").values(said=KT(f"attributes__{keyword}"))[:1]
    )


def newest_prior(case: Case, others: Iterable[Other]) -> dict[UUID, str]:
    """Keep the newest one that is earlier and of the case's modality, if there is any, with its distance."""
    made_on = next((found for one in said_of(case) if (found := one.made_on)), None)
    distances = [
        ((made_on - before).days, one.case_id)
        for one in others
        if one.modality == case.series.modality and made_on
        if (before := one.said.made_on) and before < made_on
    ]
    nearest = min(distances, key=lambda one: one[0], default=None)
    return {} if nearest is None else {nearest[1]: earlier_in_words(nearest[0])}


def rule_for(case: Case, companions: Sequence[Companion], rules: Sequence[Rule]) -> Rule:
    """Take the rule by which a case hangs."""
    return hang(rules, facts_of(case, companions))


def own_rules(case: Case) -> list[Rule]:
    """Read the rules of the case's project."""
    return rules_of(case.project.hanging_rules)


def facts_of(case: Case, companions: Sequence[Companion]) -> Facts:
    """Sum up what rules ask of a case."""
    views = {one.view for one in said_of(case) if one.view}
    beside = {one.label for one in companions if not one.is_prior}
    laterality, _, view = min(views, default="").partition(" ")
    images = Instance.objects.filter(series=case.series_id)
    described = images.values_list("frames", KT("attributes__SeriesDescription"))
    return Facts(
        modality=case.series.modality,
        body_part=case.series.body_part_examined,
        laterality=laterality,
        view=view,
        frames=sum(frames for frames, _ in described),
        has_prior=any(one.is_prior for one in companions),
        views=frozenset(views | beside),
        description=frozenset(word for _, text in described for word in (text or "").split()),
    )


def said_of(case: Case) -> list[Said]:
    """Read what a case's images say, without the rest of them."""
    images = Instance.objects.filter(series=case.series_id).order_by("instance_number", "sop_instance_uid")
    return [Said(*row) for row in images.values_list(*(KT(f"attributes__{keyword}") for keyword in SAID))]
