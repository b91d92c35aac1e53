#!/usr/bin/env python3
"""Check predictions.jsonl with the standard library alone, and print its counts as JSON.

Every record must have its fields, a request id and a time of its own, and a time not before the
one above it; every prediction is computed again from the record's own pipeline pin and must come
out the same; the pin's code digest must be that of make_predictions.py as it lies here.

    python3 check.py                            # counts on standard output
    python3 check.py --expect counts.json       # and compare them

Exit codes: 0 fine, 1 findings (one a line on standard error), 2 usage.
"""

import argparse
import hashlib
import json
import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIELDS = {
    "request_id": str,
    "timestamp": str,
    "model_name": str,
    "model_version": str,
    "input_data": dict,
    "output_data": dict,
    "user_id": str,
    "subject_id": str,
    "latency_ms": float,
    "metadata": dict,
    "pipeline": dict,
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
# The range reserved for examples: 555-0100 to 555-0199.
PHONE = re.compile(r"\b555[-. ]01\d\d\b")
# Confidences are rounded to six digits; the sum may be added up in another order.
TOLERANCE = 2e-6


def notes(record):
    """The free texts of a record."""
    places = (record["input_data"].get("referral_note"), record["metadata"].get("note"))
    return [note for note in places if note is not None]


def predict(record):
    """(prediction, confidence), computed from the record's input and pipeline pin."""
    scaler, model = record["pipeline"]["scaler"], record["pipeline"]["model"]
    features = record["input_data"]
    names = sorted(name for name in features if name != "referral_note")
    columns = zip(names, scaler["mean"], scaler["scale"], model["coefficients"], strict=True)
    score = model["intercept"]
    score += math.fsum(
        weight * (features[name] - mean) / scale for name, mean, scale, weight in columns
    )
    chance = 1.0 / (1.0 + math.exp(-score))
    if chance >= model["threshold"]:
        return model["positive_label"], chance
    return "benign", 1.0 - chance


def field_findings(record):
    """What is wrong with the shape of a record."""
    wrong = set(record) ^ set(FIELDS)
    if wrong:
        return [f"fields missing or unknown: {', '.join(sorted(wrong))}"]
    found = [
        f"{name} is no {kind.__name__}"
        for name, kind in FIELDS.items()
        if not isinstance(record[name], kind)
    ]
    if not found and not REQUEST_ID.fullmatch(record["request_id"]):
        found.append("request_id is no UUID")
    if not found and not TIMESTAMP.fullmatch(record["timestamp"]):
        found.append("timestamp is not RFC 3339 in UTC with milliseconds")
    return found


def content_findings(record, code_digest):
    """What is wrong with the contents of a well-shaped record."""
    found = []
    try:
        prediction, confidence = predict(record)
        told = record["output_data"]
        if prediction != told["prediction"]:
            found.append(f"prediction is {told['prediction']}, the pipeline pin gives {prediction}")
        elif abs(confidence - told["confidence"]) > TOLERANCE:
            found.append(f"confidence is {told['confidence']}, the pin gives {confidence:.6f}")
        if record["pipeline"]["code_digest"] != code_digest:
            found.append("code_digest is not that of make_predictions.py: run it again")
    except (KeyError, TypeError, ValueError) as error:
        found.append(f"cannot compute the prediction again: {error!r}")
    return found


def read(path, code_digest):
    """(records, findings): all well-shaped records, and one text per thing that is wrong."""
    records, findings, request_ids, last = [], [], set(), ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            found = field_findings(record) if isinstance(record, dict) else ["not an object"]
        except ValueError as error:
            found = [f"not JSON: {error}"]
        if not found:
            found = content_findings(record, code_digest)
            if record["request_id"] in request_ids:
                found.append("request_id was seen before")
            if record["timestamp"] <= last:
                found.append("timestamp is not after the one above")
            request_ids.add(record["request_id"])
            last = record["timestamp"]
            records.append(record)
        findings.extend(f"{path.name}:{number}: {text}" for text in found)
    return records, findings


def counts(records):
    """Counts by model, version and label, by user, and of what is in the notes."""
    models = defaultdict(lambda: defaultdict(Counter))
    for record in records:
        label = record["output_data"].get("prediction")
        models[record["model_name"]][record["model_version"]][label] += 1
    texts = [note for record in records for note in notes(record)]
    times = [record["timestamp"] for record in records]
    return {
        "n_records": len(records),
        "models": models,
        "users": Counter(record["user_id"] for record in records),
        "n_notes": len(texts),
        "n_emails": sum(len(list(EMAIL.finditer(text))) for text in texts),
        "n_phones": sum(len(PHONE.findall(text)) for text in texts),
        "first_timestamp": min(times, default=None),
        "last_timestamp": max(times, default=None),
    }


def main(arguments=None):
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=HERE / "predictions.jsonl")
    parser.add_argument("--expect", type=Path, metavar="FILE", help="counts to compare with")
    options = parser.parse_args(arguments)
    code = (HERE / "make_predictions.py").read_bytes()
    code_digest = "sha256:" + hashlib.sha256(code).hexdigest()
    records, findings = read(options.file, code_digest)
    told = json.loads(json.dumps(counts(records)))
    if options.expect is not None:
        expected = json.loads(options.expect.read_text(encoding="utf-8"))
        for name in sorted(set(expected) | set(told)):
            if expected.get(name) != told.get(name):
                findings.append(f"{name}: {told.get(name)}, expected {expected.get(name)}")
    print(json.dumps(told, indent=2, sort_keys=True))
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
