#!/usr/bin/env python3
"""Verifies an embedded ledger (an SQLite file) from `leaf.md` and `record.md` alone, with Python's
standard library, so that whoever doubts modeltrail need not ask modeltrail.

    python3 verify_ledger.py LEDGER.db [--anchor FILE | --no-anchor]

Findings go to stdout, one a line: index, kind, detail. Exit codes: 0 nothing found, 1 findings,
2 usage, 3 could not do it, or not in full (compressed parts, and nothing here to decompress them).
Signatures, of checkpoints and erasures, need more than the standard library and are not verified.
Compressed parts are read with Python 3.14's `compression.zstd`, the module `zstandard`, or the
command `zstd`, whichever is there.
"""
import argparse, base64, datetime, hashlib, itertools, json, pathlib, sqlite3, struct, subprocess, sys

APPLICATION_ID, FORMAT_VERSIONS = 0x4D54524C, (1, 2)
PARTS = {"header": 1, "input": 2, "output": 3, "parties": 4, "metadata": 5, "pipeline": 6, "error": 7, "control": 8}
NAMES = {code: name for name, code in PARTS.items()}
STATUSES = {"success": 1, "failure": 2, "unknown": 3}
JSON, RAW = 1, 2
KIND_ERASURE, KIND_GAP, KIND_PRODUCER = 17, 20, 22
# No part is larger than a record: what damaged compressed bytes may claim is bounded.
PART_BYTES_MAX = 256 << 20
# Bytes of compressed parts handed to the command `zstd` at once.
BATCH_BYTES = 8 << 20


def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


# -- decompression ---------------------------------------------------------------------------
def frame_size(packed):
    """Content size that a zstd frame states (RFC 8878 section 3.1.1.1), or None."""
    if len(packed) < 6 or packed[:4] != b"\x28\xb5\x2f\xfd":
        return None
    descriptor = packed[4]
    single, flag = descriptor >> 5 & 1, descriptor >> 6
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    width = (1 if single else 0, 2, 4, 8)[flag]
    if width == 0:
        return None
    size = int.from_bytes(packed[at:at + width], "little") + (256 if width == 2 else 0)
    return size if size <= PART_BYTES_MAX else None


def find_decompressor():
    """A function from compressed frames, one behind the other, to their bytes; None if there is none."""
    try:
        from compression import zstd
        return zstd.decompress
    except ImportError:
        pass
    try:
        import zstandard
        read = lambda data: zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        return read
    except ImportError:
        pass
    command = ["zstd", "--decompress", "--stdout", "--quiet"]
    run = lambda data: subprocess.run(command, input=data, capture_output=True, check=True).stdout
    try:
        subprocess.run(["zstd", "--version"], capture_output=True, check=True)
        return run
    except (OSError, subprocess.CalledProcessError):
        return None


class Unpacker:
    """Decompresses many parts with few calls."""

    def __init__(self):
        self.decompress, self.n_unread = find_decompressor(), 0

    def one(self, packed):
        """The bytes of one part, or None when these are no such bytes."""
        size = frame_size(packed)
        try:
            data = None if size is None else self.decompress(packed)
        except Exception:  # each way of decompressing has its own error for damaged bytes
            return None
        return data if data is not None and len(data) == size else None

    def all(self, packed):
        """As `one`, for a list: all at once, and one by one where that fails."""
        sizes = [frame_size(data) for data in packed]
        if len(packed) > 1 and None not in sizes:
            try:
                data, out = self.decompress(b"".join(packed)), []
                if len(data) == sum(sizes):
                    for size in sizes:
                        out.append(data[:size])
                        data = data[size:]
                    return out
            except Exception:  # one of them is damaged; find out which
                pass
        return [self.one(data) for data in packed]


# -- leaf.md ---------------------------------------------------------------------------------
def commitment(salt, part, encoding, data):
    code = struct.pack(">H", part)
    return sha(b"modeltrail/v1/part\0", salt, code, bytes([encoding]), struct.pack(">Q", len(data)), data)


def salt(secret, part):
    return sha(b"modeltrail/v1/salt\0", secret, struct.pack(">H", part))


def pairs(data):
    """{part code: 32 bytes}, as erasing leaves them."""
    data = data or b""
    return {struct.unpack(">H", data[n:n + 2])[0]: data[n + 2:n + 34] for n in range(0, len(data), 34)}


