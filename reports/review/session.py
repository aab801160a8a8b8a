"""ReviewSession: what to ask next, what comes of the answers, and how far it is. It knows no screen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.catalogue import Catalogue
from archive.decisions import verbs
from archive.decisions.recording import Say
from archive.decisions.verbs import Said
from cvid.errors import CvidError
from cvid.settings import Settings
from reports.review.clerk import Clerk
from reports.review.questions import BELONGS, NAME, ODD, ONE, Question, posed, questions_of


@dataclass(frozen=True)
class Progress:
    """Answers given, and how many more are about needed until nothing doubtful is left; `sorting` while it goes on."""

    answered: int
    left: int
    sorting: bool


@dataclass
class Step:
    """What one answer, or one key, made the session say: taken back as a whole."""

    about: Question | None
    concerns: frozenset[str]
    order: int
    future: Future[list[Said]]
    told: bool = False
    numbers: list[int] = field(default_factory=list)


class ReviewSession:
    """A review of one archive. A context manager: leaving it waits until all answers are sorted.

    Answers are given to the question that `question` returned last. What they come to is told by `news`: a sentence a
    decision, also one that was refused; then the question comes back where it still makes sense.

    Raises:
        CatalogueError: there is no such archive, or another process writes to it.
    """

    def __init__(self, archive: Path, settings: Settings) -> None:
        self.archive = archive
        self.clerk = Clerk(archive, settings)
        self.catalogue = Catalogue.open(archive)  # only read
        self._questions: list[Question] = []
        self._as_of = -1
        self.reads_by_itself = True
        """Are the questions read anew after each sorting? A screen that must not wait reads them elsewhere (`take`)."""
        self._current: Question | None = None
        self._done: set[tuple[object, ...]] = set()
        self._skipped: dict[tuple[object, ...], int] = {}
        self._steps: list[Step] = []
        self._undoing: list[Step] = []
        self._answered = 0
        self._trouble: CvidError | None = None
        self._left: tuple[tuple[int, int], int] = ((-2, 0), 0)  # of which state, and how many questions matter

    # asking

    def question(self) -> Question | None:
        """The most useful question that can be asked now; None where nothing is left, or all waits for the sorting."""
        busy = self._unsorted()  # before what is read: it may be sorted meanwhile
        self._refresh()
        best: tuple[int, Question] | None = None
        for question in self._questions:
            later = self._skipped.get(question.key, -1)
            if question.key in self._done or (question.concerns & busy) or (best and best[0] <= later):
                continue
            best = (later, question)
            if later < 0:
                break
        self._current = posed(self.catalogue, best[1]) if best else None
        return self._current

    def open_questions(self) -> Iterator[Question]:
        """All that could be asked now, the most useful first."""
        busy = self._unsorted()  # before what is read: it may be sorted meanwhile
        self._refresh()
        yield from (q for q in self._questions if q.key not in self._done and not q.concerns & busy)

    def ask(self, question: Question) -> Question:
        """Ask another question than the next one."""
        self._current = posed(self.catalogue, question)
        return self._current

    def take(self, as_of: int, questions: Sequence[Question]) -> None:
        """These are the questions after so many sortings."""
        self._as_of, self._questions = as_of, list(questions)

    def progress(self) -> Progress:
        """How far it is."""
        self._refresh()
        state = (self._as_of, len(self._done))
        if self._left[0] != state:
            left = sum(1 for question in self._questions if question.matters and question.key not in self._done)
            self._left = (state, left)
        return Progress(self._answered, self._left[1], not self.clerk.idle)

    # answering

    def yes(self) -> None:
        """They are one person; the face is that person's; of these faces none is odd."""
        asked = self._asked(ONE, BELONGS, ODD)
        if asked.kind == ONE:
            self._answer(lambda c: verbs.merge(c, asked.identity, asked.other))
        elif asked.kind == BELONGS:
            self._answer(lambda c: verbs.confirm(c, asked.identity, asked.faces[:1]))
        else:
            self.odd(())

    def no(self) -> None:
        """They are two people; the face is somebody else's."""
        asked = self._asked(ONE, BELONGS)
        against = [asked.other] if asked.kind == ONE else list(asked.faces[:1])
        self._answer(lambda c: verbs.reject(c, asked.identity, against))

    def odd(self, faces: Collection[str]) -> None:
        """These of the faces are not of the identity; the others that were shown are."""
        asked = self._asked(ODD)
        others = [face for face in asked.faces if face not in faces]
        wrong = [face for face in asked.faces if face in faces]
        says: list[Say] = [lambda c: verbs.reject(c, asked.identity, wrong)] if wrong else []
        if others:
            says.append(lambda c: verbs.confirm(c, asked.identity, others))
        self._answer(*says)

    def name(self, name: str) -> None:
        """The identity is called so."""
        asked = self._asked(NAME)
        self._answer(lambda c: verbs.name(c, asked.identity, name))

    def skip(self) -> None:
        """Ask it again when nothing else is left."""
        if self._current:
            self._skipped[self._current.key] = max(self._skipped.values(), default=-1) + 1
            self._current = None

    def say(self, concerns: Collection[str], *says: Say) -> None:
        """Decide something that was not asked."""
        self._steps.append(Step(None, frozenset(concerns), *self.clerk.record(says)))

    def undo(self) -> bool:
        """Take back the last thing that was said in this session; is there anything?"""
        while self._steps:
            step = self._steps.pop()
            self._hear(step)
            if not step.numbers:
                continue  # it was refused
            says: list[Say] = [_undo(number) for number in reversed(step.numbers)]
            self._undoing.append(Step(None, step.concerns, *self.clerk.record(says)))
            if step.about:
                self._done.discard(step.about.key)
                self._answered -= 1
            return True
        return False

    def news(self) -> list[str]:
        """What came of the answers since the last call, a sentence each."""
        told: list[str] = []
        for step in [*self._steps, *self._undoing]:
            if step.future.done() and not step.told:
                told += self._hear(step)
        if self.clerk.trouble is not self._trouble:
            self._trouble = self.clerk.trouble
            told += [f"refused: what was said is kept, but not sorted yet: {self._trouble}"] if self._trouble else []
        through = self.clerk.sorted_through
        self._undoing = [step for step in self._undoing if not step.told or step.order > through]
        return told

    def wait(self) -> None:
        """Until all answers are sorted."""
        self.clerk.wait()

    def close(self) -> None:
        """Wait until all answers are sorted, and let others write."""
        self.catalogue.close()
        self.clerk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # inside

    def _asked(self, *kinds: str) -> Question:
        if self._current is None or self._current.kind not in kinds:
            raise ValueError(f"no question of the kind {' or '.join(kinds)} is asked")
        return self._current

    def _answer(self, *says: Say) -> None:
        asked = self._current
        assert asked
        self._current = None
        self._done.add(asked.key)
        self._skipped.pop(asked.key, None)
        self._answered += 1
        self._steps.append(Step(asked, asked.concerns, *self.clerk.record(says)))

    def _hear(self, step: Step) -> Sequence[str]:
        """What came of a step; waits for it."""
        if step.told:
            return ()
        step.told = True
        try:
            said = step.future.result()
        except CvidError as exc:
            if step.about:
                self._answered -= 1
            return (f"refused: {exc}",)
        step.numbers = [one.number for one in said]
        return [one.sentence for one in said]

    def _unsorted(self) -> frozenset[str]:
        """The identities that were decided on since the last sorting."""
        through = self.clerk.sorted_through
        late = (step for step in [*self._steps, *self._undoing] if step.order > through)
        return frozenset(identity for step in late for identity in step.concerns)

    def _refresh(self) -> None:
        sortings = self.clerk.sortings
        if self.reads_by_itself and sortings != self._as_of:
            self.take(sortings, questions_of(self.catalogue))


def _undo(number: int) -> Say:
    return lambda catalogue: verbs.undo(catalogue, number)
