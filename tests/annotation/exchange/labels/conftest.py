"""Twins of projects: the same images under the same questions, read by nobody."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.exchange.labels import importing
from annotation.exchange.labels.checking import Asked, Found
from annotation.projects.models import Project
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import NewCase, add_cases, start_project
from annotation.readings.models import Reading, Revision, Source
from annotation.readings.selectors import revisions_in_force
from tests.annotation.exchange.out.conftest import ct_folder, ct_snapshot, exported
from tests.annotation.exchange.out.test_real_images import nuclei, volumes

__all__ = ["ct_folder", "ct_snapshot", "exported", "nuclei", "volumes"]
NAME = "Site B"
Bring = Callable[..., Found]


def a_twin(project: Project) -> Project:
    """Another project on the same data set, whose cases have other numbers."""
    twin = start_project(
        name=f"twin-{uuid.uuid4().hex[:8]}",
        document=document_in(protocol_in_force(project.pk)),
        now=timezone.now(),
        dataset=project.dataset,
    )
    cases = project.cases.order_by("-number").values_list("series_id", "patient_id")
    items = [NewCase(series, patient) for series, patient in cases]
    add_cases(project=twin, items=items, now=timezone.now(), audit_share=0.0)
    return twin


def quiet(_fraction: float, _words: str) -> None:
    """Show no progress."""


def brought(
    project: Project,
    source: Path,
    name: str,
    mapping: Mapping[str, str] | None = None,
    *,
    use: str = Source.Use.KEPT,
    source_name: str = NAME,
) -> Found:
    """Import labels."""
    asked = Asked(project, source_name, name, mapping or {})
    return importing.write(asked, source, use=use, now=timezone.now(), progress=quiet)


def answers_in(project: Project) -> dict[str, dict[str, Any]]:
    """What sources say of a project's cases, by series; one source."""
    rows = revisions_in_force().filter(source__project=project)
    found = dict(rows.values_list("reading__case__series__series_instance_uid", "answers"))
    assert len(found) == rows.count()
    return found


def revision_in(project: Project) -> Revision:
    """The one revision of a project's one sourced reading."""
    return revisions_in_force().get(source__project=project)


def problems_in(found: Found) -> list[str]:
    """What could not be taken, in words."""
    return [words for _, _, outcome, words in found.lines if outcome in ("invalid", "unmatched")]


@pytest.fixture
def nothing_written(db: None) -> Callable[[], bool]:
    """Whether no reading of a source is there."""
    return lambda: not Reading.objects.filter(source__isnull=False).exists()
