"""The first layout: footage, tracks, identities and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of an empty catalogue."""
    op.create_table("meta", sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.JSON, nullable=False))
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("started_utc", sa.Text, nullable=False),
        sa.Column("finished_utc", sa.Text),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("providers", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_table(
        "roots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.LargeBinary, nullable=False, unique=True),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("root_id", sa.Integer, sa.ForeignKey("roots.id"), nullable=False),
        sa.Column("path", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("inode", sa.BigInteger, nullable=False),
        sa.Column("missing", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("root_id", "path", "sha256"),
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])
    op.create_table(
        "videos",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("rate_numerator", sa.BigInteger, nullable=False),
        sa.Column("rate_denominator", sa.BigInteger, nullable=False),
        sa.Column("codec", sa.Text, nullable=False),
        sa.Column("rotation_deg", sa.Integer, nullable=False),
        sa.Column("decoded", sa.Integer, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("damage", sa.Text, nullable=False),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, sa.ForeignKey("videos.sha256", ondelete="CASCADE"), nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("best_s", sa.Float, nullable=False),
        sa.Column("x1", sa.Float, nullable=False),
        sa.Column("y1", sa.Float, nullable=False),
        sa.Column("x2", sa.Float, nullable=False),
        sa.Column("y2", sa.Float, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
    )
    op.create_index("ix_tracks_sha256", "tracks", ["sha256"])
    op.create_table("trails", _track(), sa.Column("data", sa.LargeBinary, nullable=False))
    op.create_table(
        "vectors",
        _track(),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("template", sa.LargeBinary, nullable=False),
        sa.Column("exemplars", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "crops",
        _track(),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("points", sa.LargeBinary, nullable=False),
        sa.Column("scale", sa.Float, nullable=False),
        sa.Column("quality", sa.Float, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pictures",
        _track(),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("time_s", sa.Float, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_table(
        "assignments",
        _track(),
        sa.Column("identity", sa.Text, sa.ForeignKey("identities.id")),
        sa.Column("similarity", sa.Float),
        sa.Column("margin", sa.Float),
        sa.Column("support", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_assignments_identity", "assignments", ["identity"])


def _track() -> sa.Column[str]:
    return sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True)
