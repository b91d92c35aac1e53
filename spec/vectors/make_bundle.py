#!/usr/bin/env python3
"""Writes the evidence bundles in `bundle/` and the list of edits that must be found in them, from a
second implementation of `spec/bundle.md` in Python's standard library. The verifier in `docs/`
shares no code with it.

Run it with `python3 spec/vectors/make_bundle.py`; `--check` only compares. `bundle/1.tsr` and
`bundle/1.pem` are read, not made: `bundle/README.md` says how they were.
"""
import json, pathlib, struct, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "bundle")]

import tampering
from canonical import canonical
from ledger import (KIND_NAMES, KINDS, PARTS, START_US, Tree, alike, b64, begun, erasures, large, numbers, odd, rotated, sha, small, stolen,
                    time_text)
from signer import Key

HOUR_US = 3_600_000_000
LOG = Key("example.com/audit", 1, bytes(range(32)))
LARGE_LOG = Key("example.com/large", 1, bytes(range(1, 33)))
# Has the log's name and another key.
FORGER = Key("example.com/audit", 1, bytes(range(2, 34)))
WITNESSES = [Key("witness.example/one", 4, bytes([1] * 32)), Key("witness.example/two", 4, bytes([2] * 32))]
AUTHORITY, SUCCESSOR, IMPOSTOR = (Key("officer.example", 1, bytes([n] * 32)) for n in (5, 6, 7))
STRANGER = Key("stranger.example", 4, bytes([3] * 32))
ERASING = (LOG, AUTHORITY, SUCCESSOR, IMPOSTOR)
MIDDLE, LAST, IMPOSTOR_LOG = (Key("example.com/audit", 1, bytes([n] * 32)) for n in (10, 11, 12))
ROTATING = (LOG, MIDDLE, LAST, AUTHORITY)
COSIGNED_S = 1_772_800_000


def ndjson(lines):
    return "".join(canonical(numbers(line)) + "\n" for line in lines).encode()


def digest(data):
    return sha(data).hex()


def manifest(members, files):
    listed = {path: digest(data) for path, data in files.items()}
    return canonical(numbers({**members, "files": listed})).encode()


