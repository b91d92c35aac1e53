"""A worker of gunicorn that is killed under load takes no record with it that was acknowledged."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

from conftest import assert_accepted

from modeltrail import AuditLogger

N_REQUESTS = 400
N_WORKERS = 4

# Seconds until something that hangs fails the test.
HANGS_S = 60

APP = """
import os
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from modeltrail import AuditLogger, AuditMiddleware

async def predict(request):
    return JSONResponse({"n": (await request.json())["n"], "pid": os.getpid()})

app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
app.add_middleware(
    AuditMiddleware, audit=AuditLogger(ack="spooled"), model="m", version="v1", capture="before_response"
)
"""


def test_a_killed_worker_loses_nothing_that_was_acknowledged(tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    store = f"sqlite:{tmp_path}/audit.db"
    AuditLogger(store).close()
    answered: dict[int, int] = {}
    lock = threading.Lock()
    killed: list[int] = []

    def ask(n: int) -> None:
        request = urllib.request.Request(
            url, b'{"n": %d}' % n, {"content-type": "application/json", "connection": "close"}
        )
        try:
            with urllib.request.urlopen(request, timeout=HANGS_S) as answer:
                body = answer.read()
        except OSError:
            return  # its worker was killed
        pid = int(body.split(b'"pid":')[1].rstrip(b"}"))
        with lock:
            answered[n] = pid
            if len(answered) == N_REQUESTS // 4:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/predict"
        command = [sys.executable, "-m", "gunicorn", "app:app", "-k", "uvicorn_worker.UvicornWorker"]
        command += ["-w", str(N_WORKERS), "-b", f"fd://{listener.fileno()}", "--log-level", "critical"]
        environment = {**os.environ, "MODELTRAIL_STORE": store}
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, pass_fds=[listener.fileno()])
        try:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                list(pool.map(ask, range(N_REQUESTS)))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(HANGS_S)

    assert len(killed) == 1 and len(answered) >= N_REQUESTS // 2
    with AuditLogger(store) as audit:
        records = audit.query_by_model("m", limit=10 * N_REQUESTS)
        predictions = {record.request_id: record for record in records if record.kind == "prediction"}
        intents = {record.request_id: record for record in records if record.kind == "intent"}
        assert len(predictions) + len(intents) == len(records), "nothing twice"
        # Every intent has become a record, and each says what it was about.
        assert set(predictions) == set(intents)
        asked = [record.input_data["n"] for record in intents.values()]
        assert len(asked) == len(set(asked)) and set(answered) <= set(asked)
        done = {it.output_data["n"] for it in predictions.values() if it.status == "success"}
        unknown = {intents[it].input_data["n"] for it in predictions if predictions[it].status == "unknown"}
        assert done | unknown >= set(answered)
        # What is not known is of the worker that was killed.
        assert all(answered.get(n, killed[0]) == killed[0] for n in unknown)
        assert_accepted(audit)