def body(commitments):
    pieces = [struct.pack(">H", part) + c for part, c in commitments]
    return sha(b"modeltrail/v1/body\0", struct.pack(">H", len(pieces)), *pieces)


class Leaf:
    def __init__(self, data):
        (self.kind, self.index, self.time_us, self.record_id, self.producer, self.producer_seq, self.prev,
         self.body) = struct.unpack(">xBQQ16s16sQ32s32s", data)


def read_leaf(data):
    return Leaf(data) if len(data) == 122 and data[0] == 1 else None


class Frontier:
    """Right edge of the tree: the roots of its complete subtrees, largest first."""

    def __init__(self):
        self.size, self.nodes = 0, []

    def push(self, leaf_hash):
        node, size = leaf_hash, self.size
        while size & 1:
            node, size = sha(b"\x01", self.nodes.pop(), node), size >> 1
        self.nodes.append(node)
        self.size += 1

    def root(self):
        if not self.nodes:
            return sha()
        right = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            right = sha(b"\x01", left, right)
        return right


def read_head(text, name):
    """Origin, size and root of an anchor or a checkpoint."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0]:
        raise ValueError(f"{name} is no head: three lines, each ended, are expected")
    return lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)


# -- record.md: lookup columns ---------------------------------------------------------------
def time_ns(text):
    at = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S") - datetime.datetime(1970, 1, 1)
    return (at.days * 86400 + at.seconds) * 10**9 + int(text[20:29])


def key64(digest):
    return struct.unpack(">q", digest[:8])[0]


def text_key(text):
    return None if text is None else key64(sha(text.encode()))


def members(text):
    """Top-level members of canonical JSON as raw text."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    out, at = {}, 1
    while text[at] != "}":
        at += text[at] == ","
        key, at = decoder.raw_decode(text, at)
        _, end = decoder.raw_decode(text, at + 1)
        out[key], at = text[at + 1:end], end
    return out


def label(output):
    text = output.decode()
    if not text.startswith("{"):
        return None
    found = members(text)
    value = found.get("prediction", found.get("label"))
    if value in (None, "null"):
        return None
    value = json.loads(value) if value.startswith('"') else value
    data = value.encode()
    return value if len(data) <= 200 else data[:183].decode(errors="ignore") + "#" + sha(data).hex()[:16]


def derive(kind, parts):
    """Lookup columns of an entry as they must be stored; None where header or parties cannot be read."""
    try:
        header = json.loads(parts[PARTS["header"]][1])
        parties = json.loads(parts[PARTS["parties"]][1]) if PARTS["parties"] in parts else {}
        model = header.get("model") or {}
        encoding, output = parts.get(PARTS["output"], (RAW, b""))
        data = parts.get(PARTS["input"])
        return {
            "timestamp": time_ns(header["occurred_at"]), "kind": kind, "status": STATUSES.get(header.get("status")),
            "model_name": model.get("name"), "model_version": model.get("version"), "user_id": parties.get("user_id"),
            "label": label(output) if encoding == JSON else None, "latency_us": header.get("latency_us"),
            "request_id": text_key(parties.get("request_id")), "subject_id": text_key(parties.get("subject_id")),
            "session_id": text_key(parties.get("session_id")),
            "input_mac": key64(bytes.fromhex(parties["input_mac"])) if "input_mac" in parties else None,
            "input_hash": None if data is None else (sha(data[1]), key64(sha(data[1])))}
    except (KeyError, ValueError, TypeError):
        return None


# -- the ledger ------------------------------------------------------------------------------
BLOBS = ["l.leaf", "l.hash", "p.secret", "p.checks", "c.hash AS content_hash", "c.bytes AS content_bytes"]
BLOBS += ["p." + name for name in PARTS if name != "input"] + ["p.erased", "p.salts"]
# Columns may have been given another type; as bytes they are what is hashed.
SQL = "SELECT " + ", ".join(
    "CAST({} AS BLOB) AS {}".format(column.split(" AS ")[0], column.split(" AS ")[-1].split(".")[-1]) for column in BLOBS
) + """, l.idx, p.idx AS has_parts, CAST(p.raw AS INTEGER) AS raw, CAST(p.zstd AS INTEGER) AS zstd, p.input,
  c.key AS content_key, c.form, k.idx AS has_lookup, k.time_ns, k.kind, k.status, m.text AS model, v.text AS version,
  u.text AS user, b.text AS label, k.model IS NULL AS no_model, k.version IS NULL AS no_version, k.user IS NULL AS no_user,
  k.label IS NULL AS no_label, k.latency_us, k.input AS lookup_input, k.request_key, k.subject_key, k.session_key,
  k.input_mac_key
FROM leaves l LEFT JOIN parts p ON p.idx = l.idx LEFT JOIN contents c ON c.id = p.input
LEFT JOIN lookups k ON k.idx = l.idx LEFT JOIN terms m ON m.id = k.model LEFT JOIN terms v ON v.id = k.version
LEFT JOIN terms u ON u.id = k.user LEFT JOIN terms b ON b.id = k.label ORDER BY l.idx"""
# Of format version 1, which has no columns for what erasing leaves.
OLD_SQL = SQL.replace("CAST(p.erased AS BLOB)", "NULL").replace("CAST(p.salts AS BLOB)", "NULL")