class Maker:
    """One bundle of a ledger."""

    def __init__(self, ledger, key, witnesses, f, disclose, receipts=True):
        self.entries, self.filter, self.receipts = ledger.entries, f, receipts
        self.size, self.tree = len(ledger.entries), Tree([entry.hash for entry in ledger.entries])
        self.root, self.origin = self.tree.root(0, self.size), ledger.origin
        self.disclose = sorted(set(disclose) | {"header", "control"})
        self.first, self.end = self.range()
        self.matching = [i for i in range(self.first, self.end) if self.matches(self.entries[i])]
        text = f"{self.origin}\n{self.size}\n{b64(self.root)}\n".encode()
        lines = [key.line(text)] + [w.line(text, COSIGNED_S) for w in witnesses] + [STRANGER.line(text, COSIGNED_S)]
        self.checkpoint = text + b"\n" + b"".join(lines)
        names = ["one", "two"][:len(witnesses)]
        policy = [f"log {key.vkey}"] + [f"witness {name} {w.vkey}" for name, w in zip(names, witnesses)]
        policy += [f"group all-witnesses {len(names)} {' '.join(names)}", "quorum all-witnesses"] if names else ["quorum none"]
        self.policy = "".join(line + "\n" for line in policy).encode()

    def range(self):
        """First index and end, by the times of leaves."""
        low = time_us(self.filter["since"]) - 24 * HOUR_US if "since" in self.filter else None
        high = time_us(self.filter["until"]) + self.filter["late_by_us"] if "until" in self.filter else None
        times = [entry.time_us for entry in self.entries]
        first = next((i for i, t in enumerate(times) if low is None or t >= low), self.size)
        return first, next((i for i, t in enumerate(times) if high is not None and t > high), self.size)

    def matches(self, entry):
        header, f = {} if "header" in entry.no_json else json.loads(entry.parts["header"][1]), self.filter
        header = header if type(header) is dict else {}
        if f["kind"] != entry.kind if "kind" in f else KINDS[entry.kind] >= 16:
            return False
        model, at = header.get("model", {}), header.get("occurred_at")
        model = model if type(model) is dict else {}
        parties = json.loads(entry.parts.get("parties", (1, b"{}"))[1]) if "parties" not in entry.erased else {}
        wanted = [("model_name", model.get("name")), ("model_version", model.get("version")), ("status", header.get("status")),
                  ("user_id", parties.get("user_id")), ("subject_id", parties.get("subject_id"))]
        if any(name in f and f[name] != value for name, value in wanted):
            return False
        return ("since" not in f or f["since"] <= at) and ("until" not in f or at < f["until"])

    def shown(self, entry):
        """Names of the parts that are disclosed of an entry."""
        names = self.disclose if entry.index in self.asked else ["header", "control"]
        return [name for name in entry.parts if name in names and name not in entry.erased]

    def line(self, entry):
        parts = [{"bytes": b64(entry.parts[name][1]), "encoding": entry.parts[name][0], "part": PARTS[name],
                  "salt": entry.salts[name].hex()} for name in self.shown(entry)]
        return {"commitments": [[PARTS[name], c.hex()] for name, c in entry.commitments.items()], "index": entry.index, "parts": parts}

    def record(self, entry):
        shown = self.shown(entry)
        gone = [name for name in entry.parts if name in self.disclose and name not in shown]
        kept = [name for name in entry.parts if name not in self.disclose]
        rid = entry.record_id.hex()
        out = {"index": str(entry.index), "kind": f'"{entry.kind}"', "leaf_hash": f'"{entry.hash.hex()}"',
               "producer": f'"{entry.producer.hex()}"', "producer_seq": str(entry.seq),
               "record_id": f'"{rid[:8]}-{rid[8:12]}-{rid[12:16]}-{rid[16:20]}-{rid[20:]}"',
               **({"recorded_at": f'"{time_text(entry.time_us, 6)}"'} if entry.time_us < 253_402_300_800_000_000 else {})}
        out.update({name: json.dumps(names, separators=(",", ":")) for name, names in (("erased", gone), ("withheld", kept)) if names})
        for name in shown:
            encoding, data = entry.parts[name]
            is_json = encoding == 1 and name not in entry.no_json
            out[name if is_json else name + "_base64"] = data.decode() if is_json else f'"{b64(data)}"'
        return "{" + ",".join(f'"{name}":{out[name]}' for name in sorted(out)) + "}\n"

    def outside(self):
        """Entries outside the range that are needed: keys, erasures of it, gaps in its numbers."""
        inside, holes, last = range(self.first, self.end), set(), {}
        for i in inside:
            entry = self.entries[i]
            holes |= {(entry.producer.hex(), n) for n in range(last.get(entry.producer, entry.seq), entry.seq)}
            last[entry.producer] = entry.seq + 1
        for entry in self.entries:
            if self.first <= entry.index < self.end:
                continue
            control = json.loads(entry.parts["control"][1]) if "control" in entry.parts else {}
            needed = entry.kind == "key" or entry.kind == "erasure" and any(
                i in inside for i, _ in control["entries"]) or entry.kind == "gap" and any(
                (control["producer"], n) in holes for first, last in control["ranges"] for n in range(first, last + 1))
            if needed:
                yield entry

    def receipt(self, entry):
        proof = self.tree.proof(entry.index, 0, self.size)
        head = ["c2sp.org/tlog-proof@v1", f"extra {b64(entry.leaf)}", f"index {entry.index}"] + [b64(node) for node in proof]
        return "\n".join(head).encode() + b"\n\n" + self.checkpoint

    def tiles(self):
        """Paths and bytes of tiles and entry bundles."""
        out, size = {}, self.size
        low, high = max(self.first - 1, 0), min(self.end + 1, size)
        tile = lambda level, n: self.tree.nodes[8 * level][256 * n:256 * n + 256]
        wanted = [(level, size >> 8 * level + 8) for level in range(8) if size >> 8 * level & 255]
        for n in range(low // 256, (high + 255) // 256):
            leaves = [entry.leaf for entry in self.entries[256 * n:256 * n + 256]]
            out[tile_path("entries", n, len(leaves))] = b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)
            level, m = 0, n
            while (m + 1) << 8 * level + 8 <= size:
                wanted.append((level, m))
                level, m = level + 1, m >> 8
        for level, n in wanted:
            out[tile_path(level, n, len(tile(level, n)))] = b"".join(tile(level, n))
        return out

    def files(self, extra):
        self.asked = set(self.matching)
        inside, outside = self.entries[self.first:self.end], list(self.outside())
        keys = [e for e in self.entries if e.kind == "key" and (e in outside or self.first <= e.index < self.end)]
        history = [{"control": json.loads(e.parts["control"][1]), "index": e.index, "recorded_at": time_text(e.time_us, 6)} for e in keys]
        files = {"VERIFY.md": (HERE.parents[1] / "docs" / "VERIFY.md").read_bytes(), "checkpoint": self.checkpoint, "policy": self.policy,
                 "entries.ndjson": ndjson(map(self.line, inside)), "outside.ndjson": ndjson(map(self.line, outside)),
                 "keys/history.ndjson": ndjson(history), **self.tiles(), **extra,
                 "records.ndjson": "".join(self.record(self.entries[i]) for i in self.matching).encode()}
        proven = outside + ([self.entries[i] for i in self.matching] if self.receipts else [])
        files.update({f"proofs/{entry.index}.tlog-proof": self.receipt(entry) for entry in proven})
        is_person = "user_id" in self.filter or "subject_id" in self.filter
        members = {"checkpoint": {"root": self.root.hex(), "size": self.size},
                   "completeness": {"provable": not is_person, "why": "filter_on_person" if is_person else "headers_shown"},
                   "disclose": self.disclose, "filter": self.filter, "matching": self.matching, "origin": self.origin,
                   "range": {"end": self.end, "first": self.first}, "receipts": self.receipts, "software": "make_bundle.py", "version": 1}
        files["manifest.json"] = manifest(members, files)
        tampering.put_sum(files)
        return files


