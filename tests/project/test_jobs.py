"""jobs/: every command line is one that the lab accepts, and a job may be started again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from small_corpus import write_text

from seqkd_lab import cli

ROOT = Path(__file__).resolve().parents[2]
JOBS = ROOT / "jobs"
STEPS = (JOBS / "steps.sh").read_text(encoding="utf-8")
MANIFEST = list(yaml.safe_load_all((JOBS / "kubernetes.yaml").read_text(encoding="utf-8")))


def text_folder(folder: Path) -> Path:
    """Six small files, named as --text expects them."""
    write_text(folder)
    for side, language in (("source", "en"), ("target", "de")):
        for file in folder.glob(f"*.{language}"):
            file.rename(file.with_suffix(f".{side}"))
    return folder


def run_steps(work: Path, python: Path, **settings: str) -> subprocess.CompletedProcess:
    """steps.sh in a folder with a space, with `python` in the place of Python."""
    environment = {**os.environ, "PYTHON": str(python), "WORK": str(work), **settings}
    return subprocess.run(
        ["bash", str(JOBS / "steps.sh")], env=environment, capture_output=True, text=True
    )


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A program that writes its arguments to calls.txt, a line each call, and fails at the step
    that the file fail-at names."""
    program = tmp_path / "python that records"
    program.write_text(
        "#!/bin/bash\n"
        'folder=$(dirname "$0")\n'
        'printf "%q " "$@" >> "$folder/calls.txt"; echo >> "$folder/calls.txt"\n'
        '[ ! -e "$folder/fail-at" ] || [[ " $* " != *" $(cat "$folder/fail-at") "* ]]\n'
    )
    program.chmod(0o755)
    return program


