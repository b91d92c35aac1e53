"""A ledger in memory by `spec/leaf.md`, made of invented records, for the bundles beside it."""
import base64, datetime, hashlib, struct

from canonical import Num, canonical

PARTS = {"header": 1, "input": 2, "output": 3, "parties": 4, "metadata": 5, "pipeline": 6, "error": 7, "control": 8,
         "part_77": 77}
KINDS = {"prediction": 1, "oversight": 2, "decision": 3, "outcome": 4, "conflict": 9, "erasure": 17, "gap": 20, "key": 21,
         "producer": 22, "epoch": 23, "kind_12": 12}
NAMES = {code: name for name, code in PARTS.items()}
KIND_NAMES = {code: name for name, code in KINDS.items()}
START_US = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z


def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def time_text(us, digits=9):
    """RFC 3339 in UTC of microseconds since 1970."""
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0" * (digits - 6) + "Z"


def json_part(value):
    return 1, canonical(value).encode()


def numbers(value):
    """The same value with its integers as tokens, which is what `canonical` writes."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(item) for item in value]
    return Num(value) if type(value) in (int, float) else value


class Entry:
    """Leaf, leaf hash, parts {name: (encoding, bytes)} with their salts, and the names of erased ones."""

    def __init__(self, index, kind, time_us, producer, seq, parts, prev, said=None):
        self.index, self.kind, self.time_us, self.producer, self.seq = index, kind, time_us, producer, seq
        # Names of parts that were erased, and of those that are labelled JSON and are none.
        self.erased, self.no_json = set(), set()
        self.parts = dict(sorted(parts.items(), key=lambda item: PARTS[item[0]]))
        secret = sha(b"a secret of the vectors", struct.pack(">Q", index))
        self.record_id = (struct.pack(">Q", (time_us // 1000 << 16) | 0x7000 | index & 0xfff) + b"\x80" + sha(secret)[:7])
        self.salts, self.commitments = {}, {}
        for name, (encoding, data) in self.parts.items():
            part = struct.pack(">H", PARTS[name])
            salt = self.salts[name] = sha(b"modeltrail/v1/salt\0", secret, part)
            self.commitments[name] = sha(b"modeltrail/v1/part\0", salt, part, bytes([encoding]), struct.pack(">Q", len(data)), data)
        pieces = [struct.pack(">H", PARTS[name]) + c for name, c in self.commitments.items()]
        body = sha(b"modeltrail/v1/body\0", struct.pack(">H", len(pieces)), *pieces)
        self.leaf = bytes([1, KINDS[kind]]) + struct.pack(">QQ", said or index, time_us) + self.record_id + producer + struct.pack(
            ">Q", seq) + prev + body
        self.hash = sha(b"\0", self.leaf)


class Ledger:
    def __init__(self, origin):
        self.origin, self.entries, self.seqs = origin, [], {}

    def append(self, kind, time_us, producer, parts, **odd):
        before = self.entries[-1].hash if self.entries else sha(b"modeltrail/v1/origin\0", self.origin.encode())
        seq = self.seqs.get(producer, 0)
        self.seqs[producer] = seq + 1
        self.entries.append(Entry(len(self.entries), kind, time_us, producer, seq, parts, odd.get("prev", before), odd.get("said")))
        return self.entries[-1]

    def control(self, kind, time_us, producer, control):
        header = {"kind": kind, "occurred_at": time_text(time_us)}
        return self.append(kind, time_us, producer, {"header": json_part(header), "control": json_part(numbers(control))})

    def skip(self, producer, n):
        """Numbers that become no entry; returns their range."""
        first = self.seqs.get(producer, 0)
        self.seqs[producer] = first + n
        return [first, first + n - 1]

    def erase(self, indexes, parts):
        for index in indexes:
            self.entries[index].erased |= set(parts)


def note(lines, signers):
    """A signed note over lines; without signers nothing."""
    text = "".join(line + "\n" for line in lines)
    return text + "\n" + "".join(key.line(text.encode()).decode() for key in signers) if signers else ""


def key_change(origin, event, role, key, signers, replaces=None, reason="routine"):
    """`control` of a `key` entry (`spec/control.md`, section 1)."""
    old = {"replaces": replaces.vkey} if replaces else {}
    lines = ["modeltrail/v1/key", origin, event, role, key.vkey, old.get("replaces", "-"), reason]
    return {"event": event, "note": note(lines, signers), "reason": reason, "role": role, "vkey": key.vkey, **old}


def erasure(origin, reason, entries, signers, signed=None):
    """`control` of an `erasure` entry (`spec/control.md`, section 2), with a signature over another list if one is given."""
    listed = entries if signed is None else signed
    digest = sha(canonical(numbers(listed)).encode()).hex()
    return {"entries": entries, "note": note(["modeltrail/v1/erasure", origin, reason, str(len(listed)), digest], signers), "reason": reason}


def record(n, occurred_us, model, user, failed=False, raw=False):
    """Parts of an invented prediction."""
    input_ = {"amount": n * 7 % 1000, "country": ["DE", "FR", "PL"][n % 3], "text": f"Überweisung Nr. {n}"}
    header = {"capture": {"complete": "full", "mode": "api"}, "kind": "prediction", "latency_us": 900 + n % 50,
              "model": {"name": model, "version": f"v3.{n % 2}"}, "occurred_at": time_text(occurred_us),
              "status": "failure" if failed else "success"}
    parts = {"input": json_part(numbers(input_)), "metadata": json_part(numbers({"attempt": n % 4})),
             "parties": json_part({"request_id": f"r-{n}", "subject_id": f"s-{n % 11}", "user_id": user})}
    if raw:
        header["input_media_type"], parts["input"] = "application/octet-stream", (2, bytes([n & 255, 0, 255]))
    if failed:
        parts["error"] = json_part({"code": "timeout", "message": "no answer \u2014 after 2 s"})
    else:
        parts["output"] = json_part(numbers({"label": ["ok", "fraud"][n % 5 == 0], "score": n % 97 / 100}))
    return {"header": json_part(numbers(header)), **parts}


def small(key, authority):
    """700 entries, ten minutes apart: two producers with numbers that went missing, keys, erasures, a late record."""
    ledger, minute = Ledger("example.com/audit"), 60_000_000
    a, b = bytes([0xaa] * 16), bytes([0xbb] * 16)
    models, users = ["fraud_detector", "fraud_detector", "churn", "kredit_prüfer"], ["alice", "bob", "carol", "dörte", "erin"]
    controls = {
        0: ("producer", a, lambda: {"event": "open", "next_seq": 1, "producer": a.hex(), "software": "modeltrail 0.1.0"}),
        1: ("key", a, lambda: key_change(ledger.origin, "added", "checkpoint", key, [key], reason="created")),
        2: ("producer", b, lambda: {"event": "open", "next_seq": 1, "producer": b.hex(), "software": "modeltrail 0.1.0"}),
        130: ("gap", a, lambda: {"producer": a.hex(), "ranges": [ledger.skip(a, 2)], "reason": "dropped"}),
        150: ("key", a, lambda: key_change(ledger.origin, "added", "authority", authority, [authority, key], reason="created")),
        285: ("erasure", a, lambda: erasure(ledger.origin, "subject_request", [[220, [2, 4]], [221, [2, 4]]], [authority])),
        500: ("gap", a, lambda: {"producer": b.hex(), "ranges": [gap_b], "reason": "quarantined"}),
        600: ("erasure", a, lambda: erasure(ledger.origin, "order", [[i, [2, 3, 4]] for i in (244, 245, 248)], [authority]))}
    gap_b = None
    for n in range(700):
        at = START_US + n * 10 * minute
        if n in controls:
            kind, producer, control = controls[n]
            ledger.control(kind, at, producer, control())
            continue
        if n == 200:
            gap_b = ledger.skip(b, 3)
        occurred = at - 5 * minute - (4 * 60 * minute if n == 289 else 0)
        parts = record(n, occurred, models[n % 4], users[n % 5], failed=n % 37 == 0, raw=n % 41 == 0)
        ledger.append("conflict" if n == 232 else "prediction", at, b if n % 3 else a, parts)
    ledger.erase([220, 221], ["input", "parties"])
    ledger.erase([244, 245, 248], ["input", "output", "parties"])
    return ledger


def large():
    """66,500 entries of one producer, an hour apart, so that a tile of level 1 is full."""
    ledger, a = Ledger("example.com/large"), bytes([0xcc] * 16)
    for n in range(66_500):
        at = START_US + n * 3_600_000_000
        # Canonical already; `canonical` itself would take most of the time.
        header = f'{{"kind":"prediction","model":{{"name":"m","version":"{n % 7}"}},"occurred_at":"{time_text(at)}","status":"success"}}'
        ledger.append("prediction", at, a, {"header": (1, header.encode())})
    return ledger


def odd():
    """Entries that no ledger writes, under a root that it signed; and what a verifier finds in them."""
    ledger, a, findings = Ledger("example.com/audit"), bytes([0xdd] * 16), []

    def put(finding, header=None, input_=b"{}", no_json=(), kind="prediction", late_us=0, more=None, **place):
        n = len(ledger.entries)
        at = START_US + n * 60_000_000 + late_us
        good = canonical({"kind": "prediction", "occurred_at": time_text(START_US), "status": "success"}).encode()
        parts = {"header": (1, good if header is None else header), "input": (1, input_), **(more or {})}
        ledger.append(kind, at, a, parts, **place).no_json = set(no_json)
        findings.extend([[finding, n]] if finding else [])

    put(None)
    put("not_json", header=b"[1]")
    put("not_json", header=b'{"kind":"prediction","kind":"x","occurred_at":"2026-03-01T00:00:00.000000000Z"}', no_json=["header"])
    put("not_json", header=b'{"kind":"prediction","occurred_at":["2026"],"status":"success"}')
    put("not_json", header=b'{"kind":"prediction","occurred_at":"2026-02-30T00:00:00.000000000Z"}')
    put("not_json", input_=b'{"a":', no_json=["input"])
    put("not_json", input_=b'{"a":"x\ny"}', no_json=["input"])
    put("not_json", input_=b"NaN", no_json=["input"])
    put("not_json", input_=b"\xff", no_json=["input"])
    put("not_json", input_=b'"\\ud800"', no_json=["input"])
    put("not_json", input_=b"[" * 129 + b"]" * 129, no_json=["input"])
    put(None, input_=b"[" * 127 + b"1" * 5000 + b"]" * 127)
    put("moved_entry", said=99)
    put("broken_prev", prev=bytes(32))
    put("time_back", late_us=-120_000_000)
    ledger.seqs[a] = 3
    put("producer_repeat")
    ledger.seqs[a] += 16
    put("producer_gap")
    put(None, kind="kind_12", more={"part_77": (1, b"1"), "metadata": (3, b"?")})
    put(None, late_us=254_000_000_000_000_000)
    return ledger, findings


def erasures(key, authority, successor, stranger):
    """Parts that were erased with the authority's leave and without it; and what a verifier finds."""
    ledger, a, findings = Ledger("example.com/audit"), bytes([0xee] * 16), []
    origin, place = ledger.origin, lambda: START_US + len(ledger.entries) * 60_000_000
    change = lambda *what, **more: ledger.control("key", place(), a, key_change(origin, *what, **more))

    def erase(target, signers, is_lawful=False, control=None, of=origin, **more):
        """Takes the input of an entry, if one is named, and says so."""
        control = control or erasure(of, "order", [[target, [2]]], signers, **more)
        index = ledger.control("erasure", place(), a, control).index
        ledger.erase([target] if target else [], ["input"])
        findings.extend([] if is_lawful else [["forged_erasure", index]])
        findings.extend([["missing_part", target]] if target and not is_lawful else [])

    change("added", "checkpoint", key, [key], reason="created")
    change("added", "authority", authority, [key, authority], reason="created")
    for n in range(2, 13):
        ledger.append("prediction", place(), a, record(n, place(), "m", "u"))
    erase(2, [authority], True)
    erase(3, [])
    erase(4, [stranger])
    erase(5, [authority], signed=[[6, [2]]])
    erase(6, [authority], of="example.com/other")
    # Has no effect: there is an authority.
    change("added", "authority", stranger, [key, stranger])
    erase(7, [stranger])
    erase(8, [authority], control=erasure(origin, "order", [[8, [2]], [20, [2]]], [authority]))
    erase(None, [], control=erasure(origin, "order", [[9, [1]]], [authority]))
    erase(None, [], control={"entries": []})
    erase(9, [key])
    change("rotated", "authority", successor, [authority, successor], replaces=authority)
    erase(10, [successor], True)
    change("retired", "authority", authority, [successor], reason="compromised")
    erase(11, [authority])
    erase(None, [], control=erasure(origin, "order", [[12, [3, 2]]], [successor]))
    # A further line by a stranger does no harm.
    erase(12, [stranger, successor], True)
    return ledger, findings


