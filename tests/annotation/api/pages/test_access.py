"""Who may open a page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from audit.models import Event
from tests.annotation.api.pages.addresses import address
from tests.factories import a_user


def test_an_anonymous_visitor_is_sent_to_sign_in_and_back(client: Client, project: Project) -> None:
    answer = client.get(address(project, "project"))
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in?next=/projects/{project.pk}"


def test_a_page_that_refreshes_itself_goes_to_sign_in_when_the_session_is_over(
    client: Client, project: Project
) -> None:
    answer = client.get(address(project, "ml"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in")


def test_a_foreign_project_is_not_there_and_the_attempt_is_audited(
    stranger: Client, project: Project
) -> None:
    assert stranger.get(address(project, "project")).status_code == 404
    event = Event.objects.latest("sequence")
    assert (event.action, event.outcome, event.object_id) == ("access.denied", "denied", str(project.pk))


def test_a_reader_may_not_see_the_models_and_the_attempt_is_audited(reader: Client, project: Project) -> None:
    assert reader.get(address(project, "ml")).status_code == 403
    assert Event.objects.latest("sequence").details == {"route": "ml", "method": "GET"}


def test_an_administrator_who_reads_stays_blind_to_the_models(
    project: Project, signed_in: Callable[[User], Client]
) -> None:
    user = a_user(is_admin=True)
    set_membership(project=project, user=user, role="reader")
    client = signed_in(user)
    assert client.get(address(project, "ml")).status_code == 403
    assert client.get(address(project, "import")).status_code == 200


def test_a_revoked_role_bites_at_the_next_click(reader: Client, project: Project) -> None:
    assert reader.get(address(project, "project")).status_code == 200
    set_membership(project=project, user=User.objects.get(username="r.ode"), role=None)
    assert reader.get(address(project, "project")).status_code == 404


@pytest.mark.parametrize("method", ["get", "put"])
def test_an_address_that_takes_forms_alone_says_so_with_a_way_back(
    ml_staff: Client, project: Project, method: str
) -> None:
    answer = getattr(ml_staff, method)(address(project, "measure-agreement"))
    content = answer.content.decode()
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address is no page" in content
    assert f'href="{address(project, "agreement")}"' in content


def test_who_is_not_signed_in_is_told_the_same_and_led_home(client: Client, project: Project) -> None:
    answer = client.get(reverse("sign-out"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert 'class="button primary" href="/"' in answer.content.decode()


@pytest.mark.parametrize("name", ["home", "people", "audit", "jobs"])
def test_no_page_is_kept_by_the_browser(admin: Client, name: str) -> None:
    assert admin.get(reverse(name))["Cache-Control"] == "no-store"


def test_a_form_without_its_token_changes_nothing(project: Project) -> None:
    user = a_user(is_admin=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(reverse("add-person"), {"username": "someone"})
    assert answer.status_code == 403
    assert "nothing was changed" in answer.content.decode()
    assert not User.objects.filter(username="someone").exists()


def test_the_page_of_an_address_that_is_not_there_does_not_repeat_it(admin: Client) -> None:
    answer = admin.get("/patients/Doe-John")
    assert answer.status_code == 404
    assert "Doe" not in answer.content.decode()
