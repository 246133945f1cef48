"""How many files a process may hold open: imports hold hundreds at once, and 1024 is the usual soft limit."""

import resource
from typing import Final

ENOUGH: Final = 65_536  # the hard limit may be a thousand million, which some libraries count through


def raise_open_files() -> int:
    """Raise this process's soft limit of open files as far as the hard one lets it; gives the soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
