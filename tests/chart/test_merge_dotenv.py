"""The script that the init container of xgen-documents runs, run here, its result read with python-dotenv."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[2] / "charts/xgen-service/files/merge_dotenv.py"
NASTY = "/+&\\|'\" #=$%{}()`~!;:,<>?*[]^@\t\x0b\x1c\x85\xa0\u2028éñ한글🙂\ufeffnrtvxu0aZ"

values = st.one_of(
    st.text(alphabet=NASTY, max_size=12),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=30),
    st.text(alphabet="\\' \"#", max_size=6),
).filter(lambda value: "${" not in value)
keys = st.sampled_from(["MINIO_ENDPOINT", "MINIO_DATA_SECRET_KEY", "A", "B_2", "MINIO_SECURE"])
wanted = st.dictionaries(keys, values, min_size=1, max_size=5)


def cases(count: int) -> settings:
    """Settings for a busy machine: no verdict about time."""
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def merge_dotenv() -> ModuleType:
    spec = importlib.util.spec_from_file_location("merge_dotenv", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["merge_dotenv"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the script as the init container does: `run(source, **environment)`; result in tmp_path/target."""

    def start(source: bytes, *, options: tuple[str, ...] = ("-I", "-B"), **environment: str) -> object:
        (tmp_path / "source").write_bytes(source)
        command = [sys.executable, *options, str(SCRIPT), str(tmp_path / "source"), str(tmp_path / "target")]
        return subprocess.run(
            [*command, *environment],
            env={k: v.encode("utf-8", "surrogateescape") for k, v in environment.items()},
            capture_output=True,
            text=True,
            check=False,
        )

    return start  # type: ignore[return-value]


@cases(50)
@given(st.lists(values, min_size=40, max_size=80))
def test_every_value_survives_the_scripts_own_run(tmp_path: Path, run: Run, generated: list[str]) -> None:
    environment = {f"KEY_{number}": value for number, value in enumerate(generated)}
    source = "".join(f"KEY_{number}=of-the-image\nOTHER_{number}='kept'\n" for number in range(0, 40, 2))
    done = run(source.encode(), **environment)
    assert done.returncode == 0, done.stderr
    read = dotenv_values(tmp_path / "target")
    others = {f"OTHER_{number}": "kept" for number in range(0, 40, 2)}
    assert read == environment | others


@cases(1500)
@example(value="\\")
@example(value=" \\")
@example(value="'\\\\")
@example(value="a # b\\'")
@example(value="$\\ \\")
@given(values)
def test_releases_before_1_2_3_which_misread_a_backslash_before_a_quote_see_the_same_end(
    merge_dotenv: ModuleType, value: str
) -> None:
    encoded = merge_dotenv.encode(value)
    older = re.compile(r"'(?:\\'|[^'])*'")
    found = older.match(encoded + "\nNEXT='value'")
    assert found is None or found.group() == encoded


def statement(name: str) -> st.SearchStrategy[str]:
    """One well-formed statement of an image's .env that sets `name`."""
    plain = st.text(alphabet="abc/:=$&\\.'\"-", max_size=8).filter(lambda v: not v.startswith(("'", '"')))
    quoted = st.text(alphabet="abc #=\n\t/", max_size=8)
    value = st.one_of(
        plain,
        plain.map(lambda v: v + " # a comment"),
        quoted.map(lambda v: f"'{v}'"),
        quoted.map(lambda v: f'"{v}" # another'),
    )
    return st.builds(
        lambda lead, equals, text: f"{lead}{name}{equals}{text}",
        st.sampled_from(["", "  ", "export ", "\n\n", "\t"]),
        st.sampled_from(["=", " = ", "="]),
        value,
    )


lines = st.one_of(
    st.sampled_from(["", "# MINIO_ENDPOINT=old", "#A", "BARE", "OLD_MINIO_ENDPOINT=x", "MINIO_ENDPOINT_2=y"]),
    keys.flatmap(statement),
    st.sampled_from(["OTHER", "AA", "'QUOTED KEY'"]).flatmap(statement),
)
files = st.builds(
    lambda parts, newline, last: newline.join(parts).replace("\n", newline) + last,
    st.lists(lines, max_size=10),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n"]),
)


