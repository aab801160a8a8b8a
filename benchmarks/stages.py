#!/usr/bin/env python3
"""Where the time of an analysis goes, stage by stage, in one process with one thread.

    CVID_BENCH_DATA=… python benchmarks/stages.py VIDEO… [--models light] [--speed balanced]

Prints milliseconds of work (CPU time) per second of video: opening and decoding; looking at every frame for cuts and
motion; making the colour picture; finding faces; cutting out, judging and following them; describing them. Beside it
how many times faster than the video all that is, and what decoding alone by FFmpeg, every frame, comes to.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import av
from data import data_folder

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cvid.analyse as analysing
from cvid.frames import KEPT
from cvid.models.sets import choose_for
from cvid.settings import Settings
from cvid.settings_sources import load_settings

_WATCHED = ("FrameReader", "probe", "embed", "described", "look", "FrameSelector")
STAGES = ("decode", "select", "colour", "detect", "follow", "describe", "rest")


class Clock:
    """Adds up what each stage takes; a stage inside another one counts for itself alone."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inside: list[float] = []

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            begun = time.thread_time()
            self._inside.append(0.0)
            try:
                return function(*args, **named)
            finally:
                took = time.thread_time() - begun
                self.spent[stage] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        return run

    def stepped(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        """The items, each one's making counted."""
        step = self.timed(stage, iter(items).__next__)
        while True:
            try:
                item = step()
            except StopIteration:
                return
            yield item


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--models", default="light")
    parser.add_argument("--speed", default="balanced")
    a = parser.parse_args()
    data_folder()
    settings = load_settings(flags={"models": a.models, "speed": a.speed})
    parts = choose_for(settings).open()
    columns = "".join(f"{stage:>10}" for stage in STAGES)
    print(f"{'ms per video second':20}{columns}{'frames':>10}{'analysed':>10}{'× video':>10}{'decode ×':>10}")
    for video in a.videos:
        clock = Clock()
        analysis, took = watched(video, parts, settings, clock)
        seconds = max(analysis.duration_s, 1e-9)
        clock.spent["rest"] = took - sum(clock.spent.values())
        analysed = sum(analysis.counts.reasons[reason] for reason in KEPT)
        figures = "".join(f"{1000 * clock.spent[stage] / seconds:>10.1f}" for stage in STAGES)
        print(
            f"{video.stem:20}{figures}{analysis.counts.decoded:>10}{analysed:>10}{seconds / took:>10.1f}"
            f"{seconds / decoding(video):>10.1f}",
            flush=True,
        )


def watched(video: Path, parts: Any, settings: Settings, clock: Clock) -> tuple[Any, float]:
    """One analysis with its stages on the clock."""
    kept = {name: getattr(analysing, name) for name in _WATCHED}
    selector_type = kept["FrameSelector"]

    class Watched(selector_type):  # type: ignore[misc, valid-type]
        def select(self, frames: Any) -> Any:
            return clock.stepped("select", super().select(clock.stepped("decode", frames)))

    def look(frame: Any, detector: Any, expected: Any = None) -> Any:
        clock.timed("colour", lambda: frame.bgr)()
        return kept["look"](frame, detector, expected)

    class Detector:
        def __init__(self, inner: Any) -> None:
            self.inner = inner
            self.detect = clock.timed("detect", inner.detect)

    try:
        analysing.probe = clock.timed("decode", kept["probe"])
        analysing.FrameSelector = Watched
        analysing.embed = clock.timed("describe", kept["embed"])
        analysing.described = clock.timed("describe", kept["described"])
        analysing.look = clock.timed("follow", look)
        begun = time.thread_time()
        own = analysing.Parts(Detector(parts.detector), parts.embedder)  # type: ignore[arg-type]
        return analysing.analyse(video, "0" * 64, own, settings), time.thread_time() - begun
    finally:
        for name, value in kept.items():
            setattr(analysing, name, value)


def decoding(video: Path) -> float:
    """Seconds that FFmpeg takes to decode all of it with one thread."""
    begun = time.thread_time()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for _ in container.decode(stream):
            pass
    return time.thread_time() - begun


if __name__ == "__main__":
    main()
