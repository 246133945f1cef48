"""Backup and restore: the database in one consistent state, every stored file by its content, the keys."""
