"""The question below the lists: what is asked, the faces side by side, and the keys that answer it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from archive import queries
from cvid.errors import CvidError
from reports.names import printable
from reports.review.graphics import Maker
from reports.review.questions import FACES, NAME, ODD, Question
from reports.review.session import Progress, ReviewSession
from reports.review.wording import evidence, how_far, sentence
from reports.wording import clock

_KEYS = {
    ODD: "1-9 those that are not, then enter · y all are · s skip · u undo · ? help",
    NAME: "enter type the name · s skip · u undo · z larger · ? help · q leave",
}
_YES_NO = "y yes · n no · s skip · u undo · z larger · ? help · q leave"
_NOTHING = "N name a person · m merge two · / search · u undo · ? help · q leave"


class Slot(Vertical):
    """A face and what is said of it."""

    def __init__(self, face: Maker) -> None:
        super().__init__()
        self._face, self._caption = face(classes="face"), Static(classes="caption", markup=False)

    def compose(self) -> ComposeResult:
        """Picture above, caption below."""
        yield self._face
        yield self._caption

    def fill(self, jpeg: bytes | None, caption: Text) -> None:
        """Show a face."""
        self.display = True
        self._face.show(jpeg)
        self._caption.update(caption)


class QuestionPanel(Vertical):
    """The question that is asked, or that there is none."""

    def __init__(self, session: ReviewSession, face: Maker, *, id: str) -> None:
        super().__init__(id=id)
        self.session = session
        self.question: Question | None = None
        self.odd: set[str] = set()
        self._asked, self._keys = Static(id="asked", markup=False), Static(id="keys", markup=False)
        self._slots = [Slot(face) for _ in range(FACES + 1)]

    def compose(self) -> ComposeResult:
        """Question, faces, keys."""
        yield self._asked
        yield Horizontal(*self._slots, id="slots")
        yield self._keys

    def put(self, question: Question | None, names: Mapping[str, str], progress: Progress) -> None:
        """Ask this, or say that nothing is left."""
        if question is None or self.question is None or question.key != self.question.key:
            self.odd = set()
        self.question = question
        self.tell(names, progress)
        self._fill(names)

    def tell(self, names: Mapping[str, str], progress: Progress) -> None:
        """The words alone."""
        self.border_title = how_far(progress)
        if self.question is None:
            self._asked.update(Text("Sorting …" if progress.sorting else "Nothing is left to ask."))
            self._keys.update(Text(_NOTHING))
            return
        why = evidence(self.question)
        self._asked.update(Text.assemble((sentence(self.question, names), "bold"), f"  {why}" if why else ""))
        self._keys.update(Text(_KEYS.get(self.question.kind, _YES_NO)))

    def toggle(self, number: int) -> None:
        """Mark a face of the group as odd, or take that back."""
        question = self.question
        if question and question.kind == ODD and number <= len(question.faces):
            self.odd ^= {question.faces[number - 1]}
            self._fill(self.session.catalogue.names())

    def _fill(self, names: Mapping[str, str]) -> None:
        question = self.question
        shown: list[tuple[str, str]] = []
        if question and question.kind == ODD:
            shown = [(face, f"{n} ✗" if face in self.odd else f"{n}") for n, face in enumerate(question.faces, start=1)]
            shown += [(face, "compare") for face in question.other_faces]
        elif question and question.kind == NAME:
            shown = [(face, "") for face in question.faces]
        elif question:
            shown = [(face, "") for face in (*question.faces[:1], *question.other_faces[:1])]
        for place, slot in enumerate(self._slots):
            if place < len(shown):
                face, label = shown[place]
                slot.set_class(face in self.odd, "odd")
                slot.fill(self._jpeg(face), self._caption(face, label))
            else:
                slot.display = False

    def _jpeg(self, appearance: str) -> bytes | None:
        try:
            return queries.portrait_of(self.session.catalogue.connection, appearance)
        except CvidError:
            return None

    def _caption(self, appearance: str, label: str) -> Text:
        seen = queries.appearance(self.session.catalogue.connection, appearance)
        if seen is None:
            return Text(label)
        whose = "" if label else f"{seen.identity or 'nobody yet'} "
        return Text(f"{label or ''} {whose}{clock(seen.best_s)} {printable(seen.video)}".strip())
