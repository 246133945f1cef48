"""Processes that never outlive the one that started them."""

import ctypes
import os
import signal
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def die_with(parent_id: int) -> None:
    """Have the kernel kill this process when its parent dies; die at once if that has happened already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent_id:
        os.kill(os.getpid(), signal.SIGKILL)
