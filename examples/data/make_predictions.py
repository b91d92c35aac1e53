#!/usr/bin/env python3
"""Write predictions.jsonl and counts.json: real predictions of two versions of a real classifier.

The cases are the 569 of the Breast Cancer Wisconsin (Diagnostic) data set that scikit-learn ships.
They are cut into two halves. Version v1.0.0 is trained on the first half and scores the second
until the release of v1.1.0, which is trained on the second half and scores the first. So no case
is scored by a version that saw it in training.

Patients, analysts, times, notes and latencies are made up, from one seed. Everything is
deterministic: the same pinned packages give the same bytes.

    python3 make_predictions.py --output-dir .
"""

import argparse
import datetime as dt
import hashlib
import json
import random
import sys
import uuid
from pathlib import Path

import numpy
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

MODEL_NAME = "tumour_classifier"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.org/tumour_classifier")
START = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
RELEASE = dt.datetime(2026, 3, 16, tzinfo=dt.timezone.utc)
END = dt.datetime(2026, 3, 31, tzinfo=dt.timezone.utc)
ANALYSTS = ("analyst_jane", "analyst_lars", "analyst_omar", "analyst_priya")
SITES = ("north", "harbour", "hill")
# Decimal digits of every fitted number. The rounded numbers are put back into the model before
# it predicts, so the pipeline pin holds exactly what was used, in a tenth of the space.
DIGITS = 6
# What people type into free-text fields although nobody asked them to. Addresses are of the
# domains, and telephone numbers of the range, that are reserved for examples.
NOTES = (
    ("input", "Referred by Dr. Moreau, send the report to c.moreau@clinic.example.org please."),
    ("input", "Patient prefers a call: phone (202) 555-0143, not before noon."),
    ("input", "Second opinion wanted, contact t.silva@example.com or +1 202 555 0178."),
    ("input", "Slide relabelled at intake, see the e-mail of lab.desk@example.net."),
    ("metadata", "Call back on 202-555-0112 when the score is in."),
    ("metadata", "Copy to nina.weber+biopsy@example.org as agreed."),
    ("metadata", "Daughter asks to be told first, mobile 202.555.0165."),
    ("metadata", "Reviewed together with h.tanaka@mail.example.net, no remarks."),
    ("metadata", "Interpreter booked, tel. +1 (202) 555-0190, ask for Yuki."),
    ("metadata", "Wrong phone number on file, now 202-555-0137; mail stays p.novak@example.com."),
    ("metadata", "Repeat the reading if the confidence is low."),
    ("metadata", "Sample arrived late, otherwise in order."),
)
N_EMAILS, N_PHONES = 6, 6