def tile_path(level, n, width):
    digits = "%03d" % n if n < 1000 else "%06d" % n
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    return f"tile/{level}/" + "/".join("x" + g for g in groups[:-1]) + "/" * (len(groups) > 1) + groups[-1] + (
        f".p/{width}" if width < 256 else "")


def time_us(text):
    """Of a filter's time at a whole second."""
    import calendar, time
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1_000_000


def bundles():
    """{file name: files} of every bundle."""
    ledger, at = small(LOG, AUTHORITY), lambda hours: time_text(START_US + hours * HOUR_US)
    good = {"model_name": "fraud_detector", "since": at(36), "until": at(46), "late_by_us": 4 * HOUR_US}
    person = {"user_id": "dörte", "until": at(2), "late_by_us": HOUR_US}
    window = {"kind": "prediction", "model_version": "5", "status": "success", "since": at(59_910), "until": at(59_913),
              "late_by_us": HOUR_US}
    # The time stamp is over the checkpoint of good.tar.
    stamp = {f"timestamps/{name}": (HERE / "bundle" / name).read_bytes() for name in ("1.tsr", "1.pem")}
    return {
        "good.tar": Maker(ledger, LOG, WITNESSES, good, ["input", "output", "error", "metadata"]).files(stamp),
        "person.tar": Maker(ledger, LOG, WITNESSES, person, ["parties", "output"], receipts=False).files({}),
        "forged.tar": Maker(ledger, FORGER, WITNESSES[:1], person, ["parties"], receipts=False).files({}),
        "nothing.tar": Maker(ledger, LOG, [], {"since": "2027-01-01T00:00:00.000000000Z"}, []).files({}),
        "odd.tar": Maker(odd()[0], LOG, [], {}, ["input", "metadata"], receipts=False).files({}),
        "erasures.tar": Maker(erasures(*ERASING)[0], LOG, [], {}, ["input"], receipts=False).files({}),
        "alike.tar": Maker(alike(LOG, AUTHORITY)[0], LOG, [], {"model_name": "5"}, [], receipts=False).files({}),
        "epoch.tar": Maker(begun(), LOG, [], {"kind": "epoch"}, []).files({}),
        "begun.tar": Maker(begun(bytes(32)), LOG, [], {"kind": "epoch"}, []).files({}),
        "rotated.tar": Maker(rotated(*ROTATING), ROTATING[2], [], {"since": "2026-03-02T00:05:00.000000000Z"}, []).files({}),
        "stolen.tar": Maker(stolen(LOG, IMPOSTOR_LOG), IMPOSTOR_LOG, [], {}, []).files({}),
        "large.tar": Maker(large(), LARGE_LOG, [], window, []).files({}),
    }


def main():
    made = bundles()
    files = {f"bundle/{name}": tampering.tar(content) for name, content in made.items()}
    policy, other = made["good.tar"]["policy"].decode(), Key("example.com/other", 1, bytes([9] * 32))
    absent = Key("absent.example", 4, bytes([4] * 32))
    cases = tampering.cases(LOG.vkey, policy, other.vkey, LARGE_LOG.vkey, absent.vkey, made)
    cases.update(keys={"large.tar": LARGE_LOG.vkey}, odd={
        "odd.tar": odd()[1], "erasures.tar": erasures(*ERASING)[1], "alike.tar": alike(LOG, AUTHORITY)[1],
        "begun.tar": [["broken_prev", 0], ["bad_receipt", 0]]}, followed={"rotated.tar": [1, 6]})
    cases["cases"].sort(key=lambda case: case["finding"] or "")
    lines = ",\n".join(" " + json.dumps(case) for case in cases.pop("cases"))
    files["bundle/cases.json"] = (json.dumps(cases)[:-1] + ', "cases": [\n' + lines + "\n]}\n").encode()
    if "--check" in sys.argv:
        for name, data in files.items():
            if (HERE / name).read_bytes() != data:
                sys.exit(f"{name} is not what this program writes")
    else:
        for name, data in files.items():
            (HERE / name).write_bytes(data)


if __name__ == "__main__":
    main()
