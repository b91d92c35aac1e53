#!/usr/bin/env python3
"""Writes the vectors beside this file from a second implementation of `spec/`, in Python's
standard library alone, so that the Rust code is checked against something it did not make.

Run it again with `python3 spec/vectors/generate.py`; `--check` only compares.
"""
import hashlib, json, pathlib, struct, sys

sys.dont_write_bytecode = True

import records, redaction_policy, spool
from canonical import canonical_text

HERE = pathlib.Path(__file__).parent


# -- canonical bytes (spec/record.md) -------------------------------------------------------
CANONICAL = r"""
1 | 1.0 | -0 | 0.0e9 | 1E3 | 10e-1 | 12345678901234567890 | 12345678901234567890.0 | 1234567890123456789e1
9007199254740992 | 9007199254740993 | 18446744073709551615 | 1732270000123456789 | 0.1 | 0.10
0.1000000000000000055 | 1e21 | 100000000000000000000 | 1e-6 | 1e-7 | 123.456e5 | 1e400 | -1e-400 | 5e-324
1.7976931348623157e308 | 333333333.33333329 | 1e23 | 99999999999999999999999 | 2.5 | 1234567890123456789e300
[] | {} | [56,{"d":true,"10":null,"1":[]}] | {"a":{"z":1,"y":[2.0]},"A":0} | "\u20ac$\u000f\nA'B\"\\\\\"/"
{"\ue000":1,"\ud83d\ude00":2,"a":3,"":4} | "\u0000\u001f\u007f\u0080\ud83d\ude00" | {"b":[ ],"a" : "é" }
{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]}
"""


# -- leaf (spec/leaf.md) --------------------------------------------------------------------
PARTS = {"header": 1, "input": 2, "output": 3, "parties": 4, "metadata": 5, "pipeline": 6, "error": 7, "control": 8}
ENCODINGS = {"json": 1, "raw": 2}


def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def commitments(secret, parts):
    out = []
    for name, encoding, data in sorted(parts, key=lambda p: PARTS[p[0]]):
        part = struct.pack(">H", PARTS[name])
        salt = sha(b"modeltrail/v1/salt\0", secret, part)
        c = sha(b"modeltrail/v1/part\0", salt, part, bytes([ENCODINGS[encoding]]), struct.pack(">Q", len(data)), data)
        out.append((part, c))
    return out


def body(cs):
    return sha(b"modeltrail/v1/body\0", struct.pack(">H", len(cs)), *[p + c for p, c in cs])


def leaf(kind, index, time_us, record_id, producer, seq, prev, body_hash):
    return bytes([1, kind]) + struct.pack(">QQ", index, time_us) + record_id + producer + struct.pack(">Q", seq) + prev + body_hash


def root(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\x01", root(leaves[:k]), root(leaves[k:]))


def frame(kind, record_id, secret, parts, assigned):
    head = b"MTF\x01" + bytes([kind, 1 if assigned else 0]) + struct.pack(">H", len(parts)) + record_id + secret
    for name, encoding, data in sorted(parts, key=lambda p: PARTS[p[0]]):
        head += struct.pack(">HBBI", PARTS[name], ENCODINGS[encoding], 0, len(data)) + data
    return head


def chain():
    origin = "example.com/ledger"
    prev = sha(b"modeltrail/v1/origin\0", origin.encode())
    entries, hashes = [], []
    for i in range(5):
        secret = sha(b"secret", bytes([i]))
        parts = [("header", "json", canonical_text('{"kind":"prediction","n":%d}' % i).encode()),
                 ("input", "json", b'{"x":%d}' % i), ("parties", "json", b'{"request_id":"r%d"}' % i)]
        if i % 2:
            parts.append(("output", "raw", bytes([0, 255, i])))
        rid, producer = bytes([i] * 16), bytes([0xAA] * 16)
        cs = commitments(secret, parts)
        l = leaf(1, i, 1_700_000_000_000_000 + i, rid, producer, i, prev, body(cs))
        h = sha(b"\x00", l)
        entries.append({
            "secret": secret.hex(),
            "parts": [{"part": n, "encoding": e, "bytes": d.hex()} for n, e, d in sorted(parts, key=lambda p: PARTS[p[0]])],
            "commitments": [c.hex() for _, c in cs], "body": body(cs).hex(), "record_id": rid.hex(),
            "producer": producer.hex(), "producer_seq": i, "kind": 1, "time_us": 1_700_000_000_000_000 + i,
            "frame": frame(1, rid, secret, parts, i == 4).hex(), "request_id_assigned": i == 4,
            "leaf": l.hex(), "leaf_hash": h.hex()})
        hashes.append(h)
        entries[-1]["root"] = root(hashes).hex()
        prev = h
    return {"origin": origin, "entries": entries}


def main():
    cases = [c.strip() for line in CANONICAL.strip().split("\n") for c in line.split(" | ")]
    files = {"canonical.json": {"equal": [[c, canonical_text(c)] for c in cases]}, "leaf.json": chain(),
             "record.json": records.vectors(), "redaction-policy.json": redaction_policy.vectors(), "spool.json": spool.vectors()}
    for name, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if "--check" in sys.argv:
            if (HERE / name).read_text(encoding="utf-8") != text:
                sys.exit(f"{name} is not what this program writes")
        else:
            (HERE / name).write_text(text, encoding="utf-8")


main()