def rotated(key, middle, last, authority):
    """A checkpoint key that another took over from and that was retired; of that one the authority said that it was lost."""
    ledger, a = Ledger("example.com/audit"), bytes([0xab] * 16)
    place = lambda: START_US + len(ledger.entries) * 60_000_000
    change = lambda *what, **more: ledger.control("key", place(), a, key_change(ledger.origin, *what, **more))
    predict = lambda: ledger.append("prediction", place(), a, record(len(ledger.entries), place(), "m", "u"))
    change("added", "checkpoint", key, [key], reason="created")
    change("added", "authority", authority, [key, authority], reason="created")
    predict()
    change("rotated", "checkpoint", middle, [key, middle], replaces=key)
    change("retired", "checkpoint", key, [middle])
    predict()
    change("rotated", "checkpoint", last, [authority, last], replaces=middle, reason="lost")
    change("retired", "checkpoint", middle, [authority], reason="lost")
    predict()
    return ledger


def stolen(key, thief):
    """A thief of the database names a key, and nobody who may says so."""
    ledger, a = Ledger("example.com/audit"), bytes([0xac] * 16)
    place = lambda: START_US + len(ledger.entries) * 60_000_000
    ledger.control("key", place(), a, key_change(ledger.origin, "added", "checkpoint", key, [key], reason="created"))
    ledger.control("key", place(), a, key_change(ledger.origin, "rotated", "checkpoint", thief, [thief], replaces=key))
    ledger.append("prediction", place(), a, record(2, place(), "m", "u"))
    return ledger


