"""A project's data for programs: cases a page at a time, how patients stand, near-duplicates, coverage."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.projects.models import Project, Split
from annotation.readings.models import ReferenceStandard
from annotation.studies.models import Acquisition
from tests import factories
from tests.mlworker.stages import an_encoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    made = factories.a_project()
    factories.some_cases(made, 12)
    scanner = Acquisition.objects.create(
        dataset=made.dataset, manufacturer="Maker", manufacturer_model_name="M1", modality="MR"
    )
    made.cases.filter(number__lte=5).update(acquisition=scanner, part="test")
    for number, answer in ((1, "normal"), (2, "pneumonia")):
        ReferenceStandard.objects.create(
            case=made.cases.get(number=number),
            answers={"finding": answer},
            readings=1,
            updated_at=timezone.now(),
        )
    return made


@pytest.fixture
def staff(project: Project) -> Client:
    return factories.a_client(factories.a_member(project, Role.ML_STAFF))


def test_cases_come_a_page_at_a_time_until_there_are_no_more(staff: Client, project: Project) -> None:
    address, seen, after = f"/api/v1/projects/{project.pk}/cases", [], 0
    for _ in range(3):
        page = staff.get(address, {"after": after, "size": 5}).json()
        seen += [one["number"] for one in page["cases"]]
        after = page["next"]
    assert seen == list(range(1, 13))
    assert (after, page["count"]) == (0, 12)


def test_cases_are_filtered_and_say_what_is_known_of_them(staff: Client, project: Project) -> None:
    asked = {"scanner": "Maker|M1", "label": "pneumonia"}
    [one] = staff.get(f"/api/v1/projects/{project.pk}/cases", asked).json()["cases"]
    assert (one["number"], one["label"], one["manufacturer"], one["part"]) == (
        2,
        "Pneumonia",
        "Maker",
        "test",
    )
    assert one["status"] == "waiting"


def test_a_split_is_asked_for_and_shown(staff: Client, project: Project) -> None:
    address = f"/api/v1/projects/{project.pk}/split"
    before = staff.get(address).json()
    assert (before["is_made"], before["val_share"]) == (False, 0.15)
    assert [one["cases"] for one in before["parts"]] == [0, 0, 5, 7]
    asked = {"val_share": 0.3, "test_share": 0.1, "seed": 2}
    made = staff.post(address, factories.as_json(asked), "application/json")
    assert made.status_code == 202
    assert Split.objects.get(project=project).val_share == 0.3
    refused = staff.post(address, factories.as_json({"val_share": 0.9}), "application/json")
    assert refused.status_code == 422
    assert "give shares" in refused.json()["detail"]


def test_near_duplicates_are_listed_with_what_contradicts(staff: Client, project: Project) -> None:
    address = f"/api/v1/projects/{project.pk}/duplicates"
    assert staff.get(address).json()["groups"] == []
    search = DuplicateSearch.objects.create(
        project=project,
        encoder=an_encoder(project),
        likeness=0.95,
        searched=12,
        group_count=2,
        seconds=0.1,
        job_id=project.pk,
        created_at=timezone.now(),
    )
    cases = {case.number: case for case in project.cases.filter(number__lte=4)}
    Duplicate.objects.bulk_create(
        Duplicate(search=search, case=case, group=1 + number // 3, likeness=0.99)
        for number, case in cases.items()
    )
    found = staff.get(address).json()
    assert [one["cases"] for one in found["groups"]] == [[1, 2], [3, 4]]
    assert found["conflicts"] == [1]
    [group] = staff.get(address, {"conflicts": True}).json()["groups"]
    assert group["labels"] == {"1": "Normal", "2": "Pneumonia"}


def test_coverage_says_what_each_scanner_has_given(staff: Client, project: Project) -> None:
    rows = staff.get(f"/api/v1/projects/{project.pk}/coverage").json()
    found = {row["manufacturer"]: (row["cases"], row["labels"]) for row in rows}
    assert found == {"": (7, {"normal": 0, "pneumonia": 0}), "Maker": (5, {"normal": 1, "pneumonia": 1})}
