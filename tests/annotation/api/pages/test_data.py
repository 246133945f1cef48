"""The data pages: filters, cursors, studies, coverage and splits, as staff see them."""

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.projects.models import Case, Project, Split
from annotation.projects.sites import name_site
from annotation.queue.mistakes import READ_AGAIN
from annotation.queue.models import Entry, QueryBatch
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import Acquisition, Import, ImportedFile
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.pages.addresses import address
from tests.mlworker.stages import an_encoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Thirty cases of two scanners, one of them with few."""
    made = factories.a_project()
    factories.some_cases(made, 30)
    acquisition(
        made, list(range(1, 28)), manufacturer="SIEMENS", manufacturer_model_name="Aera", modality="MR"
    )
    acquisition(made, [28, 29, 30], manufacturer="=CMD", manufacturer_model_name="Small", modality="CT")
    return made


def acquisition(project: Project, numbers: list[int], **told: str) -> None:
    made = Acquisition.objects.create(dataset=project.dataset, **told)
    project.cases.filter(number__in=numbers).update(acquisition=made)


@pytest.fixture
def staff(project: Project) -> Client:
    return factories.a_client(factories.a_member(project, Role.ML_STAFF))


def label(project: Project, number: int, answer: str) -> None:
    case = project.cases.get(number=number)
    now = timezone.now()
    ReferenceStandard.objects.create(case=case, answers={"finding": answer}, readings=1, updated_at=now)
    Entry.objects.filter(case=case).update(state="done")


def numbers(client: Client, project: Project, **asked: str | int) -> list[int]:
    answer = client.get(address(project, "data"), asked)
    assert answer.status_code == 200
    return [row.case.number for row in answer.context["found"].rows]


def test_cases_are_found_by_scanner_modality_class_status_and_split(staff: Client, project: Project) -> None:
    label(project, 3, "normal")
    label(project, 28, "pneumonia")
    project.cases.filter(number=5).update(part="test")
    assert numbers(staff, project, modality="CT") == [28, 29, 30]
    assert numbers(staff, project, scanner="SIEMENS|Aera", status="done") == [3]
    assert numbers(staff, project, label="pneumonia") == [28]
    assert len(numbers(staff, project, label="none")) == 28
    assert numbers(staff, project, part="test") == [5]
    assert len(numbers(staff, project, part="none")) == 29
    assert numbers(staff, project, modality="US") == []


def test_pages_follow_each_other_by_cursor_and_back(staff: Client, project: Project) -> None:
    factories.some_cases(project, 100)
    first = staff.get(address(project, "data")).context["found"]
    assert (first.rows[0].case.number, first.rows[-1].case.number) == (1, 60)
    assert (first.previous, first.next, first.count) == (0, 60, 130)
    second = staff.get(address(project, "data"), {"after": first.next}).context["found"]
    assert [second.rows[0].case.number, second.previous, second.next] == [61, 61, 120]
    last = staff.get(address(project, "data"), {"after": second.next}).context["found"]
    assert (len(last.rows), last.next) == (10, 0)
    back = staff.get(address(project, "data"), {"before": second.previous}).context["found"]
    assert [one.case.number for one in back.rows] == list(range(1, 61))
    assert (back.previous, back.next) == (0, 60)


def test_more_cases_need_no_more_queries(
    staff: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    staff.get(address(project, "data"))
    for _ in range(2):
        with django_assert_max_num_queries(20) as counted:
            staff.get(address(project, "data"), {"modality": "MR"})
        counts.append(len(counted))
        factories.some_cases(project, 40)
        project.cases.filter(acquisition=None).update(acquisition=Acquisition.objects.get(modality="MR"))
    assert counts[0] == counts[1]


def test_a_filter_stays_in_the_addresses_of_the_pages(staff: Client, project: Project) -> None:
    factories.some_cases(project, 100)
    shown = staff.get(address(project, "data"), {"status": "waiting"}).content.decode()
    assert 'href="?status=waiting&amp;after=60"' in shown
    assert "pseudonym" not in shown


def test_a_project_without_images_says_so(staff: Client) -> None:
    empty = factories.a_project()
    client = factories.a_client(factories.a_member(empty, Role.ML_STAFF))
    assert "No images yet" in client.get(address(empty, "data")).content.decode()
    assert "No images yet" in client.get(address(empty, "coverage")).content.decode()


def test_a_study_of_another_project_is_not_there(staff: Client, project: Project) -> None:
    other = factories.a_project()
    (case,) = factories.some_cases(other, 1)
    answer = staff.get(address(project, "study", study_id=case.series.study_id))
    assert answer.status_code == 404


def test_coverage_counts_by_scanner_and_marks_gaps(staff: Client, project: Project) -> None:
    for number in range(1, 7):
        label(project, number, "normal")
    label(project, 28, "pneumonia")
    found = staff.get(address(project, "coverage")).context["coverage"]
    large, small = found.rows
    assert (large.cases, large.read, dict(large.labels)) == (27, 6, {"normal": 6})
    assert (small.cases, small.read, dict(small.labels)) == (3, 1, {"pneumonia": 1})
    assert found.cells_of(large) == [(6, False), (0, True)]
    assert found.gaps == 3


def test_the_table_of_coverage_is_a_file_that_no_spreadsheet_takes_for_formulas(
    staff: Client, project: Project
) -> None:
    answer = staff.get(address(project, "coverage-table"))
    head, large, small = csv.reader(io.StringIO(answer.content.decode()))
    assert head[:4] == ["site", "manufacturer", "manufacturer_model_name", "magnetic_field_strength"]
    assert head[-4:] == ["cases", "read", "normal", "pneumonia"]
    assert large[1] == "SIEMENS"
    assert small[1] == "'=CMD"


def test_a_site_named_for_a_delivery_names_its_cases(project: Project) -> None:
    admin = factories.a_client(factories.a_user(is_admin=True))
    delivery = Import.objects.create(
        dataset=project.dataset, project_id=project.pk, source_name="folder", created_at=timezone.now()
    )
    case = project.cases.get(number=2)
    ImportedFile.objects.create(
        delivery=delivery, path="a.dcm", outcome="stored", instance=case.series.instances.get()
    )
    answer = admin.post(address(project, "site", import_id=delivery.pk), {"site": "Hospital B"})
    assert answer.status_code == 302
    assert numbers(admin, project, site="Hospital B") == [2]
    assert Event.objects.get(action="site.name").details["site"] == "Hospital B"
    name_site(delivery=delivery, site="", by=None)
    assert numbers(admin, project, site="Hospital B") == []


def test_a_split_is_asked_for_by_staff_and_audited(staff: Client, project: Project) -> None:
    asked = {"val": "20", "test": "10", "seed": "4", "likeness": "0.97"}
    assert staff.post(address(project, "divide"), asked).status_code == 302
    split = Split.objects.get(project=project)
    assert (split.val_share, split.test_share, split.seed, split.likeness) == (0.2, 0.1, 4, 0.97)
    assert Job.objects.filter(name="place_split", scope_id=project.pk).count() == 1
    assert Event.objects.filter(action="split.ask").count() == 1


def test_shares_that_leave_nothing_to_train_on_come_back_with_the_rule(
    staff: Client, project: Project
) -> None:
    answer = staff.post(
        address(project, "divide"), {"val": "60", "test": "40", "seed": "0", "likeness": "0.95"}
    )
    assert answer.status_code == 422
    assert "give shares from 0" in answer.content.decode()
    assert not Split.objects.exists()


def test_contradicting_near_duplicates_are_read_again_by_another_reader(
    staff: Client, project: Project
) -> None:
    factories.a_reader(project)
    label(project, 1, "normal")
    label(project, 2, "pneumonia")
    search = DuplicateSearch.objects.create(
        project=project,
        encoder=an_encoder(project),
        likeness=0.95,
        searched=30,
        group_count=1,
        seconds=0.1,
        job_id=project.pk,
        created_at=timezone.now(),
    )
    cases: list[Case] = list(project.cases.filter(number__in=[1, 2]))
    Duplicate.objects.bulk_create(
        Duplicate(search=search, case=case, group=1, likeness=0.99) for case in cases
    )
    shown = staff.get(address(project, "duplicates"), {"show": "conflicts"}).content.decode()
    assert "Labels contradict each other" in shown
    answer = staff.post(address(project, "read-again"), {"number": ["1", "2"]}, follow=True)
    assert "2 cases are at the front of the queue" in answer.content.decode()
    batch = QueryBatch.objects.get()
    assert batch.why == READ_AGAIN
    assert set(Entry.objects.filter(batch=batch).values_list("state", flat=True)) == {"waiting"}
