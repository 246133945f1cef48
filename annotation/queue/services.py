"""Writes of the queue: one transaction each."""

from collections.abc import Sequence

from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.queue.rules import shuffle_of


def add_entries(*, project: Project, cases: Sequence[Case]) -> None:
    """Put cases into the queue, unranked, in random order; what is held out or queued already is left alone."""
    entries = [
        Entry(case=case, project=project, shuffle=shuffle_of(case.pk))
        for case in cases
        if case.stream != Case.Stream.HELD_OUT
    ]
    Entry.objects.bulk_create(entries, ignore_conflicts=True)
