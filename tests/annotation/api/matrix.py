"""Who may do what: one row a verb and route, one status a kind of person. A new route gets its rows here.

The columns, in this order:
anonymous     nobody is signed in
stranger      a reader of another project
foreign staff ML staff of another project
reader        a reader of the project, who holds the lease and wrote the reading that the addresses name
colleague     another reader of the project
staff         ML staff of the project
admin         an administrator who is no member
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.annotation.api.world import World

COLUMNS = ("anonymous", "stranger", "foreign_staff", "reader", "colleague", "staff", "admin")

PUBLIC = "200 200 200 200 200 200 200"
NOWHERE = "404 404 404 404 404 404 404"
SIGNED_IN_JSON = "401 200 200 200 200 200 200"
MEMBERS_JSON = "401 404 404 200 200 200 200"
READERS_JSON = "401 404 404 200 200 403 403"
HOLDER_OF_A_CASE = "401 404 404 200 404 403 403"
OWNER_JSON = "401 404 404 200 404 404 404"

STAFF_AND_ADMIN_JSON = "401 404 404 403 403 200 200"

SIGNED_IN = "302 200 200 200 200 200 200"
# To sign-in, home, or to the password first: nobody gets there by the address alone.
ELSEWHERE = "302 302 302 302 302 302 302"
MEMBERS = "302 404 404 200 200 200 200"
READERS = "302 404 404 200 200 403 403"
STAFF_AND_ADMIN = "302 404 404 403 403 200 200"
STAFF_ACTS = "302 404 404 403 403 302 403"
PROJECT_ADMIN = "302 404 404 403 403 403 200"
ADMIN = "302 403 403 403 403 403 200"
ADMIN_ACTS = "302 403 403 403 403 403 302"
WITH_JOBS = "302 403 200 403 403 200 200"
OWN_JOB = "302 403 404 403 403 200 200"
OWN_JOB_ACTS = "302 403 404 403 403 302 302"

API = "api/v1/"
DICOMWEB = "api/dicomweb/projects/<project_id>/"
STUDY = f"{DICOMWEB}studies/<study_uid>"
SERIES = f"{STUDY}/series/<series_uid>"
INSTANCE = f"{SERIES}/instances/<sop_uid>"
FRAMES = f"{INSTANCE}/frames/<numbers>"
# An administrator's body is no DICOM here: 415.
ADMIN_STORES = "401 404 404 403 403 403 415"
READ_OVER_DICOMWEB = (
    *(f"{DICOMWEB}{level}" for level in ("studies", "series", "instances")),
    *(STUDY, f"{STUDY}/series", f"{STUDY}/instances", SERIES, f"{SERIES}/instances", INSTANCE, FRAMES),
    *(f"{one}/metadata" for one in (STUDY, SERIES, INSTANCE)),
    *(f"{one}/rendered" for one in (STUDY, SERIES, INSTANCE, FRAMES)),
    *(f"{one}/thumbnail" for one in (STUDY, SERIES, INSTANCE, FRAMES)),
    f"{INSTANCE}/bulkdata/<path>",
)
MATRIX: dict[tuple[str, str], str] = {
    **{("GET", route): MEMBERS_JSON for route in READ_OVER_DICOMWEB},
    ("POST", f"{DICOMWEB}studies"): ADMIN_STORES,
    ("POST", STUDY): ADMIN_STORES,
    ("GET", DICOMWEB): NOWHERE,
    ("GET", f"{API}session"): SIGNED_IN_JSON,
    ("GET", f"{API}preferences"): SIGNED_IN_JSON,
    ("PUT", f"{API}preferences"): SIGNED_IN_JSON,
    ("GET", f"{API}projects"): SIGNED_IN_JSON,
    ("POST", f"{API}projects/<project_id>/leases"): READERS_JSON,
    ("POST", f"{API}leases/<lease_id>/renewal"): OWNER_JSON,
    ("DELETE", f"{API}leases/<lease_id>"): "401 404 404 204 404 404 404",
    ("PUT", f"{API}cases/<case_id>/draft"): HOLDER_OF_A_CASE,
    ("POST", f"{API}cases/<case_id>/readings"): HOLDER_OF_A_CASE,
    ("POST", f"{API}cases/<case_id>/skips"): HOLDER_OF_A_CASE,
    ("GET", f"{API}projects/<project_id>/readings/last"): OWNER_JSON,
    ("GET", f"{API}projects/<project_id>/readings/mine"): "401 404 404 200 200 200 200",
    ("GET", f"{API}readings/<reading_id>"): OWNER_JSON,
    ("POST", f"{API}readings/<reading_id>/revisions"): OWNER_JSON,
    ("POST", f"{API}cases/<case_id>/remarks"): HOLDER_OF_A_CASE,
    ("GET", f"{API}projects/<project_id>/remarks"): READERS_JSON,
    ("GET", f"{API}remarks/<remark_id>"): "401 404 404 200 200 404 404",
    ("POST", f"{API}remarks/<remark_id>/reply"): OWNER_JSON,
    ("GET", f"{API}cases/<case_id>/instances/<sop_uid>/frames/<n>"): MEMBERS_JSON,
    ("GET", f"{API}cases/<case_id>/thumbnail"): MEMBERS_JSON,
    ("GET", f"{API}cases/<case_id>/hanging"): MEMBERS_JSON,
    ("GET", f"{API}exports/projects"): SIGNED_IN_JSON,
    ("GET", f"{API}projects/<project_id>/snapshots"): "401 404 404 403 403 200 200",
    ("POST", f"{API}projects/<project_id>/exports"): "401 404 404 403 403 403 403",
    ("GET", f"{API}exports/<export_id>"): "401 404 404 403 403 200 200",
    ("GET", f"{API}exports/<export_id>/file"): "401 404 404 403 403 403 403",
    ("GET", f"{API}projects/<project_id>/cases"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/split"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/split"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/duplicates"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/duplicates"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/agreement"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/agreement"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/coverage"): STAFF_AND_ADMIN_JSON,
    ("GET", API): NOWHERE,
    ("GET", ""): SIGNED_IN,
    ("GET", "sign-in"): "200 302 302 302 302 302 302",
    ("POST", "sign-in"): "200 302 302 302 302 302 302",
    ("POST", "sign-out"): "302 302 302 302 302 302 302",
    ("GET", "sign-in/second"): ELSEWHERE,
    ("POST", "sign-in/second"): ELSEWHERE,
    ("POST", "sign-in/key"): ELSEWHERE,
    ("GET", "sign-in/provider"): NOWHERE,
    ("GET", "sign-in/provider/answer"): NOWHERE,
    ("POST", "account/provider"): ELSEWHERE,
    ("POST", "account/provider/remove"): ELSEWHERE,
    ("GET", "account"): SIGNED_IN,
    ("GET", "account/password"): ELSEWHERE,
    ("POST", "account/password"): ELSEWHERE,
    ("GET", "account/app"): ELSEWHERE,
    ("POST", "account/app"): ELSEWHERE,
    ("POST", "account/app/remove"): ELSEWHERE,
    ("GET", "account/key"): ELSEWHERE,
    ("POST", "account/key"): ELSEWHERE,
    ("POST", "account/keys/<key_id>/remove"): ELSEWHERE,
    ("POST", "account/codes"): ELSEWHERE,
    ("GET", "confirm"): SIGNED_IN,
    ("POST", "confirm"): SIGNED_IN,
    ("POST", "language"): "302 302 302 302 302 302 302",
    ("GET", "projects/new"): ADMIN,
    ("POST", "projects/new"): ADMIN,
    ("GET", "projects/<project_id>"): MEMBERS,
    ("GET", "projects/<project_id>/read"): READERS,
    ("GET", "projects/<project_id>/protocol"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/protocol"): "302 404 404 403 403 403 422",
    ("POST", "projects/<project_id>/protocol/check"): PROJECT_ADMIN,
    ("GET", "protocol/schema"): SIGNED_IN,
    ("GET", "projects/<project_id>/hanging"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/hanging"): "302 404 404 403 403 403 422",
    ("GET", "projects/<project_id>/learning"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/events"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/retrain"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/policy"): "302 404 404 403 403 422 403",
    ("GET", "projects/<project_id>/learning/replay"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/replay/ask"): "302 404 404 403 403 422 403",
    ("GET", "projects/<project_id>/learning/anchoring"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/agreement"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/labels"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/labels/check"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/labels/read"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/agreement/measure"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/agreement/read"): STAFF_ACTS,
    ("GET", "projects/<project_id>/learning/map"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/map/draw"): STAFF_ACTS,
    ("GET", "projects/<project_id>/learning/map/points"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/similar"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/similar/start"): STAFF_ACTS,
    ("GET", "projects/<project_id>/learning/similar/<search_id>"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/batches"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/batches/<batch_id>/withdraw"): STAFF_ACTS,
    ("GET", "projects/<project_id>/cases/<number>"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/models"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/models/<model_id>"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/train"): "302 404 404 403 403 422 403",
    ("POST", "projects/<project_id>/learning/pretrain"): "302 404 404 403 403 422 403",
    ("POST", "projects/<project_id>/learning/sharing"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/rollback"): STAFF_ACTS,
    ("POST", "projects/<project_id>/learning/encoders"): "302 404 404 403 403 422 403",
    ("POST", "projects/<project_id>/learning/encoders/<encoder_id>"): STAFF_ACTS,
    ("GET", "projects/<project_id>/data"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/data/studies/<study_id>"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/data/studies/<study_id>/originals/<instance_id>"): (
        "302 404 404 403 403 403 302"
    ),
    ("GET", "projects/<project_id>/data/split"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/data/split/place"): "302 404 404 403 403 422 403",
    ("GET", "projects/<project_id>/data/duplicates"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/data/duplicates/search"): STAFF_ACTS,
    ("POST", "projects/<project_id>/data/duplicates/read"): STAFF_ACTS,
    ("GET", "projects/<project_id>/data/coverage"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/data/coverage/table"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/data/sites/<import_id>"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/exports"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/exports/start"): "302 404 404 403 403 302 302",
    ("GET", "projects/<project_id>/exports/<export_id>/file"): "302 404 404 403 403 302 302",
    ("GET", "projects/<project_id>/exports/<export_id>/sendings"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/exports/<export_id>/send"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/labels"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/labels/start"): "302 404 404 403 403 422 422",
    ("GET", "projects/<project_id>/labels/<label_import_id>"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/labels/<label_import_id>/agree"): "302 404 404 403 403 302 302",
    ("POST", "projects/<project_id>/labels/<label_import_id>/discard"): "302 404 404 403 403 302 302",
    ("GET", "projects/<project_id>/labels/<label_import_id>/table"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/import"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/import/announce"): "302 404 404 403 403 403 422",
    ("GET", "projects/<project_id>/pull"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/pull/search"): "302 404 404 403 403 403 422",
    ("POST", "projects/<project_id>/pull/start"): "302 404 404 403 403 403 422",
    ("GET", "projects/<project_id>/quarantine"): PROJECT_ADMIN,
    ("GET", "projects/<project_id>/deidentification"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/deidentification"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/deidentification/try"): "302 404 404 403 403 403 422",
    ("POST", "projects/<project_id>/originals"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/originals/remove"): "302 404 404 403 403 403 302",
    ("GET", "imports/<import_id>"): ADMIN,
    ("GET", "imports/<import_id>/certificate"): ADMIN,
    ("PUT", "imports/<import_id>/pieces"): "302 403 403 403 403 403 404",
    ("POST", "imports/<import_id>/start"): "302 403 403 403 403 403 404",
    ("GET", "imports/<import_id>/table"): ADMIN,
    ("GET", "quarantine/<quarantined_id>/preview"): ADMIN,
    ("POST", "quarantine/<quarantined_id>/clear"): ADMIN_ACTS,
    ("POST", "quarantine/<quarantined_id>/discard"): ADMIN_ACTS,
    ("POST", "quarantine/<quarantined_id>/return"): ADMIN_ACTS,
    ("GET", "projects/<project_id>/storage"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/storage/quota"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/delete"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/cases/<number>/delete"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/erasure"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/erasure"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/erasure/start"): "302 404 404 403 403 403 302",
    ("GET", "erasures/<erasure_id>/certificate"): ADMIN,
    ("GET", "deleted"): ADMIN,
    ("POST", "deleted/<deletion_id>/return"): ADMIN_ACTS,
    ("GET", "jobs"): WITH_JOBS,
    ("GET", "jobs/<job_id>"): OWN_JOB,
    ("POST", "jobs/<job_id>/cancel"): OWN_JOB_ACTS,
    ("POST", "jobs/<job_id>/retry"): OWN_JOB_ACTS,
    ("GET", "tokens"): SIGNED_IN,
    ("POST", "tokens/new"): "302 302 302 302 302 302 302",
    ("POST", "tokens/<token_id>/revoke"): "302 404 404 302 404 404 302",
    ("GET", "peers"): ADMIN,
    ("GET", "peers/new"): ADMIN_ACTS,
    ("POST", "peers/new"): ADMIN_ACTS,
    ("GET", "peers/<peer_id>"): ADMIN_ACTS,
    ("POST", "peers/<peer_id>"): ADMIN_ACTS,
    ("POST", "peers/<peer_id>/check"): ADMIN_ACTS,
    ("POST", "peers/<peer_id>/remove"): ADMIN_ACTS,
    ("GET", "people"): ADMIN,
    ("GET", "people/new"): ADMIN_ACTS,
    ("POST", "people/new"): ADMIN_ACTS,
    ("GET", "people/<person_id>"): ADMIN,
    ("POST", "people/<person_id>/membership"): ADMIN_ACTS,
    ("POST", "people/<person_id>/activity"): ADMIN_ACTS,
    ("POST", "people/<person_id>/admin"): ADMIN_ACTS,
    ("POST", "people/<person_id>/link"): ADMIN_ACTS,
    ("POST", "people/<person_id>/sessions"): ADMIN_ACTS,
    ("POST", "people/<person_id>/factors"): ADMIN_ACTS,
    ("POST", "people/<person_id>/unlock"): ADMIN_ACTS,
    ("GET", "invitation/<key>"): PUBLIC,
    ("POST", "invitation/<key>"): "422 422 422 422 422 422 422",
    ("GET", "health"): ADMIN,
    ("GET", "health/workers"): ADMIN,
    ("GET", "alive"): PUBLIC,
    ("GET", "metrics"): "401 401 401 401 401 401 401",
    ("GET", "audit"): ADMIN,
    ("GET", "webhooks"): ADMIN,
    ("GET", "webhooks/new"): ADMIN_ACTS,
    ("POST", "webhooks/new"): ADMIN_ACTS,
    ("GET", "webhooks/<webhook_id>"): ADMIN_ACTS,
    ("POST", "webhooks/<webhook_id>"): ADMIN_ACTS,
    ("POST", "webhooks/<webhook_id>/try"): ADMIN_ACTS,
    ("POST", "webhooks/<webhook_id>/remove"): ADMIN_ACTS,
    ("POST", "audit/verify"): ADMIN_ACTS,
    ("GET", "audit/export"): ADMIN_ACTS,
}


def answers(world: World) -> dict[str, Any]:
    """What every reading and revision says."""
    return {"answers": {"finding": "normal"}, "seconds": 1.0, "protocol_version": 1} | key()


def key() -> dict[str, Any]:
    return {"idempotency_key": str(uuid4())}


def lease(world: World) -> dict[str, Any]:
    return {"lease_id": str(world.ids["lease_id"])}


def nothing(_world: World) -> dict[str, Any]:
    return {}


BODIES: dict[tuple[str, str], Callable[[World], dict[str, Any]]] = {
    ("PUT", f"{API}cases/<case_id>/draft"): lambda world: (
        lease(world) | {"version": 1, "answers": {}, "seconds": 1.0}
    ),
    ("POST", f"{API}cases/<case_id>/readings"): lambda world: lease(world) | answers(world),
    ("POST", f"{API}cases/<case_id>/skips"): lambda world: lease(world) | key() | {"reason": "quality"},
    ("POST", f"{API}projects/<project_id>/exports"): lambda _world: {"format": "csv"},
    ("POST", f"{API}projects/<project_id>/split"): nothing,
    ("POST", f"{API}projects/<project_id>/duplicates"): nothing,
    ("PUT", f"{API}preferences"): lambda _world: {"language": "en", "keys": {}},
    ("POST", f"{API}cases/<case_id>/remarks"): lambda _world: key() | {"kind": "comment", "text": "blurred"},
    ("POST", f"{API}remarks/<remark_id>/reply"): lambda _world: {"text": "yes"},
    ("POST", f"{API}readings/<reading_id>/revisions"): lambda world: answers(world) | {"base_revision": 1},
    ("POST", "people/<person_id>/membership"): lambda world: {
        "project": str(world.ids["project_id"]),
        "role": "reader",
    },
}
