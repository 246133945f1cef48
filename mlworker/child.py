"""The process of one spawned job: `python -m mlworker.child JOB_ID TOKEN PARENT`."""

import os
import sys

from jobs.parent import die_with


def main(job_id: str, token: str, parent: str) -> None:
    """Do the job under the claim that the parent holds and keeps alive."""
    die_with(int(parent))
    import django
    from django.conf import settings

    django.setup()
    os.nice(settings.JOB_SPAWN_NICENESS)
    from jobs import services
    from mlworker import registry, runtime
    from mlworker.sampling import sampled

    claim = services.held_claim(job_id, token=int(token))
    if claim is not None:
        with sampled(claim.job_id), runtime.ending(claim):
            runtime.perform(registry.lookup(claim.name), runtime.Work(claim))


if __name__ == "__main__":
    main(*sys.argv[1:])
