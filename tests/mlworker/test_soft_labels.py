"""What fusing left of doubt, learned where a project says so: from the reference standard to the heads."""

import json

import pytest
import torch

from annotation.learning.files import content_of
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import labelled
from annotation.projects.models import Project
from annotation.readings.models import ReferenceStandard
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.objectives import Batch, Classified, balance_of
from mlworker.targets import Target
from mlworker.teaching import taught_labels
from tests.mlworker.stages import a_stage, of_stream, read, refitted


@pytest.fixture
def doubtful() -> Project:
    """A project whose readers agreed on each label by two to one."""
    project, cases = a_stage(60, audit_share=0.3)
    read(of_stream(cases, "pool")[:24])
    for standard in ReferenceStandard.objects.filter(case__project=project):
        said = standard.answers["finding"]
        shares = {one: 2 / 3 if one == said else 1 / 3 for one in ("normal", "pneumonia")}
        standard.uncertainty = {"finding": {"method": "majority", "distribution": shares}}
        standard.save()
    return project


@pytest.mark.django_db
def test_models_learn_the_doubt_only_where_the_project_says_so(doubtful: Project) -> None:
    refitted(doubtful)
    assert all(row.likely is None for row in labelled(doubtful.pk))
    doubtful.protocols.update(settings={"soft_labels": True})
    refitted(doubtful)
    assert all(row.likely is not None for row in labelled(doubtful.pk))
    hard, soft = ModelVersion.objects.order_by("number").select_related("snapshot")
    assert hard.artefact_digest != soft.artefact_digest
    kept = [
        json.loads(content_of(one.snapshot.file_name, digest=one.snapshot.digest)) for one in (hard, soft)
    ]
    assert not any("likely" in row for row in kept[0]["labels"])
    assert {max(row["likely"].values()) for row in kept[1]["labels"]} == {2 / 3}


@pytest.mark.django_db
def test_an_encoder_is_taught_the_same_distributions(doubtful: Project) -> None:
    target = Target("single", ("normal", "pneumonia"))
    assert taught_labels(labelled(doubtful.pk), target).shape == (24, 1)
    doubtful.protocols.update(settings={"soft_labels": True})
    likely = taught_labels(labelled(doubtful.pk), target)
    assert likely.shape == (24, 1, 2)
    assert likely.max() == pytest.approx(2 / 3)


@pytest.mark.parametrize("decisions", [1, 3])
def test_certain_distributions_teach_an_encoder_what_labels_teach(decisions: int) -> None:
    torch.manual_seed(0)
    labels = torch.randint(0, 2, (8, decisions))
    likely = torch.eye(2)[labels]
    assert torch.equal(balance_of(labels, 2), balance_of(likely, 2))
    objective = Classified(5, Preprocessing(), None, [balance_of(labels, 2)])
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(1, 5))
    images = torch.randint(0, 255, (8, 1, 16, 16), dtype=torch.uint8)
    network.eval()
    losses = [
        objective.loss(network, Batch(images, given, 0, torch.arange(8)), torch.Generator()).item()
        for given in (labels, likely)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
