"""`manage.py learning`: what the ML console shows and asks for, on a small project that learned."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role
from annotation.learning.judged_models import JudgedCase
from annotation.learning.services import policy_for
from annotation.projects.models import Project
from annotation.queue.models import QueryBatch
from annotation.readings.models import ReferenceStandard
from audit.models import Event
from jobs.models import Job, State
from tests import factories
from tests.mlworker.stages import a_judged_project

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    """A project with a version that was judged on the audit stream."""
    return a_judged_project()


def said(project: Project, *words: str) -> str:
    out = io.StringIO()
    call_command("learning", project.name, *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows(project: Project, *words: str) -> Any:
    return json.loads(said(project, *words, "--json"))


def test_the_summary_says_what_the_console_says_first(project: Project) -> None:
    told = said(project)
    assert "Labels        36 (16 pool, 20 audit, 0 held_out)" in told
    assert "Model         1, balanced accuracy " in told
    found = rows(project, "summary")
    client = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    shown = client.get(f"/api/v1/projects/{project.pk}/learning").json()
    same = ("labels", "cases", "until_refit", "spent_hours", "budget_hours", "active")
    assert {name: found[name] for name in same} == {name: shown[name] for name in same}
    assert found["model"]["metrics"] == shown["model"]["metrics"]
    assert found["advice"] == shown["advice"]


def test_a_policy_is_shown_and_set_by_name(project: Project) -> None:
    assert "batch_size        " in said(project, "policy")
    set_ = ("--set", "batch_size=12", "--set", "budget_hours=2.5", "--set", "class_quota=no")
    found = rows(project, "policy", *set_)
    assert (found["batch_size"], found["budget_hours"], found["class_quota"]) == (12, 2.5, False)
    assert rows(project, "policy", "--set", "budget_hours=none")["budget_hours"] is None
    assert policy_for(project).batch_size == 12
    assert Event.objects.filter(action="policy.set", actor="system").count() == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("size=3", "size is no setting"),
        ("batch_size=many", "batch_size is many: give a whole number"),
        ("batch_size=none", "batch_size"),
        ("class_quota=perhaps", "class_quota is perhaps: give yes or no"),
        ("audit_share=2", "audit_share"),
        ("strategy=guess", "strategy"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting: str, words: str) -> None:
    project = factories.a_project()
    with pytest.raises(CommandError, match=words):
        said(project, "policy", "--set", setting)
    assert not Event.objects.filter(action="policy.set").exists()


def test_curve_and_advice_are_those_of_the_console(project: Project) -> None:
    [point] = rows(project, "curve")["points"]
    assert (point["labels"], point["model_number"]) == (16, 1)
    assert f"     16 labels  {point['value']:.3f} (" in said(project, "curve")
    assert "No model was judged by f0 yet" in said(project, "curve", "--metric", "f0")
    assert rows(project, "advice")["verdict"] == "early"
    assert "too early to say" in said(project, "advice")


def test_a_refit_is_asked_for_or_done_at_once(project: Project) -> None:
    told = said(project, "summary", "--ask")
    job = Job.objects.filter(name="refit").latest("created_at")
    assert told == f"{job.pk} queued\n"
    assert rows(project, "summary", "--ask", "--here")["model"]["number"] == 2
    job.refresh_from_db()
    assert job.state == State.DONE


def test_agreement_labels_drift_and_map_are_measured_here(project: Project) -> None:
    for subject in ("agreement", "labels", "drift", "map"):
        assert said(project, subject)
    assert "Nobody has measured yet" in said(project, "agreement")
    assert "Nobody has checked yet" in said(project, "labels")
    assert "Not known: not measured yet" in said(project, "drift")
    assert "Nobody has drawn a map yet" in said(project, "map")
    assert rows(project, "agreement", "--ask", "--here")["measured_at"]
    assert rows(project, "labels", "--ask", "--here")["labels"] == 16
    assert "labels and 0 readings looked at" in said(project, "labels")
    assert rows(project, "drift", "--ask", "--here")["measured_at"]
    assert "pca: 80 cases" in said(project, "map", "--ask", "--here")
    assert "No reading had a suggestion yet" in said(project, "anchoring")


def test_how_readers_agree_is_told_by_question() -> None:
    project = factories.a_project()
    cases = factories.some_cases(project, 8)
    one, two = factories.a_reader(project), factories.a_reader(project)
    for place, case in enumerate(cases):
        truth = "pneumonia" if place % 2 else "normal"
        factories.a_reading(one, case, {"finding": truth})
        factories.a_reading(two, case, {"finding": "normal" if place == 7 else truth})
    told = said(project, "agreement", "--ask", "--here")
    assert "16 readings, 0 came since" in told
    assert "finding: " in told
    assert "Normal – Pneumonia: 1, cases 8" in told
    factories.a_member(project, Role.ML_STAFF, "m.lind")
    factories.a_reader(project)
    assert said(project, "reread", "disputed", "--by", "m.lind") == "1 cases at the front of the queue\n"
    assert QueryBatch.objects.get(project=project).asked_by.username == "m.lind"


def test_mistakes_are_listed_once_a_model_was_judged(project: Project) -> None:
    assert "Nobody has judged model 1" in said(project, "mistakes")
    with pytest.raises(CommandError, match="there is no model 7"):
        said(project, "mistakes", "--model", "7")
    before = rows(project, "mistakes", "--ask", "--here")["count"]
    right = JudgedCase.objects.filter(model__project=project, is_right=True).earliest("case__number")
    other = "normal" if right.truth == "pneumonia" else "pneumonia"
    ReferenceStandard.objects.filter(case=right.case).update(answers={"finding": other})
    told = said(project, "mistakes", "--ask", "--here", "--most", "40")
    assert f"Model 1: {before + 1} mistakes" in told
    assert f"case {right.case.number}: {other} taken for {right.truth}, " in told
    found = rows(project, "mistakes", "--truth", other, "--most", "40")["cases"]
    assert right.case.number in [one["number"] for one in found]
    assert {one["truth"] for one in found} == {other}


def test_only_ml_staff_have_a_list_read_again(project: Project) -> None:
    factories.a_reader(project, "r.one")
    for name in ("r.one", "nobody"):
        with pytest.raises(CommandError, match=f"{name} is not of the project's ML staff"):
            said(project, "reread", "doubted", "--by", name)
    factories.a_member(project, Role.ML_STAFF, "m.lind")
    with pytest.raises(CommandError, match="check them first"):
        said(project, "reread", "doubted", "--by", "m.lind")
    with pytest.raises(CommandError, match='there is no project "Nowhere"'):
        call_command("learning", "Nowhere", stdout=io.StringIO())
    assert not QueryBatch.objects.exists()
