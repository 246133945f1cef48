"""The reader's loop over HTTP: lease, draft, read, skip, look back, revise."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from annotation.projects.models import Project, Protocol
from annotation.projects.services import set_membership
from annotation.queue.models import Lease
from annotation.queue.services import expire_leases
from annotation.readings.models import Revision
from tests import factories

pytestmark = pytest.mark.django_db
API = "/api/v1"
JSON = "application/json"


@dataclass
class Room:
    """A reading room as the browser's client speaks to the server."""

    client: Client
    project: Project

    def send(self, verb: str, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
        response = self.client.generic(verb, API + path, data=factories.as_json(body), content_type=JSON)
        assert response.status_code == status, response.content
        return response.json() if response.content else None

    def lease(self) -> Any:
        return self.send("POST", f"/projects/{self.project.pk}/leases")

    def read(self, leased: Any, expected: int = 200, **changes: Any) -> Any:
        path = f"/cases/{leased['case']['id']}/readings"
        return self.send("POST", path, reading(leased) | changes, expected)


def reading(leased: Any) -> dict[str, Any]:
    return {
        "lease_id": leased["lease_id"],
        "idempotency_key": str(uuid4()),
        "answers": {"finding": "pneumonia"},
        "seconds": 3.25,
        "protocol_version": leased["protocol"]["version"],
    }


@pytest.fixture
def room(project: Project, reader: User) -> Room:
    return Room(factories.a_client(reader), project)


def test_a_workload_has_all_that_a_screen_needs(room: Room) -> None:
    workload = room.lease()
    leased = workload["cases"][0]
    assert len(workload["cases"]) == 3
    assert workload["progress"] == {"read_by_me": 0, "read": 0, "waiting": 3, "total": 6}
    assert leased["protocol"]["questions"][0]["choices"][0] == {"value": "normal", "label": "Normal"}
    assert leased["draft"] is None
    assert leased["case"]["modality"] == "CR"
    assert leased["case"]["instances"][0]["attributes"]["Rows"] == factories.ROWS
    assert leased["why"] == {
        "reason": "unranked",
        "stream": "pool",
        "score": None,
        "rank": None,
        "pool_size": 6,
        "model_number": None,
        "strategy": None,
        "text": "Not ranked yet.",
        "uncertainty": None,
    }
    assert leased["suggestion"] == {
        "mode": "after_answer",
        "question": "finding",
        "probabilities": None,
        "drawn": [],
    }


def test_reloading_the_page_brings_back_the_same_cases_and_the_draft(room: Room) -> None:
    first = room.lease()["cases"]
    body = {"lease_id": first[0]["lease_id"], "version": 3, "answers": {"finding": "normal"}, "seconds": 1.5}
    assert room.send("PUT", f"/cases/{first[0]['case']['id']}/draft", body) == {"version": 3}
    again = room.lease()["cases"]
    assert [one["lease_id"] for one in again] == [one["lease_id"] for one in first]
    kept = {"version": 3, "protocol_version": None, "answers": {"finding": "normal"}, "seconds": 1.5}
    assert again[0]["draft"] == kept


def test_a_draft_that_is_older_comes_back_with_the_newer_one(room: Room) -> None:
    leased = room.lease()["cases"][0]
    path, body = f"/cases/{leased['case']['id']}/draft", {"lease_id": leased["lease_id"], "seconds": 1.0}
    room.send("PUT", path, body | {"version": 2, "answers": {"finding": "normal"}})
    problem = room.send("PUT", path, body | {"version": 1, "answers": {}}, status=409)
    assert problem["code"] == "draft_stale"
    assert (problem["draft"]["version"], problem["draft"]["answers"]) == (2, {"finding": "normal"})


def test_a_reading_brings_the_next_case_in_the_same_answer(room: Room) -> None:
    cases = room.lease()["cases"]
    submitted = room.read(cases[0])
    assert submitted["revision"] == 1
    ahead = [one["case"]["id"] for one in submitted["workload"]["cases"]]
    assert ahead[:2] == [cases[1]["case"]["id"], cases[2]["case"]["id"]]
    assert submitted["workload"]["progress"] == {"read_by_me": 1, "read": 1, "waiting": 2, "total": 6}


def test_a_queue_can_be_read_to_its_end(room: Room) -> None:
    workload = room.lease()
    for _ in range(6):
        workload = room.read(workload["cases"][0])["workload"]
    assert workload == {
        "cases": [],
        "progress": {"read_by_me": 6, "read": 6, "waiting": 0, "total": 6},
        "halt": None,
        "practice": None,
    }
    assert room.lease()["cases"] == []


def test_the_same_reading_again_gets_the_same_answer(room: Room) -> None:
    leased = room.lease()["cases"][0]
    message = reading(leased)
    assert room.read(leased, **message) == room.read(leased, **message)
    assert Revision.objects.count() == 1


def test_a_reading_through_a_lost_lease_says_so(room: Room, project: Project) -> None:
    leased = room.lease()["cases"][0]
    leases = Lease.objects.filter(ended_at=None)
    expire_leases(now=leases.latest("expires_at").expires_at.replace(year=2100))
    Room(factories.a_client(factories.a_reader(project)), project).lease()
    problem = room.read(leased, expected=409)
    assert (problem["code"], problem["title"], problem["status"]) == ("lease_lost", "Conflict", 409)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"answers": {"finding": "cat"}}, "answers_invalid"),
        ({"answers": {}}, "answers_invalid"),
        ({"answers": {"finding": "normal", "other": "x"}}, "answers_invalid"),
        ({"answers": {"finding": 1}}, "answers_invalid"),
        ({"seconds": -1}, "invalid"),
        ({"protocol_version": "one"}, "invalid"),
        ({"status": "done"}, "invalid"),
        ({"reader": str(uuid4())}, "invalid"),
    ],
)
def test_a_reading_with_wrong_or_unknown_fields_changes_nothing(
    room: Room, changes: dict[str, Any], code: str
) -> None:
    leased = room.lease()["cases"][0]
    problem = room.read(leased, expected=422, **changes)
    assert problem["code"] == code
    assert not Revision.objects.exists()