def packed_parts(row):
    """{part code: (encoding, is compressed, stored bytes or None)} of a row."""
    out = {}
    for name, code in PARTS.items():
        encoding = RAW if row["raw"] >> code & 1 else JSON
        if name == "input":
            if row["input"] is not None:
                out[code] = (encoding, row["form"] == 1, row["content_bytes"])
        elif row[name] is not None:
            out[code] = (encoding, bool(row["zstd"] >> code & 1), row[name])
    return dict(sorted(out.items()))


class Numbers:
    """Producer numbers: contiguous from 0, or covered by a gap entry."""

    def __init__(self):
        self.next, self.holes, self.covered, self.claimed = {}, [], {}, {}

    def take(self, index, leaf):
        expected = self.next.get(leaf.producer, 0)
        if leaf.producer_seq < expected:
            return f"number {leaf.producer_seq} of producer {leaf.producer.hex()} stands here again"
        if leaf.producer_seq > expected:
            self.holes.append((index, leaf.producer, expected, leaf.producer_seq - 1))
        self.next[leaf.producer] = leaf.producer_seq + 1
        return None

    def control(self, index, kind, data):
        try:
            said = json.loads(data)
            producer = bytes.fromhex(said["producer"])
            if kind == KIND_GAP:
                self.covered.setdefault(producer, []).extend((first, last) for first, last in said["ranges"])
            elif kind == KIND_PRODUCER and said["next_seq"] > self.claimed.get(producer, (0, 0))[1]:
                self.claimed[producer] = (index, said["next_seq"])
        except (KeyError, ValueError, TypeError):
            pass

    def finish(self):
        for producer, (index, claimed) in self.claimed.items():
            expected = self.next.get(producer, 0)
            if claimed > expected:
                self.holes.append((index, producer, expected, claimed - 1))
        for index, producer, first, last in self.holes:
            for start, end in sorted(self.covered.get(producer, [])):
                if start <= first <= end:
                    first = end + 1
            if first <= last:
                yield index, f"numbers {first} to {last} of producer {producer.hex()} became no entry"


def tile_root(hashes):
    """The root over 256 hashes: a complete tree."""
    while len(hashes) > 1:
        hashes = [sha(b"\1", left, right) for left, right in zip(hashes[::2], hashes[1::2])]
    return hashes[0]


