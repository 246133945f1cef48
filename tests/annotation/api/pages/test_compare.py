"""Models side by side and the gallery of mistakes: what is shown, filtered, paged and asked for."""

import html
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from annotation.learning.judged_models import Comparison, JudgedCase
from annotation.learning.models import ModelVersion
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.queue.mistakes import controls_of, reread_mistakes
from annotation.queue.models import Entry, QueryBatch
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.pages.addresses import address
from tests.annotation.api.pages.test_models import FIGURE, a_version, an_encoder, used

pytestmark = pytest.mark.django_db


def a_model(project: Project, number: int) -> dict[str, object]:
    names = ["normal", "pneumonia"]
    return {
        "number": number,
        "labels": 20,
        "metrics": {"balanced_accuracy": FIGURE, "recall:normal": FIGURE},
        "reason": "",
        "groups": {"scanner": {"Maker <One>": {"cases": 20, "accuracy": 0.8, "low": 0.6, "high": 0.9}}},
        "calibration": [{"sure": 0.95, "right": 0.9, "count": 20}],
        "confusion": [{"choice": "", "names": names, "counts": [[9, 1], [3, 7]]}],
    }


def versions(project: Project, count: int = 2) -> list[ModelVersion]:
    encoder = an_encoder(project, "First")
    used(project, encoder)
    return [a_version(project, encoder) for _ in range(count)]


def compared(project: Project, made: list[ModelVersion]) -> None:
    difference = {"candidate": 0.8, "champion": 0.7, "difference": 0.1, "low": 0.05, "high": 0.2}
    numbers = [one.number for one in made]
    figures = {
        "models": [a_model(project, number) for number in numbers],
        "differences": [
            {"number": number, "against": numbers[0], "balanced_accuracy": difference}
            for number in numbers[1:]
        ],
        "classes": ["normal", "pneumonia"],
        "words": {"normal": "Normal", "pneumonia": "Pneumonia"},
        "kind": "single",
        "left_out": 0,
    }
    Comparison.objects.create(
        project=project,
        key=",".join(map(str, numbers)),
        cases=20,
        figures=figures,
        job_id=uuid.uuid4(),
        created_at=timezone.now(),
    )


def judged(project: Project, model: ModelVersion, wrong: int, right: int = 0) -> None:
    cases = factories.some_cases(project, wrong + right, audit_share=1.0)
    Entry.objects.filter(case__in=cases).update(state=Entry.State.DONE)
    JudgedCase.objects.bulk_create(
        JudgedCase(
            model=model,
            case=case,
            truth="normal",
            thought="pneumonia" if place < wrong else "normal",
            share=0.9 - place / 1000,
            truth_share=0.1,
            scanner=f"Scanner {place % 2}",
            is_right=place >= wrong,
        )
        for place, case in enumerate(cases)
    )


def test_chosen_models_are_compared_by_a_job_and_the_page_waits_for_it(
    ml_staff: Client, project: Project
) -> None:
    first, second = versions(project)
    answer = ml_staff.post(address(project, "start-comparison"), {"model": [first.number, second.number]})
    assert answer["Location"].endswith("learning/compare?model=1&model=2")
    assert Job.objects.get(name="compare_models").arguments["numbers"] == [1, 2]
    assert Event.objects.get(action="models.compare").details == {"models": "1,2"}
    assert "Judge models side by side" in ml_staff.get(answer["Location"]).content.decode()


def test_figures_stand_side_by_side_and_cells_open_their_cases(ml_staff: Client, project: Project) -> None:
    made = versions(project)
    compared(project, made)
    page = ml_staff.get(address(project, "compare") + "?model=1&model=2").content.decode()
    for words in ("Models 1 and 2 compared", "0.800", "+0.100", "sure", "Champion", "Maker &lt;One&gt;"):
        assert words in page
    assert "model=2&amp;truth=pneumonia&amp;thought=normal" in page
    assert 'data-plot="calibration"' in page


def test_too_many_models_are_refused_in_words(ml_staff: Client, project: Project) -> None:
    versions(project, 5)
    answer = ml_staff.post(
        address(project, "start-comparison"), {"model": [1, 2, 3, 4, 5]}, follow=True
    ).content.decode()
    assert "5 models were chosen" in answer
    assert not Job.objects.filter(name="compare_models").exists()


def test_mistakes_are_listed_surest_first_filtered_and_paged(ml_staff: Client, project: Project) -> None:
    made = versions(project)
    compared(project, made[1:])
    judged(project, made[1], 30)
    page = ml_staff.get(address(project, "errors"))
    shown = page.content.decode()
    assert "30 mistakes" in shown
    assert "Normal taken for Pneumonia (30)" in shown
    assert len(page.context["rows"]) == 24
    shares = [row.judged.share for row in page.context["rows"]]
    assert shares == sorted(shares, reverse=True)
    second = ml_staff.get(address(project, "errors") + "?page=2")
    assert len(second.context["rows"]) == 6
    some = ml_staff.get(address(project, "errors") + "?scanner=Scanner+1&truth=normal")
    assert some.context["part"].paginator.count == 15


