"""PostgreSQL beside what Django does with it."""
