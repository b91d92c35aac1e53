#!/usr/bin/env python3
"""Makes the files beside it from the repositories that README.md names, checked out under the folder
that is given: many small files become one per kind, hex and base64 stay as they are.
"""
import base64, json, pathlib, sys

HERE = pathlib.Path(__file__).parent
FLAGS = ["low_order_R", "low_order_A", "low_order_component_R", "low_order_component_A", "low_order_residue",
         "non_canonical_A", "non_canonical_R", "reencoded_k"]


def write(path, value, rows):
    """JSON with one line for each of the members named `rows`, so that changes can be read."""
    out = HERE / path
    out.parent.mkdir(exist_ok=True)
    dump = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list):
        text = "[\n" + ",\n".join(map(dump, value)) + "\n]\n"
    else:
        listed = lambda v: "[\n" + ",\n".join(map(dump, v)) + "\n]"
        text = "{\n" + ",\n".join(f"{dump(k)}:{listed(v) if k in rows else dump(v)}" for k, v in value.items()) + "\n}\n"
    out.write_text(text, encoding="utf-8")


def merkle(source):
    for kind in ("inclusion", "consistency"):
        cases = []
        for path in sorted((source / kind).rglob("*.json")):
            cases.append({"file": str(path.relative_to(source / kind))} | json.loads(path.read_text()))
        write(f"merkle-rfc6962/{kind}.json", cases, [])


def tiles(source):
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and ".state" not in path.parts]
    named = {str(path.relative_to(source)): path.read_bytes() for path in files}
    write("tlog-tiles/log.json", {
        "checkpoints": [[name, data.decode()] for name, data in named.items() if name.startswith("checkpoint")],
        "files": [[name, base64.b64encode(data).decode()] for name, data in named.items() if name.startswith("tile")],
    }, ["checkpoints", "files"])


def certificate_log(source):
    read = lambda name: json.loads((source / name).read_text())
    head, proof = read("get-sth.json"), read("get-proof-by-hash.json")
    write("ct-argon2020/proofs.json", {
        "size": head["tree_size"], "root": head["sha256_root_hash"],
        "leaf": read("get-entries.json")["entries"][0]["leaf_input"], "index": proof["leaf_index"], "inclusion": proof["audit_path"],
        "old_size": 3654490, "old_root": "AuIZ5V6sDUj1vn3Y1K85oOaQ7y+FJJKtyRTl1edIKBQ=",
        "consistency": read("get-sth-consistency.json")["consistency"]}, ["inclusion", "consistency"])


def ed25519(wycheproof, cctv):
    tests = []
    for group in json.loads(wycheproof.read_text())["testGroups"]:
        key = group["publicKey"]["pk"]
        tests += [[t["tcId"], key, t["msg"], t["sig"], t["result"] == "valid"] for t in group["tests"]]
    write("ed25519/wycheproof.json", tests, [])
    cases = json.loads(cctv.read_text())
    distinct = lambda name: list(dict.fromkeys(case[name] for case in cases))
    keys, sigs, msgs = distinct("key"), distinct("sig"), distinct("msg")
    rows = [[case["number"], keys.index(case["key"]), sigs.index(case["sig"]), msgs.index(case["msg"]),
             sum(1 << FLAGS.index(flag) for flag in case["flags"] or [])] for case in cases]
    write("ed25519/cctv.json", {"flags": FLAGS, "keys": keys, "sigs": sigs, "msgs": msgs, "cases": rows},
          ["keys", "sigs", "msgs", "cases"])


def main(source):
    merkle(source / "merkle-rfc6962")
    tiles(source / "tlog-tiles/log")
    certificate_log(source / "ct-argon2020")
    ed25519(source / "ed25519/wycheproof_ed25519_test.json", source / "ed25519/cctv_ed25519vectors.json")
    notes = json.loads((source / "signed-note/vectors.json").read_text())
    write("signed-note/notes.json", {"vkeys": notes["vkeys"], "notes": notes["notes"]}, ["notes"])
    witness = json.loads((source / "tlog-witness/add-checkpoint-sequence.json").read_text())
    write("tlog-witness/sequence.json", {"log": witness["log"], "exchanges": witness["exchanges"]}, ["exchanges"])


main(pathlib.Path(sys.argv[1]))
