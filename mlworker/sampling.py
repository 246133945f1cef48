"""What a job's processes take, kept with the job's run: memory; of a GPU what is in use on it by anybody."""

import logging
import os
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections

from annotation.learning.runs import append_sample
from mlworker.periodic import repeating

log = logging.getLogger(__name__)
MEGABYTE: Final = 1024 * 1024
SESSION, RESIDENT = 3, 21  # places behind the name in /proc/PID/stat (proc(5): fields 6 and 24)
PROC: Final = Path("/proc")


def sampled(job_id: UUID, *, every: float | None = None) -> AbstractContextManager[None]:
    """Keep what a job's processes take at each heartbeat, from a thread, while the body computes."""
    return repeating(
        Sampler(job_id).keep,
        every=settings.JOB_HEARTBEAT_SECONDS if every is None else every,
        name=f"sampler {job_id}",
    )


class Sampler:
    """Keeps samples with a job's run; says once where they cannot be taken."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id = job_id
        self._started = time.monotonic()
        self._has_failed = False

    def keep(self) -> None:
        """Keep one, timed from when this sampler was made."""
        seconds = round(time.monotonic() - self._started, 1)
        try:
            append_sample(job_id=self._job_id, sample={"seconds": seconds} | sample())
        except DatabaseError:
            connections.close_all()
        except Exception:
            if not self._has_failed:
                log.exception("job %s: what it takes could not be measured", self._job_id)
            self._has_failed = True


def sample() -> dict[str, float]:
    """Measure this job's processes, "memory_mb", and a GPU, "gpu_memory_mb" and "gpu_percent"."""
    return {"memory_mb": round(resident_bytes(os.getsid(0)) / MEGABYTE, 1)} | gpu_sample()


def resident_bytes(session: int) -> int:
    """Add up the resident memory of a session's processes; 0 where there is no /proc."""
    found = [fields_of(one) for one in PROC.glob("[0-9]*/stat")]
    pages = sum(int(fields[RESIDENT]) for fields in found if fields and int(fields[SESSION]) == session)
    return pages * os.sysconf("SC_PAGE_SIZE")


def fields_of(stat: Path) -> list[str]:
    """Read a process's facts behind its name; none where it has ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def gpu_sample() -> dict[str, float]:
    """Measure the GPU where torch is loaded and has one, whoever uses it; how busy only where NVML tells."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    free, total = torch.cuda.mem_get_info()
    told = {"gpu_memory_mb": round((total - free) / MEGABYTE, 1)}
    try:
        return told | {"gpu_percent": float(torch.cuda.utilization())}
    except (ImportError, RuntimeError):
        return told
