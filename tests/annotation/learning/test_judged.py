"""Comparisons kept at the same time, on either database."""

from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.learning.judged import Judged, keep_comparison
from annotation.learning.judged_models import Comparison, JudgedCase
from tests import factories
from tests.annotation.api.pages.test_compare import versions
from tests.annotation.queue.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.processes,
    pytest.mark.alone,
]
PROCESSES, TIMES = 4, 4


def test_comparisons_that_share_a_version_are_all_kept_at_once() -> None:
    project = factories.a_project()
    shared, *others = versions(project, 1 + PROCESSES)
    cases = factories.some_cases(project, 20, audit_share=1.0)

    def keep(n: int) -> int:
        both = [shared, others[n]]
        for _ in range(TIMES):
            rows = {
                model.pk: [
                    JudgedCase(
                        model=model,
                        case=case,
                        truth="normal",
                        thought="normal",
                        share=0.9,
                        truth_share=0.9,
                        is_right=True,
                    )
                    for case in cases
                ]
                for model in both
            }
            found = Judged(both, {}, rows, len(cases))
            keep_comparison(project=project, found=found, job_id=uuid4(), now=timezone.now())
        return n

    assert at_once(PROCESSES, keep) == list(range(PROCESSES))
    assert Comparison.objects.filter(project=project).count() == PROCESSES
    assert JudgedCase.objects.filter(model=shared).count() == len(cases)