def begun(prev=None):
    """The first entry of a ledger that goes on from another one, and one more."""
    ledger, a = Ledger("example.com/audit"), bytes([0xad] * 16)
    more = {"prev": prev} if prev else {}
    control = {"missing": [[7, 9]], "number": 1, "origin_before": "example.com/before", "size_before": 7}
    ledger.append("epoch", START_US, a, {"header": json_part({"kind": "epoch", "occurred_at": time_text(START_US)}),
                                         "control": json_part(numbers(control))}, **more)
    ledger.append("prediction", START_US, a, record(1, START_US, "m", "u"))
    return ledger


def alike(key, authority):
    """Entries that two readers of JSON take for different things, for the filter {"model_name": "5"}; and what is found."""
    ledger, a, findings = Ledger("example.com/audit"), bytes([0xae] * 16), []
    place = lambda: START_US + len(ledger.entries) * 60_000_000

    def put(finding, header):
        findings.extend([[finding, len(ledger.entries)]] if finding else [])
        ledger.append("prediction", place(), a, {"header": (1, header.encode())})

    def gap(finding, control, n=1):
        run = ledger.skip(a, n)
        ledger.control("gap", place(), a, control(run))
        # The number before this entry's is the one that is missing.
        findings.extend([[finding, ledger.entries[-1].index]] if finding else [])

    def erase(control):
        findings.append(["forged_erasure", len(ledger.entries)])
        header = {"kind": "erasure", "occurred_at": time_text(place())}
        ledger.append("erasure", place(), a, {"header": json_part(header), "control": (1, control.encode())})

    time = '"occurred_at":"2026-03-01T00:00:00.000000000Z"'
    change = lambda *what, **more: ledger.control("key", place(), a, key_change(ledger.origin, *what, **more))
    change("added", "checkpoint", key, [key], reason="created")
    change("added", "authority", authority, [key, authority], reason="created")
    for name in ('"5"', "5", "5.0", "5e0", "null", '["5"]', '{"5":"5"}'):
        put(None, f'{{"kind":"k","model":{{"name":{name}}},{time}}}')
    put(None, f'{{"kind":"k","model":["5","1"],{time}}}')
    put("not_json", f'{{"kind":1,"model":{{"name":"5"}},{time}}}')
    put("not_json", '["2026-03-01T00:00:00.000000000Z","k"]')
    for year in ("1677-09-21T00:12:43.145224191", "2262-04-11T23:47:16.854775808", "9999-01-01T00:00:00.000000000"):
        put("not_json", f'{{"kind":"k","occurred_at":"{year}Z"}}')
    for year in ("1677-09-21T00:12:43.145224192", "2262-04-11T23:47:16.854775807"):
        put(None, f'{{"kind":"k","occurred_at":"{year}Z"}}')
    good = lambda run: {"producer": a.hex(), "ranges": [run], "reason": "dropped"}
    gap(None, good)
    gap("producer_gap", lambda run: {"producer": a.hex(), "ranges": [run]})
    gap("producer_gap", lambda run: {**good(run), "reason": "lost"})
    gap("producer_gap", lambda run: {**good(run), "reason": {"dropped": None}})
    gap("producer_gap", lambda run: {**good(run), "producer": a.hex().upper()})
    gap("producer_gap", lambda run: {**good(run), "ranges": [run, 5]})
    gap("producer_gap", lambda run: {**good(run), "ranges": [[float(run[0]) + 0.5, run[1]]]})
    gap(None, lambda run: {**good(run), "ranges": [run, [9, 5]], "more": 1})
    gap("producer_gap", lambda run: [a.hex(), [run], "dropped"])
    for entries in ("[[0,[3]],5]", "[[2,[true,3]]]", "[[2,[18446744073709551616]]]", "[[2,[99999999999999999999999]]]",
                    "[[2,[3.0]]]", "[[-0,[3]]]", "[[2]]", "{}"):
        erase(f'{{"entries":{entries},"note":"","reason":"order"}}')
    erase('[[[2,[3]]],"","order"]')
    return ledger, findings


class Tree:
    """Roots of all complete subtrees, by height (RFC 6962, section 2.1)."""

    def __init__(self, leaf_hashes):
        self.nodes = [leaf_hashes]
        while len(self.nodes[-1]) > 1:
            level = self.nodes[-1]
            self.nodes.append([sha(b"\x01", level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)])

    def root(self, start, end):
        """MTH(D[start:end]), where `start` is a multiple of the power of two that fits."""
        n = end - start
        if n == 0:
            return sha()
        k = 1 << (n - 1).bit_length()
        if n == k:
            return self.nodes[k.bit_length() - 1][start // k]
        return sha(b"\x01", self.root(start, start + k // 2), self.root(start + k // 2, end))

    def proof(self, index, start, end):
        if end - start == 1:
            return []
        k = start + (1 << (end - start - 1).bit_length() - 1)
        if index < k:
            return self.proof(index, start, k) + [self.root(k, end)]
        return self.proof(index, k, end) + [self.root(start, k)]


def b64(data):
    return base64.b64encode(data).decode()
