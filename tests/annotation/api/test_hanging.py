"""How a case hangs over the wire: the rule, and the patient's other series in the project."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from annotation.projects.models import Case, Project
from annotation.projects.services import NewCase, add_cases
from annotation.studies.models import Instance, Series, Study
from tests import factories


def a_case(project: Project, like: Case | None = None, *, study: Study | None = None, **said: Any) -> Case:
    """A case with what its image says; of another one's patient, and of a study, where these are given."""
    (series,) = factories.some_series(project.dataset)
    modality = said.pop("modality", "DX")
    if like is not None:
        own = Study.objects.filter(pk=series.study_id)
        own.update(patient=like.patient)
    if study is not None:
        Series.objects.filter(pk=series.pk).update(study=study)
    Series.objects.filter(pk=series.pk).update(
        modality=modality, body_part_examined=said.pop("body_part", "")
    )
    instance = series.instances.get()
    instance.attributes = instance.attributes | said
    instance.save()
    series = Series.objects.select_related("study").get(pk=series.pk)
    items = [NewCase(series_id=series.pk, patient_id=series.study.patient_id)]
    return add_cases(project=project, items=items, now=timezone.now(), audit_share=0)[0]


@pytest.fixture
def client(reader: User) -> Client:
    return factories.a_client(reader)


def hanging(client: Client, case: Case) -> dict[str, Any]:
    response = client.get(f"/api/v1/cases/{case.pk}/hanging")
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_a_radiograph_hangs_beside_the_newest_earlier_one(project: Project, client: Client) -> None:
    case = a_case(project, StudyDate="20200301")
    a_case(project, case, StudyDate="20180301")
    newer = a_case(project, case, StudyDate="20200201")
    a_case(project, case, StudyDate="20200401")
    a_case(project, case, StudyDate="20190101", modality="CT")
    a_case(project, case)
    a_case(project, StudyDate="20190101")
    found = hanging(client, case)
    assert (found["rule"], found["layout"]) == ("Radiograph beside the one before", "priors")
    assert [(one["case_id"], one["label"]) for one in found["companions"]] == [
        (str(newer.pk), "29 days earlier"),
    ]
    assert all(one["is_prior"] and len(one["instances"]) == 1 for one in found["companions"])


def test_four_views_of_one_study_hang_together(project: Project, client: Client) -> None:
    views = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]
    first = a_case(project, modality="MG", ImageLaterality="R", ViewPosition="CC")
    study = first.series.study
    for side, view in views[1:]:
        a_case(project, first, study=study, modality="MG", ImageLaterality=side, ViewPosition=view)
    found = hanging(client, first)
    assert found["layout"] == "four-up"
    assert [one["label"] for one in found["companions"]] == ["L CC", "R MLO", "L MLO"]


def test_a_project_s_own_rule_comes_first(project: Project, client: Client) -> None:
    case = a_case(project, modality="CT", body_part="CHEST")
    assert hanging(client, case)["preset"] == "Lung"
    project.hanging_rules = [{"name": "Planes", "when": {"modality": ["CT"]}, "layout": "mpr"}]
    project.save()
    assert (hanging(client, case)["rule"], hanging(client, case)["layout"]) == ("Planes", "mpr")


def test_a_rule_by_the_words_of_a_description_fits_its_series_alone(project: Project, client: Client) -> None:
    said = {"description": ["T2", "AXIAL"]}
    project.hanging_rules = [{"name": "T2 in planes", "when": said, "layout": "mpr"}]
    project.save()
    fits = a_case(project, modality="MR", SeriesDescription="T2 TSE AXIAL")
    other = a_case(project, modality="MR", SeriesDescription="T2 TSE SAGITTAL")
    assert [hanging(client, case)["layout"] for case in (fits, other)] == ["mpr", "stack"]


def test_a_companion_of_another_project_is_not_shown(project: Project, client: Client) -> None:
    case = a_case(project, StudyDate="20200301")
    other = Project.objects.create(name="Other", dataset=project.dataset, created_at=timezone.now())
    a_case(other, case, StudyDate="20190301")
    assert hanging(client, case)["companions"] == []


def queries(client: Client, case: Case) -> int:
    with CaptureQueriesContext(connection) as asked:
        hanging(client, case)
    return len(asked)


def test_companions_cost_no_query_each(project: Project, client: Client) -> None:
    case = a_case(project, StudyDate="20200301")
    a_case(project, case, StudyDate="20190301")
    hanging(client, case)
    few = queries(client, case)
    for day in range(10, 28):
        a_case(project, case, StudyDate=f"201903{day}")
    assert queries(client, case) == few


def test_images_are_loaded_of_what_can_be_shown_alone(project: Project, client: Client) -> None:
    case = a_case(project, modality="CT", StudyDate="20200301")
    for _ in range(3):
        a_case(project, case, study=case.series.study, modality="CT")
    for day in range(10, 20):
        a_case(project, case, modality="CT", StudyDate=f"201903{day}")
    with CaptureQueriesContext(connection) as asked:
        (prior,) = hanging(client, case)["companions"]
    (whole,) = [one["sql"] for one in asked if '"pixel_offset"' in one["sql"]]
    shown = Case.objects.get(pk=prior["case_id"]).series_id
    assert prior["label"] == "11 months earlier"
    assert re.findall(r"\b[0-9a-f]{32}\b", whole.replace("-", "")) == [shown.hex]


def test_a_series_first_image_that_says_its_view_names_it(project: Project, client: Client) -> None:
    case = a_case(project, modality="MG", ImageLaterality="R", ViewPosition="CC")
    other = a_case(project, case, study=case.series.study, modality="MG")
    first = other.series.instances.get()
    said = first.attributes | {"Laterality": "L", "ViewPosition": "MLO"}
    Instance.objects.create(
        dataset=first.dataset,
        series=first.series,
        sop_instance_uid="2.25.77",
        instance_number=9,
        digest=first.digest,
        source_digest="another",
        pixel_offset=first.pixel_offset,
        frame_bytes=first.frame_bytes,
        attributes=said,
        stored_at=first.stored_at,
    )
    assert [one["label"] for one in hanging(client, case)["companions"]] == ["L MLO"]