class Verifier:
    def __init__(self, db, anchors):
        self.db, self.findings = db, []
        self.origin = self.one("SELECT value FROM meta WHERE key = 'origin'")[0]
        self.head = self.one("SELECT size, root, last_leaf, time_us, frontier FROM head WHERE id = 1")
        self.unpacker, self.numbers, self.frontier = Unpacker(), Numbers(), Frontier()
        self.prev, self.time_us, self.is_whole = [sha(b"modeltrail/v1/origin\0", self.origin.encode())], 0, True
        # The next index that should come, and how far keys are off since rows were renumbered.
        self.expected, self.shift = 0, 0
        self.version = self.one("PRAGMA user_version")[0]
        # Parts that were erased and that no erasure entry has named yet.
        self.erased = {}
        self.outside = max((size for _, size, _ in anchors), default=0)
        # Heads that the tree is to have on its way, by size: root, finding, name.
        self.own_size, self.heads, self.differ = self.head["size"], {}, set()
        for of, size, root in anchors:
            self.expect(of, size, root, 0, "anchor_mismatch", "the anchor")
        if self.version > 1:
            for size, text in self.db.execute("SELECT size, CAST(text AS TEXT) FROM checkpoints"):
                self.checkpoint(size, text)
        self.reach(0)

    def one(self, sql):
        return self.db.execute(sql).fetchone()

    def found(self, index, kind, detail):
        self.findings.append((index, kind, detail))

    def checkpoint(self, size, text):
        try:
            of, said, root = read_head(text, "what is stored")
            if said != size:
                raise ValueError(f"it says {said}")
            self.own_size = max(self.own_size, size)
            self.expect(of, size, root, size - 1, "changed_checkpoint", "a stored checkpoint")
        except ValueError as error:
            self.found(max(size - 1, 0), "changed_checkpoint", f"the checkpoint of {size} entries: {error}")

    def expect(self, origin, size, root, index, kind, name):
        """Takes a head that the tree is to have on its way."""
        if origin == self.origin:
            self.heads.setdefault(size, []).append((root, kind, name))
        else:
            self.found(max(index, 0), kind, f"{name} is of {origin}, the ledger of {self.origin}")

    def reach(self, size):
        """The tree has this size. The first root that differs counts; all after it differ too."""
        for root, kind, name in self.heads.pop(size, ()):
            if self.is_whole and kind not in self.differ and root != self.frontier.root():
                self.differ.add(kind)
                self.found(max(size - 1, 0), kind, f"{name} keeps another root of the first {size} entries")

    def run(self):
        waiting, n_bytes = [], 0
        for row in self.db.execute(SQL if self.version > 1 else OLD_SQL):
            parts = packed_parts(row) if row["has_parts"] is not None else None
            waiting.append((row, parts))
            n_bytes += sum(len(data or b"") for _, _, data in (parts or {}).values())
            if n_bytes >= BATCH_BYTES:
                self.batch(waiting)
                waiting, n_bytes = [], 0
        self.batch(waiting)
        self.ends()
        return sorted(self.findings)

    def batch(self, rows):
        """Decompresses what the rows hold and looks at them in order."""
        places = [(n, code) for n, (_, parts) in enumerate(rows) for code, (_, packed, data) in (parts or {}).items()
                  if packed and data is not None]
        plain = {}
        if places and self.unpacker.decompress:
            plain = dict(zip(places, self.unpacker.all([rows[n][1][code][2] for n, code in places])))
        elif places:
            self.unpacker.n_unread += len(places)
        for n, (row, parts) in enumerate(rows):
            unread = self.unpacker.decompress is None and any(place[0] == n for place in places)
            if parts is not None:
                parts = {code: (e, plain.get((n, code)) if packed else data) for code, (e, packed, data) in parts.items()}
            self.entry(row, parts, unread)

    def entry(self, row, parts, unread):
        leaf = self.leaf(row)
        if leaf is None:
            return
        control = (parts or {}).get(PARTS["control"])
        if not unread and self.parts(row, leaf, parts):
            self.lookup(row, leaf, parts)
            if control:
                self.numbers.control(row["idx"], leaf.kind, control[1])
            if leaf.kind == KIND_ERASURE:
                self.erasure(row["idx"], control[1] if control else b"")
        elif unread and control:
            self.numbers.control(row["idx"], leaf.kind, control[1])

    def leaf(self, row):
        """Place, hash, link, time and number of an entry. None when nothing else can be said of it."""
        index, leaf, computed = row["idx"], read_leaf(row["leaf"]), sha(b"\0", row["leaf"])
        if index >= self.head["size"]:
            self.found(index, "inserted_entry", f"the head says that there are {self.head['size']} entries")
            return None
        is_neighbour, fault = index == self.expected and self.prev, None
        if index > self.expected:
            self.found(self.expected, "missing_entry", f"no entry from here up to {index - 1}")
            self.is_whole = False
        if leaf is None or row["hash"] != computed:
            links = not is_neighbour or leaf is None or leaf.prev in self.prev
            fault = ("changed_leaf", "its leaf is not the one that was hashed") if links else (
                "broken_prev", "its link to the entry before was changed")
        elif leaf.index - index != self.shift:
            # One finding for all rows that are equally far off; back at home there is none.
            if leaf.index != index:
                fault = ("moved_entry", f"keys are off here: its leaf says that it is entry {leaf.index}")
            self.shift = leaf.index - index
        elif is_neighbour and leaf.prev not in self.prev:
            fault = ("broken_prev", "its link does not fit the entry before")
        if fault:
            self.found(index, *fault)
            self.is_whole = False
        else:
            self.sequence(index, leaf)
        self.expected = index + 1
        # Either may be what the next entry links to: one edit gives one finding.
        self.prev = None if fault and fault[0] == "moved_entry" else (computed, row["hash"])
        self.frontier.push(computed)
        self.reach(self.frontier.size)
        return leaf

    def erasure(self, index, data):
        try:
            for entry, codes in json.loads(data)["entries"]:
                if entry < index:
                    self.erased[entry] = self.erased.get(entry, set()) - set(codes)
        except (KeyError, ValueError, TypeError):
            self.found(index, "forged_erasure", "what this erasure entry says cannot be read")

    def sequence(self, index, leaf):
        if leaf.time_us < self.time_us:
            self.found(index, "time_back", "its time is before that of the entry before")
        self.time_us = max(self.time_us, leaf.time_us)
        again = self.numbers.take(index, leaf)
        if again:
            self.found(index, "producer_repeat", again)

    def parts(self, row, leaf, parts):
        """True when the parts are those that the leaf commits to; else says which are not."""
        index = row["idx"]
        if parts is None:
            self.found(index, "missing_part", "the row with its parts is not there")
            return False
        erased, salts = pairs(row["erased"]), pairs(row["salts"])
        salt_of = lambda code: salts.get(code, b"") if erased or salts else salt(row["secret"], code)
        have = [(code, commitment(salt_of(code), code, e, data)) for code, (e, data) in parts.items() if data is not None]
        have = sorted(have + list(erased.items()))
        if len(have) == len(parts) + len(erased) and body(have) == leaf.body:
            self.erased[index] = set(erased)
            return True
        checks, is_whole = row["checks"], row["hash"] == sha(b"\0", row["leaf"])
        stored = {struct.unpack(">H", checks[n:n + 2])[0]: checks[n + 2:n + 6] for n in range(0, len(checks), 6)}
        computed = {code: c[:4] for code, c in have}
        changed = [c for c in parts if computed.get(c) != stored.get(c)]
        missing = [c for c in stored if c not in parts and c not in erased]
        if not is_whole and not changed and not missing:
            # The leaf was changed and carries another body; that is said already.
            return False
        if len(changed) > 1 and len(changed) == len(parts) and not missing or not changed + missing:
            self.found(index, "changed_part", "the parts are not those that the leaf commits to")
            return False
        for code in changed:
            self.found(index, "changed_part", f"the part `{NAMES[code]}` is not the one that the leaf commits to")
        for code in missing:
            self.found(index, "missing_part", f"the part `{NAMES.get(code, code)}` is not there")
        return False

    def lookup(self, row, leaf, parts):
        if row["has_lookup"] is None:
            self.found(row["idx"], "hidden_lookup", "its lookup row is not there")
            return
        derived = derive(leaf.kind, parts)
        if derived is None:
            return
        term = lambda name: None if row["no_" + name] else ("\0 no such term" if row[name] is None else row[name])
        content = None if row["lookup_input"] is None else (row["content_hash"], row["content_key"])
        stored = {
            "timestamp": row["time_ns"], "kind": row["kind"], "status": row["status"], "model_name": term("model"),
            "model_version": term("version"), "user_id": term("user"), "label": term("label"),
            "latency_us": row["latency_us"], "request_id": row["request_key"], "subject_id": row["subject_key"],
            "session_id": row["session_key"], "input_mac": row["input_mac_key"],
            "input_hash": content if row["lookup_input"] == row["input"] else "another content"}
        wrong = sorted(name for name, value in derived.items() if stored[name] != value)
        if wrong:
            self.found(row["idx"], "changed_lookup", ", ".join(wrong) + " is not what its part says")

    def ends(self):
        """Head, anchor, numbers, rows without an entry, and the database's own indexes."""
        size, last = self.expected, max(self.expected - 1, 0)
        if size < self.own_size:
            self.found(size, "truncated_tail", f"the ledger's own head or checkpoints know {self.own_size} entries")
        elif size < self.outside:
            self.found(size, "rollback", f"what is kept outside knows {self.outside} entries")
        elif self.is_whole:
            nodes = b"".join(self.frontier.nodes)
            if (self.head["root"], self.head["frontier"], self.head["last_leaf"], self.head["time_us"]) != (
                    self.frontier.root(), nodes, self.prev[0], self.time_us):
                self.found(last, "changed_head", "the stored head is not that of the entries")
        for index, codes in self.erased.items():
            if codes:
                names = ", ".join(NAMES.get(code, str(code)) for code in sorted(codes))
                self.found(index, "missing_part", f"{names} was erased, and no erasure entry says so")
        if self.is_whole:
            for index, detail in self.numbers.finish():
                self.found(index, "producer_gap", detail)
        orphans = "SELECT k.idx FROM lookups k LEFT JOIN leaves l ON l.idx = k.idx WHERE l.idx IS NULL ORDER BY k.idx"
        for row in self.db.execute(orphans):
            self.found(row[0], "invented_lookup", "a lookup row stands here, but no entry does")
        for table in ("lookups", "contents", "terms"):
            for row in self.db.execute(f"PRAGMA integrity_check('{table}')"):
                if row[0] != "ok":
                    self.found(0, "changed_index", f"SQLite says of the table {table}: {row[0]}")
        # Over leaves that are not whole no tile is judged.
        if self.is_whole and self.one("PRAGMA user_version")[0] >= 2:
            self.tiles()

    def tiles(self):
        """Every full tile from the leaf hashes, level by level."""
        nodes, n_full = (row[0] for row in self.db.execute("SELECT hash FROM leaves ORDER BY idx")), []
        while not n_full or n_full[-1]:
            level, roots = len(n_full), []
            while len(hashes := list(itertools.islice(nodes, 256))) == 256:
                roots.append(tile_root(hashes))
                stored = self.db.execute("SELECT root, hashes FROM tiles WHERE level = ? AND n = ?", (level, len(roots) - 1))
                if tuple(stored.fetchone() or ()) != (roots[-1], b"".join(hashes)):
                    self.tile(level, len(roots) - 1, "is not made of the entries")
            nodes = iter(roots)
            n_full.append(len(roots))
        for level, n in self.db.execute("SELECT level, n FROM tiles"):
            if not (level in range(len(n_full)) and n in range(n_full[level])):
                self.tile(level, n, "is stored, and there are not as many entries")

    def tile(self, level, n, what):
        is_place = isinstance(level, int) and isinstance(n, int) and 0 <= level < 8 and n >= 0
        self.found(n << 8 * (level + 1) if is_place else 0, "changed_tile", f"tile {n} of level {level} {what}")


