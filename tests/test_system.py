"""system.py where a system lacks something: each function then does what its docstring says, and no
other module asks a system for what not all of them have."""

from __future__ import annotations

import ast
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from seqkd_lab import cli, control_groups, files, interrupts, machine, system
from seqkd_lab.installation import PACKAGE
from seqkd_lab.runs import committed, lease
from seqkd_lab.studies.token_importance import memory

MODULES_OF_POSIX = {"pwd", "grp", "resource", "fcntl", "termios", "pty", "syslog"}
CALLS_OF_POSIX = re.compile(
    r"os\.(getuid|geteuid|getgid|kill|killpg|fork\w*|umask|chown|mkfifo|setsid|statvfs|wait\w*|"
    r"O_NONBLOCK|O_NOFOLLOW|sched_\w+|uname|nice|getloadavg|getpgid)|"
    r"signal\.(pthread_\w+|SIGKILL|SIGSTOP|SIGCONT|SIGHUP|SIGALRM|SIGUSR\d|SIGPIPE|alarm|setitimer)"
)
PATHS_OF_LINUX = re.compile(r"^/(proc|sys)/")
PLATFORM = sys.platform
MAY = {"system.py", "control_groups.py"}


def asked(source: str) -> Iterator[str]:
    """Yield what a module's source asks of a system that not all systems have."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & MODULES_OF_POSIX
        elif isinstance(node, ast.ImportFrom) and node.module in {*MODULES_OF_POSIX, "os.fork"}:
            yield node.module
        elif isinstance(node, ast.Attribute) and CALLS_OF_POSIX.fullmatch(ast.unparse(node)):
            yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if PATHS_OF_LINUX.match(node.value):
                yield node.value


@pytest.mark.parametrize(
    "source",
    [
        "import pwd",
        "from resource import getrusage",
        "os.kill(pid, 0)",
        "x = -signal.SIGKILL",
        "Path('/proc/self/status')",
        "os.umask(0)",
    ],
)
def test_a_question_of_one_system_is_found(source):
    assert len(list(asked(source))) == 1


def test_only_one_module_asks_what_not_all_systems_have():
    found = {
        path.name: list(asked(path.read_text("utf-8")))
        for path in PACKAGE.rglob("*.py")
        if path.name not in MAY
    }
    assert {name: questions for name, questions in found.items() if questions} == {}


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """This system without what Windows lacks: modules, functions and the files of the kernel. To
    send any signal is an error, since there it would end the process."""
    for module in ("pwd", "resource"):
        monkeypatch.setitem(sys.modules, module, None)

    def kill(pid, number):
        raise AssertionError("os.kill ends a process on Windows")

    monkeypatch.setattr(os, "kill", kill)
    for name in ("getuid", "sched_getaffinity", "O_NONBLOCK"):
        monkeypatch.delattr(os, name)
    for name in ("pthread_sigmask", "SIGKILL"):
        monkeypatch.delattr(signal, name)
    for name in ("STATUS", "MEMORY_INFORMATION", "OWN_NAMESPACE"):
        monkeypatch.setattr(system, name, tmp_path / "no-such-file")
    monkeypatch.setattr(system.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(sys, "platform", "win32")
    return tmp_path / "no-such-file"


class TestWindows:
    def test_no_process_is_asked_and_what_it_left_stays_for_a_day(self, windows, tmp_path):
        assert system.is_running(os.getpid()) and system.is_running(2**22 + 1)
        assert system.process_namespace() == ""
        left_over = tmp_path / f"{files.temporary_prefix('x')}abc"
        left_over.write_text("half")
        files.sweep(tmp_path)
        assert left_over.exists()
        os.utime(left_over, (0, 0))
        files.sweep(tmp_path)
        assert not left_over.exists()

    def test_users_have_numbers_and_oneself_a_name_or_none(self, windows, monkeypatch):
        assert system.user_name(0) == "user 0"
        monkeypatch.setenv("USERNAME", "Jürgen")
        for name in ("LOGNAME", "USER", "LNAME"):
            monkeypatch.delenv(name, raising=False)
        assert system.own_name() == lease.this_process().user == "Jürgen"
        monkeypatch.delenv("USERNAME")
        assert system.own_name() == lease.this_process().user == "somebody"

    def test_a_file_that_may_not_be_written_names_its_folder(self, windows, monkeypatch, tmp_path):
        def refused(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(files.os, "replace", refused)
        with pytest.raises(OSError, match="belongs to user 0|belongs to user .*choose another"):
            files.write_atomically(tmp_path / "file", b"x")

    def test_interrupts_are_heard_while_a_worker_starts(self, windows):
        with pytest.raises(KeyboardInterrupt), interrupts.postponed():
            signal.raise_signal(signal.SIGINT)

    def test_a_repeated_interrupt_sends_no_signal(self, windows):
        with pytest.raises(KeyboardInterrupt):
            system.interrupt_self()

    def test_memory_is_not_known_and_nothing_is_refused_for_it(self, windows):
        nowhere = (windows, windows, windows)
        assert math.isnan(machine.available_memory_mib(*nowhere))
        assert math.isnan(machine.granted_memory_mib(*nowhere))
        assert math.isnan(machine.peak_memory_mib())

    def test_a_model_is_read_and_a_machine_described_without_knowing_the_memory(
        self, windows, monkeypatch, tmp_path
    ):
        """A bound beyond every memory must not be asked for; NaN has no place in results."""
        monkeypatch.setattr(machine, "available_memory_mib", lambda: math.nan)
        assert machine.fair_share() > 2**60 and committed.existing_checkpoint("seq-kd").is_dir()
        assert committed.load_committed(committed.existing_checkpoint("seq-kd")).n_parameters() > 0
        (tmp_path / "text").write_bytes(b"a\nb\n")
        assert files.read_bytes(tmp_path / "text", machine.fair_share()) == b"a\nb\n"
        described = machine.describe()
        files.write_json(tmp_path / "machine.json", described)
        assert "peak_memory_mib" not in described and "torch" in described

    def test_all_cores_of_the_machine_count(self, windows):
        assert machine.cpu_quota(windows, windows) == (os.cpu_count() or 1)

    def test_a_pipe_is_left_to_its_reader(self, windows):
        assert system.write_nothing("nowhere") is None

    def test_the_study_that_forks_says_so(self, windows):
        with pytest.raises(ValueError, match="cannot fork"):
            memory.measure(memory.CASES)


COMMANDS = (
    "translate 'my ticket was new .'",
    "train --out student --width 8 --epochs 1 --pairs 64",
    "translate 'my ticket was new .' --model student",
    "study check budget",
    "lab lessons --copy-only",
    "corpus toy --show 1",
)


@pytest.mark.slow
def test_commands_work_without_what_windows_lacks(windows, monkeypatch, tmp_path, capsys):
    """All is taken away but the name of the system, which Python's own library goes by."""
    monkeypatch.setattr(sys, "platform", PLATFORM)
    for question in ("cores", "memory_left", "memory_limit"):
        monkeypatch.setattr(control_groups, question, lambda *_: math.inf)
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        code = cli.main(shlex.split(command))
        assert code in (0, 1) and "Traceback" not in capsys.readouterr().err, command
    assert (tmp_path / "lessons" / "00_start_here.ipynb").is_file()


