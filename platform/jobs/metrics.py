"""What Prometheus scrapes: counts and times alone. No label holds an id, an address, a name or a patient."""

import time
from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs import health

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

registry = CollectorRegistry()
requests = Counter(
    "fovea_http_requests", "Requests answered", ["route", "method", "status"], registry=registry
)
seconds = Histogram(
    "fovea_http_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
)


class Measured:
    """Count each request under its route as the code writes it: what stood in its place is not kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count."""
        began = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        count(route, method, response.status_code, time.perf_counter() - began)
        return response


def count(route: str, method: str, status: int, took: float) -> None:
    """Count one request that took so many seconds."""
    requests.labels(route, method, str(status)).inc()
    seconds.labels(route).observe(took)


class Machine(Collector):
    """Machine work, disk and database, read at each scrape."""

    def describe(self) -> Iterable[Metric]:
        """Name nothing ahead: the database is asked at a scrape, not when the code is loaded."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Give the gauges; three queries."""
        now, room = timezone.now(), health.disk()
        jobs = GaugeMetricFamily("fovea_jobs", "Jobs by lane; failed: in a day", labels=["lane", "state"])
        waits = GaugeMetricFamily("fovea_job_wait_seconds", "Age of the oldest waiting job", labels=["lane"])
        for lane in health.lanes(now):
            counts = {"waiting": lane.waiting, "running": lane.running, "failed": lane.failed_today}
            for state, count in counts.items():
                jobs.add_metric([lane.lane, state], count)
            waits.add_metric([lane.lane], lane.waits_seconds or 0)
        yield jobs
        yield waits
        told = health.database()
        for name, words, value in (
            ("fovea_messages_unsent", "Messages that the broker should have", health.unsent(now)),
            ("fovea_disk_free_bytes", "Free where the data directory lies", room.free),
            ("fovea_disk_bytes", "Size of that file system", room.total),
            ("fovea_database_bytes", "Size of the database", told.size),
            ("fovea_database_answer_seconds", "Time of a trivial query", told.answer_ms / 1000),
        ):
            yield GaugeMetricFamily(name, words, value=value)


registry.register(Machine())


def exposition() -> bytes:
    """Write everything in Prometheus' text format."""
    return generate_latest(registry)
