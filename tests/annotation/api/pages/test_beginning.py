"""A new project in three steps: nothing is lost on going back, and errors name what to do."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from annotation.api.pages.forms import NewProjectForm
from annotation.exchange.beginning import FIRST_CASES, take_cases
from annotation.exchange.lifecycle.usage import QuotaError, usage_of
from annotation.projects.beginning import described
from annotation.projects.models import Case, Membership, Project
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.queue.models import Entry
from annotation.studies.models import Dataset, Import
from audit.models import Event
from jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db
OWN = {"name": "Hands", "prompt": "Is it broken?", "choices": "Yes\nNo"}


def step(name: str, project: Project) -> str:
    return reverse(name, kwargs={"project_id": project.pk})


def begun(admin: Client, **change: str) -> Project:
    """A project after its first step."""
    admin.post(reverse("new-project"), OWN | change)
    return Project.objects.latest("created_at")


def test_going_back_to_what_is_asked_shows_what_was_said(admin: Client) -> None:
    content = admin.get(step("begin", begun(admin))).content.decode()
    assert 'value="Hands"' in content
    assert 'value="Is it broken?"' in content
    assert "Yes\nNo</textarea>" in content


def test_a_ready_made_protocol_stays_chosen_on_going_back(admin: Client) -> None:
    content = admin.get(step("begin", begun(admin, template="glaucoma"))).content.decode()
    assert 'value="glaucoma" checked' in content


def test_what_is_asked_can_be_changed_on_going_back_and_the_design_stays(admin: Client) -> None:
    project = begun(admin)
    admin.post(step("begin-people", project), {"reads": "on", "design": "double", "then": "stay"})
    answer = admin.post(step("begin", project), {"name": "Feet", "template": "chest_xray"})
    assert answer["Location"] == step("begin-images", project)
    project.refresh_from_db()
    protocol = protocol_in_force(project.pk)
    assert (project.name, protocol.version) == ("Feet", 3)
    assert len(protocol.questions) > 1
    assert document_in(protocol).settings.readers == 2


def test_saying_the_same_again_makes_no_new_version(admin: Client) -> None:
    project = begun(admin)
    admin.post(step("begin", project), OWN)
    assert project.protocols.count() == 1


def test_what_was_written_in_the_editor_is_left_to_it(admin: Client) -> None:
    project = begun(admin, template="glaucoma")
    project.protocols.update(questions=protocol_in_force(project.pk).questions[:1])
    content = admin.get(step("begin", project)).content.decode()
    assert "protocol editor" in content
    admin.post(step("begin", project), {"name": "Eyes"})
    project.refresh_from_db()
    assert (project.name, project.protocols.count()) == ("Eyes", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"choices": [{"value": "Pneumonia", "label": "Pneumonia"}, {"value": "no", "label": "No"}]},
        {"help": "Look at the lower lobes."},
        {"required": False},
    ],
)
def test_what_this_page_cannot_say_is_left_as_it_is(admin: Client, change: dict[str, object]) -> None:
    project = begun(admin)
    [first] = protocol_in_force(project.pk).questions
    project.protocols.update(questions=[first | change])
    assert described(project) is None
    admin.post(step("begin", project), {"name": "Hands 2"})
    assert protocol_in_force(project.pk).questions == [first | change]


def test_nothing_else_is_asked_once_a_case_was_read(admin: Client) -> None:
    project = begun(admin)
    [case] = factories.some_cases(project, 1)
    factories.a_reading(factories.a_reader(project), case, {"finding": "yes"})
    answer = admin.post(step("begin", project), {"name": "Feet", "template": "chest_xray"})
    assert (answer.status_code, "Cases were read already" in answer.content.decode()) == (422, True)
    project.refresh_from_db()
    assert (project.name, project.protocols.count()) == ("Hands", 1)
    assert admin.post(step("begin", project), OWN | {"name": "Feet"}).status_code == 302


def test_a_name_that_is_taken_at_this_moment_is_told(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NewProjectForm, "clean_name", lambda self: self.cleaned_data["name"])
    factories.a_project("Feet")
    project = begun(admin)
    for address in (reverse("new-project"), step("begin", project)):
        answer = admin.post(address, OWN | {"name": "Feet"})
        assert (answer.status_code, "a project of this name already" in answer.content.decode()) == (
            422,
            True,
        )


def test_another_s_name_is_refused_on_going_back(admin: Client) -> None:
    factories.a_project("Feet")
    answer = admin.post(step("begin", begun(admin)), OWN | {"name": "Feet"})
    assert (answer.status_code, "a project of this name already" in answer.content.decode()) == (422, True)


def test_a_data_set_that_is_there_becomes_cases_and_the_empty_one_goes(admin: Client) -> None:
    other = factories.a_project("Old")
    held = factories.some_cases(other, 2, split="test")
    factories.some_cases(other, 11)
    project = begun(admin)
    own = project.dataset_id
    answer = admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    assert answer["Location"] == step("begin-people", project)
    job = Job.objects.get(name="take_cases")
    for _ in range(2):
        take_cases(project.pk, now=timezone.now(), progress=lambda _share, _words: None)
    project.refresh_from_db()
    assert (job.arguments, project.dataset_id) == ({"project_id": str(project.pk)}, other.dataset_id)
    assert not Dataset.objects.filter(pk=own).exists()
    streams = dict(project.cases.values_list("patient_id", "stream"))
    assert len(streams) == 13
    assert {streams[one.patient_id] for one in held} == {Case.Stream.HELD_OUT}
    assert Entry.objects.filter(project=project).count() == 11
    assert Event.objects.filter(action="project.take_dataset").count() == 1


def test_a_project_with_images_takes_no_data_set_and_says_what_to_do(admin: Client) -> None:
    project, other = begun(admin), factories.a_project()
    factories.some_cases(other, 1)
    factories.some_cases(project, 1)
    answer = admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)}, follow=True)
    assert "Make another project for other images" in answer.content.decode()
    assert not Job.objects.filter(name="take_cases").exists()


@pytest.mark.parametrize("dataset", ["0b3f2f1e-6a65-4a6e-9d0b-6d8f0a3c1e55", "no id"])
def test_a_data_set_that_is_not_there_is_told(admin: Client, dataset: str) -> None:
    answer = admin.post(step("begin-take", begun(admin)), {"dataset": dataset}, follow=True)
    assert "choose another one" in answer.content.decode()


def test_examples_are_asked_for_once_a_click(admin: Client) -> None:
    project = begun(admin)
    admin.post(step("begin-take", project))
    delivery = Import.objects.get(project_id=project.pk)
    job = Job.objects.get(name="import_examples")
    assert job.arguments == {"import_id": str(delivery.pk)}
    assert 'hx-trigger="every 1s"' in admin.get(step("begin-state", project)).content.decode()


def test_no_examples_go_among_the_images_of_a_project(admin: Client) -> None:
    project, other = begun(admin), factories.a_project("Old")
    factories.some_cases(other, 1)
    admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    answer = admin.post(step("begin-take", project), follow=True)
    content = answer.content.decode()
    assert "make another project for examples" in content
    assert "Use the examples" not in content
    with_cases = begun(admin, name="Feet")
    factories.some_cases(with_cases, 1)
    answer = admin.post(step("begin-take", with_cases), follow=True)
    assert "Make another project for other images" in answer.content.decode()
    assert not Import.objects.exists()


def test_cases_of_a_data_set_that_was_left_meanwhile_are_not_made(admin: Client) -> None:
    first, second = factories.a_project("Old"), factories.a_project("Older")
    factories.some_cases(first, 11)
    project = begun(admin)
    admin.post(step("begin-take", project), {"dataset": str(first.dataset_id)})

    def leave(_share: float, _words: str) -> None:
        Project.objects.filter(pk=project.pk).update(dataset=second.dataset)

    take_cases(project.pk, now=timezone.now(), progress=leave)
    assert project.cases.count() == FIRST_CASES


def test_a_quota_holds_for_the_cases_of_a_data_set_too(admin: Client) -> None:
    other, project = factories.a_project("Old"), begun(admin)
    factories.some_cases(other, 11)
    Project.objects.filter(pk=project.pk).update(quota_cases=5)
    admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    with pytest.raises(QuotaError, match="quota of 5 cases"):
        take_cases(project.pk, now=timezone.now(), progress=lambda _share, _words: None)


def take_all(project: Project) -> None:
    take_cases(project.pk, now=timezone.now(), progress=lambda _share, _words: None)


def test_a_quota_is_filled_to_the_last_case_and_no_further(admin: Client) -> None:
    other, project = factories.a_project("Old"), begun(admin)
    factories.some_cases(other, FIRST_CASES + 5)
    admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    for quota in (3, FIRST_CASES, FIRST_CASES + 2):
        Project.objects.filter(pk=project.pk).update(quota_cases=quota)
        with pytest.raises(QuotaError, match=f"quota of {quota} cases"):
            take_all(project)
        assert project.cases.count() == Entry.objects.filter(project=project).count() == quota
        assert Job.objects.filter(name="embed").exists()
    Project.objects.filter(pk=project.pk).update(quota_cases=FIRST_CASES + 5)
    for _ in range(2):
        take_all(project)
    assert project.cases.count() == FIRST_CASES + 5


def test_a_quota_that_is_raised_meanwhile_leaves_no_case_missing(admin: Client) -> None:
    other, project = factories.a_project("Old"), begun(admin)
    factories.some_cases(other, FIRST_CASES + 5)
    admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    Project.objects.filter(pk=project.pk).update(quota_cases=FIRST_CASES - 2)
    shares: list[float] = []

    def raised(share: float, _words: str) -> None:
        shares.append(share)
        Project.objects.filter(pk=project.pk).update(quota_cases=None)

    take_cases(project.pk, now=timezone.now(), progress=raised)
    assert project.cases.count() == FIRST_CASES + 5
    assert (shares, shares[-1]) == (sorted(shares), 1.0)


def test_a_quota_of_bytes_is_filled_to_the_last_case_that_fits(admin: Client) -> None:
    other, project = factories.a_project("Old"), begun(admin)
    factories.some_cases(other, FIRST_CASES + 5)
    admin.post(step("begin-take", project), {"dataset": str(other.dataset_id)})
    a_case = usage_of(other).counted // (FIRST_CASES + 5)
    Project.objects.filter(pk=project.pk).update(quota_bytes=a_case * (FIRST_CASES + 3) - 1)
    with pytest.raises(QuotaError, match="is used up"):
        take_all(project)
    assert project.cases.count() == FIRST_CASES + 2


def test_the_button_is_live_as_soon_as_one_case_is_there(admin: Client) -> None:
    project = begun(admin)
    before = admin.get(step("begin-people", project)).content.decode()
    factories.some_cases(project, 1)
    after = admin.get(step("begin-state", project), {"step": "people"}).content.decode()
    assert "disabled>Read the first case" in before
    assert 'value="read">Read the first case' in after
    answer = admin.post(step("begin-people", project), {"reads": "on", "design": "single", "then": "read"})
    assert answer["Location"] == step("read", project)


def test_people_get_their_roles_and_the_design_holds(admin: Client) -> None:
    project, first, second = begun(admin), factories.a_user(), factories.a_user()
    said = {f"role-{first.pk}": "reader", f"role-{second.pk}": "ml_staff", "design": "share"}
    admin.post(step("begin-people", project), said)
    me = User.objects.get(username="a.berg")
    roles = dict(Membership.objects.filter(project=project).values_list("user_id", "role"))
    assert roles == {first.pk: Role.READER, second.pk: Role.ML_STAFF}
    assert document_in(protocol_in_force(project.pk)).settings.second_share == 0.2
    admin.post(step("begin-people", project), said | {f"role-{second.pk}": "", "reads": "on"})
    roles = dict(Membership.objects.filter(project=project).values_list("user_id", "role"))
    assert roles == {first.pk: Role.READER, me.pk: Role.READER}
    assert Event.objects.filter(action="membership.set").count() == 4


def test_who_adjudicates_still_does_with_another_role(admin: Client) -> None:
    project, one = begun(admin), factories.a_user()
    Membership.objects.create(project=project, user=one, role=Role.READER, adjudicates=True)
    admin.post(step("begin-people", project), {"design": "double", f"role-{one.pk}": "ml_staff"})
    membership = Membership.objects.get(project=project, user=one)
    assert (membership.role, membership.adjudicates) == (Role.ML_STAFF, True)
    assert Event.objects.get(action="membership.set").details["adjudicates"] is True


def test_who_came_in_another_tab_meanwhile_keeps_their_role(admin: Client) -> None:
    project, later = begun(admin), factories.a_reader(factories.a_project("Other"))
    Membership.objects.create(project=project, user=later, role=Role.READER)
    admin.post(step("begin-people", project), {"design": "single"})
    assert Membership.objects.get(project=project, user=later).role == Role.READER


def test_a_role_that_changed_since_the_page_was_shown_is_left_and_told(admin: Client) -> None:
    project, one = begun(admin), factories.a_user()
    shown = admin.get(step("begin-people", project)).content.decode()
    assert f'name="was-{one.pk}" value=""' in shown
    Membership.objects.create(project=project, user=one, role=Role.ML_STAFF)
    said = {"design": "single", f"role-{one.pk}": "", f"was-{one.pk}": ""}
    answer = admin.post(step("begin-people", project), said, follow=True)
    assert Membership.objects.get(project=project, user=one).role == Role.ML_STAFF
    assert f"{one.username} got another role meanwhile" in answer.content.decode()


def test_what_stopped_names_what_to_do(admin: Client) -> None:
    project = begun(admin)
    delivery = Import.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_name="x",
        state=Import.State.DONE,
        quarantined=2,
        created_at=timezone.now(),
    )
    content = admin.get(step("begin-state", project)).content.decode()
    assert "Every image waits in quarantine" in content
    Import.objects.filter(pk=delivery.pk).update(quarantined=0)
    assert "No case came of what was sent" in admin.get(step("begin-state", project)).content.decode()
    Job.objects.create(
        name="import_delivery",
        lane="transfer",
        scope_id=project.pk,
        state="failed",
        error="the archive is cut off",
        created_at=timezone.now(),
    )
    content = admin.get(step("begin-images", project)).content.decode()
    assert "the archive is cut off" in content
    assert "choose other images" in content
