"""However a process ends, what it recorded arrives. Real processes."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request

import pytest
from conftest import assert_accepted

from modeltrail import AuditLogger

# Seconds until a process that hangs fails its test.
HANGS_S = 120


def start(program: str, folder: pathlib.Path, *arguments: str) -> subprocess.Popen[str]:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(program))
    environment = {**os.environ, "MODELTRAIL_STORE": f"sqlite:{folder}/audit.db", "PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [sys.executable, str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder,
    )  # fmt: skip


def run(program: str, folder: pathlib.Path, expect: int = 0) -> str:
    process = start(program, folder)
    out, err = process.communicate(timeout=HANGS_S)
    assert (process.returncode, err) == (expect, ""), err
    return out


def inputs(folder: pathlib.Path, n_limit: int = 100_000) -> list[int]:
    with AuditLogger(f"sqlite:{folder}/audit.db") as audit:
        found = sorted(record.input_data["n"] for record in audit.query_by_model("m", limit=n_limit))
        assert_accepted(audit)
    return found


def test_the_end_of_the_interpreter(tmp_path: pathlib.Path) -> None:
    program = """
        from modeltrail import AuditLogger
        audit = AuditLogger()
        for n in range(1000):
            audit.log("m", "v1", {"n": n}, None)
    """
    run(program, tmp_path)
    assert inputs(tmp_path) == list(range(1000))


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "raise RuntimeError"])
def test_other_ends(tmp_path: pathlib.Path, ending: str) -> None:
    program = f"""
        import sys
        from modeltrail import AuditLogger
        sys.excepthook = lambda *error: None
        for n in range(100):
            AuditLogger().log("m", "v1", {{"n": n}}, None)
        {ending}
    """
    run(program, tmp_path, expect=3 if "3" in ending else 1)
    assert inputs(tmp_path) == list(range(100))


def test_forked_children_are_producers_of_their_own(tmp_path: pathlib.Path) -> None:
    program = """
        import os, sys, warnings
        from modeltrail import AuditLogger
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork, which is what is tried here
        audit = AuditLogger()
        audit.log("m", "v1", {"n": 0}, None, ack="spooled")
        children = []
        for child in range(1, 5):
            pid = os.fork()
            if pid == 0:
                for n in range(100):
                    audit.log("m", "v1", {"n": child * 100 + n}, None, ack="spooled" if child % 2 else None)
                if child % 2:
                    os._exit(0)  # nothing is said to anybody; what was spooled is there
                sys.exit(0)
            children.append(pid)
        audit.log("m", "v1", {"n": 1}, None)
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
    """
    run(program, tmp_path)
    assert inputs(tmp_path) == [0, 1, *range(100, 500)]


def test_a_forked_child_that_records_nothing_opens_nothing(tmp_path: pathlib.Path) -> None:
    program = """
        import os, sys, warnings
        from modeltrail import AuditLogger
        warnings.simplefilter("ignore", DeprecationWarning)
        audit = AuditLogger()
        audit.log("m", "v1", {"n": 0}, None)
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        audit.flush()
        print(audit.stats()["n_sequenced"])
    """
    run(program, tmp_path)
    with AuditLogger(f"sqlite:{tmp_path}/audit.db") as audit:
        opened = [audit.verify()["size"]]
    assert opened[0] < 12, "entries of two processes, not of three"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(tmp_path: pathlib.Path, method: str) -> None:
    program = f"""
        import multiprocessing, warnings
        from modeltrail import AuditLogger
        warnings.simplefilter("ignore", DeprecationWarning)

        def work(child):
            audit = AuditLogger()
            for n in range(50):
                audit.log("m", "v1", {{"n": child * 100 + n}}, None)

        if __name__ == "__main__":
            AuditLogger().log("m", "v1", {{"n": 0}}, None)
            context = multiprocessing.get_context("{method}")
            children = [context.Process(target=work, args=(child,)) for child in range(1, 4)]
            for child in children:
                child.start()
            for child in children:
                child.join()
                assert child.exitcode == 0
    """
    run(program, tmp_path)
    assert inputs(tmp_path) == [0, *(child * 100 + n for child in (1, 2, 3) for n in range(50))]


def test_kill_keeps_what_was_spooled(tmp_path: pathlib.Path) -> None:
    program = """
        import itertools
        from modeltrail import AuditLogger
        audit = AuditLogger()
        for n in itertools.count():
            audit.log("m", "v1", {"n": n}, None, ack="spooled")
            print(n, flush=True)
    """
    process = start(program, tmp_path)
    assert process.stdout is not None and process.stderr is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 50:
            process.kill()
    process.wait(HANGS_S)
    process.stdout.close()
    process.stderr.close()
    found = inputs(tmp_path)
    assert found == list(range(len(found)))
    assert len(found) > acknowledged >= 50


def test_sigterm_is_the_programs_own(tmp_path: pathlib.Path) -> None:
    program = """
        import signal, sys
        from modeltrail import AuditLogger
        if len(sys.argv) > 1:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        audit = AuditLogger()
        assert len(sys.argv) > 1 or signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        audit.log("m", "v1", {"n": 0}, None, ack="spooled")
        for n in range(1, 100):
            audit.log("m", "v1", {"n": n}, None)
        print("ready", flush=True)
        signal.pause()
    """
    for arguments, code in ((("handled",), 0), ((), -signal.SIGTERM)):
        folder = tmp_path / f"case{len(arguments)}"
        folder.mkdir()
        process = start(program, folder, *arguments)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, err = process.communicate(timeout=HANGS_S)
        assert (process.returncode, err) == (code, "")
        found = inputs(folder)
        assert found == list(range(len(found))) and found, "whole records, in order, from the first on"
        if code == 0:
            assert found == list(range(100))


APP = """
    from fastapi import FastAPI, Request
    from modeltrail import audit_endpoint

    app = FastAPI()

    @app.post("/predict")
    @audit_endpoint(model_name="m", model_version="v1")
    async def predict(request: Request):
        return {"label": "a"}
"""

SERVERS = {
    "uvicorn": ["uvicorn", "program:app", "--workers", "2", "--fd", "{fd}", "--log-level", "warning"],
    "gunicorn": [
        "gunicorn", "program:app", "-k", "uvicorn_worker.UvicornWorker", "-w", "2", "-b", "fd://{fd}",
        "--log-level", "warning",
    ],
}  # fmt: skip


@pytest.mark.parametrize("server", SERVERS)
def test_workers_of_servers(tmp_path: pathlib.Path, server: str) -> None:
    (tmp_path / "program.py").write_text(textwrap.dedent(APP))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # What connects before a worker is ready waits in the socket's queue.
        fd, port = listening.fileno(), listening.getsockname()[1]
        command = [word.format(fd=fd) for word in SERVERS[server]]
        environment = {**os.environ, "MODELTRAIL_STORE": f"sqlite:{tmp_path}/audit.db"}
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=tmp_path, env=environment, pass_fds=[fd]
        )
        try:
            for n in range(200):
                body = f'{{"n": {n}}}'.encode()
                request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body)
                with urllib.request.urlopen(request, timeout=HANGS_S) as answer:
                    assert answer.read() == b'{"label":"a"}'
        finally:
            process.terminate()
            process.wait(HANGS_S)
    assert inputs(tmp_path) == list(range(200))
