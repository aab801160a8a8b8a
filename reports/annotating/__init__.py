"""Annotated videos: boxes, names and a timeline drawn into a copy of a video, or faces covered for good."""