def test_an_answer_that_is_invalid_names_its_question(room: Room) -> None:
    problem = room.read(room.lease()["cases"][0], expected=422, answers={"finding": "cat"})
    assert 'question "finding"' in problem["detail"]
    [one] = problem["problems"]
    assert (one["at"], one["code"], one["message"]) == ("finding", "not_a_choice", problem["detail"])
    assert "cat" not in problem["detail"]


def test_answers_to_an_older_protocol_are_a_conflict(room: Room) -> None:
    assert room.read(room.lease()["cases"][0], expected=409, protocol_version=7)["code"] == "protocol_changed"


def test_a_key_used_twice_is_a_conflict(room: Room) -> None:
    cases, key = room.lease()["cases"], str(uuid4())
    room.read(cases[0], idempotency_key=key)
    assert room.read(cases[1], expected=409, idempotency_key=key)["code"] == "idempotency_conflict"


def test_a_skip_gives_the_next_case(room: Room) -> None:
    leased = room.lease()["cases"][0]
    body = {
        "lease_id": leased["lease_id"],
        "idempotency_key": str(uuid4()),
        "reason": "quality",
        "comment": "blurred",
    }
    path = f"/cases/{leased['case']['id']}/skips"
    workload = room.send("POST", path, body)["workload"]
    assert room.send("POST", path, body)["workload"] == workload
    assert leased["case"]["id"] not in [one["case"]["id"] for one in workload["cases"]]
    assert room.send("POST", path, body | {"reason": "boredom"}, status=422)["code"] == "invalid"


def test_the_last_reading_can_be_looked_at_and_changed(room: Room, project: Project) -> None:
    last = f"/projects/{project.pk}/readings/last"
    assert room.send("GET", last, status=404)["code"] == "not_found"
    room.read(room.lease()["cases"][0])
    past = room.send("GET", last)
    assert (past["revision"], past["answers"]) == (1, {"finding": "pneumonia"})
    assert past["case"]["instances"][0]["frames"] == 1
    body = {
        "idempotency_key": str(uuid4()),
        "base_revision": 1,
        "answers": {"finding": "normal"},
        "seconds": 1.0,
        "protocol_version": 1,
    }
    path = f"/readings/{past['reading_id']}/revisions"
    assert room.send("POST", path, body) == {"revision": 2}
    assert room.send("POST", path, body) == {"revision": 2}
    assert room.send("GET", last)["answers"] == {"finding": "normal"}
    stale = room.send("POST", path, body | {"idempotency_key": str(uuid4())}, status=409)
    assert stale["code"] == "revision_stale"


