"""The rules of docs/ARCHITECTURE.md that a machine can check: who imports whom, and who may do what."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("cvid", "archive", "reports", "main")
"""Each imports only from itself and from those before it."""
NEVER = {"torch", "tensorflow", "keras", "dlib", "mtcnn", "face_recognition", "face_recognition_models",
         "pkg_resources", "setuptools"}  # fmt: skip
OPTIONAL = {"deepface", "insightface", "retinaface"}
HEAVY = OPTIONAL | {"numpy", "sklearn", "hdbscan", "numba", "cv2", "av", "onnx", "onnxruntime", "sqlalchemy", "alembic",
                    "scipy", "faiss", "pydantic"}  # fmt: skip

SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in ROOMS
    for path in sorted([*(ROOT / room).rglob("*.py"), *ROOT.glob(f"{room}.py")])
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def statements(tree: ast.AST, *, at_start: bool) -> Iterator[ast.AST]:
    """All nodes; only those that run when the module is imported, where `at_start`."""
    for node in ast.iter_child_nodes(tree):
        if at_start and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ):
            continue
        yield node
        yield from statements(node, at_start=at_start)


def imports(name: str, *, at_start: bool = False) -> set[str]:
    """The modules that a module imports."""
    found: set[str] = set()
    for node in statements(TREES[name], at_start=at_start):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: relative imports hide where a name comes from"
            module = node.module or ""
            found |= {f"{module}.{a.name}" if f"{module}.{a.name}" in SOURCES else module for a in node.names}
    return found


def tops(name: str) -> set[str]:
    return {module.partition(".")[0] for module in imports(name)}


def of(*rooms: str) -> list[str]:
    names = [name for name in SOURCES if name.partition(".")[0] in rooms]
    assert names
    return names


def calls(name: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(TREES[name]) if isinstance(node, ast.Call))


def test_the_rooms_are_all_there() -> None:
    assert {name.partition(".")[0] for name in SOURCES} == set(ROOMS) and len(SOURCES) > 60


def test_imports_go_one_way() -> None:
    wrong = {
        (name, other)
        for name in SOURCES
        for other in tops(name) & set(ROOMS)
        if ROOMS.index(other) > ROOMS.index(name.partition(".")[0])
    }
    assert wrong == set()


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: (imports(name, at_start=True) & set(SOURCES)) - {name} for name in SOURCES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(SOURCES)


def test_only_the_archive_knows_sql() -> None:
    for name in of("cvid", "reports", "main"):
        assert not tops(name) & {"sqlite3", "sqlalchemy", "alembic"}, name


def test_only_reports_know_a_terminal() -> None:
    for name in of("cvid", "archive"):
        assert not tops(name) & {"rich", "click", "textual", "getpass", "curses"}, name
        for call in calls(name):
            assert ast.unparse(call.func) not in ("print", "input", "sys.stdout.write", "sys.stderr.write"), name


def test_the_library_configures_no_logging() -> None:
    for name in of("cvid", "archive"):
        for call in calls(name):
            assert ast.unparse(call.func) not in ("logging.basicConfig", "logging.disable"), name
            assert not ast.unparse(call.func).endswith((".addHandler", ".setLevel")), name


DOWNLOADS = {"cvid.models.download", "cvid.models.transfer", "cvid.models.licences"}
"""What writes weights and acceptances of licences, into folders of their own, when a user asks for it."""


def test_cvid_writes_no_files() -> None:
    """Footage, and all else, is only ever opened for reading there.

    deepface finds weights in one folder alone, which is made for it below a temporary one. Downloads are written.
    """
    writing = (".write_bytes", ".write_text", ".unlink", ".rename", ".mkdir", ".touch", ".chmod", ".rmdir", ".imwrite",
               ".tofile", "os.remove", "os.rename", "shutil.move", "np.save")  # fmt: skip
    for name in set(of("cvid")) - DOWNLOADS:
        for call in calls(name):
            function = ast.unparse(call.func)
            temporary = (name, function) == ("cvid.embedders.deepface", "weights.mkdir")
            assert temporary or not function.endswith(writing), f"{name}: {ast.unparse(call)}"
            if function.endswith("open") and function != "av.open":
                modes = [a.value for a in [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
                         if isinstance(a, ast.Constant) and isinstance(a.value, str)]  # fmt: skip
                assert all(set(mode) <= set("rbt") for mode in modes), f"{name}: {ast.unparse(call)}"


def test_only_downloads_know_the_network() -> None:
    network = {"socket", "ssl", "http", "urllib", "requests", "httpx", "ftplib", "smtplib"}
    for name in SOURCES:
        found = {module for module in imports(name) if module.partition(".")[0] in network} - {"urllib.parse"}
        assert not found or name == "cvid.models.transfer", f"{name}: {found}"


@pytest.mark.parametrize("package", sorted(NEVER))
def test_what_is_never_imported(package: str) -> None:
    assert [name for name in SOURCES if package in tops(name)] == []


DOORS = {
    "cv2": {"cvid.opencv"},
    "onnxruntime": {"cvid.sessions"},
    "faiss": {"cvid.clustering.graph"},
    "numba": {"cvid.clustering.merging"},
    "av": {"cvid.decoding", "cvid.video", "cvid.upright", "reports.sample", "reports.annotating.canvas",
           "reports.annotating.film", "reports.annotating.sound"},
    "insightface": {"cvid.embedders.arcface"},
    "deepface": {"cvid.embedders.deepface"},
    "retinaface": {"cvid.detectors.retinaface_r50"},
    "ray": {"archive.engines.ray.cluster"},
}  # fmt: skip


@pytest.mark.parametrize("library", DOORS)
def test_libraries_have_one_door(library: str) -> None:
    """Where missing system libraries, threads and hostile files are dealt with; samples and copies are written."""
    assert {name for name in SOURCES if library in tops(name)} == DOORS[library]


def test_files_are_short() -> None:
    long = {name: path.read_text(encoding="utf-8").count("\n") for name, path in SOURCES.items()}
    assert {name: lines for name, lines in long.items() if lines >= 450} == {}


def test_every_module_says_what_it_is() -> None:
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("module", ["cvid", "reports.cli", "archive", "cvid.registry", "cvid.errors"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys; import {module}; print(*sorted({HEAVY | NEVER!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


EMBEDDED = """
import os, sys
from pathlib import Path