def digest(data):
    """The SHA-256 of bytes, as a digest string."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def load_cases():
    """Feature names in sorted order, the matrix with its columns in that order, and the labels."""
    data = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in data.feature_names]
    order = sorted(range(len(names)), key=names.__getitem__)
    labels = [str(data.target_names[target]) for target in data.target]
    return [names[i] for i in order], data.data[:, order], numpy.array(labels)


def fit(rows, labels, regularisation, class_weight):
    """A scaler and a logistic regression whose fitted numbers are rounded to `DIGITS` digits."""
    scaler = StandardScaler().fit(rows)
    scaler.mean_ = scaler.mean_.round(DIGITS)
    scaler.scale_ = scaler.scale_.round(DIGITS)
    model = LogisticRegression(C=regularisation, class_weight=class_weight, max_iter=1000)
    model.fit(scaler.transform(rows), labels)
    model.coef_ = model.coef_.round(DIGITS)
    model.intercept_ = model.intercept_.round(DIGITS)
    return scaler, model


def pipeline_pin(scaler, model, seed, n_training_cases):
    """All that is needed to compute a prediction again, with or without scikit-learn."""
    weights = {"coefficients": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])}
    return {
        "scaler": {
            "kind": "StandardScaler",
            "mean": scaler.mean_.tolist(),
            "scale": scaler.scale_.tolist(),
        },
        "model": {
            "kind": "LogisticRegression",
            "C": model.C,
            "class_weight": model.class_weight,
            "positive_label": str(model.classes_[1]),
            "threshold": 0.5,
            **weights,
        },
        "model_digest": digest(json.dumps(weights, sort_keys=True).encode()),
        "code_digest": digest(Path(__file__).read_bytes()),
        "sklearn_version": sklearn.__version__,
        "numpy_version": numpy.__version__,
        "n_training_cases": n_training_cases,
        "seed": seed,
    }


def score(version, cases, scaler, model, rows, labels):
    """One (case, version, output) per case; tells the held-out accuracy on standard error."""
    chances = model.predict_proba(scaler.transform(rows[cases]))
    outputs = []
    for case, chance in zip(cases, chances):
        best = int(chance.argmax())
        output = {
            "prediction": str(model.classes_[best]),
            "confidence": round(float(chance[best]), DIGITS),
        }
        outputs.append((int(case), version, output))
    n_right = sum(output["prediction"] == labels[case] for case, _, output in outputs)
    told = f"{len(outputs)} cases never trained on, accuracy {n_right / len(outputs):.4f}"
    print(f"{version}: {told}", file=sys.stderr)
    return outputs


def times(rng, n, start, end):
    """`n` increasing times of working hours (07:00 to 19:00 UTC) in [start, end)."""
    n_days = (end - start).days
    day_ms, chosen = 12 * 3_600_000, set()
    while len(chosen) < n:
        day = dt.timedelta(days=rng.randrange(n_days), hours=7)
        chosen.add(start + day + dt.timedelta(milliseconds=rng.randrange(day_ms)))
    return sorted(chosen)


def record(rng, names, rows, pins, at, scored):
    """One record in the flat field names."""
    case, version, output = scored
    return {
        "request_id": str(uuid.uuid5(NAMESPACE, f"{version}/{case}")),
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "model_name": MODEL_NAME,
        "model_version": version,
        "input_data": dict(zip(names, rows[case].tolist())),
        "output_data": output,
        "user_id": rng.choices(ANALYSTS, weights=(4, 2, 3, 1))[0],
        "subject_id": f"patient-{rng.randrange(10**6):06d}",
        # Made up: a measured one would differ at each run.
        "latency_ms": round(1.5 + rng.lognormvariate(1.0, 0.6), 3),
        "metadata": {"site": rng.choice(SITES), "case": case},
        "pipeline": pins[version],
    }


def add_notes(rng, records):
    """Put each of `NOTES` into one record."""
    for (place, note), chosen in zip(NOTES, rng.sample(records, len(NOTES))):
        if place == "input":
            chosen["input_data"]["referral_note"] = note
        else:
            chosen["metadata"]["note"] = note


def counts(records):
    """What check.py counts from the file, taken here from what was to be written."""
    versions, users = {}, {}
    for item in records:
        labels = versions.setdefault(item["model_version"], {})
        label = item["output_data"]["prediction"]
        labels[label] = labels.get(label, 0) + 1
        users[item["user_id"]] = users.get(item["user_id"], 0) + 1
    return {
        "n_records": len(records),
        "models": {MODEL_NAME: versions},
        "users": users,
        "n_notes": len(NOTES),
        "n_emails": N_EMAILS,
        "n_phones": N_PHONES,
        "first_timestamp": records[0]["timestamp"],
        "last_timestamp": records[-1]["timestamp"],
    }


def make(seed):
    """All records, ordered by time."""
    names, rows, labels = load_cases()
    halves = train_test_split(
        numpy.arange(len(rows)), test_size=0.5, random_state=seed, stratify=labels
    )
    releases = (
        ("v1.0.0", halves[0], halves[1], 1.0, None, START, RELEASE),
        ("v1.1.0", halves[1], halves[0], 0.1, "balanced", RELEASE, END),
    )
    rng, pins, records = random.Random(seed), {}, []
    for version, training, scoring, regularisation, class_weight, start, end in releases:
        scaler, model = fit(rows[training], labels[training], regularisation, class_weight)
        pins[version] = pipeline_pin(scaler, model, seed, len(training))
        outputs = score(version, scoring, scaler, model, rows, labels)
        for at, scored in zip(times(rng, len(outputs), start, end), outputs):
            records.append(record(rng, names, rows, pins, at, scored))
    add_notes(rng, records)
    return records


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output-dir", type=Path, default=Path(__file__).parent, metavar="DIR")
    parser.add_argument("--seed", type=int, default=2026, help="of splits and of what is made up")
    arguments = parser.parse_args()
    records = make(arguments.seed)
    lines = [json.dumps(item, separators=(",", ":")) + "\n" for item in records]
    (arguments.output_dir / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
    told = json.dumps(counts(records), indent=2, sort_keys=True) + "\n"
    (arguments.output_dir / "counts.json").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
