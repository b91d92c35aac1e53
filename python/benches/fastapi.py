"""What capture adds to a FastAPI endpoint: bare, with the middleware, with the decorator, and with the seed document's
commit for each request. Each in a server of its own, asked in turn by 1 and by 16 connections.

    python benches/fastapi.py [SECONDS_PER_ROUND]
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

N_ROUNDS = 5
BODY = b'{"transaction_amount": 1250.0, "merchant": "grocer", "hour": 14, "country": "DE", "n_today": 3}'
REQUEST = (
    b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-user-id: jane\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)
)

HEAD = """
from fastapi import FastAPI, Request
app = FastAPI()
"""
ENDPOINT = """
@app.post("/predict")
{decorator}
async def predict(request: Request):
    body = await request.json()
    return {{"prediction": "legitimate", "confidence": 0.97, "amount": body["transaction_amount"]}}
"""
SEED = """
import hashlib, json, sqlite3, time, uuid
from functools import wraps
db = sqlite3.connect("seed.db", check_same_thread=False)
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE ai_audit_logs (id INTEGER PRIMARY KEY, request_id TEXT UNIQUE, timestamp TEXT,"
           "model_name TEXT, model_version TEXT, input_hash TEXT, input_data TEXT, output_data TEXT,"
           "user_id TEXT, latency_ms REAL)")
def seed(func):
    @wraps(func)
    async def wrapper(request: Request):
        body = await request.json()
        start = time.time()
        result = await func(request)
        text = json.dumps(body, sort_keys=True)
        db.execute("INSERT INTO ai_audit_logs VALUES (NULL,?,?,?,?,?,?,?,?,?)",
                   (str(uuid.uuid4()), str(start), "m", "v1", hashlib.sha256(text.encode()).hexdigest(),
                    text, json.dumps(result), request.headers.get("X-User-ID"), (time.time() - start) * 1000))
        db.commit()
        return result
    return wrapper
"""
APPS = {
    "bare": HEAD + ENDPOINT.format(decorator=""),
    "middleware": HEAD
    + "from modeltrail import AuditMiddleware\n"
    + "app.add_middleware(AuditMiddleware, model='m', version='v1', user='header:x-user-id')\n"
    + ENDPOINT.format(decorator=""),
    "decorator": HEAD
    + "from modeltrail import audit_endpoint\n"
    + ENDPOINT.format(decorator="@audit_endpoint(model_name='m', model_version='v1')"),
    "seed": HEAD + SEED + ENDPOINT.format(decorator="@seed"),
}


@contextlib.contextmanager
def served(name: str, folder: pathlib.Path) -> Iterator[tuple[str, int]]:
    folder.mkdir()
    (folder / "app.py").write_text(APPS[name])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(listener.fileno()), "--log-level", "error"]
        environment = {**os.environ, "MODELTRAIL_STORE": f"sqlite:{folder}/audit.db"}
        server = subprocess.Popen(
            [*command, "--no-access-log"], cwd=folder, env=environment, pass_fds=[listener.fileno()]
        )
        try:
            yield listener.getsockname()[:2]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def load(address: tuple[str, int], n_connections: int, seconds: float) -> tuple[float, float, float]:
    """p50 and p99 in microseconds, and requests a second."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    def ask() -> None:
        own: list[float] = []
        with socket.create_connection(address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.perf_counter() < until:
                begun = time.perf_counter()
                connection.sendall(REQUEST)
                answer = connection.recv(65536)
                while b"}" not in answer:
                    answer += connection.recv(65536)
                own.append(time.perf_counter() - begun)
        times.extend(own)

    threads = [threading.Thread(target=ask) for _ in range(n_connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    times.sort()
    return times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6, len(times) / took


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        root = pathlib.Path(folder)
        addresses = {name: stack.enter_context(served(name, root / name)) for name in APPS}
        for name, address in addresses.items():
            load(address, 1, 0.5)
        for n_connections in (1, 16):
            rounds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in APPS}
            for _ in range(N_ROUNDS):
                for name, address in addresses.items():
                    rounds[name].append(load(address, n_connections, seconds))
            middle = {name: [statistics.median(column) for column in zip(*of)] for name, of in rounds.items()}
            bare = middle["bare"]
            for name, (p50, p99, rate) in middle.items():
                print(
                    f"{n_connections:2} connections  {name:10}  p50 {p50:7.0f} us ({p50 - bare[0]:+6.0f})  "
                    f"p99 {p99:7.0f} us ({p99 - bare[1]:+6.0f})  {rate:6.0f}/s ({rate / bare[2]:.2f})"
                )


if __name__ == "__main__":
    main()
