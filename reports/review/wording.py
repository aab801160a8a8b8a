"""What the screens of a review say: questions, how far it is, and why a face is asked about."""

from __future__ import annotations

from collections.abc import Mapping

from reports.names import printable
from reports.review.questions import BELONGS, NAME, ODD, ONE, Question
from reports.review.session import Progress
from reports.wording import count


def who(identity: str, names: Mapping[str, str]) -> str:
    """An identity with its name, if it has one: `P0003 Jane Doe`."""
    return f"{identity} {printable(names.get(identity, ''))}".rstrip()


def sentence(question: Question, names: Mapping[str, str]) -> str:
    """The question as one asks it."""
    person = who(question.identity, names)
    match question.kind:
        case k if k == ONE:
            return f"Are {person} and {who(question.other, names)} the same person?"
        case k if k == BELONGS:
            return f"Is this face {person}?"
        case k if k == ODD:
            return f"Which of these faces are not {person}?"
        case k if k == NAME:
            return f"Who is {person}?"
    raise AssertionError(question.kind)


def evidence(question: Question) -> str:
    """Why it is asked."""
    alike = "" if question.similarity is None else f"similarity {question.similarity:.2f}"
    match question.kind:
        case k if k == ODD:
            return count(
                question.unseen, "appearance that nobody has confirmed", "appearances that nobody has confirmed"
            )
        case k if k == NAME:
            return "all of its faces are confirmed"
    return alike


def how_far(progress: Progress) -> str:
    """`38 of about 120 answers until certain`."""
    if not progress.left:
        answered = count(progress.answered, "answer")
        return f"{answered}; nothing doubtful is left" + (" (sorting …)" if progress.sorting else "")
    text = f"{progress.answered:,} of about {progress.answered + progress.left:,} answers until certain"
    return text + (" (sorting …)" if progress.sorting else "")