blocked, footage, archive = set(sys.argv[1].split(",")), sys.argv[2], sys.argv[3]
tried, opened, written = [], [], []

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked and path is None:
            caller = sys._getframe(1)
            while caller.f_code.co_filename.startswith("<frozen"):
                caller = caller.f_back
            if caller.f_code.co_name != "packaged_file":  # which looks for the files of a package, not for the package
                tried.append(name)
                raise ModuleNotFoundError(name)
        return None

def watch(event, args):
    if event == "open" and isinstance(args[0], str) and args[0].startswith(footage):
        opened.append(args[0])
        if args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
            written.append(args[0])
    if event.split(".")[-1] in ("remove", "rename", "truncate", "chmod", "utime", "mkdir", "link", "symlink"):
        written.extend(str(a) for a in args if isinstance(a, str) and a.startswith(footage))

sys.meta_path.insert(0, Blocker())
sys.addaudithook(watch)

from archive.index import index_footage
from cvid.models.sets import choose
from cvid.settings import Settings

summary = index_footage(Path(archive), [Path(footage)], Settings(), lambda event: None, choice=choose("embedded"),
                        engine="inline")
assert not blocked & set(sys.modules), blocked & set(sys.modules)
assert not written, written
print(summary.faces, summary.identities, len(summary.failures), len(set(opened)), *tried)
"""


def test_the_embedded_models_need_nothing_but_their_files(tmp_path: Path) -> None:
    """A whole run of the archive without setuptools and without the packages that only carry the weights.

    What it tries to import of them, and every file of the footage that it opens otherwise than for reading, is caught.
    """
    from cvid.packaged import packaged_file

    (tmp_path / "footage").mkdir()
    picture = packaged_file("skimage", "data/astronaut.png").read_bytes()
    (tmp_path / "footage" / "astronaut.png").write_bytes(picture)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            EMBEDDED,
            ",".join(sorted(NEVER | OPTIONAL)),
            str(tmp_path / "footage"),
            str(tmp_path / "archive"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "1", "0", "1"]
