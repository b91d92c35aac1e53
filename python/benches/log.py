"""`AuditLogger.log` at `accepted` beside `orjson.dumps` of the same record, in one run.

    python benches/log.py [RECORDS.jsonl]

Records are logged in bursts that the ring holds, with a flush in between that is not counted; and then one each
millisecond, as requests come, while the writer syncs.
"""

from __future__ import annotations

import gc
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import orjson

from modeltrail import AuditLogger

N_BURST = 5_000
N_BURSTS = 8
N_PACED = 3_000
PAUSE_S = 0.001


def a_record() -> dict[str, Any]:
    """About 1.4 KB, as a fraud model sees it."""
    return {
        "input_data": {
            "transaction_id": "tx-2026-03-15-000017",
            "transaction_amount": 1250.0,
            "currency": "EUR",
            "merchant": {"category": "electronics", "name": "Volt & Co", "country": "DE", "risk": 0.18},
            "history": [{"amount": 12.5 + n, "days_ago": n, "declined": n % 3 == 0} for n in range(8)],
            "features": {f"feature_{n:02}": n * 0.125 for n in range(24)},
            "note": "Second order of this customer this week. " * 6,
        },
        "output_data": {"prediction": "legitimate", "confidence": 0.94, "risk_score": 0.12},
        "metadata": {"ip": "192.0.2.7", "endpoint": "/predict"},
        "model_name": "fraud_detector",
        "model_version": "v3.2.1",
        "user_id": "analyst_jane",
        "latency_ms": 23.5,
    }


def timed(call: Callable[[], Any], n: int, pause_s: float = 0.0) -> list[int]:
    times = []
    for _ in range(n):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
        if pause_s:
            time.sleep(pause_s)
    return times


def told(name: str, times: list[int]) -> float:
    times = sorted(times)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{name:24} p50 {p50 / 1000:8.2f} us   p99 {p99 / 1000:8.2f} us   max {times[-1] / 1000:9.1f} us")
    return p50


def main() -> None:
    record = a_record()
    if len(sys.argv) > 1:
        record = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()[0])
    print(f"record of {len(orjson.dumps(record))} bytes")
    with tempfile.TemporaryDirectory() as folder, AuditLogger(f"sqlite:{folder}/audit.db") as audit:
        gc.disable()
        ours, theirs = [], []
        for _ in range(N_BURSTS):
            theirs += timed(lambda: orjson.dumps(record), N_BURST)
            ours += timed(lambda: audit.log(**record), N_BURST)
            audit.flush()
        ratio = told("AuditLogger.log", ours) / told("orjson.dumps", theirs)
        print(f"ratio of the medians: {ratio:.2f} (at most 4)")
        told("orjson.dumps, paced", timed(lambda: orjson.dumps(record), N_PACED, PAUSE_S))
        told("AuditLogger.log, paced", timed(lambda: audit.log(**record), N_PACED, PAUSE_S))
        audit.flush()


if __name__ == "__main__":
    main()
