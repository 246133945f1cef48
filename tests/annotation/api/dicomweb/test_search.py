"""QIDO-RS: what is asked for is found, in the JSON model, page by page."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.protocols import document_of
from annotation.projects.rules import single_choice
from annotation.projects.services import NewCase, add_cases, start_project
from annotation.studies.models import Instance, Patient, Series, Study
from audit.models import Event
from tests import factories
from tests.annotation.api.dicomweb.conftest import Ct, Program, a_program

STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"


def value(row: dict[str, Any], tag: str) -> Any:
    return row[tag]["Value"][0]


def uids(answer: Any, tag: str = STUDY_UID) -> list[str]:
    return [value(row, tag) for row in answer.json()]


@pytest.fixture
def studies(project: Project) -> list[Study]:
    """Three studies of two patients: CT and MR, on three days."""
    made = []
    for number, (patient, modality) in enumerate([("PA1", "CT"), ("PA1", "MR"), ("PB_2", "CT")]):
        someone, _ = Patient.objects.get_or_create(dataset=project.dataset, pseudonym=patient)
        study = Study.objects.create(
            dataset=project.dataset,
            patient=someone,
            study_instance_uid=f"2.25.{number}",
            study_date=f"2020010{number + 1}",
            study_time=("080000", "123000.5", "235959")[number],
        )
        for place in range(2):
            series = Series.objects.create(
                study=study,
                series_instance_uid=f"2.25.{number}{place}",
                modality=modality,
                series_number=place + 1,
                manufacturer="GE" if place else "",
            )
            factories.an_instance(project.dataset, series, number=1).save()
            factories.an_instance(project.dataset, series, number=2).save()
            add_cases(
                project=project, items=[NewCase(series.pk, someone.pk)], now=timezone.now(), audit_share=0.0
            )
        made.append(study)
    return made


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("PatientID=PA1", [0, 1]),
        ("00100020=PA1", [0, 1]),
        ("PatientName=pa*", [0, 1]),
        ("PatientID=P?1", [0, 1]),
        ("PatientID=PB_2", [2]),
        ("PatientID=P__1*", []),
        ("StudyDate=20200102", [1]),
        ("StudyDate=20200102-", [1, 2]),
        ("StudyDate=-20200102", [0, 1]),
        ("StudyDate=20200101-20200102", [0, 1]),
        ("StudyTime=08-12", [0, 1]),
        ("StudyTime=1230-", [1, 2]),
        ("ModalitiesInStudy=MR", [1]),
        ("ModalitiesInStudy=MR,CT", [0, 1, 2]),
        ("StudyInstanceUID=2.25.0,2.25.2", [0, 2]),
        ("0020000D=2.25.0%5C2.25.1", [0, 1]),
        ("StudyDescription=*abc*", []),
        ("StudyDescription=*&AccessionNumber=", [0, 1, 2]),
        ("AccessionNumber=17", []),
        ("PatientBirthDate=19700101", []),
        ("limit=2", [0, 1]),
        ("limit=2&offset=2", [2]),
        ("offset=3", []),
    ],
)
def test_studies_are_found_by_their_keys(reading: Program, query: str, found: list[int]) -> None:
    answer = reading.get(f"/studies?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    assert uids(answer) == [f"2.25.{number}" for number in found]


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/series", 6),
        ("/series?Modality=CT", 4),
        ("/series?Modality=CT&StudyDate=20200103", 2),
        ("/series?SeriesNumber=2", 3),
        ("/series?Manufacturer=G*", 3),
        ("/studies/2.25.1/series", 2),
        ("/studies/2.25.1/series?SeriesInstanceUID=2.25.10", 1),
        ("/studies/2.25.9/series", 0),
        ("/instances", 12),
        ("/instances?InstanceNumber=2", 6),
        ("/instances?Rows=8&Columns=6", 12),
        ("/instances?Rows=9", 0),
        ("/instances?ModalitiesInStudy=MR", 4),
        ("/studies/2.25.1/instances", 4),
        ("/studies/2.25.1/series/2.25.10/instances", 2),
        ("/studies/2.25.1/series/2.25.00/instances", 0),
    ],
)
def test_series_and_instances_are_found_by_their_keys(reading: Program, path: str, count: int) -> None:
    answer = reading.get(path)
    assert (answer.status_code, len(answer.json())) == (200, count)


@pytest.mark.usefixtures("studies")
def test_a_study_says_what_is_in_it(reading: Program) -> None:
    row = reading.get("/studies?StudyInstanceUID=2.25.0").json()[0]
    assert row["00080061"] == {"vr": "CS", "Value": ["CT"]}
    assert (value(row, "00201206"), value(row, "00201208")) == (2, 4)
    assert row["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "PA1"}]}
    assert row["00100030"] == {"vr": "DA"}
    assert value(row, "00081190").endswith("/studies/2.25.0")
    assert list(row) == sorted(row)


def test_all_that_is_kept_of_an_instance_can_be_asked_for(ct: Ct, reading: Program) -> None:
    plain = reading.get(f"{ct.series}/instances").json()[0]
    some = reading.get(f"{ct.series}/instances?includefield=00281052,RescaleSlope").json()[0]
    every = reading.get(f"{ct.series}/instances?includefield=all").json()[0]
    assert value(some, "00281052") == -1024
    assert value(some, "00281053") == 1
    assert set(plain) < set(some) < set(every)
    assert every["00200032"]["vr"] == "DS"
    assert len(every["00200032"]["Value"]) == 3


@pytest.mark.usefixtures("studies")
def test_what_is_cut_or_not_done_is_said(reading: Program) -> None:
    assert "Warning" not in reading.get("/studies?limit=3")
    assert reading.get("/studies?limit=2")["Warning"].startswith("299 ")
    fuzzy = reading.get("/studies?fuzzymatching=true&PatientName=PA")
    assert "Only literal matching has been performed" in fuzzy["Warning"]
    assert fuzzy.json() == []
    assert "Modality" in reading.get("/studies?Modality=MR")["Warning"]


@pytest.mark.usefixtures("studies")
def test_the_server_s_own_limit_cuts_with_the_standard_s_words(
    reading: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.exchange.dicomweb_search.MOST", 2)
    answer = reading.get("/studies?limit=100")
    assert len(answer.json()) == 2
    assert "exceeded the maximum supported by the server" in answer["Warning"]


@pytest.mark.parametrize(
    "query",
    [
        "StudyDate=yesterday",
        "StudyDate=20200101-2",
        "StudyTime=99999",
        "StudyInstanceUID=abc",
        "NoSuchKeyword=1",
        "FFFFFFFF=1",
        "limit=-1",
        "offset=x",
        "includefield=NoSuchKeyword",
        "PatientID=a%00b",
    ],
)
def test_a_query_that_cannot_be_understood_is_refused_without_its_value(reading: Program, query: str) -> None:
    answer = reading.get(f"/studies?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "yesterday" not in answer.content.decode()


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/dicom+json", 200),
        ("application/json", 200),
        ("application/dicom+json;q=0.5, */*;q=0.1", 200),
        ("multipart/related; type=application/dicom+xml", 406),
        ("application/dicom+json;q=0", 406),
        ("text/html", 406),
    ],
)
def test_only_json_is_offered(reading: Program, accept: str, status: int) -> None:
    assert reading.get("/studies", accept).status_code == status


@pytest.mark.usefixtures("studies")
@pytest.mark.parametrize("path", ["/studies", "/series", "/instances", "/studies/2.25.1/instances"])
def test_the_number_of_queries_does_not_grow(
    reading: Program, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    reading.get(path)  # the first use of a token is noted
    with django_assert_max_num_queries(9):
        reading.get(path)


@pytest.mark.usefixtures("studies")
def test_a_search_is_one_event_without_what_was_searched_for(reading: Program) -> None:
    reading.get("/studies?PatientName=Miller*")
    event = Event.objects.get(action="dicomweb.search")
    assert (event.details["level"], event.details["found"]) == ("studies", 0)
    assert "Miller" not in str(event.details)


def test_readers_do_not_see_what_was_derived_from_what_they_read(
    project: Project, reading: Program, staff: Program, program: Program
) -> None:
    [case] = factories.some_cases(project)
    derived = Series.objects.create(study=case.series.study, series_instance_uid="2.25.5", modality="SEG")
    factories.an_instance(project.dataset, derived).save()
    assert len(reading.get("/series").json()) == 1
    assert len(reading.get("/instances").json()) == 1
    assert value(reading.get("/studies").json()[0], "00201206") == 1
    assert len(staff.get("/series").json()) == len(program.get("/series").json()) == 2


def test_projects_that_share_a_data_set_see_their_own_cases(project: Project, admin: User) -> None:
    factories.some_cases(project)
    document = document_of({"questions": [single_choice("?", factories.CHOICES)]})
    other = start_project(name="other", document=document, now=timezone.now(), dataset=project.dataset)
    assert a_program(admin, other).get("/studies").json() == []
    assert len(a_program(admin, project).get("/studies").json()) == 1


def test_a_browser_s_session_does_as_well(project: Project, admin: User) -> None:
    factories.some_cases(project)
    browser = factories.a_client(admin, csrf=True)
    path = f"/api/dicomweb/projects/{project.pk}/studies"
    assert len(browser.get(path).json()) == 1
    kind = 'multipart/related; type="application/dicom"; boundary=b1'
    assert browser.post(path, b"", content_type=kind).status_code == 403


def test_a_series_is_described_as_its_first_image_is(ct: Ct, reading: Program) -> None:
    for one in Instance.objects.all():
        one.attributes["SeriesDescription"] = f"THORAX {one.instance_number}"
        one.save(update_fields=["attributes"])
    [row] = reading.get(f"{ct.study}/series").json()
    first = min(Instance.objects.values_list("instance_number", flat=True))
    assert row["0008103E"] == {"vr": "LO", "Value": [f"THORAX {first}"]}
