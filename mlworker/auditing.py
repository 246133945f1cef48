"""The job that walks along the audit chain: minutes for millions of events, no torch."""

from audit.services import kept_head, record_check, verify
from jobs.models import Lane
from mlworker.runtime import Work, job


@job("verify_audit_chain", lane=Lane.LIGHT)
def verify_audit_chain(work: Work, *, asked_by: str) -> None:
    """Check that no event was edited, deleted, reordered or cut off since the last check either."""
    found = verify(kept_head=kept_head(), progress=work.progress)
    with work.commit():
        record_check(job_id=work.job_id, asked_by=asked_by, found=found)