class TestMacOS:
    def test_peak_memory_is_counted_in_bytes(self, monkeypatch, tmp_path):
        monkeypatch.setattr(system, "STATUS", tmp_path / "none")
        in_kib = system.peak_bytes()
        monkeypatch.setattr(sys, "platform", "darwin")
        assert system.peak_bytes() == pytest.approx(in_kib / 1024, rel=0.5)

    def test_free_memory_is_not_known(self, monkeypatch, tmp_path):
        monkeypatch.setattr(system, "STATUS", tmp_path / "none")
        assert system.memory_bytes("MemAvailable", tmp_path / "none") == math.inf
        assert control_groups.cores(tmp_path, tmp_path / "none") == math.inf
        assert system.address_space_left() == math.inf


class TestHere:
    def test_a_process_that_is_gone_is_known_to_be(self):
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        assert system.is_running(os.getpid()) and system.is_running(1)
        assert not system.is_running(child.pid) and not system.is_running(2**70)

    @pytest.mark.parametrize(
        ("code", "words"),
        [(3, "exit code 3"), (-11, "signal 11, SIGSEGV"), (-200, "signal 200")],
    )  # fmt: skip
    def test_how_a_process_ended(self, code, words):
        assert system.ended_in_words(code) == words

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    def test_the_codes_of_ended_workers_are_those_of_their_signals(self):
        assert (system.KILLED, system.TERMINATED) == (-signal.SIGKILL, -signal.SIGTERM)
