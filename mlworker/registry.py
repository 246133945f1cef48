"""Which function does which job."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from django.conf import settings

from jobs.models import Lane

Body = Callable[..., None]
_registry: dict[str, "Registered"] = {}


class UnknownJobError(LookupError):
    """No function is registered under a job's name."""


@dataclass(frozen=True)
class Registered:
    """One kind of machine work: spawned ones run in a process of their own, where torch may be imported."""

    name: str
    lane: Lane
    spawn: bool
    body: Body


def job(name: str, *, lane: Lane = Lane.LIGHT, spawn: bool = False) -> Callable[[Body], Body]:
    """Register `def body(work: Work, **arguments) -> None` as what does the jobs of a name."""

    def register(body: Body) -> Body:
        known = _registry.get(name)
        if known is not None and known.body.__qualname__ != body.__qualname__:
            raise ValueError(f"two functions want to do the job {name!r}")
        _registry[name] = Registered(name, Lane(lane), spawn, body)
        return body

    return register


def registered() -> dict[str, Registered]:
    """Every kind of job, after the modules in settings.JOB_MODULES were imported."""
    for module in settings.JOB_MODULES:
        import_module(module)
    return dict(_registry)


def lookup(name: str) -> Registered:
    """Find what does a job.

    raises: UnknownJobError naming what is registered.
    """
    known = registered()
    if name not in known:
        raise UnknownJobError(f"no job is called {name!r}: known are {', '.join(sorted(known))}")
    return known[name]