def calls(recorder: Path) -> list[list[str]]:
    """The recorded command lines, in words."""
    file = recorder.parent / "calls.txt"
    return [shlex.split(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("file", ["steps.sh", "slurm.sh"])
def test_bash_reads_the_script(file: str) -> None:
    assert subprocess.run(["bash", "-n", str(JOBS / file)]).returncode == 0


def test_the_lab_accepts_every_command_line(recorder: Path, tmp_path: Path) -> None:
    text = text_folder(tmp_path / "my text")
    assert run_steps(tmp_path / "all results", recorder, TEXT=str(text)).returncode == 0
    typed = [words[words.index("seqkd_lab") + 1 :] for words in calls(recorder)]
    assert [words[0] for words in typed] == ["corpus", "train", "distil", "train"]
    teacher, label, student = (cli.parser().parse_args(words) for words in typed[1:])
    encoded = cli.parser().parse_args(typed[0])
    assert encoded.out == teacher.corpus == label.corpus == student.corpus
    assert not student.as_teacher
    assert teacher.as_teacher and label.teacher == [str(teacher.out)]
    assert student.distilled == label.out and label.method == "mode" and label.beam == 5
    for each in (teacher, label, student):
        assert (each.device, each.precision) == ("cuda", "bf16")


def test_torchrun_accepts_what_stands_before_them(recorder: Path, tmp_path: Path) -> None:
    from torch.distributed.run import get_args_parser

    text = text_folder(tmp_path / "text")
    settings = {"NODES": "3", "GPUS": "4", "HEAD_NODE": "node-a", "PORT": "4000", "JOB": "77"}
    run_steps(tmp_path / "work", recorder, TEXT=str(text), **settings)
    started = [words for words in calls(recorder) if words[1] == "torch.distributed.run"]
    parsed = [get_args_parser().parse_args(words[2:]) for words in started]
    assert len({each.rdzv_id for each in parsed}) == len(parsed) == 3
    for each in parsed:
        assert (each.nnodes, each.nproc_per_node, each.rdzv_endpoint) == ("3", "4", "node-a:4000")
        assert each.module and each.training_script == "seqkd_lab"


@pytest.mark.parametrize("failing", ["encode", "--as-teacher", "distil", "--distilled"])
def test_a_job_that_failed_goes_on_at_the_step_that_failed(
    recorder: Path, tmp_path: Path, failing: str
) -> None:
    text, work = text_folder(tmp_path / "text"), tmp_path / "work"
    (tmp_path / "fail-at").write_text(failing)
    assert run_steps(work, recorder, TEXT=str(text)).returncode != 0
    failed = calls(recorder)[-1]
    assert failing in failed
    (tmp_path / "fail-at").unlink()
    n_before = len(calls(recorder))
    assert run_steps(work, recorder, TEXT=str(text)).returncode == 0
    assert calls(recorder)[n_before] == failed and len(calls(recorder)) == 5
    assert run_steps(work, recorder, TEXT=str(text)).returncode == 0
    assert len(calls(recorder)) == 5  # nothing is done twice


@pytest.mark.slow
def test_an_interrupt_ends_the_step_that_is_running(recorder: Path, tmp_path: Path) -> None:
    text, ended = text_folder(tmp_path / "text"), tmp_path / "ended"
    recorder.write_text(
        "#!/bin/bash\n"
        f"trap 'touch \"{ended}\"; exit 1' TERM\n"
        f'echo started >> "{tmp_path}/calls.txt"\n'
        "for n in {1..600}; do sleep 0.1; done\n"
    )
    settings = {"PYTHON": str(recorder), "WORK": str(tmp_path / "work"), "TEXT": str(text)}
    script = ["bash", str(JOBS / "steps.sh")]
    with subprocess.Popen(script, env={**os.environ, **settings}) as job:
        while not calls(recorder):
            time.sleep(0.02)
        job.send_signal(signal.SIGTERM)
        assert job.wait(timeout=60) == 143
    assert ended.exists() and not (tmp_path / "work" / "encode.done").exists()


def test_another_machine_neither_encodes_nor_marks_a_step(recorder: Path, tmp_path: Path) -> None:
    text, work = text_folder(tmp_path / "text"), tmp_path / "work"
    work.mkdir()
    (work / "encode.done").touch()
    assert run_steps(work, recorder, TEXT=str(text), NODE="1", NODES="2").returncode == 0
    assert len(calls(recorder)) == 3
    assert [file.name for file in work.iterdir()] == ["encode.done"]


@pytest.mark.parametrize("missing", ["TEXT", "WORK"])
def test_a_folder_that_is_not_named_is_asked_for(
    recorder: Path, tmp_path: Path, missing: str
) -> None:
    settings = {"TEXT": str(tmp_path), "WORK": str(tmp_path / "work"), missing: ""}
    done = subprocess.run(
        ["bash", str(JOBS / "steps.sh")],
        env={**os.environ, "PYTHON": str(recorder), **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and missing in done.stderr and not calls(recorder)


def of_kind(kind: str) -> dict:
    return next(each for each in MANIFEST if each["kind"] == kind)


def test_the_pods_ask_for_what_they_need_and_find_each_other() -> None:
    job, service = of_kind("Job"), of_kind("Service")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    settings = {each["name"]: each.get("value") for each in container["env"]}
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == int(settings["NODES"])
    for bound in ("requests", "limits"):
        resources = container["resources"][bound]
        assert {"memory", "nvidia.com/gpu", "ephemeral-storage"} <= resources.keys()
        assert resources["nvidia.com/gpu"] == settings["GPUS"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()
    assert pod["subdomain"] == service["metadata"]["name"]
    assert settings["HEAD_NODE"] == f"{job['metadata']['name']}-0.{pod['subdomain']}"
    assert settings["PORT"] == str(service["spec"]["ports"][0]["port"])
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == {each["name"] for each in pod["volumes"]}


def test_a_failure_starts_the_job_again() -> None:
    job = of_kind("Job")["spec"]
    assert job["template"]["spec"]["restartPolicy"] == "OnFailure" and job["backoffLimit"] > 10
    slurm = (JOBS / "slurm.sh").read_text(encoding="utf-8")
    assert "#SBATCH --requeue" in slurm and "#SBATCH --signal=B:USR1" in slurm


def test_both_set_only_what_the_steps_read() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+):[-?]", STEPS))
    slurm = (JOBS / "slurm.sh").read_text(encoding="utf-8")
    (container,) = of_kind("Job")["spec"]["template"]["spec"]["containers"]
    exported = set(re.findall(r"^export ([A-Z_]+)", slurm, re.MULTILINE))
    assert exported <= read and {each["name"] for each in container["env"]} <= read


@pytest.fixture
def slurm_commands(tmp_path: Path) -> Path:
    """srun and scontrol, which write what they were called with to calls.txt."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, more in (("scontrol", "echo node-a; echo node-b"), ("srun", "sleep ${WAIT:-0}")):
        program = folder / name
        program.write_text(
            f'#!/bin/bash\necho "{name} $* $HEAD_NODE" >> "{tmp_path}/calls.txt"\n{more}\n'
        )
        program.chmod(0o755)
    return folder


def of_slurm(commands: Path, **settings: str) -> dict[str, str]:
    job = {"SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "node-[a-b]", "SLURM_JOB_ID": "4711"}
    return {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", **job, **settings}


def test_slurm_starts_the_steps_on_each_node_and_names_the_first(
    slurm_commands: Path, tmp_path: Path
) -> None:
    script = ["bash", str(JOBS / "slurm.sh")]
    assert subprocess.run(script, env=of_slurm(slurm_commands)).returncode == 0
    *_, started = (tmp_path / "calls.txt").read_text().splitlines()
    assert started.startswith("srun") and "jobs/steps.sh" in started and started.endswith("node-a")


@pytest.mark.slow
def test_slurm_queues_the_job_again_before_its_time_is_over(
    slurm_commands: Path, tmp_path: Path
) -> None:
    script = ["bash", str(JOBS / "slurm.sh")]
    calls = tmp_path / "calls.txt"
    with subprocess.Popen(script, env=of_slurm(slurm_commands, WAIT="2")) as job:
        while not calls.exists() or "srun" not in calls.read_text():
            time.sleep(0.02)
        job.send_signal(signal.SIGUSR1)
        assert job.wait(timeout=60) != 0
    assert "scontrol requeue 4711" in calls.read_text()


def test_slurm_asks_for_what_it_needs() -> None:
    slurm = (JOBS / "slurm.sh").read_text(encoding="utf-8")
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)", slurm, re.MULTILINE))
    assert {"nodes", "gpus-per-node", "cpus-per-task", "mem", "time"} <= asked.keys()
    assert f"GPUS:-{asked['gpus-per-node']}" in slurm and asked["ntasks-per-node"] == "1"


@pytest.mark.parametrize("file", sorted(path.name for path in JOBS.iterdir()))
def test_each_file_says_that_it_was_not_run_on_a_cluster(file: str) -> None:
    assert "NOT run on" in (JOBS / file).read_text(encoding="utf-8")
