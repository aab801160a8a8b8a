"""Review by prompts alone, line by line: for screen readers, pipes and the smallest screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from archive import queries
from archive.folders import face_file
from cvid.errors import UnknownName
from reports.names import printable
from reports.review.player import open_at, opened
from reports.review.questions import NAME, ODD, Question
from reports.review.session import ReviewSession
from reports.review.wording import evidence, how_far, sentence
from reports.wording import clock

_KEYS = {
    "y": "yes",
    "n": "no",
    "s": "skip, ask later",
    "u": "undo the last answer",
    "o": "open the face in a picture viewer: o 1",
    "v": "play the video at that second: v 1",
    "h": "this help",
    "q": "stop; everything said is kept",
}


def review_plain(session: ReviewSession, say: Callable[[str], None], ask: Callable[[str], str]) -> None:
    """Ask until nothing is left or the human stops.

    Args:
        say: shows a line.
        ask: shows a prompt and returns what was typed; EOFError and KeyboardInterrupt stop.
    """
    say("Answers are kept at once. h shows the keys.")
    try:
        while True:
            question = session.question()
            if question is None and not session.clerk.idle:
                session.wait()
                continue
            for line in session.news():
                say(printable(line))
            if question is None:
                say("Nothing is left to ask.")
                return
            if not _put(session, question, say, ask):
                break
    except (EOFError, KeyboardInterrupt):
        say("")
    session.wait()
    for line in session.news():
        say(printable(line))
    say(how_far(session.progress()))


def _put(session: ReviewSession, question: Question, say: Callable[[str], None], ask: Callable[[str], str]) -> bool:
    """Put one question until it is answered; False to stop."""
    names = session.catalogue.names()
    faces = [*question.faces, *question.other_faces] if question.kind != ODD else list(question.faces)
    say("")
    say(f"{sentence(question, names)} ({', '.join(filter(None, (evidence(question), how_far(session.progress()))))})")
    for number, face in enumerate(faces, start=1):
        say(f"  {number}. {_described(session, face)}")
    if question.kind == ODD and question.other_faces:
        say(f"  to compare with: {_described(session, question.other_faces[0])}")
    while True:
        typed = ask(_prompt(question)).strip()
        match typed.lower().split() or [""]:
            case ["q"]:
                return False
            case ["s"]:
                session.skip()
                return True
            case ["u"]:
                say("taken back" if session.undo() else "there is nothing to take back")
                return True
            case ["o" | "v" as key, *which]:
                _show(session, key, which, faces, say)
            case ["h" | "?"]:
                for name, meaning in _KEYS.items():
                    say(f"  {name}  {meaning}")
            case _ if _answered(session, question, typed, faces, say):
                return True


def _prompt(question: Question) -> str:
    if question.kind == ODD:
        return "numbers of those that are not, 0 for none, s, u, q, h: "
    return "name, s, u, q, h: " if question.kind == NAME else "y, n, s, u, q, h: "


def _answered(
    session: ReviewSession, question: Question, typed: str, faces: Sequence[str], say: Callable[[str], None]
) -> bool:
    """Take an answer; False where it is none."""
    if question.kind == NAME and typed:
        session.name(typed)
        return True
    if question.kind == ODD:
        numbers = typed.replace(",", " ").split()
        if numbers and all(n.isdecimal() and int(n) <= len(faces) for n in numbers):
            session.odd([faces[int(n) - 1] for n in numbers if int(n)])
            return True
    elif typed.lower() in ("y", "yes"):
        session.yes()
        return True
    elif typed.lower() in ("n", "no"):
        session.no()
        return True
    say("that is no answer to it; h shows the keys")
    return False


def _described(session: ReviewSession, appearance: str) -> str:
    seen = queries.appearance(session.catalogue.connection, appearance)
    if seen is None:
        return appearance
    when = clock(seen.best_s) if seen.end_s > seen.start_s else "a photograph"
    whose = seen.identity or "nobody's"
    return f"{appearance}, {whose}: {printable(seen.video)}, {when}, quality {seen.quality:.2f}"


def _show(
    session: ReviewSession, key: str, which: Sequence[str], faces: Sequence[str], say: Callable[[str], None]
) -> None:
    """Open a face or its video in another program."""
    number = which[0] if which else "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(faces):
        say(f"there is no face {printable(number)}; they are numbered 1 to {len(faces)}")
        return
    seen = queries.appearance(session.catalogue.connection, faces[int(number) - 1])
    if seen is None:
        return
    try:
        if key == "v":
            say(open_at(session.catalogue, seen))
            return
        path: Path | None = face_file(session.catalogue, seen)
        say(opened(path) if path else "no picture of it is kept")
    except UnknownName as exc:
        say(str(exc))
