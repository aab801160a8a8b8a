"""How closely each video was looked at, so that a closer look can follow a first one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the speed; everything before was looked at in the balanced way."""
    op.add_column("videos", sa.Column("speed", sa.Text, nullable=False, server_default="balanced"))