def test_leases_are_renewed_and_given_back(room: Room) -> None:
    lease = f"/leases/{room.lease()['cases'][0]['lease_id']}"
    assert room.send("POST", f"{lease}/renewal")["expires_at"] > "2026"
    room.send("DELETE", lease, status=204)
    assert room.send("POST", f"{lease}/renewal", status=409)["code"] == "lease_lost"


def test_projects_are_listed_with_what_waits(room: Room, project: Project) -> None:
    factories.a_project()
    room.read(room.lease()["cases"][0])
    assert room.send("GET", "/projects") == [
        {
            "id": str(project.pk),
            "name": project.name,
            "role": "reader",
            "waiting": 2,
            "read_by_me": 1,
            "labels": 1,
        }
    ]


def test_an_administrator_s_list_names_the_role(project: Project) -> None:
    admin = Room(factories.a_client(factories.a_user(is_admin=True)), project)
    assert [row["role"] for row in admin.send("GET", "/projects")] == ["admin"]


def test_the_list_of_projects_takes_one_query_however_many_there_are(
    room: Room, reader: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    room.send("GET", "/projects")
    session_and_user = 2
    with django_assert_num_queries(session_and_user + 1):
        room.send("GET", "/projects")
    for _ in range(5):
        factories.some_cases(project := factories.a_project(), 2)
        set_membership(project=project, user=reader, role="reader")
    with django_assert_num_queries(session_and_user + 1):
        assert len(room.send("GET", "/projects")) == 6


def test_a_reading_over_http_takes_a_bounded_number_of_queries(
    room: Room, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    leased = room.lease()["cases"][0]
    with django_assert_max_num_queries(62):
        room.read(leased)


def test_all_problems_of_answers_come_back_with_their_places(room: Room) -> None:
    problem = room.read(room.lease()["cases"][0], expected=422, answers={"note": "x"})
    assert [(one["at"], one["code"]) for one in problem["problems"]] == [
        ("finding", "missing"),
        ("note", "unknown_question"),
    ]


def test_a_draft_remembers_the_protocol_that_it_answers(room: Room, project: Project) -> None:
    leased = room.lease()["cases"][0]
    body = {"lease_id": leased["lease_id"], "version": 1, "answers": {"finding": "normal"}, "seconds": 1.0}
    room.send("PUT", f"/cases/{leased['case']['id']}/draft", body | {"protocol_version": 1})
    old = project.protocols.get()
    Protocol.objects.create(project=project, version=2, questions=old.questions, created_at=old.created_at)
    again = room.lease()["cases"][0]
    assert (again["protocol"]["version"], again["draft"]["protocol_version"]) == (2, 1)
    assert again["protocol"]["settings"]["suggestions"] == "after_answer"


@pytest.mark.parametrize(("kilobytes", "code"), [(3_500, "answers_too_large"), (4_500, "too_large")])
def test_too_much_at_once_is_refused_in_words(room: Room, kilobytes: int, code: str) -> None:
    leased = room.lease()["cases"][0]
    problem = room.read(leased, expected=413, answers={"finding": "x" * 1024 * kilobytes})
    assert problem["code"] == code
    body = {"lease_id": leased["lease_id"], "version": 1, "seconds": 1.0}
    huge = body | {"answers": {"finding": "x" * 1024 * kilobytes}}
    assert room.send("PUT", f"/cases/{leased['case']['id']}/draft", huge, status=413)["code"] == code


def test_what_was_drawn_comes_back_measured(room: Room, project: Project) -> None:
    box = {"key": "box", "prompt": "Where?", "kind": "box", "labels": [{"value": "n", "label": "N"}]}
    now = project.protocols.get().created_at
    Protocol.objects.create(project=project, version=2, questions=[box], created_at=now)
    leased = room.lease()["cases"][0]
    image = leased["case"]["instances"][0]["sop_instance_uid"]
    region = {"id": str(uuid4()), "label": "n", "image": image, "frame": 1, "points": [[1, 1], [4, 5]]}
    room.read(leased, answers={"box": [region]})
    past = room.send("GET", f"/projects/{project.pk}/readings/last")
    assert past["answers"] == {"box": [region]}
    measured = past["measurements"][region["id"]]
    assert (measured["area_px"], measured["pixels"], measured["spacing"]) == (12.0, 12, "pixels")
