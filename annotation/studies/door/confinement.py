"""What a process that touches untrusted bytes may do: little memory, little time, no network, no writing.

Linux only. `confine_server` says what the kernel and our rights offered, so that it can be shown.
"""

import ctypes
import os
import resource
import struct
import sys
from pathlib import Path

from annotation.studies.door import limits

CLONE_NEWNET, CLONE_NEWUSER = 0x4000_0000, 0x1000_0000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
LANDLOCK_CREATE, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT = 444, 445, 446
LANDLOCK_ALL = (1 << 13) - 1  # every right on files of Landlock's first version
LANDLOCK_READ = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read file, read folder
SIGKILL, NOBODY = 9, 65534

_libc = ctypes.CDLL(None, use_errno=True)


def confine_server(code: Path) -> list[str]:
    """Take the network and the file system (but for code) from this process and all its children, once.

    returns: what could be done, of "no network", "read-only code".
    """
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    done = ["no network"] if _libc.unshare(flags) == 0 else []
    readable = {Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/lib"), Path("/lib64"), code}
    return done + (["read-only code"] if _landlock(readable) else [])


def _landlock(readable: set[Path]) -> bool:
    """See landlock(7): files outside these folders can no longer be opened; open descriptors stay."""
    attributes = struct.pack("Q", LANDLOCK_ALL)
    ruleset = _libc.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    for folder in sorted(path for path in readable if path.is_dir()):
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", LANDLOCK_READ, descriptor)
        _libc.syscall(LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)
        os.close(descriptor)
    restricted = bool(_libc.syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0)
    os.close(ruleset)
    return restricted


def confine_child(
    idle_bytes: int, *, cpu_seconds: int = limits.CPU_SECONDS, output_bytes: int = limits.OUTPUT_BYTES
) -> None:
    """Bound memory, CPU, output, descriptors and processes, then give root's rights up."""
    _libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    memory = idle_bytes + limits.MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.OPEN_FILES, limits.OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def address_space() -> int:
    """Bytes of address space of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
