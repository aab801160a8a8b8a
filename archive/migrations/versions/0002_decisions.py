"""What humans decide, what they are best asked, and how sure each guess is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables of decisions, and the columns of certainty."""
    op.add_column("identities", sa.Column("tightness", sa.Float))
    op.add_column("assignments", sa.Column("certainty", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "doubts",
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, sa.ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
        sa.Column("other", sa.Text, sa.ForeignKey("identities.id", ondelete="CASCADE")),
        sa.Column("appearance", sa.Text, sa.ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("other_appearance", sa.Text, sa.ForeignKey("tracks.id", ondelete="CASCADE")),
        sa.Column("similarity", sa.Float, nullable=False),
        sa.Column("gain", sa.Float, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("utc", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "payloads",
        sa.Column("number", sa.Integer, sa.ForeignKey("decisions.number"), primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("start_s", "end_s", "time_s", "x1", "y1", "x2", "y2")),
    )
    op.create_index("ix_forgotten_sha256", "forgotten", ["sha256"])