def test_a_page_of_mistakes_costs_as_many_queries_for_many_as_for_few(
    ml_staff: Client, project: Project
) -> None:
    made = versions(project)
    compared(project, made[1:])
    judged(project, made[1], 3)
    ml_staff.get(address(project, "errors"))
    with CaptureQueriesContext(connection) as few:
        ml_staff.get(address(project, "errors"))
    judged(project, made[1], 40)
    with CaptureQueriesContext(connection) as many:
        ml_staff.get(address(project, "errors"))
    assert len(many) == len(few)


def test_mistakes_are_read_again_with_controls_by_one_click(ml_staff: Client, project: Project) -> None:
    made = versions(project)
    compared(project, made[1:])
    judged(project, made[1], 3, right=5)
    factories.a_reader(project)
    numbers = list(JudgedCase.objects.filter(is_right=False).values_list("case__number", flat=True))
    answer = ml_staff.post(
        address(project, "read-mistakes"), {"number": numbers, "model": 2, "back": "model=2"}, follow=True
    )
    assert "6 cases are at the front of the queue until read, 3 of them controls" in answer.content.decode()
    assert QueryBatch.objects.get(project=project).size == 6


def test_before_anything_was_judged_the_gallery_says_so(ml_staff: Client, project: Project) -> None:
    assert "No model yet" in ml_staff.get(address(project, "errors")).content.decode()
    versions(project)
    assert "Not judged case by case yet" in ml_staff.get(address(project, "errors")).content.decode()


def test_kinds_of_mistakes_are_told_apart_whatever_their_values_are(
    ml_staff: Client, project: Project
) -> None:
    made = versions(project)
    compared(project, made[1:])
    judged(project, made[1], 3)
    odd = "a|b & c=d" + "x" * 100
    first = JudgedCase.objects.filter(model=made[1]).first()
    assert first is not None
    JudgedCase.objects.filter(pk=first.pk).update(truth=odd)
    page = ml_staff.get(address(project, "errors"), {"model": 2}).content.decode()
    kinds = [html.unescape(one) for one in re.findall(r'<option value="(choice=[^"]*)"', page)]
    (own,) = [kind for kind in kinds if "a%7Cb" in kind]
    told = ml_staff.get(address(project, "errors"), {"model": "2", "kind": own}).content.decode()
    assert '<h2 id="cases">1 mistake</h2>' in told
    assert JudgedCase._meta.get_field("truth").max_length == 128


def controls_in(project: Project) -> list[int]:
    right = JudgedCase.objects.filter(is_right=True, case__entry__batch__isnull=False)
    return sorted(right.filter(case__project=project).values_list("case__number", flat=True))


def test_controls_are_new_ones_each_time_and_only_those_in_the_batch_are_counted(project: Project) -> None:
    factories.a_reader(project)
    staff = factories.a_member(project, Role.ML_STAFF)
    model = versions(project, 1)[0]
    judged(project, model, 5, right=7)
    held = JudgedCase.objects.filter(model=model, is_right=True).first()
    assert held is not None
    Entry.objects.filter(case=held.case).update(state=Entry.State.WAITING)
    wrong = mistakes_in(model)
    told: dict[str, Any] = {"version": model, "by": staff, "now": timezone.now()}
    first = reread_mistakes(numbers=wrong[:2], **told)
    earlier = controls_in(project)
    second = reread_mistakes(numbers=wrong[2:4], **told)
    later = set(controls_in(project)) - set(earlier)
    assert (first.controls, second.controls, len(earlier), len(later)) == (2, 2, 2, 2)
    assert held.case.number not in {*earlier, *later}
    again = reread_mistakes(numbers=wrong, **told)
    assert (again.controls, sum(again.gathered.left_out.values())) == (2, 4)


def test_other_pages_of_mistakes_have_other_controls(project: Project) -> None:
    model = versions(project, 1)[0]
    judged(project, model, 40, right=100)
    wrong = mistakes_in(model)
    drawn = [controls_of(model, wrong[:20]), controls_of(model, wrong[20:])]
    assert drawn[0] == controls_of(model, wrong[:20])
    assert set(drawn[0]) != set(drawn[1])


def test_what_is_no_mistake_of_the_model_is_not_read_again_for_one(project: Project) -> None:
    staff = factories.a_member(project, Role.ML_STAFF)
    model = versions(project, 1)[0]
    judged(project, model, 1, right=2)
    right = JudgedCase.objects.filter(model=model, is_right=True).values_list("case__number", flat=True)
    with pytest.raises(RefusedError, match="is no mistake of model 1"):
        reread_mistakes(version=model, numbers=[right[0]], by=staff, now=timezone.now())
    assert not QueryBatch.objects.exists()


def mistakes_in(model: ModelVersion) -> list[int]:
    wrong = JudgedCase.objects.filter(model=model, is_right=False)
    return sorted(wrong.values_list("case__number", flat=True))