@cases(500)
@example(text="A=1\nA=2", new={"A": "3"})
@example(text="export A = 'x\r\ny' # c\r\nB", new={"A": " \\"})
@given(text=files, new=wanted)
def test_all_other_lines_stay_as_they_are_and_every_key_has_its_value(
    merge_dotenv: ModuleType, text: str, new: dict[str, str]
) -> None:
    merged = merge_dotenv.merge(text, new)
    assert {k: dotenv_values(stream=io.StringIO(merged)).get(k) for k in new} == new
    kept = [p.original.string for p in bindings(text) if p.key not in new and p.original.string.strip()]
    still = [p.original.string for p in bindings(merged) if p.key not in new and p.original.string.strip()]
    assert [piece.rstrip("\r\n") for piece in still] == [piece.rstrip("\r\n") for piece in kept]
    assert "".join(still).startswith("".join(kept))
    assert not {k for k, v in dotenv_values(stream=io.StringIO(merged)).items() if v == "of-the-image"}


def bindings(text: str) -> list[Binding]:
    return list(parse_stream(io.StringIO(text, newline="")))


def as_read(text: str) -> str:
    """What a program gets that opens the file in text mode."""
    return io.StringIO(text, newline=None).read()


@cases(1500)
@example(text="export =x\nA='")
@example(text="A='b\\'c\nB=\"x'\n'")
@example(text="export ")
@example(text="'K'='v' junk\nA=1")
@given(st.text(alphabet="AB='\"\\ #\t\r\n$\xa0\x0b" + "export ", max_size=40))
def test_the_file_is_cut_where_python_dotenv_cuts_it(merge_dotenv: ModuleType, text: str) -> None:
    ours = [(p.key and as_read(p.key), as_read(p.lead + p.text)) for p in merge_dotenv.statements(text)]
    assert ours == [(piece.key, piece.original.string) for piece in bindings(as_read(text))]


@cases(1500)
@given(
    text=st.text(alphabet="AB='\"\\ #\n", max_size=30),
    new=st.dictionaries(st.sampled_from("AB"), values, min_size=1),
)
def test_a_file_that_would_swallow_a_value_is_refused_and_never_misread(
    merge_dotenv: ModuleType, text: str, new: dict[str, str]
) -> None:
    if swallowed := refusal(merge_dotenv, text, new):
        assert any(piece.error for piece in bindings(text)), f"refused without cause: {swallowed}"
    else:
        read = dotenv_values(stream=io.StringIO(merge_dotenv.merge(text, new)))
        assert {key: read[key] for key in new} == new


def refusal(merge_dotenv: ModuleType, text: str, new: dict[str, str]) -> str:
    try:
        merge_dotenv.merge(text, new)
    except merge_dotenv.Refused as error:
        return str(error)
    return ""


@given(st.sampled_from("\n\r"), values, values)
@cases(20)
def test_a_line_break_is_refused_by_key_and_not_by_value(run: Run, newline: str, one: str, two: str) -> None:
    assume(len(one) > 3)
    done = run(b"A=1\n", A=one + newline + two, B="fine")
    assert done.returncode == 1
    assert done.stderr.startswith("merge_dotenv: A: the value has a line break")
    assert one not in done.stderr
    assert "B:" not in done.stderr


def test_what_python_dotenv_would_expand_is_refused_and_the_target_stays(tmp_path: Path, run: Run) -> None:
    (tmp_path / "target").write_text("before")
    done = run(b"A=1\n", A="s3cret-${HOME}", B="s3cret\ntoo")
    assert done.returncode == 1
    assert "A: the value has '${'" in done.stderr
    assert "B: the value has a line break" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    assert (tmp_path / "target").read_text() == "before"


def test_a_value_that_is_not_utf8_is_refused(run: Run) -> None:
    done = run(b"A=1\n", A="caf\udce9")
    assert done.returncode == 1
    assert "A: the value is not UTF-8" in done.stderr


