"""Shows that check.py passes the file as it is and finds each kind of change to it."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import check

HERE = Path(__file__).resolve().parent
LINES = (HERE / "predictions.jsonl").read_text(encoding="utf-8").splitlines()


def run(lines, expect=True):
    """(exit code, counts, findings) of check.py over `lines`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "predictions.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        arguments = [str(file)] + (["--expect", str(HERE / "counts.json")] if expect else [])
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = check.main(arguments)
    return code, json.loads(out.getvalue()), err.getvalue()


def changed(number, change):
    """All lines, with `change` applied to the record of one."""
    record = json.loads(LINES[number])
    change(record)
    return LINES[:number] + [json.dumps(record)] + LINES[number + 1 :]


class Check(unittest.TestCase):
    """One test per kind of damage."""

    def assert_finds(self, lines, text, expect=True):
        """The check exits 1 and names `text`."""
        code, _, findings = run(lines, expect)
        self.assertEqual(code, 1)
        self.assertIn(text, findings)

    def test_file_as_it_is(self):
        code, told, findings = run(LINES)
        self.assertEqual((code, findings), (0, ""))
        self.assertEqual(told["n_records"], 569)
        self.assertEqual(set(told["models"]["tumour_classifier"]), {"v1.0.0", "v1.1.0"})

    def test_version_of_march_15(self):
        records = [json.loads(line) for line in LINES]
        day = {r["model_version"] for r in records if r["timestamp"].startswith("2026-03-15")}
        self.assertEqual(day, {"v1.0.0"})

    def test_missing_line(self):
        self.assert_finds(LINES[:-1], "n_records: 568, expected 569")

    def test_turned_prediction(self):
        def turn(record):
            output = record["output_data"]
            output["prediction"] = "benign" if output["prediction"] == "malignant" else "malignant"

        self.assert_finds(changed(7, turn), "predictions.jsonl:8: prediction is", expect=False)

    def test_changed_confidence(self):
        def lower(record):
            record["output_data"]["confidence"] -= 0.00001

        self.assert_finds(changed(0, lower), ":1: confidence is", expect=False)

    def test_changed_input(self):
        def grow(record):
            record["input_data"]["mean_radius"] += 1.0

        self.assert_finds(changed(40, grow), ":41: ", expect=False)

    def test_changed_code(self):
        def other(record):
            record["pipeline"]["code_digest"] = "sha256:" + "0" * 64

        self.assert_finds(changed(3, other), ":4: code_digest", expect=False)

    def test_missing_feature(self):
        def drop(record):
            del record["input_data"]["worst_area"]

        self.assert_finds(changed(3, drop), ":4: cannot compute", expect=False)

    def test_unknown_field(self):
        self.assert_finds(changed(3, lambda r: r.update(extra=1)), ":4: fields", expect=False)

    def test_wrong_types(self):
        self.assert_finds(changed(3, lambda r: r.update(latency_ms="3")), ":4: latency_ms")
        self.assert_finds(changed(3, lambda r: r.update(request_id="x")), ":4: request_id")
        self.assert_finds(changed(3, lambda r: r.update(timestamp="yesterday")), ":4: timestamp")

    def test_same_line_twice(self):
        self.assert_finds(LINES[:5] + LINES[4:], ":6: request_id was seen before", expect=False)

    def test_order(self):
        swapped = [LINES[1], LINES[0], *LINES[2:]]
        self.assert_finds(swapped, ":2: timestamp is not after", expect=False)

    def test_no_json(self):
        self.assert_finds([*LINES[:2], "{", "[]"], ":3: not JSON", expect=False)
        self.assert_finds([*LINES[:2], "[]"], ":3: not an object", expect=False)


if __name__ == "__main__":
    unittest.main()
