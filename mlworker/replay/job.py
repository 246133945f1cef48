"""The replay job's body: a project's labels read again by each strategy; what came out is kept as a run."""

from collections.abc import Sequence

from django.utils import timezone

from annotation.learning import runs, services
from annotation.projects.models import Project
from mlworker.replay.projects import world_of_project
from mlworker.replay.settings import policies_of
from mlworker.replay.study import Question, answer
from mlworker.runtime import Work

KIND = "replay"


def replay(work: Work, project_id: str, *, strategies: Sequence[str], seeds: int, budget: int) -> None:
    """Replay, and keep the curves and the verdict where ML staff see them.

    raises: WorldError where the labels do not allow it: it ends the job and says why.
    """
    project = Project.objects.select_related("dataset").get(pk=project_id)
    asked = {"strategies": list(strategies), "seeds": seeds, "budget": budget}
    new = runs.NewRun(kind=KIND, project_id=project.pk, settings=asked)
    runs.start_run(job_id=work.job_id, new=new, now=timezone.now())
    policies = policies_of(strategies, services.policy_for(project))
    found = answer(world_of_project(project), Question(policies, seeds, budget), work.progress)
    with work.commit():
        runs.finish_run(job_id=work.job_id, result=found)
