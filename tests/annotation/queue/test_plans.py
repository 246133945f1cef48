"""The next case is found by the index, in its order: nothing is sorted and nothing walked."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from annotation.projects.models import Project
from annotation.queue.services import best_waiting, lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered

# The partial index of open leases holds three rows a reader: walking it is what the sweep is for.
OPEN_LEASES = "USING INDEX lease_one_open_a_slot"
pytestmark = pytest.mark.django_db


def test_the_next_case_is_read_off_the_index(project: Project, reader: User) -> None:
    found = best_waiting(reader, project.pk)[:3].explain()
    assert "SEARCH annotation_entry USING INDEX entry_next (project_id=? AND state=?)" in found
    assert "TEMP B-TREE" not in found
    assert "SCAN" not in found


def test_what_was_skipped_or_read_is_left_out_by_an_index_and_not_by_a_list(
    project: Project, reader: User
) -> None:
    found = best_waiting(reader, project.pk)[:3].explain()
    for table in ("skip", "reading"):
        assert re.search(
            rf"USING COVERING INDEX \w*annotation_{table}\w* \(case_id=\? AND reader_id=\?\)", found
        )


def test_no_step_of_giving_and_reading_a_case_walks_a_table(project: Project, reader: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        held = lease_next(reader=reader, project_id=project.pk, now=timezone.now()).cases[0]
        submit(
            reader=reader,
            lease_id=held.lease.pk,
            case_id=held.case.pk,
            answered=Answered({"finding": "normal"}, 1.0, 1, uuid4()),
            now=timezone.now(),
        )
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        steps = [
            f"{step[-1]} in {sql[:200]}"
            for sql in selects
            for step in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        ]
    assert len(selects) > 5
    walks = [step for step in steps if step.startswith("SCAN")]
    assert [step for step in walks if OPEN_LEASES not in step] == []
