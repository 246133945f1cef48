"""Home and a project's overview: for each role the next obvious thing."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from tests.factories import a_member, a_project, a_reader, a_user, some_cases


def primary(page: str) -> str:
    """Words of the page's one primary button."""
    _, _, after = page.partition('class="button primary"')
    return after.partition(">")[2].partition("<")[0].strip()


def test_somebody_without_a_project_is_told_what_to_do(stranger: Client) -> None:
    page = stranger.get("/").content.decode()
    assert "You are not a member of a project yet" in page
    assert "Ask your administrator" in page


def test_an_administrator_of_an_empty_site_is_led_to_the_first_project(admin: Client) -> None:
    page = admin.get("/").content.decode()
    assert "No project yet" in page
    assert reverse("new-project") in page


def test_a_reader_is_offered_to_read(reader: Client, project: Project) -> None:
    some_cases(project, 2)
    assert primary(reader.get("/").content.decode()) == "Read"


def test_ml_staff_are_led_to_learning(ml_staff: Client) -> None:
    assert primary(ml_staff.get("/").content.decode()) == "Learning"


def test_an_administrator_is_led_to_import_where_there_are_no_images(admin: Client, project: Project) -> None:
    assert primary(admin.get("/").content.decode()) == "Import images"
    assert (
        "No images yet" in admin.get(reverse("project", kwargs={"project_id": project.pk})).content.decode()
    )


def test_home_names_no_project_of_others(reader: Client) -> None:
    a_project("Somebody else's")
    assert "Somebody else" not in reader.get("/").content.decode()


def test_home_costs_the_same_for_many_projects(
    signed_in: Callable[[User], Client],
    project: Project,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    user = a_member(project, Role.ML_STAFF)
    for _ in range(8):
        set_membership(project=a_project(), user=user, role=Role.READER)
    client = signed_in(user)
    client.get("/")
    with django_assert_max_num_queries(8):
        assert client.get("/").status_code == 200


def test_a_new_project_asks_its_question_and_leads_on_to_its_images(admin: Client) -> None:
    form = {"name": "Hands", "prompt": "Is it broken?", "choices": "Yes\nNo\n\nCannot say"}
    answer = admin.post(reverse("new-project"), form)
    made = Project.objects.get(name="Hands")
    assert answer["Location"] == reverse("begin-images", kwargs={"project_id": made.pk})
    [question] = made.protocols.get().questions
    assert [one["value"] for one in question["choices"]] == ["yes", "no", "cannot_say"]


def test_a_new_project_can_start_from_a_ready_made_protocol(admin: Client) -> None:
    admin.post(reverse("new-project"), {"name": "Eyes", "template": "glaucoma"})
    keys = [one["key"] for one in Project.objects.get(name="Eyes").protocols.get().questions]
    assert keys[:3] == ["disc", "cup", "vertical_ratio"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"template": "knee"}, "Select a valid choice"),
        ({"prompt": ""}, "Write the question."),
        ({"name": "Chest X-rays"}, "a project of this name already"),
        ({"choices": "Yes"}, "two to nine answers"),
        ({"choices": "Yes\nYES"}, "Two answers are the same"),
        ({"choices": "\n".join(map(str, range(10)))}, "two to nine answers"),
        ({"choices": "Yes\n???"}, "letters or digits"),
    ],
)
def test_a_project_that_cannot_be_is_refused_in_words(
    admin: Client, project: Project, change: dict[str, str], words: str
) -> None:
    form = {"name": "Hands", "prompt": "Is it broken?", "choices": "Yes\nNo"} | change
    assert words in admin.post(reverse("new-project"), form).content.decode()
    assert Project.objects.count() == 1


def test_a_reader_sees_no_other_readers_pace_and_no_cases(reader: Client, project: Project) -> None:
    some_cases(project, 2)
    a_reader(project, "s.other")
    page = reader.get(reverse("project", kwargs={"project_id": project.pk})).content.decode()
    assert "Expert time" not in page
    assert "/thumbnail" not in page
    assert "audit stream" not in page


def test_an_overview_counts_cases_and_shows_the_newest(ml_staff: Client, project: Project) -> None:
    some_cases(project, 3)
    some_cases(project, 2, split="test")
    page = ml_staff.get(reverse("project", kwargs={"project_id": project.pk})).content.decode()
    assert page.count("/thumbnail") == 5
    assert "held out, never read" in page


def test_the_reading_room_opens_to_readers_only(reader: Client, ml_staff: Client, project: Project) -> None:
    url = reverse("read", kwargs={"project_id": project.pk})
    assert reader.get(url).status_code == 200
    assert ml_staff.get(url).status_code == 403


def test_a_bar_leads_only_where_the_person_may_go(reader: Client, admin: Client) -> None:
    people, jobs = (f'href="{reverse(name)}"' for name in ("people", "jobs"))
    assert people not in reader.get("/").content.decode()
    assert jobs not in reader.get("/").content.decode()
    assert people in admin.get("/").content.decode()
    assert jobs in admin.get("/").content.decode()


def test_dates_of_today_are_told_as_time_ago(admin: Client, project: Project) -> None:
    User.objects.filter(username="a.berg").update(last_login=timezone.now())
    a_user("never.here")
    page = admin.get(reverse("people")).content.decode()
    assert "just now" in page
    assert "Never" in page
