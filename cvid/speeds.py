"""How closely footage is looked at: what each speed sets, where the user has not set it singly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPEEDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "skim": {
        "selection": {
            "decode": "key",
            "span_s": 240.0,
            "min_gap_s": 1.0,
            "floor_s": 4.0,
            "flow_gap_s": 0.0,
            "cut_rise": 0.0,
        },
        "tracking": {"max_gap_s": 12.0},
        "faces": {"exemplars": 3},
    },
    "balanced": {},
    "thorough": {
        "selection": {
            "decode": "all",
            "min_gap_s": 0.16,
            "floor_s": 0.5,
            "flow_gap_s": 0.0,
            "motion": 0.01,
            "same_s": 0.0,
        },
    },
}
"""Speed → section → setting → value, the fastest first. Balanced is the settings' own defaults."""


def at_least(speed: str) -> list[str]:
    """The speeds that look as closely as this one, or more so."""
    names = list(SPEEDS)
    return names[names.index(speed) :]


def under(chosen: Mapping[str, Any], speed: str) -> dict[str, Any]:
    """Settings as a tree, with what the speed sets beneath what was chosen singly."""
    tree = dict(chosen)
    for section, values in SPEEDS[speed].items():
        tree[section] = {**values, **tree.get(section, {})}
    return tree
