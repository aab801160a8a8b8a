"""An index over whose an appearance is and how sure that is: a review counts both for thousands of people at once."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The index over the identity alone is a part of it."""
    op.drop_index("ix_assignments_identity", "assignments")
    op.create_index("ix_assignments_identity", "assignments", ["identity", "certainty"])