def test_a_key_that_the_environment_lacks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("A=1\n")
    command = [sys.executable, "-I", str(SCRIPT), str(tmp_path / "source"), str(tmp_path / "target"), "A"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "merge_dotenv: A: expected in the environment, but it is not set there\n"


def test_an_image_without_the_file_is_refused_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(SCRIPT), str(tmp_path / "absent"), str(tmp_path / "target"), "A"]
    done = subprocess.run(command, env={"A": "x"}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(tmp_path / "absent") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_seeds_file_gets_the_values_that_its_sed_corrupted(tmp_path: Path, run: Run) -> None:
    source = (
        b"# object store\r\n"
        b"MINIO_ENDPOINT=http://minio.xgen-system.svc.cluster.local:9000\r\n"
        b"export MINIO_DATA_ACCESS_KEY=minio\r\n"
        b'MINIO_DATA_SECRET_KEY="minio123" # to be replaced\r\n'
        b"OLD_MINIO_ENDPOINT=stays\r\n"
        b"\r\n"
        b"PROMPT='two\r\nMINIO_ENDPOINT=inside a value'\r\n"
        b"MINIO_DATA_SECRET_KEY=minio123"
    )
    done = run(
        source,
        MINIO_ENDPOINT="https://s3.ap-northeast-2.amazonaws.com",
        MINIO_DATA_ACCESS_KEY="AKIAIOSFODNN7EXAMPLE",
        MINIO_DATA_SECRET_KEY="wJal/rXU+n&FE\\M|I'K7\"M # D=E$N",
        MINIO_SECURE="true",
    )
    assert done.returncode == 0, done.stderr
    secret = b"'wJal/rXU+n&FE\\\\M|I\\'K7\"M # D=E$N'"
    assert (tmp_path / "target").read_bytes() == (
        b"# object store\r\n"
        b"MINIO_ENDPOINT=https://s3.ap-northeast-2.amazonaws.com\r\n"
        b"export MINIO_DATA_ACCESS_KEY=AKIAIOSFODNN7EXAMPLE\r\n"
        b"MINIO_DATA_SECRET_KEY=" + secret + b"\r\n"
        b"OLD_MINIO_ENDPOINT=stays\r\n"
        b"\r\n"
        b"PROMPT='two\r\nMINIO_ENDPOINT=inside a value'\r\n"
        b"MINIO_DATA_SECRET_KEY=" + secret + b"\r\nMINIO_SECURE=true\r\n"
    )
    assert dotenv_values(tmp_path / "target")["MINIO_DATA_SECRET_KEY"] == "wJal/rXU+n&FE\\M|I'K7\"M # D=E$N"


def test_bytes_that_are_not_utf8_stay_in_lines_that_are_not_ours(tmp_path: Path, run: Run) -> None:
    done = run("# 한글 주석\nA=1\n".encode("cp949"), A="2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "target").read_bytes() == "# 한글 주석\nA=2\n".encode("cp949")


def test_a_restarted_init_container_writes_the_file_again(tmp_path: Path, run: Run) -> None:
    assert run(b"A=1\n", A="first").returncode == 0
    assert oct((tmp_path / "target").stat().st_mode & 0o777) == "0o444"
    assert run(b"A=1\n", A="second").returncode == 0
    assert (tmp_path / "target").read_text() == "A=second\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_an_interpreter_without_python_dotenv_runs_the_script(tmp_path: Path, run: Run) -> None:
    done = run(b"A=1\n", options=("-I", "-S", "-B"), A="it's")
    assert done.returncode == 0, done.stderr
    assert dotenv_values(tmp_path / "target") == {"A": "it's"}


def test_the_images_own_python_dotenv_has_the_last_word(
    tmp_path: Path, merge_dotenv: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").write_text("A=1\n")
    monkeypatch.setenv("A", "2")
    monkeypatch.setattr("dotenv.dotenv_values", lambda *_, **__: {"A": "misread"})
    with pytest.raises(merge_dotenv.Refused, match=r"^A: "):
        merge_dotenv.main(tmp_path / "source", tmp_path / "target", ["A"])
    assert not (tmp_path / "target").exists()


def test_the_script_is_python_3_8() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
