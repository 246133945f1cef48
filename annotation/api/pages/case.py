"""One case as ML staff see it: image, kept tags, readings without names, prediction, why it was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.models import Role
from annotation.api.cases import case_view
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.api.permissions import record_view
from annotation.learning.selectors import learning_project
from annotation.projects.models import Case
from annotation.projects.rules import LearnedQuestion
from annotation.projects.selectors import question_learned
from annotation.queue.anchored import numbered_readers
from annotation.queue.models import UNRANKED, Entry, Pick
from annotation.queue.selectors import text_of
from annotation.readings.gold_models import GoldCase
from annotation.readings.models import ReferenceStandard

TAGS = (
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "BitsStored",
    "PixelSpacing",
)
METHODS = {
    "majority": "Share of the readers",
    "one_coin": "By how often each reader is right",
    "dawid_skene": "By what each reader confuses",
}


@dataclass(frozen=True)
class ReadingRow:
    """A reading in force: who (blinded), what, how long, how often revised."""

    reader: str
    answer: str
    seconds: float
    revisions: int
    when: Any


@dataclass(frozen=True)
class Chance:
    """What the model gives one class."""

    label: str
    share: float


@dataclass(frozen=True)
class Fused:
    """What the readings were fused into; chances: of each answer, by a method, where there were several."""

    answer: str
    method: str
    chances: list[Chance]


@require_GET
@member(Role.ML_STAFF, ADMIN)
def case(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """Show a case of the project by its number; looking is audited."""
    shown = found_case(visit, number)
    record_view(request, shown)
    question = question_learned(visit.project.pk)
    entry = Entry.objects.select_related("ranking__model", "batch__asked_by").filter(pk=shown.pk).first()
    picks = Pick.objects.filter(lease__case=shown, lease__slot=0).select_related(
        "ranking__model", "batch__asked_by", "lease"
    )
    given = [(pick, text_of(pick, pick.stream)) for pick in picks.order_by("-lease__created_at")[:5]]
    return project_page(
        request,
        "learning/case.html",
        "learning",
        visit,
        case=shown,
        view=case_view(shown).model_dump(mode="json"),
        tags=tags_of(shown),
        entry=entry,
        waits=entry is not None and entry.state == Entry.State.WAITING,
        ranked=entry is not None and 0 < entry.rank < UNRANKED,
        waiting_why=text_of(entry, shown.stream) if entry else "",
        given=given,
        chances=chances_of(entry, [pick for pick, _ in given], question),
        standard=standard_of(shown, question),
        gold=GoldCase.objects.filter(case=shown, retired_at=None).first(),
        readings=readings_of(shown, question),
        is_pool=shown.stream == Case.Stream.POOL,
    )


def found_case(visit: Visit, number: int) -> Case:
    """Find a case by its number.

    raises: Http404.
    """
    cases = learning_project(visit.user, visit.project.pk).cases.filter(number=number)
    found = cases.select_related("series").prefetch_related("series__instances").first()
    if found is None:
        raise Http404("no such case")
    return found


def tags_of(shown: Case) -> list[tuple[str, str]]:
    """List the tags that were kept, as far as they say something of the image."""
    series = shown.series
    told = {
        "Modality": series.modality,
        "BodyPartExamined": series.body_part_examined,
        "Manufacturer": series.manufacturer,
        "ManufacturerModelName": series.manufacturer_model_name,
    }
    images = list(series.instances.all())
    attributes = images[0].attributes if images else {}
    kept = told | {key: attributes[key] for key in TAGS if key in attributes and key not in told}
    return [(key, tag_words(value)) for key, value in kept.items() if value not in ("", None)]


def tag_words(value: object) -> str:
    """Write a tag's value; numbers of a list side by side."""
    return " × ".join(map(str, value)) if isinstance(value, list) else str(value)


def chances_of(entry: Entry | None, picks: Sequence[Pick], question: LearnedQuestion) -> list[Chance]:
    """Show the newest prediction that was kept: of the queue, else of when the case was given out."""
    sources = [entry.probabilities if entry else None, *(pick.probabilities for pick in picks)]
    kept: Mapping[str, float] = next((source for source in sources if source), {})
    chances = [Chance(question.words_of(value), share) for value, share in kept.items()]
    return sorted(chances, key=lambda chance: -chance.share)


def standard_of(shown: Case, question: LearnedQuestion) -> Fused | None:
    """Say what the readings were fused into, and how sure that is where there were several."""
    standard = ReferenceStandard.objects.filter(pk=shown.pk).first()
    answer = question.told(standard.answers.get(question.key)) if standard else ""
    if standard is None or not answer:
        return None
    doubt = standard.uncertainty.get(question.key, {})
    shares: Mapping[str, float] = doubt.get("distribution") or doubt.get("shares") or {}
    chances = [Chance(question.words_of(value), share) for value, share in shares.items()]
    return Fused(
        answer, METHODS.get(doubt.get("method", ""), ""), sorted(chances, key=lambda one: -one.share)
    )


def readings_of(shown: Case, question: LearnedQuestion) -> list[ReadingRow]:
    """List readings in force; a reader has a number throughout the project, a source its name."""
    readers = numbered_readers(shown.project_id)
    rows = []
    for reading in (
        shown.readings.select_related("source").prefetch_related("revisions").order_by("created_at")
    ):
        revisions = list(reading.revisions.all())
        last = revisions[-1]
        answer = question.told(last.answers.get(question.key))
        seconds = sum(one.seconds for one in revisions)
        name = reading.source.name if reading.source else readers[reading.reader_id]
        rows.append(ReadingRow(name, answer, seconds, len(revisions) - 1, last.created_at))
    return rows
