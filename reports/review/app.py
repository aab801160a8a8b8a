"""The full-screen review: people left, the person's face and log right, the question below."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Static

from archive import queries
from archive.catalogue import Catalogue
from archive.decisions import verbs
from archive.decisions.recording import Say
from archive.groups import Listed, listed
from archive.records import Appearance
from cvid.errors import CvidError
from reports.names import printable
from reports.review.dialogs import Help, Line
from reports.review.faces import Face
from reports.review.graphics import Maker
from reports.review.lists import ORDERS, Choice, LogList, PeopleList
from reports.review.panel import QuestionPanel
from reports.review.player import open_at
from reports.review.questions import BELONGS, NAME, ODD, ONE, Question, questions_of
from reports.review.rows import Rows
from reports.review.session import Progress, ReviewSession
from reports.wording import count, span

_LEAST = (60, 16)
_SHORT = 32
"""On screens of fewer lines pictures are smaller."""
_POLL_S = 0.1


class ReviewApp(App[None]):
    """The screen over a review session, which it does not close."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes"),
        Binding("n", "no", "No"),
        Binding("s", "skip", "Skip"),
        Binding("u", "undo", "Undo"),
        Binding("enter", "done", "Done"),
        *(Binding(str(digit), f"odd({digit})", show=False) for digit in range(1, 10)),
        Binding("N", "name", "Name"),
        Binding("m", "merge", "Merge"),
        Binding("p", "split", "Split"),
        Binding("x", "reject", "Reject"),
        Binding("c", "confirm", "Confirm"),
        Binding("space", "mark", "Mark"),
        Binding("o", "open", "Video"),
        Binding("slash", "search", "Search"),
        Binding("S", "sort", "Sort"),
        Binding("z", "zoom", "Larger"),
        Binding("question_mark", "help", "Help"),
        Binding("q", "quit", "Leave"),
        Binding("ctrl+c", "quit", "Leave", show=False, priority=True),
    ]

    def __init__(self, session: ReviewSession, face: Maker = Face) -> None:
        super().__init__()
        self.session = session
        self.people, self.log_list = PeopleList(id="people"), LogList(id="log")
        self.panel = QuestionPanel(session, face, id="question")
        self._portrait, self._facts_of = face(id="portrait"), Static(id="facts", markup=False)
        self._too_small = Static(id="small", markup=False)
        session.reads_by_itself = False
        self._names: dict[str, str] = {}
        self._missing: frozenset[str] = frozenset()
        self._as_of = -1
        self._progress: Progress | None = None

    def compose(self) -> ComposeResult:
        """The three parts, and a note for screens that are too small for them."""
        yield self._too_small
        with Vertical(id="all"):
            with Horizontal(id="above"):
                yield self.people
                with Vertical(id="person"):
                    yield Horizontal(self._portrait, self._facts_of, id="head")
                    yield self.log_list
            yield self.panel

    def on_mount(self) -> None:
        """Read the archive, and look now and then what the clerk has done."""
        self.people.border_title = "people"
        self.log_list.border_title = "appearances"
        self.people.focus()
        self._load()
        self.set_interval(_POLL_S, self._poll)

    def on_resize(self, event: Resize) -> None:
        """Say so where the screen is too small."""
        size = event.size
        small = size.width < _LEAST[0] or size.height < _LEAST[1]
        self.set_class(small, "too-small")
        self.set_class(size.height < _SHORT, "short")
        if small:
            self._too_small.update(
                f"This screen has {size.width} × {size.height} characters; the review needs "
                f"{_LEAST[0]} × {_LEAST[1]}. Enlarge it, or leave with q and take `review --plain`."
            )

    # what is read

    @work(thread=True, exclusive=True)
    def _load(self) -> None:
        """Read people and questions in another thread; keys are answered meanwhile."""
        as_of = self.session.clerk.sortings
        with Catalogue.open(self.session.archive) as catalogue:
            people = listed(catalogue.connection)
            missing = frozenset(catalogue.missing())
            questions = questions_of(catalogue)
        self.call_from_thread(self._loaded, as_of, people, missing, questions)

    def _loaded(self, as_of: int, people: list[Listed], missing: frozenset[str], questions: list[Question]) -> None:
        self.session.take(as_of, questions)
        self._as_of, self._missing = as_of, missing
        self._names = {person.id: person.name for person in people if person.name}
        current = self.people.current
        self.people.show(people, self.people.choice, current.id if current else "")
        self._ask()

    def _poll(self) -> None:
        for sentence in self.session.news():
            refused = sentence.startswith("refused")
            self.notify(printable(sentence), severity="warning" if refused else "information", markup=False)
            if refused:
                self._ask()
        if self._as_of >= 0 and self.session.clerk.sortings != self._as_of:
            self._as_of = self.session.clerk.sortings
            self._load()
        elif self._as_of >= 0:
            self._tell()

    def _tell(self) -> None:
        """Say how far it is, where that has changed: drawing takes time too."""
        progress = self.session.progress()
        if progress != self._progress:
            self._progress = progress
            self.panel.tell(self._names, progress)

    def _ask(self) -> None:
        question = self.session.question()
        self._progress = self.session.progress()
        self.panel.put(question, self._names, self._progress)

    def on_rows_moved(self, event: Rows.Moved) -> None:
        """Another person, or another appearance of the same one."""
        if event.rows is self.people:
            self._show_person()
        else:
            self._show_face()

    def _show_person(self) -> None:
        person, connection = self.people.current, self.session.catalogue.connection
        at = self.log_list.current
        log = list(queries.appearances(connection, person.id)) if person else []
        self.log_list.show(log, self._missing, at.appearance if at else "")

    def _show_face(self) -> None:
        seen, person = self.log_list.current, self.people.current
        face, facts = self._portrait, self._facts_of
        if person is None:
            face.clear()
            facts.update(
                Text("nobody yet: index some footage" if not self.people.choice.words else "nobody is called so")
            )
            return
        if seen is None:
            face.clear()
        else:
            face.show(queries.portrait_of(self.session.catalogue.connection, seen.appearance))
        facts.update(self._facts(person, seen))

    def _facts(self, person: Listed, appearance: Appearance | None) -> Text:
        text = Text(f"{person.id} {printable(person.name)}".rstrip(), "bold")
        log = self.log_list.seen
        seldom = f"{count(len(log), 'appearance')} in {count(len({one.video for one in log}), 'video')}"
        on_screen = span(sum(one.end_s - one.start_s for one in log))
        text.append(f"\n{printable(person.status)}\n{seldom}, {on_screen}\n", "not bold")
        text.append(f"{person.confirmed:,} confirmed, {person.doubtful:,} doubtful", "not bold")
        if appearance:
            text.append(f"\n{appearance.appearance} {printable(appearance.video)}", "not bold")
            text.append(f"\nquality {appearance.quality:.2f}, evidence {appearance.evidence}", "not bold")
            if appearance.reason:
                text.append(f"\n{printable(appearance.reason)}", "not bold")
        return text

    # answers

    def action_yes(self) -> None:
        """They are the same; none is odd."""
        if self._asked(ONE, BELONGS, ODD):
            self.session.yes()
            self._ask()

    def action_no(self) -> None:
        """They are not."""
        if self._asked(ONE, BELONGS):
            self.session.no()
            self._ask()

    def action_done(self) -> None:
        """The marked faces are the odd ones; or the name is to be typed."""
        question = self.panel.question
        if question and question.kind == ODD:
            self.session.odd(self.panel.odd)
            self._ask()
        elif question and question.kind == NAME:
            self._type(f"Who is {question.identity}?", self._answer_name)

    def action_odd(self, number: int) -> None:
        """A face is not of the person."""
        self.panel.toggle(number)

    def action_skip(self) -> None:
        """Later."""
        self.session.skip()
        self._ask()

    def action_undo(self) -> None:
        """Take the last one back."""
        if not self.session.undo():
            self.notify("there is nothing to take back in this session; `cvid undo` knows the others", markup=False)
        self._ask()

    def _answer_name(self, name: str) -> None:
        self.session.name(name)
        self._ask()

    def _asked(self, *kinds: str) -> bool:
        return self.panel.question is not None and self.panel.question.kind in kinds

    # decisions on the person under the cursor

    def action_name(self) -> None:
        """Name the person."""
        person = self.people.current
        if person:
            self._type(
                f"Who is {person.id}?",
                lambda name: self._say({person.id}, lambda c: verbs.name(c, person.id, name)),
                person.name,
            )

    def action_merge(self) -> None:
        """Merge the person with another."""
        person = self.people.current
        if person:
            self._type(f"{person.id} is the same person as (id or name):", lambda text: self._merge(person, text))

    def _merge(self, person: Listed, text: str) -> None:
        wanted = text.strip().casefold()
        called = [other for other, name in self._names.items() if name.casefold() == wanted]
        other = called[0] if len(called) == 1 else text.strip().upper()
        self._say({person.id, other}, lambda c: verbs.merge(c, person.id, other))

    def action_split(self) -> None:
        """The marked appearances are one other person."""
        self._on_chosen(lambda who, chosen: lambda c: verbs.split(c, who, chosen))

    def action_reject(self) -> None:
        """The marked appearances are somebody else."""
        self._on_chosen(lambda who, chosen: lambda c: verbs.reject(c, who, chosen))

    def action_confirm(self) -> None:
        """All appearances of the person, or the marked ones, are right."""
        person = self.people.current
        if person:
            marked = self.log_list.chosen if self.log_list.marked else []
            self._say({person.id}, lambda c: verbs.confirm(c, person.id, marked))
            self.log_list.marked.clear()

    def _on_chosen(self, verb: Callable[[str, list[str]], Say]) -> None:
        person, chosen = self.people.current, self.log_list.chosen
        if person and chosen:
            self._say({person.id}, verb(person.id, chosen))
            self.log_list.marked.clear()

    def _say(self, concerns: set[str], say: Say) -> None:
        self.session.say(concerns, say)
        self._ask()

    # the screen

    def action_mark(self) -> None:
        """Mark the appearance under the cursor."""
        self.log_list.mark()

    def action_open(self) -> None:
        """Play the video of the appearance under the cursor."""
        seen = self.log_list.current
        if seen:
            try:
                self.notify(open_at(self.session.catalogue, seen), markup=False)
            except CvidError as exc:
                self.notify(printable(str(exc)), severity="warning", markup=False)

    def action_search(self) -> None:
        """List those whose id, name or status holds some words."""
        choice = self.people.choice
        self._type(
            "Search by id, name or status (empty: everybody):",
            lambda words: self.people.choose(Choice(choice.order, words)),
            choice.words,
            empty=True,
        )

    def action_sort(self) -> None:
        """List people in the next order."""
        choice = self.people.choice
        after = ORDERS[(ORDERS.index(choice.order) + 1) % len(ORDERS)]
        self.people.choose(Choice(after, choice.words))

    def action_zoom(self) -> None:
        """Give the question the whole screen, or take it back."""
        self.toggle_class("zoomed")

    def action_help(self) -> None:
        """The keys."""
        self.push_screen(Help())

    def _type(self, label: str, use: Callable[[str], None], value: str = "", empty: bool = False) -> None:
        def typed(text: str | None) -> None:
            if text is not None and (text.strip() or empty):
                use(text)

        self.push_screen(Line(label, value), typed)
