#!/usr/bin/env python3
"""Writes `proofs.json` beside this file from a second implementation (`tlog.py`), so that proofs, notes, receipts
and witnesses in Rust are checked against something they did not make.

Run it again with `python3 spec/vectors/generate_proofs.py`; `--check` only compares.
"""
import json, pathlib, struct, sys

sys.dont_write_bytecode = True

from tlog import Key, Tree, accepts, b64, decide, parse_note, sha, verify_note, verify_receipt

HERE = pathlib.Path(__file__).parent
ORIGIN = "example.com/ledger"
SIZE = 70_000


# -- a tree of 70,000 leaves, each its index in eight bytes ---------------------------------
def tree_vectors():
    tree = Tree([sha(b"\0", struct.pack(">Q", i)) for i in range(SIZE)])
    sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 65_535, 65_536, 65_537, 69_999, SIZE]
    places = [(0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (6, 7), (255, 256), (255, 257), (256, 257), (0, SIZE), (65_535, 65_536),
              (65_535, SIZE), (65_536, SIZE), (69_887, SIZE), (69_888, SIZE), (SIZE - 1, SIZE)]
    pairs = [(1, 1), (1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (7, 7), (255, 257), (256, 257), (256, 65_536), (257, 65_537),
             (65_536, SIZE), (65_535, SIZE), (1, SIZE), (69_999, SIZE), (SIZE, SIZE)]
    tiles = [(0, 0, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)]
    node = lambda level, index: tree.root(index << level, index + 1 << level)
    content = lambda l, n, w: b"".join(node(8 * l, n * 256 + i) for i in range(w))
    return {
        "size": SIZE,
        "roots": [[size, b64(tree.root(0, size))] for size in sizes],
        "inclusion": [[index, size, [b64(h) for h in tree.path(index, 0, size)]] for index, size in places],
        "consistency": [[old, new, [b64(h) for h in tree.proof(old, 0, new)]] for old, new in pairs],
        "tiles": [[tile_path(*tile), sha(content(*tile)).hex()] for tile in tiles],
        "tile_counts": [[size, n_tiles(size)] for size in sizes + [2 ** 32 + 1, 2 ** 62] if n_tiles(size) < 10 ** 6],
        "paths": [[*tile, tile_path(*tile)] for tile in [(0, 999, 256), (0, 1000, 256), (3, 1_234_067, 12), (0, 2 ** 55 - 1, 256)]],
    }


def tile_path(level, index, width):
    groups = f"{index:0{(len(str(index)) + 2) // 3 * 3}d}"
    groups = [groups[at:at + 3] for at in range(0, len(groups), 3)]
    place = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{place}" + ("" if width == 256 else f".p/{width}")


def n_tiles(size):
    total = 0
    while size:
        total, size = total + (size + 255) // 256, size // 256
    return total


# -- a ledger of 9 entries ------------------------------------------------------------------
def ledger(origin=ORIGIN, fork_at=None):
    prev, leaves = sha(b"modeltrail/v1/origin\0", origin.encode()), []
    for i in range(9):
        body = sha(b"another body" if i == fork_at else b"body", bytes([i]))
        head = bytes([1, 1]) + struct.pack(">QQ", i, 1_700_000_000_000_000 + i)
        leaves.append(head + bytes([i] * 16) + bytes([0xAA] * 16) + struct.pack(">Q", i) + prev + body)
        prev = sha(b"\0", leaves[-1])
    return leaves, Tree([sha(b"\0", leaf) for leaf in leaves])


LOG = Key(ORIGIN, 1, bytes([1] * 32))
ROTATED = Key(ORIGIN, 1, bytes([2] * 32))
OTHER = Key("example.com/other", 1, bytes([3] * 32))
WITNESSES = [Key(f"witness.example/w{n}", 4, bytes([10 + n] * 32)) for n in range(4)]
STRANGER = Key("witness.example/stranger", 4, bytes([99] * 32))
LEAVES, TREE = ledger()


def checkpoint_text(size, origin=ORIGIN, tree=TREE):
    return f"{origin}\n{size}\n{b64(tree.root(0, size))}\n"


def signed(size, by=(), origin=ORIGIN, tree=TREE, key=LOG, time_s=1_732_270_000):
    text = checkpoint_text(size, origin, tree)
    return text + "\n" + key.sign(text) + "".join(w.sign(text, time_s + at) for at, w in enumerate(by))


def key_vectors():
    return [{"name": key.name, "kind": key.kind, "seed": key.seed.hex(), "vkey": key.vkey, "secret": key.secret}
            for key in (LOG, ROTATED, *WITNESSES)]


def note_vectors():
    good = signed(9, WITNESSES[:2])
    text = checkpoint_text(9)
    wrong = WITNESSES[0].sign(text, 5)
    cases = [("log and witnesses", good), ("unknown keys are passed over", good + STRANGER.sign(text, 1)),
             ("two lines of one key", good + WITNESSES[0].sign(text, 7)), ("only strangers", text + "\n" + STRANGER.sign(text, 1)),
             ("a line over another text", good + LOG.sign("x\n")), ("a time that was changed", good + wrong.replace("AAAAAA", "AAAAAB", 1)),
             ("another name", good.replace("— example.com/ledger", "— example.com/ledges")),
             ("text with an empty line", "a\n\nb\n\n" + LOG.sign("a\n\nb\n")), ("a changed text", good.replace("\n9\n", "\n8\n")),
             ("no line end", good[:-1]), ("no signature", text + "\n"), ("no empty line", text), ("a tab", good.replace("\n9\n", "\n9\t\n")),
             ("a carriage return", good.replace("\n9\n", "\n9\r\n")), ("a hyphen", good.replace("— example", "- example")),
             ("a plus in a name", good.replace("— witness.example/w0", "— witness+example/w0")),
             ("base64 without padding", good.replace("=\n", "\n")), ("a wide space in a name", good.replace("— wit", "— w\u3000it"))]
    keys = [key.vkey for key in (LOG, *WITNESSES)]
    out = []
    for name, note in cases:
        parsed = parse_note(note)
        verified = parsed and verify_note(*parsed, keys)
        out.append({"name": name, "note": note, "read": bool(parsed), "verified": verified and [[vkey, time or None] for vkey, time in verified]})
    return {"keys": keys, "cases": out}


# -- policies and receipts ------------------------------------------------------------------
def policy(rest, logs=(LOG,)):
    lines = [f"log {key.vkey}" for key in logs] + [f"witness w{n} {key.vkey}" for n, key in enumerate(WITNESSES)]
    return "\n".join(lines) + "\n" + rest


POLICIES = [policy("quorum none\n"), policy("quorum w1\n"), policy("group g 2 w0 w1 w2\nquorum g\n"),
            policy("group a any w0 w1\ngroup b all w2 w3\ngroup c all a b\nquorum c\n"), policy("quorum none\n", (OTHER,)),
            policy("quorum none\n", (ROTATED, LOG))]


def policy_vectors():
    sets = [[n for n in range(4) if bits >> n & 1] for bits in range(16)]
    notes = [signed(9, [WITNESSES[n] for n in by]) for by in sets]
    return [{"policy": text, "accepts": [accepts(text, parse_note(note)) for note in notes]} for text in POLICIES], notes


def receipt(index, checkpoint, size=9, leaf=None, tree=TREE):
    proof = "".join(b64(h) + "\n" for h in tree.path(index, 0, size))
    return f"c2sp.org/tlog-proof@v1\nextra {b64(leaf or LEAVES[index])}\nindex {index}\n{proof}\n{checkpoint}"


def receipt_vectors():
    good = receipt(4, signed(9, WITNESSES[1:2]))
    lines = good.split("\n")
    changed = lambda at, text: "\n".join(lines[:at] + text + lines[at + 1:])
    foreign = ledger("example.com/other")
    moved = LEAVES[:1] + [LEAVES[2], LEAVES[1]] + LEAVES[3:]
    moved_tree = Tree([sha(b"\0", leaf) for leaf in moved])
    cases = [(f"entry {i} of {size}", receipt(i, signed(size, WITNESSES[1:2]), size)) for size in (1, 2, 5, 9) for i in range(size)]
    cases += [("a stranger's cosignature beside", good + STRANGER.sign(checkpoint_text(9), 1)), ("a log key that was rotated", receipt(4, signed(9, key=ROTATED))),
              ("another index", good.replace("index 4", "index 5")), ("an index behind the tree", good.replace("index 4", "index 9")),
              ("an index with a zero", good.replace("index 4", "index 04")), ("another leaf", changed(1, [lines[1].replace("AQEA", "AQIA", 1)])),
              ("a hash less", changed(3, [])), ("a hash more", changed(3, [lines[3], lines[3]])), ("hashes in another order", changed(3, [lines[4]])),
              ("a later version of the format", good.replace("@v1", "@v2")), ("extra twice", changed(1, [lines[1], lines[1]])),
              ("carriage returns", good.replace("\n", "\r\n")), ("no line end", good[:-1]), ("another size", good.replace("\n9\n", "\n8\n")),
              ("a root of another size", receipt(4, signed(8, WITNESSES[1:2]))), ("an extension line that was not signed", good.replace("\n\n— ", "\nx\n\n— ")),
              ("a leaf at another place", receipt(1, signed(9, WITNESSES[1:2], tree=moved_tree), leaf=moved[1], tree=moved_tree)),
              ("the first leaf of another ledger", receipt(0, signed(9, WITNESSES[1:2], tree=foreign[1]), leaf=foreign[0][0], tree=foreign[1])),
              ("a second leaf of another ledger", receipt(1, signed(9, WITNESSES[1:2], tree=foreign[1]), leaf=foreign[0][1], tree=foreign[1]))]
    return [{"name": name, "receipt": text, "accepted_by": [at for at, p in enumerate(POLICIES) if verify_receipt(text, p)]} for name, text in cases]


# -- a witness ------------------------------------------------------------------------------
def request(old, new, tree=TREE, proof=None, checkpoint=None):
    hashes = tree.proof(old, 0, new) if proof is None and 0 < old <= new else proof or []
    return f"old {old}\n" + "".join(b64(h) + "\n" for h in hashes) + "\n" + (checkpoint or signed(new, tree=tree))


def witness_vectors():
    early, late = ledger(fork_at=1)[1], ledger(fork_at=7)[1]
    no_leaves = f"{ORIGIN}\n0\n{b64(bytes(32))}\n"
    requests = [request(0, 9, checkpoint=signed(9, key=OTHER, origin=OTHER.name)), request(0, 3, checkpoint=signed(3, key=ROTATED)),
                request(0, 3, checkpoint=signed(3).replace("\n3\n", "\n4\n")), request(0, 0, checkpoint=no_leaves + "\n" + LOG.sign(no_leaves)),
                request(0, 0), request(0, 3, proof=[bytes(32)]), request(2, 3), request(0, 3), request(3, 3), request(3, 3, proof=[bytes(32)]),
                request(0, 5), request(3, 3, early), request(0, 3, early), request(3, 6, early), request(3, 6, proof=[]), request(3, 6, proof=[bytes(32)] * 3),
                request(6, 5), request(3, 5), request(5, 3), request(5, 5), request(5, 9, late), request(9, 9), request(9, 9, late), request(3, 9),
                request(9, 9).replace("old 9", "old 09"), request(9, 9, proof=[bytes(32)] * 64), request(9, 9)[:-1], "old 9\n" + signed(9)]
    state, out = {}, []
    for at, text in enumerate(requests):
        status, body, evidence = decide(text, {ORIGIN: [LOG.vkey]}, state)
        if status == 200:
            body = WITNESSES[0].sign(parse_note(text.split("\n\n", 1)[1])[0], 1_732_270_000 + at)
        out.append({"request": text, "status": status, "body": body, "evidence": evidence})
    return {"time_s": 1_732_270_000, "witness": WITNESSES[0].secret, "exchanges": out}


def main():
    policies, notes = policy_vectors()
    bundle = b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in LEAVES)
    content = {"tree": tree_vectors(), "keys": key_vectors(), "notes": note_vectors(), "checkpoints": notes, "policies": policies,
               "receipts": receipt_vectors(), "witness": witness_vectors(), "bundle": b64(bundle)}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        if (HERE / "proofs.json").read_text(encoding="utf-8") != text:
            sys.exit("proofs.json is not what this program writes")
    else:
        (HERE / "proofs.json").write_text(text, encoding="utf-8")


main()
