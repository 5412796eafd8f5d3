"""Postgres: facts, content and verdicts. One `.sql` file is one statement and has one typed function here."""
