"""Adjudication over HTTP: readers go by letters, only what differs is told, and nothing leaks to readers."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from annotation.queue.agreement import fuse_again
from annotation.readings.adjudication_models import Dispute
from annotation.readings.models import Reading, ReferenceStandard
from audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
QUESTIONS = [
    {"key": "finding", "prompt": "What?", "kind": "single",
     "choices": [{"value": "normal", "label": "N"}, {"value": "pneumonia", "label": "P"}]},
    {"key": "size", "prompt": "How large?", "kind": "number"},
    {"key": "spots", "prompt": "Where?", "kind": "box", "required": False,
     "labels": [{"value": "spot", "label": "Spot"}]},
]  # fmt: skip


def a_box(image: str, points: list[list[float]]) -> dict[str, Any]:
    return {"id": str(uuid4()), "label": "spot", "image": image, "points": points}


@pytest.fixture
def project(db: None) -> Project:
    made = factories.a_project()
    made.protocols.update(questions=QUESTIONS, settings={"readers": 2, "adjudicated": True})
    return made


@pytest.fixture
def readers(project: Project) -> list[User]:
    return [factories.a_reader(project), factories.a_reader(project)]


@pytest.fixture
def judge(project: Project) -> User:
    judge = factories.a_user()
    set_membership(project=project, user=judge, role=Role.ML_STAFF, adjudicates=True)
    return judge


@pytest.fixture
def dispute(project: Project, readers: list[User]) -> Dispute:
    """A case whose readers differ on the finding and on one box each."""
    [case] = factories.some_cases(project)
    uid = case.series.instances.get().sop_instance_uid
    shared = [[0.0, 0.0], [2.0, 2.0]]
    for reader, value, points in zip(
        readers, ("normal", "pneumonia"), ([[3.0, 3.0], [5.0, 5.0]], [[4.0, 0.0], [6.0, 1.0]]), strict=True
    ):
        drawn = [a_box(uid, shared), a_box(uid, points)]
        factories.a_reading(reader, case, {"finding": value, "size": 4.0, "spots": drawn})
    fuse_again(project.pk, timezone.now())
    return Dispute.objects.get(case=case)


def get(client: Client, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def test_only_what_is_in_dispute_is_told_and_nobody_s_name(
    dispute: Dispute, readers: list[User], judge: User
) -> None:
    told = get(factories.a_client(judge), f"disputes/{dispute.pk}")
    assert told["keys"] == ["finding", "spots"]
    assert [one["letter"] for one in told["sides"]] == ["A", "B"]
    for side in told["sides"]:
        assert set(side["answers"]) == {"finding", "spots"}
        assert len(side["answers"]["spots"]) == 1
        assert set(side["measurements"]) == {one["id"] for one in side["answers"]["spots"]}
    text = json.dumps(told)
    hidden = [str(one.pk) for one in Reading.objects.all()]
    for reader in readers:
        hidden += [reader.username, str(reader.pk)]
    assert not [one for one in hidden if one in text]
    assert Event.objects.filter(action="case.view", actor=str(judge.pk)).count() == 1


def test_the_list_gives_cases_in_dispute_with_counts(dispute: Dispute, judge: User, project: Project) -> None:
    client = factories.a_client(judge)
    told = get(client, f"projects/{project.pk}/disputes")
    assert [one["id"] for one in told["disputes"]] == [str(dispute.pk)]
    assert (told["counts"]["open"], told["counts"]["decided"], told["next"]) == (1, 0, None)
    assert get(client, f"projects/{project.pk}/disputes?state=decided")["disputes"] == []


def test_a_decision_says_what_is_next_and_is_told_with_its_letter(dispute: Dispute, judge: User) -> None:
    client, body = factories.a_client(judge), {"idempotency_key": str(uuid4()), "base_version": 1}
    answer = post(client, f"disputes/{dispute.pk}/decisions", body | {"take": {"finding": "B", "spots": "B"}})
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"state": "decided", "version": 2, "next": None}
    again = post(client, f"disputes/{dispute.pk}/decisions", body | {"take": {"finding": "B", "spots": "B"}})
    assert again.json() == answer.json()
    [decision] = get(client, f"disputes/{dispute.pk}")["decisions"]
    assert (decision["act"], decision["taken"], decision["is_mine"]) == (
        "taken",
        {"finding": "B", "spots": "B"},
        True,
    )
    [standard] = ReferenceStandard.objects.filter(case=dispute.case_id)
    assert (standard.provenance, standard.answers["size"]) == ("adjudicated", 4.0)
    stale = body | {"idempotency_key": str(uuid4()), "take": {"finding": "A", "spots": "A"}}
    refused = post(client, f"disputes/{dispute.pk}/decisions", stale)
    assert (refused.status_code, refused.json()["code"]) == (409, "dispute_stale")


def test_one_side_s_whole_answers_can_be_edited(dispute: Dispute, judge: User) -> None:
    client = factories.a_client(judge)
    start = get(client, f"disputes/{dispute.pk}/answers?side=A")
    assert set(start["answers"]) == {"finding", "size", "spots"}
    own = start["answers"] | {"size": 9.0}
    body = {"idempotency_key": str(uuid4()), "base_version": start["version"], "answers": own}
    assert post(client, f"disputes/{dispute.pk}/decisions", body).status_code == 200
    assert ReferenceStandard.objects.get(case=dispute.case_id).answers["size"] == 9.0


def test_what_comes_back_comes_with_the_words_and_can_be_revised_then_alone(
    dispute: Dispute, readers: list[User], judge: User, project: Project
) -> None:
    reader = factories.a_client(readers[0])
    mine = Reading.objects.get(reader=readers[0])
    answers = mine.revisions.get().answers | {"finding": "pneumonia"}
    body = {"base_revision": 1, "answers": answers, "seconds": 1.0, "protocol_version": 1}
    body |= {"idempotency_key": str(uuid4())}
    refused = post(reader, f"readings/{mine.pk}/revisions", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "reading_closed")
    assert get(reader, f"readings/{mine.pk}")["comment"] is None
    back = {"idempotency_key": str(uuid4()), "base_version": 1, "comment": "Look at the left base."}
    assert post(factories.a_client(judge), f"disputes/{dispute.pk}/returns", back).status_code == 200
    [returned] = get(reader, f"projects/{project.pk}/remarks")["returned"]
    assert (returned["reading_id"], returned["comment"]) == (str(mine.pk), "Look at the left base.")
    assert get(reader, f"readings/{mine.pk}")["comment"] == "Look at the left base."
    assert post(reader, f"readings/{mine.pk}/revisions", body).json() == {"revision": 2}
    assert get(reader, f"projects/{project.pk}/remarks")["returned"] == []


def everything_that(client: Client, project: Project, dispute: Dispute) -> str:
    """All that the API tells a person of the project, the case and the dispute."""
    other = Reading.objects.filter(case=dispute.case_id).values_list("pk", flat=True)
    paths = [
        f"projects/{project.pk}/disputes",
        f"disputes/{dispute.pk}",
        f"disputes/{dispute.pk}/answers",
        f"disputes/{dispute.pk}/answers?side=B",
        f"projects/{project.pk}/remarks",
        f"projects/{project.pk}/readings/mine",
        f"projects/{project.pk}/readings/last",
        f"projects/{project.pk}/agreement",
        f"projects/{project.pk}/cases",
        "projects",
        *(f"readings/{one}" for one in other),
    ]
    told = [client.get(f"/api/v1/{path}").content.decode() for path in paths]
    lease = post(client, f"projects/{project.pk}/leases", {})
    return "\n".join([*told, lease.content.decode()])


@pytest.mark.parametrize("sent_back", [False, True])
def test_no_reader_is_told_what_the_other_said(
    dispute: Dispute, readers: list[User], judge: User, project: Project, sent_back: bool
) -> None:
    if_back = {"idempotency_key": str(uuid4()), "base_version": 1, "comment": "Look again."}
    for _ in range(sent_back):
        assert post(factories.a_client(judge), f"disputes/{dispute.pk}/returns", if_back).status_code == 200
    for place, reader in enumerate(readers):
        set_membership(project=project, user=reader, role=Role.READER, adjudicates=True)
        theirs = Reading.objects.get(reader=readers[1 - place]).revisions.get().answers
        told = everything_that(factories.a_client(reader), project, dispute)
        secrets = [one["id"] for one in theirs["spots"]] + [str(dispute.pk), readers[1 - place].username]
        assert [one for one in secrets if one in told.replace(colleague_list(told), "")] == []


def colleague_list(told: str) -> str:
    """Whom a reader can ask is no secret."""
    found = next(line for line in told.splitlines() if '"colleagues"' in line)
    return found[found.index('"colleagues"') :]


def test_looking_at_the_model_is_kept(dispute: Dispute, judge: User) -> None:
    told = post(factories.a_client(judge), f"disputes/{dispute.pk}/suggestion", {})
    assert told.json() == {"question": "finding", "probabilities": None, "drawn": {}}
    assert list(Dispute.objects.get().shown) == [str(judge.pk)]


def test_the_list_costs_the_same_for_one_dispute_and_for_many(
    dispute: Dispute, readers: list[User], judge: User, project: Project
) -> None:
    client, path = factories.a_client(judge), f"projects/{project.pk}/disputes"
    get(client, path)  # the first one of a session asks for more
    with CaptureQueriesContext(connection) as few:
        get(client, path)
    for case in factories.some_cases(project, 5):
        for reader, value in zip(readers, ("normal", "pneumonia"), strict=True):
            factories.a_reading(reader, case, {"finding": value, "size": 4.0})
    fuse_again(project.pk, timezone.now())
    assert Dispute.objects.count() == 6
    with CaptureQueriesContext(connection) as many:
        assert len(get(client, path)["disputes"]) == 6
    assert len(many) == len(few)


def test_uuids_that_name_nothing_are_not_there(judge: User) -> None:
    nothing = UUID(int=0)
    assert factories.a_client(judge).get(f"/api/v1/disputes/{nothing}").status_code == 404
