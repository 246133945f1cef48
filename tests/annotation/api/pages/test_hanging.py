"""The editor of hanging rules: a preview changes nothing, what is no rule is refused, saving is audited."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from annotation.projects.models import Project
from audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
PLANES = [{"name": "Planes of everything", "when": {"modality": ["CR"]}, "layout": "mpr"}]


def page(project: Project) -> str:
    return reverse("hanging", kwargs={"project_id": project.pk})


def posted(admin: Client, project: Project, rules: object, act: str = "save") -> str:
    written = rules if isinstance(rules, str) else json.dumps(rules)
    return admin.post(page(project), {"rules": written, "act": act}, follow=True).content.decode()


def test_the_page_says_how_each_case_hangs(admin: Client, project: Project) -> None:
    factories.some_cases(project, 2)
    shown = admin.get(page(project)).content.decode()
    assert shown.count("<td>Anything else") == 3
    assert "Mammography, four views" in shown


def test_a_preview_shows_what_would_be_and_saves_nothing(admin: Client, project: Project) -> None:
    factories.some_cases(project, 2)
    shown = posted(admin, project, PLANES, "preview")
    assert shown.count("Planes of everything <span") == 2
    project.refresh_from_db()
    assert project.hanging_rules == []


def test_saving_is_audited(admin: Client, project: Project) -> None:
    assert "Saved." in posted(admin, project, PLANES)
    project.refresh_from_db()
    assert project.hanging_rules == PLANES
    assert Event.objects.filter(action="hanging.save", object_id=str(project.pk)).count() == 1


@pytest.mark.parametrize("rules", ["no JSON", "{}", '[{"name": "x", "layout": "wall"}]', '["\\u0000"]'])
def test_what_is_no_rule_is_refused_and_kept_to_be_mended(
    admin: Client, project: Project, rules: str
) -> None:
    response = admin.post(page(project), {"rules": rules, "act": "save"})
    assert response.status_code == 422
    assert "Not saved:" in response.content.decode()
    project.refresh_from_db()
    assert project.hanging_rules == []
