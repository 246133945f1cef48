"""Wildcards of DICOM matching (PS3.4 C.2.2.2.4) in the database: * is any text, ? one character."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup
from django.db.models.sql.compiler import SQLCompiler


@CharField.register_lookup
class Wildcard(Lookup):
    """Case counts, on both databases: GLOB on SQLite, LIKE on PostgreSQL."""

    lookup_name = "wildcard"
    prepare_rhs = False

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_more: object
    ) -> tuple[str, tuple[str | int, ...]]:
        """GLOB's wildcards are DICOM's; a bracket would begin a set."""
        column, values = self.process_lhs(compiler, connection)
        return f"{column} GLOB %s", (*values, str(self.rhs).replace("[", "[[]"))

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        """LIKE, with its own wildcards taken literally."""
        column, values = self.process_lhs(compiler, connection)
        literal = str(self.rhs).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{column} LIKE %s", (*values, literal.replace("*", "%").replace("?", "_"))
