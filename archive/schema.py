"""The tables of the catalogue. A change here needs a migration beside it; a test compares the two.

A video's key is its sha256 and a track's is its appearance id, so that nothing depends on the order in which
workers finish. Everything that hangs on a video goes when the video goes.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class PathBytes(TypeDecorator[str]):
    """A path as the very bytes of the file system: names need not be UTF-8."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """On the way in."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """On the way out."""
        return None if value is None else os.fsdecode(value)


metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", JSON, nullable=False))
"""Facts of the archive as a whole: its models, the next identity's number, what was last clustered."""

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_utc", Text, nullable=False),
    Column("finished_utc", Text),
    Column("version", Text, nullable=False),
    Column("models", JSON, nullable=False),
    Column("providers", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("outcome", Text, nullable=False),
)

roots = Table(
    "roots", metadata, Column("id", Integer, primary_key=True), Column("path", PathBytes, nullable=False, unique=True)
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("path", PathBytes, nullable=False),  # relative to the root, with "/"
    Column("sha256", Text, nullable=False, index=True),  # empty where the file could not be read
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("missing", Boolean, nullable=False),
    Column("reason", Text, nullable=False),  # why it failed; empty where it did not
    UniqueConstraint("root_id", "path", "sha256"),
)

videos = Table(
    "videos",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("rate_numerator", BigInteger, nullable=False),
    Column("rate_denominator", BigInteger, nullable=False),
    Column("codec", Text, nullable=False),
    Column("rotation_deg", Integer, nullable=False),
    Column("decoded", Integer, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("damage", Text, nullable=False),  # why it was not read to its end; empty where it was
    Column("speed", Text, nullable=False, server_default="balanced"),  # how closely it was looked at, of cvid.speeds
)

tracks = Table(
    "tracks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Text, ForeignKey("videos.sha256", ondelete="CASCADE"), nullable=False, index=True),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("best_s", Float, nullable=False),
    Column("x1", Float, nullable=False),
    Column("y1", Float, nullable=False),
    Column("x2", Float, nullable=False),
    Column("y2", Float, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("quality", Float, nullable=False),
)


def _of_track(**options: Any) -> Column[Any]:
    return Column("track_id", Text, ForeignKey("tracks.id", ondelete="CASCADE"), **options)


trails = Table("trails", metadata, _of_track(primary_key=True), Column("data", LargeBinary, nullable=False))
"""Every face of a track, packed by `archive.packing`."""

vectors = Table(
    "vectors",
    metadata,
    _of_track(primary_key=True),
    Column("model", Text, primary_key=True),  # two only while an archive changes its models
    Column("count", Integer, nullable=False),
    Column("template", LargeBinary, nullable=False),  # float32 (d,)
    Column("exemplars", LargeBinary, nullable=False),  # float32 (count, d)
)

crops = Table(
    "crops",
    metadata,
    _of_track(primary_key=True),
    Column("rank", Integer, primary_key=True),  # the exemplar's
    Column("points", LargeBinary, nullable=False),  # box and landmarks, packed by `archive.packing`
    Column("scale", Float, nullable=False),
    Column("quality", Float, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)
"""The exemplars' faces, for models to come."""

pictures = Table(
    "pictures",
    metadata,
    _of_track(primary_key=True),
    Column("rank", Integer, primary_key=True),  # 0 is the best face
    Column("time_s", Float, nullable=False),
    Column("digest", Text, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tightness", Float),  # mean similarity between its appearances; none of a single one
)

assignments = Table(
    "assignments",
    metadata,
    _of_track(primary_key=True),
    Column("identity", Text, ForeignKey("identities.id")),
    Column("similarity", Float),
    Column("margin", Float),
    Column("support", Integer, nullable=False),
    Column("certainty", Text, nullable=False, server_default=""),  # confirmed, confident or doubtful
    Column("reason", Text, nullable=False),
    Index("ix_assignments_identity", "identity", "certainty"),
)

doubts = Table(
    "doubts",
    metadata,
    Column("rank", Integer, primary_key=True),  # what a human answer would settle most comes first
    Column("kind", Text, nullable=False),  # "same": are the two identities one? "member": does the appearance belong?
    Column("identity", Text, ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
    Column("other", Text, ForeignKey("identities.id", ondelete="CASCADE")),
    Column("appearance", Text, ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    Column("other_appearance", Text, ForeignKey("tracks.id", ondelete="CASCADE")),
    Column("similarity", Float, nullable=False),
    Column("gain", Float, nullable=False),  # how many pairs of appearances the answer is expected to set right
)
"""The questions that a human is best asked, renewed whenever people are sorted."""

decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("utc", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Integer, nullable=False),  # where it counts: its own number, or that of one it stands in for
    Column("digest", Text, nullable=False),  # of salt, origin and payload
    Column("chain", Text, nullable=False),  # of the row and the chain before it
    sqlite_autoincrement=True,
)
"""What humans said, never changed and never removed."""

payloads = Table(
    "payloads",
    metadata,
    Column("number", Integer, ForeignKey("decisions.number"), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("origin", Text, nullable=False),  # the file it was imported from, which may tell a name; or empty
    Column("data", Text, nullable=False),
)
"""The contents of decisions, beside them: `forget` empties it, and the chain still holds."""

forgotten = Table(
    "forgotten",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, nullable=False, index=True),
    *(Column(name, Float, nullable=False) for name in ("start_s", "end_s", "time_s", "x1", "y1", "x2", "y2")),
)
"""Where those were seen who were forgotten, so that no later look at the same footage finds them again."""
