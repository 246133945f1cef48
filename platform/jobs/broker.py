"""The one place that talks to the broker: a message carries a job's id and nothing else."""

import logging
import uuid
from typing import Final

from celery import current_app
from kombu import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from jobs.rules import BROKER_PATIENCE_SECONDS

log = logging.getLogger(__name__)

# Without these kombu would wait for a broker that is down for ever, inside a reader's request.
IMPATIENT: Final = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "socket_timeout": BROKER_PATIENCE_SECONDS,
    "socket_connect_timeout": BROKER_PATIENCE_SECONDS,
    "retry_on_timeout": False,
}


def send(lane: str, job_id: uuid.UUID) -> bool:
    """Send one message to a lane's queue; False, and a line in the log, when the broker cannot be reached."""
    try:
        with connection() as broker:
            current_app.send_task(
                f"fovea.{lane}", args=[str(job_id)], queue=lane, connection=broker, retry=False
            )
    except (OSError, KombuError, RedisError) as error:
        log.warning(
            "the broker cannot be reached (%s): job %s waits for the sweep", type(error).__name__, job_id
        )
        return False
    return True


def connection() -> Connection:
    """Make a connection of its own for one message: no pool is shared with threads or forked children."""
    options = {**current_app.conf.broker_transport_options, **IMPATIENT}
    return current_app.connection_for_write(transport_options=options)