def open_ledger(path):
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    db.row_factory, db.text_factory = sqlite3.Row, lambda data: data.decode(errors="surrogateescape")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version not in FORMAT_VERSIONS:
        raise ValueError(f"{path} is no ledger of format version {' or '.join(map(str, FORMAT_VERSIONS))}")
    db.execute("BEGIN")
    for table, key in (("meta", "key = 'origin'"), ("head", "id = 1")):
        if db.execute(f"SELECT 1 FROM {table} WHERE {key}").fetchone() is None:
            raise ValueError(f"{path} is a ledger from which somebody has removed the row of its {table}")
    return db


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("ledger", type=pathlib.Path)
    parser.add_argument("--anchor", type=pathlib.Path, help="by default LEDGER.d/anchor and LEDGER.d/head, if they are there")
    parser.add_argument("--no-anchor", action="store_true")
    arguments = parser.parse_args()
    beside = arguments.ledger.with_name(arguments.ledger.name + ".d")
    paths = [path for path in (beside / "anchor", beside / "head") if path.exists()]
    paths = [] if arguments.no_anchor else [arguments.anchor] if arguments.anchor else paths
    try:
        if not arguments.ledger.is_file():
            raise ValueError(f"{arguments.ledger} is not there")
        # The anchor first: it is written after the commit, so a head read later is never behind it.
        anchors = [read_head(path.read_text(encoding="utf-8"), path) for path in paths]
        verifier = Verifier(open_ledger(arguments.ledger), anchors)
        findings = verifier.run()
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    for index, kind, detail in findings:
        print(index, kind, detail, sep="\t")
    held = f"anchor of {verifier.outside} entries" if anchors else "no anchor: a cut tail that was tidied up cannot be seen"
    root = verifier.frontier.root().hex() if verifier.is_whole else "not computed"
    print(f"{verifier.origin}: {verifier.expected} entries, root {root}, {held}",
          file=sys.stderr)
    if verifier.unpacker.n_unread:
        print(f"{verifier.unpacker.n_unread} compressed parts were not read; their entries are checked by leaf alone. "
              "Install zstd and run this again.", file=sys.stderr)
    return 1 if findings else 3 if verifier.unpacker.n_unread else 0


if __name__ == "__main__":
    sys.exit(main())
