"""Named, ordered steps from one catalogue layout to the next, run by Alembic from `archive.migrate`."""
