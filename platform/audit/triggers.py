"""The database itself refuses to change or remove an audited event."""

from typing import Final

TABLE: Final = "audit_event"
REFUSAL: Final = "audit events are append-only"
VERBS: Final = ("UPDATE", "DELETE")

SQLITE_CREATE: Final = tuple(
    f"CREATE TRIGGER audit_event_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END;"
    for verb in VERBS
)
SQLITE_DROP: Final = tuple(f"DROP TRIGGER IF EXISTS audit_event_no_{verb.lower()};" for verb in VERBS)

POSTGRESQL_CREATE: Final = (
    (
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$;"
    ),
    (
        f"CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse();"
    ),
    (
        f"CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();"
    ),
)
POSTGRESQL_DROP: Final = (
    f"DROP TRIGGER IF EXISTS audit_event_no_change ON {TABLE};",
    f"DROP TRIGGER IF EXISTS audit_event_no_truncate ON {TABLE};",
)

CREATE: Final = {"sqlite": SQLITE_CREATE, "postgresql": POSTGRESQL_CREATE}
DROP: Final = {"sqlite": SQLITE_DROP, "postgresql": POSTGRESQL_DROP}
