"""The gold page: cases are chosen and retired, readers granted; its queries do not grow."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.projects.models import Project
from annotation.readings.gold_models import GoldCase, GoldReading, Qualification
from audit.models import Event
from tests import factories
from tests.annotation.api.pages.addresses import address

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers(project: Project) -> list[int]:
    """Four cases that two readers read alike."""
    readers = [factories.a_reader(project) for _ in range(2)]
    cases = factories.some_cases(project, 4)
    for case in cases:
        for reader in readers:
            factories.a_reading(reader, case, {"finding": "normal"})
    return [case.number for case in cases]


def page(client: Client, project: Project) -> str:
    return client.get(address(project, "gold")).content.decode()


def test_cases_read_by_several_are_offered_made_gold_and_retired(
    ml_staff: Client, project: Project, numbers: list[int]
) -> None:
    assert "No gold case yet" in page(ml_staff, project)
    ml_staff.post(address(project, "add-gold"), {"number": numbers[:2], "comment": "  Clear  lungs "})
    assert list(GoldCase.objects.values_list("comment", flat=True)) == ["Clear lungs"] * 2
    assert "2 in use" in page(ml_staff, project)
    ml_staff.post(address(project, "retire-gold"), {"number": numbers[0]})
    assert "1 in use" in page(ml_staff, project)
    assert Event.objects.filter(action__in=["gold.make", "gold.retire"]).count() == 2


def test_nothing_chosen_changes_nothing(ml_staff: Client, project: Project, numbers: list[int]) -> None:
    assert numbers
    answer = ml_staff.post(address(project, "add-gold"), {"comment": "x"}, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not GoldCase.objects.exists()


def test_staff_let_a_reader_count_and_the_page_says_what_is_missing(
    ml_staff: Client, project: Project, numbers: list[int]
) -> None:
    assert numbers
    newcomer = factories.a_reader(project, "new.comer")
    project.protocols.update(settings={"practice_cases": 1, "qualification_cases": 2})
    assert "3 more needed" in page(ml_staff, project)
    Qualification.objects.create(project=project, reader=newcomer, has_passed=False, asked_at=timezone.now())
    assert "One more attempt" in page(ml_staff, project)
    path = address(project, "qualification", person_id=newcomer.pk)
    ml_staff.post(path, {"act": "grant"})
    assert Qualification.objects.get().has_passed
    assert "Counts without a test" in page(ml_staff, project)


def test_the_page_asks_as_much_for_many_cases_and_readers_as_for_few(
    ml_staff: Client,
    project: Project,
    numbers: list[int],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ml_staff.post(address(project, "add-gold"), {"number": numbers})
    for _ in range(5):
        reader = factories.a_reader(project)
        for gold in GoldCase.objects.all():
            GoldReading.objects.create(
                gold=gold,
                reader=reader,
                phase="practice",
                attempt=1,
                answers={},
                seconds=1.0,
                differs_in=[],
                is_right=True,
                idempotency_key=uuid4(),
                created_at=timezone.now(),
            )
    with django_assert_max_num_queries(30):
        page(ml_staff, project)
