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
# Both readers adjudicate; the one who read the case never judges it, and is not told that it is in dispute.
ADJUDICATOR_WHO_DID_NOT_READ = "401 404 404 404 200 403 403"
OWNER_JSON = "401 404 404 200 404 404 404"

STAFF_AND_ADMIN_JSON = "401 404 404 403 403 200 200"
STAFF_ASKS_JSON = "401 404 404 403 403 202 403"
PROJECT_ADMIN_JSON = "401 404 404 403 403 403 200"
ADMIN_JSON = "401 403 403 403 403 403 200"
# The password was typed too long ago here: nobody gets there.
CONFIRMED_JSON = "401 403 403 403 403 403 403"

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
    ("POST", f"{API}projects"): "401 403 403 403 403 403 201",
    ("GET", f"{API}templates"): SIGNED_IN_JSON,
    ("GET", f"{API}protocol-schema"): SIGNED_IN_JSON,
    ("PATCH", f"{API}projects/<project_id>"): PROJECT_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/datasets"): PROJECT_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/images"): "401 404 404 403 403 403 422",
    ("GET", f"{API}projects/<project_id>/protocol"): PROJECT_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/protocol"): PROJECT_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/protocol/versions"): PROJECT_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/protocol/check"): PROJECT_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/hanging"): PROJECT_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/hanging"): PROJECT_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/leases"): READERS_JSON,
    ("GET", f"{API}projects/<project_id>/readers"): STAFF_AND_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/readers/<person_id>"): PROJECT_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/skills"): PROJECT_ADMIN_JSON,
    ("GET", f"{API}timesheet"): ADMIN_JSON,
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
    ("POST", f"{API}projects/<project_id>/models/<model_id>/exports"): "401 404 404 403 403 403 403",
    ("GET", f"{API}exports/<export_id>"): "401 404 404 403 403 200 200",
    ("GET", f"{API}exports/<export_id>/file"): "401 404 404 403 403 403 403",
    ("GET", f"{API}projects/<project_id>/models"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/models/<model_id>"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/comparison"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/comparison"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/models/<model_id>/mistakes"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/models/<model_id>/rereadings"): "401 404 404 403 403 200 403",
    ("GET", f"{API}projects/<project_id>/encoders"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/encoders"): "401 404 404 403 403 403 403",
    ("GET", f"{API}projects/<project_id>/sharing"): STAFF_AND_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/sharing"): "401 404 404 403 403 200 403",
    ("GET", f"{API}projects/<project_id>/promotions"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/promotions"): "401 404 404 403 403 403 403",
    ("GET", f"{API}projects/<project_id>/runs"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/runs"): "401 404 404 403 403 422 403",
    ("GET", f"{API}projects/<project_id>/runs/<run_id>"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/runs/<run_id>/log"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/runs/<run_id>/cancellation"): "401 404 404 403 403 200 403",
    ("POST", f"{API}projects/<project_id>/runs/<run_id>/resumption"): "401 404 404 403 403 422 403",
    ("GET", f"{API}projects/<project_id>/policy"): STAFF_AND_ADMIN_JSON,
    ("PATCH", f"{API}projects/<project_id>/policy"): "401 404 404 403 403 200 403",
    ("POST", f"{API}projects/<project_id>/refits"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/learning"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/curve"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/advice"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/drift"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/drift"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/replays"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/replays"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/maps"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/maps"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/maps/<method>/points"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/label-checks"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/label-checks"): STAFF_ASKS_JSON,
    ("GET", f"{API}projects/<project_id>/anchoring"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/batches"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/batches"): "401 404 404 403 403 201 403",
    ("POST", f"{API}projects/<project_id>/batches/<batch_id>/withdrawal"): "401 404 404 403 403 200 403",
    ("GET", f"{API}projects/<project_id>/searches"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/searches"): "401 404 404 403 403 422 403",
    ("GET", f"{API}projects/<project_id>/searches/<search_id>"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/cases"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/split"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/split"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/duplicates"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/duplicates"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/agreement"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/agreement"): "401 404 404 403 403 202 403",
    ("GET", f"{API}projects/<project_id>/coverage"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/gold"): STAFF_AND_ADMIN_JSON,
    ("POST", f"{API}projects/<project_id>/gold"): STAFF_AND_ADMIN_JSON,
    ("DELETE", f"{API}projects/<project_id>/gold/<number>"): "401 404 404 403 403 204 204",
    ("POST", f"{API}projects/<project_id>/qualifications/<person_id>"): STAFF_AND_ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/disputes"): READERS_JSON,
    ("GET", f"{API}disputes/<dispute_id>"): ADJUDICATOR_WHO_DID_NOT_READ,
    ("GET", f"{API}disputes/<dispute_id>/answers"): ADJUDICATOR_WHO_DID_NOT_READ,
    ("POST", f"{API}disputes/<dispute_id>/decisions"): ADJUDICATOR_WHO_DID_NOT_READ,
    ("POST", f"{API}disputes/<dispute_id>/returns"): ADJUDICATOR_WHO_DID_NOT_READ,
    ("POST", f"{API}disputes/<dispute_id>/suggestion"): ADJUDICATOR_WHO_DID_NOT_READ,
    ("GET", f"{API}people"): ADMIN_JSON,
    ("POST", f"{API}people"): CONFIRMED_JSON,
    ("GET", f"{API}people/<person_id>"): ADMIN_JSON,
    ("PATCH", f"{API}people/<person_id>"): CONFIRMED_JSON,
    ("POST", f"{API}people/<person_id>/link"): CONFIRMED_JSON,
    ("DELETE", f"{API}people/<person_id>/sessions"): ADMIN_JSON,
    ("DELETE", f"{API}people/<person_id>/factors"): CONFIRMED_JSON,
    ("DELETE", f"{API}people/<person_id>/locks"): "401 403 403 403 403 403 204",
    ("PUT", f"{API}people/<person_id>/memberships/<project_id>"): CONFIRMED_JSON,
    ("DELETE", f"{API}people/<person_id>/memberships/<project_id>"): CONFIRMED_JSON,
    ("GET", f"{API}people/<person_id>/tokens"): ADMIN_JSON,
    ("GET", f"{API}tokens"): SIGNED_IN_JSON,
    ("POST", f"{API}tokens"): CONFIRMED_JSON,
    ("DELETE", f"{API}tokens/<token_id>"): "401 404 404 204 404 404 204",
    ("GET", f"{API}jobs"): "401 403 200 403 403 200 200",
    ("GET", f"{API}jobs/<job_id>"): "401 403 404 403 403 200 200",
    ("POST", f"{API}jobs/<job_id>/cancel"): "401 403 404 403 403 200 200",
    ("POST", f"{API}jobs/<job_id>/retry"): "401 403 404 403 403 422 422",
    ("GET", f"{API}health"): ADMIN_JSON,
    ("GET", f"{API}settings"): ADMIN_JSON,
    ("GET", f"{API}audit"): ADMIN_JSON,
    ("GET", f"{API}audit/check"): ADMIN_JSON,
    ("POST", f"{API}audit/check"): "401 403 403 403 403 403 202",
    ("GET", f"{API}audit/export"): CONFIRMED_JSON,
    ("GET", f"{API}webhooks"): ADMIN_JSON,
    ("POST", f"{API}webhooks"): CONFIRMED_JSON,
    ("PUT", f"{API}webhooks/<webhook_id>"): CONFIRMED_JSON,
    ("DELETE", f"{API}webhooks/<webhook_id>"): CONFIRMED_JSON,
    ("GET", f"{API}projects/<project_id>/imports"): PROJECT_ADMIN_JSON,
    ("GET", f"{API}imports/<import_id>"): ADMIN_JSON,
    ("GET", f"{API}imports/<import_id>/files"): ADMIN_JSON,
    ("GET", f"{API}projects/<project_id>/quarantine"): PROJECT_ADMIN_JSON,
    ("POST", f"{API}quarantine/<quarantined_id>/clear"): "401 403 403 403 403 403 422",
    ("POST", f"{API}quarantine/<quarantined_id>/discard"): ADMIN_JSON,
    ("POST", f"{API}quarantine/<quarantined_id>/return"): "401 403 403 403 403 403 422",
    ("GET", f"{API}projects/<project_id>/storage"): PROJECT_ADMIN_JSON,
    ("PUT", f"{API}projects/<project_id>/storage"): PROJECT_ADMIN_JSON,
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
    ("POST", "projects/new"): "302 403 403 403 403 403 422",
    ("GET", "projects/<project_id>/begin"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/begin"): "302 404 404 403 403 403 422",
    ("GET", "projects/<project_id>/begin/images"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/begin/take"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/begin/people"): "302 404 404 403 403 403 302",
    ("POST", "projects/<project_id>/begin/people"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/begin/state"): PROJECT_ADMIN,
    ("GET", "projects/<project_id>"): MEMBERS,
    ("GET", "projects/<project_id>/read"): READERS,
    ("GET", "projects/<project_id>/readers"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/readers/skills"): "302 404 404 403 403 403 302",
    ("GET", "projects/<project_id>/readers/<person_id>"): PROJECT_ADMIN,
    ("POST", "projects/<project_id>/readers/<person_id>"): "302 404 404 403 403 403 302",
    ("GET", "readers"): WITH_JOBS,
    ("GET", "readers/timesheet"): "302 403 403 403 403 403 404",
    ("GET", "projects/<project_id>/adjudication"): READERS,
    ("GET", "projects/<project_id>/adjudication/<dispute_id>"): "302 404 404 404 200 403 403",
    ("GET", "projects/<project_id>/adjudication/<dispute_id>/edit"): "302 404 404 404 200 403 403",
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
    ("GET", "projects/<project_id>/gold"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/gold/add"): "302 404 404 403 403 302 302",
    ("POST", "projects/<project_id>/gold/retire"): "302 404 404 403 403 302 302",
    ("POST", "projects/<project_id>/gold/readers/<person_id>"): "302 404 404 403 403 302 302",
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
    ("POST", "projects/<project_id>/learning/models/<model_id>/export"): "302 404 404 403 403 302 302",
    ("GET", "projects/<project_id>/learning/compare"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/compare/start"): STAFF_ACTS,
    ("GET", "projects/<project_id>/learning/errors"): STAFF_AND_ADMIN,
    ("POST", "projects/<project_id>/learning/errors/read"): STAFF_ACTS,
    ("GET", "projects/<project_id>/learning/runs"): STAFF_AND_ADMIN,
    ("GET", "projects/<project_id>/learning/runs/<job_id>"): "302 404 404 403 403 404 404",
    ("POST", "projects/<project_id>/learning/drift"): STAFF_ACTS,
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
    ("GET", "notifications"): SIGNED_IN,
    ("GET", "notifications/bell"): SIGNED_IN,
    ("POST", "notifications/read"): ELSEWHERE,
    ("GET", "notifications/settings"): SIGNED_IN,
    ("POST", "notifications/settings"): ELSEWHERE,
    ("POST", "notifications/<notice_id>"): "302 404 404 302 404 404 404",
    ("GET", f"{API}notifications"): SIGNED_IN_JSON,
    ("POST", f"{API}notifications/read"): SIGNED_IN_JSON,
    ("GET", f"{API}notifications/settings"): SIGNED_IN_JSON,
    ("PUT", f"{API}notifications/settings"): SIGNED_IN_JSON,
    ("GET", "settings"): ADMIN,
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


QUESTION = {
    "key": "finding",
    "kind": "single",
    "prompt": "What do you see?",
    "choices": [{"value": "normal", "label": "Normal"}, {"value": "other", "label": "Other"}],
}
BODIES: dict[tuple[str, str], Callable[[World], dict[str, Any]]] = {
    ("POST", f"{API}projects"): lambda _world: {"name": "Begun by program", "template": "chest_xray"},
    ("PATCH", f"{API}projects/<project_id>"): lambda _world: {"name": "Another name"},
    ("POST", f"{API}projects/<project_id>/images"): lambda _world: {"dataset": None},
    ("PUT", f"{API}projects/<project_id>/protocol"): lambda _world: {
        "base_version": 1,
        "questions": [QUESTION],
    },
    ("POST", f"{API}projects/<project_id>/protocol/check"): lambda _world: {"questions": [QUESTION]},
    ("PUT", f"{API}projects/<project_id>/hanging"): lambda _world: {"rules": []},
    ("POST", f"{API}people"): lambda _world: {"username": "k.new"},
    ("PUT", f"{API}people/<person_id>/memberships/<project_id>"): lambda _world: {"role": "reader"},
    ("POST", f"{API}tokens"): lambda _world: {"name": "viewer", "scopes": ["export"], "days": 7},
    ("POST", f"{API}webhooks"): lambda _world: {"name": "x", "url": "https://x.example", "actions": ["*"]},
    ("PUT", f"{API}webhooks/<webhook_id>"): lambda _world: {
        "name": "x",
        "url": "https://x.example",
        "actions": ["*"],
    },
    ("PUT", f"{API}cases/<case_id>/draft"): lambda world: (
        lease(world) | {"version": 1, "answers": {}, "seconds": 1.0}
    ),
    ("POST", f"{API}cases/<case_id>/readings"): lambda world: lease(world) | answers(world),
    ("POST", f"{API}cases/<case_id>/skips"): lambda world: lease(world) | key() | {"reason": "quality"},
    ("POST", f"{API}projects/<project_id>/exports"): lambda _world: {"format": "csv"},
    ("POST", f"{API}projects/<project_id>/models/<model_id>/exports"): lambda _world: {
        "format": "model-onnx"
    },
    ("POST", f"{API}projects/<project_id>/batches"): lambda _world: {"numbers": [6], "again": True},
    ("PUT", f"{API}projects/<project_id>/sharing"): lambda _world: {"share_labels": True},
    ("POST", f"{API}projects/<project_id>/split"): nothing,
    ("POST", f"{API}projects/<project_id>/comparison"): lambda _world: {"numbers": [1]},
    ("POST", f"{API}projects/<project_id>/models/<model_id>/rereadings"): lambda world: {
        "numbers": [world.ids["mistaken_number"]]
    },
    ("POST", f"{API}projects/<project_id>/promotions"): lambda _world: {"encoder": None},
    ("PATCH", f"{API}projects/<project_id>/policy"): lambda _world: {"batch_size": 12},
    ("POST", f"{API}projects/<project_id>/replays"): lambda _world: {"strategies": ["random"]},
    ("POST", f"{API}projects/<project_id>/gold"): lambda world: {"numbers": [world.ids["number"]]},
    ("POST", f"{API}projects/<project_id>/qualifications/<person_id>"): lambda _world: {"act": "grant"},
    ("POST", "projects/<project_id>/gold/readers/<person_id>"): lambda _world: {"act": "grant"},
    ("POST", f"{API}projects/<project_id>/duplicates"): nothing,
    ("PUT", f"{API}preferences"): lambda _world: {"language": "en", "keys": {}},
    ("POST", f"{API}cases/<case_id>/remarks"): lambda _world: key() | {"kind": "comment", "text": "blurred"},
    ("POST", f"{API}remarks/<remark_id>/reply"): lambda _world: {"text": "yes"},
    ("POST", f"{API}disputes/<dispute_id>/decisions"): lambda _world: (
        key() | {"base_version": 1, "take": {"finding": "A"}}
    ),
    ("POST", f"{API}disputes/<dispute_id>/returns"): lambda _world: (
        key() | {"base_version": 1, "comment": "Look at the left base."}
    ),
    ("POST", f"{API}readings/<reading_id>/revisions"): lambda world: answers(world) | {"base_revision": 1},
    ("POST", "people/<person_id>/membership"): lambda world: {
        "project": str(world.ids["project_id"]),
        "role": "reader",
    },
}
