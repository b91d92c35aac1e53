#!/usr/bin/env python3
"""Verifies an evidence bundle or a receipt of modeltrail, without modeltrail.

    python3 verify.py BUNDLE.tar --key VKEY [--key VKEY] [--policy FILE] [--tsa FILE.pem] [--json]
    python3 verify.py --receipt FILE.tlog-proof --key VKEY [--policy FILE] [--json]

VKEY is the ledger's verifier key (name+id+base64), had from its operator by another way than the
bundle; FILE a tlog-policy with that key, witnesses and a quorum. Without either a bundle is held
against the policy in it, which whoever made it chose: it then only agrees with itself. A further
--key is that of the authority that allows erasures; without it the authority is whom the ledger names.

Written from modeltrail's spec/bundle.md, spec/control.md and spec/leaf.md for Python 3.9 or later, its standard
library and the command `openssl`. One file, to be copied and read.
Exit codes: 0 nothing found, 1 findings, 2 usage or no bundle, 3 could not do it in full.
"""
import argparse, base64, bisect, datetime, functools, hashlib, json, os, re, struct, subprocess, sys, tempfile

# Registries of spec/leaf.md, section 1.
PARTS = ["", "header", "input", "output", "parties", "metadata", "pipeline", "error", "control"]
CODES = {name: code for code, name in enumerate(PARTS) if name}
KINDS = dict(enumerate("prediction oversight decision outcome incident lifecycle session intent conflict".split(), 1))
KINDS.update(enumerate("access erasure retention hold gap key producer epoch".split(), 16))
HEADER, PARTIES, CONTROL, JSON = 1, 4, 8, 1
FIRST_CONTROL_KIND, ERASURE, GAP, KEY = 16, 17, 20, 21

GAP_REASONS = ["duplicate", "dropped", "quarantined", "refused", "epoch"]

# Files of a bundle (spec/bundle.md, section 2), and how much of each is read: a hostile bundle must
# not fill the memory.
FIXED = ["VERIFY.md", "checkpoint", "entries.ndjson", "keys/history.ndjson", "manifest.json",
         "manifest.sha256", "outside.ndjson", "policy", "records.ndjson"]
MANIFEST = {"manifest.json", "manifest.sha256"}
NUMBER = r"(0|[1-9][0-9]{0,18})"
PATH = re.compile("|".join(map(re.escape, FIXED)) + rf"|proofs/{NUMBER}\.tlog-proof"
                  r"|timestamps/[1-9][0-9]?\.(tsr|pem)"
                  r"|tile/(entries|[0-7])/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?")
RECEIPT_BYTES_MAX = 1_010_000
LIMITS = [("manifest.json", 192 << 20), ("manifest.sha256", 128), ("checkpoint", 1_000_000), ("policy", 256 << 10), ("proofs/", RECEIPT_BYTES_MAX),
          ("tile/entries/", 31_744), ("tile/", 8192), ("timestamps/", 1 << 20), ("VERIFY.md", 1 << 20),
          ("", (8 << 30) - 1)]
N_FILES_MAX, N_TIMESTAMP_FILES_MAX, N_SIGNATURES_MAX, N_DEFINED_MAX, N_KEYS_MAX = 1_000_000, 32, 100, 128, 4096
LINE_BYTES_MAX, JSON_DEPTH_MAX = 24 << 20, 128
# Findings above this are counted and not kept: the first one refuses the bundle.
N_FINDINGS_MAX = 1000

DAY_US, LATE_US_MAX = 86_400_000_000, 315_360_000_000_000
# What 64 bits of nanoseconds can say (spec/record.md, section 1).
FIRST_TIME, LAST_TIME = "1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775807Z"
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z")
HEX = re.compile("[0-9a-f]{64}")
EPOCH = datetime.datetime(1970, 1, 1)
NO_JSON = object()


class Refused(Exception):
    """The file is no bundle; nothing more can be said about it."""


class CouldNot(Exception):
    """Something that is needed is not on this machine."""


def need(condition, text):
    if not condition:
        raise Refused(text)


def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def unbase64(text):
    """Bytes of base64 in its one spelling; ValueError for anything else."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 in another spelling")
    return data


ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical(value):
    return ENCODER.encode(value).encode()


def read_int(text):
    """Longer numbers are refused unread: to read one takes time with the square of its length."""
    if len(text) > 19:
        raise ValueError("a number that is too long")
    return int(text)


def read_canonical(data):
    """An object that gives the same bytes when it is written again: no member twice, no white space."""
    try:
        value = json.loads(data.decode(), parse_int=read_int)
        if type(value) is dict and canonical(value) == data:
            return value
    except (ValueError, RecursionError):
        pass
    raise ValueError("no canonical JSON object")


def names_once(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def no_constant(name):
    raise ValueError(name)


def no_number(text):
    """Numbers with which nothing is computed are passed over: they can be of any size."""


def read_count(text):
    """A number of 64 bits without a sign; others count as nothing."""
    return int(text) if re.fullmatch("[0-9]{1,20}", text) and int(text) < 1 << 64 else None


def read_json(data, parse_int=no_number):
    """JSON of a part, or NO_JSON. Numbers are read where something is computed with them, else they are None."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=names_once, parse_constant=no_constant,
                           parse_int=parse_int, parse_float=no_number)
        if b"\\u" in data:
            # A lone surrogate cannot be written again.
            canonical(value)
        if re.search(rb"[\0-\x1f]", data) is None and not is_deep(value):
            return value
    except (ValueError, RecursionError):
        pass
    return NO_JSON


def is_deep(value):
    """Whether arrays and objects are nested more than JSON_DEPTH_MAX levels."""
    level = [value]
    for _ in range(JSON_DEPTH_MAX + 1):
        level = [item for item in level if type(item) in (dict, list)]
        if not level:
            return False
        level = [child for item in level for child in (item.values() if type(item) is dict else item)]
    return True


def is_count(value):
    return type(value) is int and 0 <= value < 1 << 63


def ascends(values):
    return all(a < b for a, b in zip(values, values[1:]))


# -- the container: spec/bundle.md, section 1 ------------------------------------------------
def tar_header(path, n_bytes):
    head = struct.pack("100s8s8s8s12s12s8s1s100s8s247s", path, b"0000644", b"0000000", b"0000000",
                       b"%011o" % n_bytes, b"0" * 11, b" " * 8, b"0", b"", b"ustar\x0000", b"")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


class Bundle:
    """The files of a bundle by their paths. Nothing is unpacked."""

    def __init__(self, name, file):
        self.name, self.file, self.places = name, file, {}
        at, last, n_timestamps, n_all = 0, "", 0, self.file.seek(0, os.SEEK_END)
        while self.bytes_at(at, 512) != bytes(512):
            path, n_bytes = self.header(at)
            need(path > last, f"byte {at}: {path} is there twice, or out of order")
            n_timestamps += path.startswith("timestamps/")
            need(len(self.places) < N_FILES_MAX and n_timestamps <= N_TIMESTAMP_FILES_MAX,
                 f"byte {at}: more files than a bundle has")
            start, padding = at + 512, -n_bytes % 512
            end = start + n_bytes
            need(end + padding <= n_all, f"byte {at}: {path} has {n_bytes} bytes, and the bundle ends before")
            need(not any(self.bytes_at(end, padding)), f"byte {end}: the padding of {path} is not zero")
            self.places[path] = (start, n_bytes)
            at, last = end + padding, path
        need(self.bytes_at(at, 1024) == bytes(1024), f"byte {at}: 1024 zero bytes should end the bundle")
        need(at + 1024 == n_all, f"byte {at + 1024}: {n_all - at - 1024} bytes stand behind the end")

    def bytes_at(self, at, n_bytes):
        self.file.seek(at)
        data = self.file.read(n_bytes)
        need(len(data) == n_bytes, f"byte {at}: the bundle is cut here")
        return data

    def header(self, at):
        head = self.bytes_at(at, 512)
        raw, size = head[:100].rstrip(b"\0"), head[124:135]
        path = raw.decode("ascii", "replace")
        need(head[257:262] == b"ustar", f"byte {at}: no ustar header; this is no bundle, or it is compressed")
        need(head[156:157] == b"0", f"byte {at}: {path!r} is no regular file but a link, a folder or an extension")
        need(PATH.fullmatch(path), f"byte {at}: {path!r} is no path of a bundle")
        need(re.fullmatch(b"[0-7]{11}", size), f"byte {at}: the size of {path} is not 11 octal digits")
        n_bytes = int(size, 8)
        need(head == tar_header(raw, n_bytes),
             f"byte {at}: the header of {path} is not as a bundle has it (mode, owner, time, checksum, zero bytes)")
        most = next(most for start, most in LIMITS if path.startswith(start))
        need(n_bytes <= most, f"byte {at}: {path} has {n_bytes} bytes; at most {most} are read")
        return path, n_bytes

    def read(self, path):
        """A file's bytes; None where it is missing."""
        return self.bytes_at(*self.places[path]) if path in self.places else None

    def digest(self, path):
        state, (at, left) = hashlib.sha256(), self.places[path]
        while left > 0:
            data = self.bytes_at(at, min(left, 1 << 20))
            state.update(data)
            at, left = at + len(data), left - len(data)
        return state.hexdigest()

    def lines(self, path):
        """Yields (number from 1, line with its end). A line without an end is too long or cut, and the last."""
        at, left = self.places.get(path, (0, 0))
        with open(self.name, "rb") as file:
            file.seek(at)
            number, line = 0, b"\n"
            while left > 0 and line.endswith(b"\n"):
                line = file.readline(min(left, LINE_BYTES_MAX))
                number, left = number + 1, left - len(line)
                yield number, line


# -- the manifest: spec/bundle.md, section 3 -------------------------------------------------
def time_us(text):
    """A filter's time in microseconds since 1970, rounded down."""
    at = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S") - EPOCH
    return (at.days * 86_400 + at.seconds) * 1_000_000 + int(text[20:26])


def is_time(text):
    try:
        return TIME.fullmatch(text) is not None and FIRST_TIME <= text <= LAST_TIME and time_us(text) is not None
    except ValueError:
        return False


def check_filter(f):
    texts = ["kind", "model_name", "model_version", "since", "status", "subject_id", "until", "user_id"]
    need(type(f) is dict and set(f) <= {*texts, "late_by_us"}, "filter has a member that this version does not know")
    need(all(type(f.get(name, "")) is str for name in texts), "filter: a member is no text")
    need(f.get("kind", "key") in KINDS.values(), "filter: kind is no kind's name")
    need(("until" in f) == ("late_by_us" in f), "filter: late_by_us stands with until, and only with it")
    late = f.get("late_by_us", 0)
    need(is_count(late) and late <= LATE_US_MAX, "filter: late_by_us is no number up to ten years")
    for name in ("since", "until"):
        need(name not in f or is_time(f[name]), f"filter: {name} is not like 2026-03-15T09:30:00.000000000Z, or outside 1677 to 2262")
    need("since" not in f or "until" not in f or f["since"] < f["until"], "filter: since is not before until")


def read_manifest(data):
    """The manifest, if it has the form; what it says of the ledger is held against the checkpoint elsewhere."""
    need(data is not None, "it is missing")
    try:
        m = read_canonical(data)
    except ValueError as error:
        raise Refused(f"it is {error}") from None
    need(type(m.get("version")) is int and m["version"] == 1, "its version is not 1; a later program may read it")
    need(sorted(m) == ["checkpoint", "completeness", "disclose", "files", "filter", "matching", "origin", "range",
                       "receipts", "software", "version"], "members are missing, or there are others")
    inner = {"checkpoint": ["root", "size"], "completeness": ["provable", "why"], "range": ["end", "first"]}
    need(all(type(m[name]) is dict and sorted(m[name]) == members for name, members in inner.items()),
         "checkpoint, completeness or range has not its two members")
    need(type(m["origin"]) is str and type(m["software"]) is str, "origin or software is no text")
    need(type(m["receipts"]) is bool, "receipts is neither true nor false")
    root, size = m["checkpoint"]["root"], m["checkpoint"]["size"]
    need(type(root) is str and HEX.fullmatch(root), "checkpoint: root is no SHA-256 in hex")
    first, end = m["range"]["first"], m["range"]["end"]
    need(all(map(is_count, (first, end, size))) and first <= end <= size, "not 0 <= first <= end <= size")
    names, indexes, files = m["disclose"], m["matching"], m["files"]
    need(type(names) is list and all(type(name) is str and name in CODES for name in names) and ascends(names),
         "disclose is no list of parts, ascending")
    need({"header", "control"} <= set(names), "disclose has not header and control")
    need(type(indexes) is list and all(map(is_count, indexes)) and ascends(indexes), "matching is no ascending list")
    need(type(files) is dict and all(PATH.fullmatch(path) and is_hex(digest) for path, digest in files.items()),
         "files does not give paths of a bundle their SHA-256 in hex")
    need(not MANIFEST & set(files), "files names the manifest itself")
    check_filter(m["filter"])
    return m


# -- keys, notes, policies: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy -----
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
# y of the eight points of small order, under which anybody can sign.
SMALL_Y = {0, 1, P - 1, 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7,
           0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826}


def is_weak(point):
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    return y >= P or y in SMALL_Y


def openssl(*arguments):
    try:
        run = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise CouldNot(f"openssl could not be run: {error}") from None
    return run.returncode, (run.stdout + run.stderr).decode(errors="replace")


@functools.lru_cache(maxsize=256)
def ed25519(public, message, signature):
    """Whether a signature holds by RFC 8032, without second forms of signatures and weak points."""
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    if is_weak(signature[:32]) or is_weak(public):
        return False
    with tempfile.TemporaryDirectory() as folder:
        key, text, raw = (os.path.join(folder, name) for name in ("key", "text", "signature"))
        # A SubjectPublicKeyInfo (RFC 8410) is a fixed beginning and the key.
        der = bytes.fromhex("302a300506032b6570032100") + public
        for name, data in ((key, der), (text, message), (raw, signature)):
            with open(name, "wb") as file:
                file.write(data)
        code, said = openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin",
                             "-in", text, "-sigfile", raw)
    if code == 0 and "Verified Successfully" in said:
        return True
    if "Verification Failure" in said:
        return False
    raise CouldNot(f"this openssl does not verify Ed25519 (3.0 does): {said.strip()[:200]}")


def key_name(text):
    if not 0 < len(text.encode()) <= 1000 or any(c.isspace() or c in "+\x7f" or c < " " for c in text):
        raise ValueError("no key name")
    return text


class VerifierKey:
    """A vkey: name+id+base64(type, 32 bytes). Type 1 is a log's, 4 a witness's."""

    def __init__(self, text, kind):
        name, key_id, data = (text.split("+", 2) + ["", ""])[:3]
        data = unbase64(data)
        self.text, self.name, self.kind, self.public = text, key_name(name), kind, data[1:]
        self.id = sha(name.encode(), b"\n", data)[:4]
        if data[:1] != bytes([kind]) or len(data) != 33 or self.id.hex() != key_id or is_weak(self.public):
            raise ValueError(f"no verifier key of type {kind}, or its ID does not fit; was it copied in full?")

    def verify(self, note, signature):
        """None where it does not hold; else when it was cosigned, in seconds, and 0 for a log's signature."""
        if self.kind == 1:
            return 0 if ed25519(self.public, note.text, signature) else None
        at = int.from_bytes(signature[:8], "big")
        if len(signature) != 72 or at >= 1 << 63:
            return None
        message = b"cosignature/v1\ntime %d\n" % at + note.text
        return at if ed25519(self.public, message, signature[8:]) else None


class SignedNote:
    """Text and signatures; ValueError says why bytes are none."""

    def __init__(self, data):
        whole = data.decode()
        text, gap, block = whole.rpartition("\n\n")
        if len(data) > 1_000_000 or re.search(r"[\0-\x09\x0b-\x1f]", whole) or not gap or not block.endswith("\n"):
            raise ValueError("no signed note: text, an empty line, signatures, each line ended")
        self.text, self.signatures = (text + "\n").encode(), []
        for line in block[:-1].split("\n"):
            dash, name, signature = (line.split(" ") + ["", ""])[:3]
            raw = unbase64(signature)
            if dash != "\u2014" or line.count(" ") != 2 or len(raw) < 5 or len(self.signatures) == N_SIGNATURES_MAX:
                raise ValueError("no signed note: a signature line is none, or there are too many")
            self.signatures.append((key_name(name), raw[:4], raw[4:]))

    def signers(self, keys):
        """Those of some keys that signed; ValueError if none did, or a line by one of them does not hold."""
        out = []
        for name, key_id, signature in self.signatures:
            known = [key for key in keys if (key.name, key.id) == (name, key_id)]
            by = [key for key in known if key.verify(self, signature) is not None]
            if known and not by:
                raise ValueError(f"the signature by {name} does not hold")
            out += by[:1]
        if not out:
            raise ValueError("no key that may say so signed it")
        return out


class Note(SignedNote):
    """A signed checkpoint; ValueError says why bytes are none."""

    def __init__(self, data):
        super().__init__(data)
        lines = self.text.decode()[:-1].split("\n")
        if len(lines) < 3 or not all(lines) or not re.fullmatch(NUMBER, lines[1]) or int(lines[1]) >= 1 << 63:
            raise ValueError("no checkpoint: origin, size and root, each on a line")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        if len(self.root) != 32:
            raise ValueError("no checkpoint: its root has not 32 bytes")


class Policy:
    """A tlog-policy; ValueError says why a text is none."""

    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.quorum, self.members = [], {}, {}, None, set()
        if len(data) > 256 << 10 or re.search(rb"[\0-\x08\x0b-\x1f\x7f]", data) or not data.endswith(b"\n"):
            raise ValueError("it is too long, has a control character, or its last line is not ended")
        for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = re.split("[ \t]+", line.strip(" \t"))
            try:
                if words != [""] and not words[0].startswith("#"):
                    self.line(words[0], words[1:])
            except (ValueError, IndexError) as error:
                raise ValueError(f"line {number}: {error}") from None
        if self.quorum is None:
            raise ValueError("it has no quorum line; `quorum none` asks for no witness")
        if max(map(len, (self.logs, self.witnesses, self.groups))) > N_DEFINED_MAX:
            raise ValueError(f"it has more than {N_DEFINED_MAX} logs, witnesses or groups")

    def line(self, word, words):
        is_known = lambda name: name in self.witnesses or name in self.groups
        is_new = lambda name: not is_known(name) and name != "none"
        if word == "log":
            key = VerifierKey(words[0], 1)
            fine = len(words) < 3 and key.public not in [log.public for log in self.logs]
            self.logs.append(key)
        elif word == "witness":
            key = VerifierKey(words[1], 4)
            fine = len(words) < 4 and is_new(words[0])
            fine = fine and key.public not in [witness.public for witness in self.witnesses.values()]
            self.witnesses[words[0]] = key
        elif word == "group":
            name, k, names = words[0], words[1], words[2:]
            fine = is_new(name) and len(set(names)) == len(names) > 0
            fine = fine and all(is_known(member) and member not in self.members for member in names)
            k = {"all": len(names), "any": 1}.get(k) or int(k if re.fullmatch("[1-9][0-9]{0,2}", k) else 0)
            fine = fine and 1 <= k <= len(names)
            self.groups[name] = (k, names)
            self.members.update(names)
        else:
            fine = word == "quorum" and len(words) == 1 and self.quorum is None
            fine = fine and (words[0] == "none" or is_known(words[0]))
            self.quorum = words[0]
        if not fine:
            raise ValueError("no log, witness, group or quorum line, or a name or key that is unknown or there twice")

    def holds(self, name, by):
        """Whether a witness or group has cosigned; each name is a member once, so this ends."""
        if name in self.groups:
            k, names = self.groups[name]
            return sum(self.holds(member, by) for member in names) >= k
        return name == "none" or name in by

    def judge(self, note):
        """Who signed, as texts; ValueError says why the checkpoint is not accepted."""
        signed, by = False, {}
        keys = [("", key) for key in self.logs if key.name == note.origin] + list(self.witnesses.items())
        for role, key in keys:
            for name, key_id, signature in note.signatures:
                if (name, key_id) == (key.name, key.id):
                    at = key.verify(note, signature)
                    if at is None:
                        raise ValueError(f"the signature by {name} does not hold")
                    signed = signed or key.kind == 1
                    by.update({role: at} if role else {})
        if not signed:
            others = any(name == note.origin for name, *_ in note.signatures)
            raise ValueError(f"no key of the policy that is named {note.origin} has signed it" + (
                ": it is signed by another key of this name; if the key was rotated, a bundle or the ledger holds the change" if others else ""))
        if not self.holds(self.quorum, by):
            n_all = len(self.witnesses)
            raise ValueError(f"cosigned by {len(by)} of {n_all} witnesses, which is not the quorum {self.quorum}")
        when = lambda at: EPOCH + datetime.timedelta(seconds=min(at, 10**11))
        return [f"signed by {note.origin}"] + [f"cosigned by {name} at {when(at)} UTC" for name, at in by.items()]


# -- keys of the ledger and erasures: spec/control.md --------------------------------------------
class KeyHistory:
    """Which key was in force when, by `key` entries taken in the order of their indexes."""

    def __init__(self, origin):
        self.origin, self.keys, self.held, self.without_effect = origin, [], [], []

    def in_force(self, role, size, among=None):
        """Keys of a role that the entry with the index `size` finds; of those alone whose bytes are in `among`."""
        return [key for key, its_role, since, until in self.keys if its_role == role and since < size <= until
                and (among is None or key.public in among)]

    def take(self, index, control):
        try:
            self.held.append((index, *self.apply(index, control)))
        except ValueError as error:
            self.without_effect.append((index, str(error)))

    def apply(self, index, c):
        """Applies a change and returns (note, keys that it names); ValueError says why it has no effect."""
        names = [("event", ("added", "rotated", "retired")), ("role", ("checkpoint", "authority")),
                 ("reason", ("created", "routine", "compromised", "lost"))]
        if type(c) is not dict or any(type(c.get(name)) is not str or c[name] not in of for name, of in names) or any(
                type(c.get(name)) is not str for name in ("note", "vkey")) or type(c.get("replaces")) not in (str, type(None)):
            raise ValueError("what it says cannot be read")
        event, role, key, note = c["event"], c["role"], VerifierKey(c["vkey"], 1), SignedNote(c["note"].encode())
        old = None if c.get("replaces") is None else VerifierKey(c["replaces"], 1)
        if note.text != "\n".join(["modeltrail/v1/key", self.origin, event, role, key.text, old.text if old else "-",
                                   c["reason"], ""]).encode():
            raise ValueError("another text was signed")
        mine, authorities = self.in_force(role, index), self.in_force("authority", index)
        target = old if event == "rotated" else key
        if (old is None) == (event == "rotated") or event != "added" and target.text not in [k.text for k in mine]:
            raise ValueError("the key that it replaces or retires is not in force, or it replaces none or one too many")
        if event == "added":
            others = self.in_force("checkpoint" if role == "authority" else "authority", index)
            if mine:
                raise ValueError("the role has a key in force, which a new one can only take over from")
            if others:
                note.signers(others)
        elif event == "rotated":
            note.signers([old] + authorities)
        else:
            note.signers([k for k in mine + authorities if k.text != key.text])
            self.keys = [(k, its_role, since, index if k.text == key.text else until) for k, its_role, since, until in self.keys]
            return note, []
        if role == "checkpoint" and key.name != self.origin:
            raise ValueError("a checkpoint key is named like its ledger")
        if key.public in [k.public for k, *_ in self.keys] or len(self.keys) >= N_KEYS_MAX:
            raise ValueError("the key was in force before, or there are too many")
        note.signers([key])
        self.keys.append((key, role, index, 1 << 64))
        return note, [key] + ([old] if old else [])

    def believed(self, pinned):
        """Bytes of the keys that follow from pinned ones, each with the entry that says so and the key that signed
        that (None: pinned). Read forward, back, and forward again."""
        out = {key.public: None for key in pinned}
        for index, note, named in self.held + self.held[::-1] + self.held:
            try:
                by = named and note.signers([key for key in [k for k, *_ in self.keys] + pinned if key.public in out])
                for key in named:
                    out.setdefault(key.public, (index, by[0].public))
            except ValueError:
                pass
        return out

    def following(self, pinned, note):
        """Checkpoint keys that signed a checkpoint, were in force for it and follow from pinned ones; and the
        indexes of the entries by which they do."""
        believed, way = self.believed(pinned), set()
        lines = [(name, key_id) for name, key_id, _ in note.signatures]
        keys = [key for key in self.in_force("checkpoint", note.size, believed) if (key.name, key.id) in lines]
        for at in [believed[key.public] for key in keys]:
            while at:
                way.add(at[0])
                at = believed[at[1]]
        return keys, sorted(way)


def erased_by(control, origin, index, authorities):
    """({(index, part code)}, keys that signed) of an erasure; ValueError says why it does not hold."""
    c = control if type(control) is dict else {}
    entries, reason, note = c.get("entries"), c.get("reason"), c.get("note")
    if type(note) is not str or reason not in ("subject_request", "expired", "order", "recorded_in_error") or type(
            entries) is not list or not all(type(item) is list and len(item) == 2 for item in entries):
        raise ValueError("what it says cannot be read")
    if not all(is_count(i) and type(codes) is list and codes and all(is_code(code, 0xffff) for code in codes) for i, codes in entries):
        raise ValueError("what it says cannot be read")
    if not entries or not ascends([i for i, _ in entries]) or not all(ascends(codes) for _, codes in entries):
        raise ValueError("its list is empty, or does not ascend")
    if not all(2 <= code <= 7 for _, codes in entries for code in codes) or entries[-1][0] >= index:
        raise ValueError("it names a part that is never erased, or an entry that is not before it")
    signed = SignedNote(note.encode())
    lines = ["modeltrail/v1/erasure", origin, reason, str(len(entries)), sha(canonical(entries)).hex(), ""]
    if signed.text != "\n".join(lines).encode():
        raise ValueError("another list, reason or ledger was signed")
    if not authorities:
        raise ValueError("no authority key is in force there, or none that follows from the one that was given")
    return {(i, code) for i, codes in entries for code in codes}, signed.signers(authorities)


# -- leaves, tiles, receipts: spec/leaf.md; spec/bundle.md, section 5; C2SP tlog-tiles, tlog-proof ---
class Leaf:
    def __init__(self, data):
        self.version, self.kind, self.index, self.time_us, self.record_id, self.producer, self.producer_seq, \
            self.prev, self.body = struct.unpack(">BBQQ16s16sQ32s32s", data)


def read_leaf(data):
    """A leaf of version 1; None for other bytes."""
    return Leaf(data) if len(data) == 122 and data[0] == 1 else None


def commitment(salt, code, encoding, data):
    part = struct.pack(">H", code)
    return sha(b"modeltrail/v1/part\0", salt, part, bytes([encoding]), struct.pack(">Q", len(data)), data)


def body(commitments):
    pieces = [struct.pack(">H", code) + bytes.fromhex(c) for code, c in commitments]
    return sha(b"modeltrail/v1/body\0", struct.pack(">H", len(pieces)), *pieces)


def origin_prev(origin):
    """The link of the entry 0, which has none before it."""
    return sha(b"modeltrail/v1/origin\0", origin.encode())


def fold(nodes):
    """Root over a complete subtree: as many nodes as a power of two."""
    while len(nodes) > 1:
        nodes = [sha(b"\x01", left, right) for left, right in zip(nodes[::2], nodes[1::2])]
    return nodes[0]


def inclusion(node, index, size, proof):
    """The root that a proof leads to (RFC 9162, section 2.1.3.2); None for a proof of another length."""
    last = size - 1
    for sibling in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = sha(b"\x01", sibling, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha(b"\x01", node, sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


class Receipt:
    """A tlog-proof with a leaf; ValueError says why bytes are none."""

    def __init__(self, data):
        head, gap, self.checkpoint = data.partition(b"\n\n")
        lines = head.decode().split("\n")
        if len(data) > RECEIPT_BYTES_MAX or not gap or lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 3:
            raise ValueError("no tlog-proof")
        if not lines[1].startswith("extra ") or not re.fullmatch("index " + NUMBER, lines[2]):
            raise ValueError("it has no leaf in its line `extra`, or no index")
        self.leaf, self.index = unbase64(lines[1][6:]), int(lines[2][6:])
        self.proof = [unbase64(line) for line in lines[3:]]
        leaf = read_leaf(self.leaf)
        if leaf is None or leaf.index != self.index or any(len(node) != 32 for node in self.proof):
            raise ValueError("its leaf is none of this index, or a hash has not 32 bytes")

    def check(self, origin, root, size):
        if self.index == 0 and read_leaf(self.leaf).prev != origin_prev(origin):
            raise ValueError("its leaf begins a ledger of another origin than the checkpoint's")
        if self.index >= size or inclusion(sha(b"\0", self.leaf), self.index, size, self.proof) != root:
            raise ValueError("its proof does not lead from its leaf to the checkpoint's root")


def tile_path(level, n, width):
    text, rest = "%03d" % (n % 1000), n // 1000
    while rest:
        text, rest = "x%03d/%s" % (rest % 1000, text), rest // 1000
    return f"tile/{level}/{text}" + (f".p/{width}" if width < 256 else "")


class Tree:
    """Tiles and entry bundles of a bundle, for the leaves from `low` up to `high` of a tree."""

    def __init__(self, bundle, report, size, low, high):
        self.bundle, self.report, self.size = bundle, report, size
        self.numbers = range(low // 256, -(-high // 256) if high > low else low // 256)
        self.paths, self.checked, self.last = set(), set(), {}

    def width(self, level, n):
        return min(256, (self.size >> 8 * level) - 256 * n)

    def hashes(self, level, n):
        """The hashes of a tile; None if it is missing or has another length."""
        if self.last.get(level, (None, None))[0] != n:
            path = tile_path(level, n, self.width(level, n))
            self.paths.add(path)
            data = self.bundle.read(path)
            if data is not None and len(data) != 32 * self.width(level, n):
                self.report.found("changed_tile", "it has another length than the tree's size gives it", file=path)
                data = None
            self.last[level] = (n, data and [data[at:at + 32] for at in range(0, len(data), 32)])
        return self.last[level][1]

    def root(self):
        """The root from the right edge; None if a tile of it is missing."""
        nodes = []
        for level in range(7, -1, -1):
            width, at = self.size >> 8 * level & 255, 0
            hashes = self.hashes(level, self.size >> 8 * (level + 1)) if width else []
            if hashes is None:
                return None
            for bit in range(7, -1, -1):
                if width >> bit & 1:
                    nodes.append(fold(hashes[at:at + (1 << bit)]))
                    at += 1 << bit
        root = nodes.pop() if nodes else sha()
        while nodes:
            root = sha(b"\x01", nodes.pop(), root)
        return root

    def check_up(self, n):
        """Holds a full level-0 tile, and those above it, against the tile above each."""
        level, is_whole = 0, True
        while self.width(level, n) == 256 and (level, n) not in self.checked:
            self.checked.add((level, n))
            hashes, above = self.hashes(level, n), self.hashes(level + 1, n >> 8)
            if hashes and above and fold(hashes) != above[n & 255]:
                path = tile_path(level, n, 256)
                self.report.found("changed_tile", "its root is not the one in the tile above", file=path)
                is_whole = is_whole and level > 0
            level, n = level + 1, n >> 8
        return is_whole

    def leaves(self):
        """Yields (index, bytes of the leaf, leaf hash in the tiles); None for what is missing."""
        for n in self.numbers:
            # Leaves are not held against a tile that is wrong itself.
            hashes, width = self.hashes(0, n) if self.check_up(n) else None, self.width(0, n)
            path = tile_path("entries", n, width)
            self.paths.add(path)
            data = self.bundle.read(path)
            if data is not None and (len(data) != 124 * width or set(data[::124]) | set(data[1::124]) != {0, 122}):
                self.report.found("changed_leaf", f"it is not {width} leaves of 122 bytes", file=path)
                data = None
            for at in range(width):
                yield 256 * n + at, data and data[124 * at + 2:124 * at + 124], hashes and hashes[at]


# -- entries: spec/bundle.md, sections 4 and 7 -----------------------------------------------
def read_entry(data):
    """(index, [(code, hex)], {code: (encoding, bytes, salt)}) of a line; ValueError says why it is none."""
    if not data.endswith(b"\n"):
        raise ValueError("longer than any entry, or cut")
    line = read_canonical(data[:-1])
    if sorted(line) != ["commitments", "index", "parts"] or not is_count(line["index"]):
        raise ValueError("other members than commitments, index and parts")
    commitments, parts = line["commitments"], {}
    if type(commitments) is not list or type(line["parts"]) is not list:
        raise ValueError("commitments or parts is no list")
    for item in commitments:
        if type(item) is not list or len(item) != 2 or not is_code(item[0], 0xffff) or not is_hex(item[1]):
            raise ValueError("a commitment is not a part code and a SHA-256 in hex")
    for part in line["parts"]:
        if type(part) is not dict or sorted(part) != ["bytes", "encoding", "part", "salt"]:
            raise ValueError("a part has not the members bytes, encoding, part and salt")
        if not is_code(part["part"], 0xffff) or not is_code(part["encoding"], 0xff) or not is_hex(part["salt"]):
            raise ValueError("a part's code, encoding or salt is none")
        if type(part["bytes"]) is not str:
            raise ValueError("a part's bytes are no text")
        parts[part["part"]] = (part["encoding"], unbase64(part["bytes"]), bytes.fromhex(part["salt"]))
    if not ascends([code for code, _ in commitments]) or not ascends([part["part"] for part in line["parts"]]):
        raise ValueError("commitments or parts do not ascend by code")
    return line["index"], commitments, parts


def is_code(value, most):
    return type(value) is int and 0 <= value <= most


def is_hex(value):
    return type(value) is str and HEX.fullmatch(value) is not None


def part_name(code):
    return PARTS[code] if 0 < code < len(PARTS) else f"part_{code}"


def recorded_at(leaf):
    """{"recorded_at": text}; nothing from the year 10000 on."""
    if leaf.time_us >= 253_402_300_800_000_000:
        return {}
    text = (EPOCH + datetime.timedelta(microseconds=leaf.time_us)).strftime("%Y-%m-%dT%H:%M:%S")
    return {"recorded_at": canonical("%s.%06dZ" % (text.rjust(19, "0"), leaf.time_us % 1_000_000))}


def splice(members):
    """A line from JSON texts by name."""
    pieces = [canonical(name) + b":" + text for name, text in sorted(members.items())]
    return b"{" + b",".join(pieces) + b"}\n"


class Entry:
    """What is shown of an entry, once it was held against its leaf."""

    def __init__(self, leaf, leaf_hash, parts, committed, needed):
        self.leaf, self.leaf_hash, self.parts, self.json = leaf, leaf_hash, parts, {}
        self.erased = [code for code in committed if code in needed and code not in parts]
        self.withheld = [code for code in committed if code not in needed and code not in parts]
        for code, (encoding, data, _) in parts.items():
            if encoding == JSON:
                self.json[code] = read_json(data, read_count if code == CONTROL else no_number)
        header = self.json.get(HEADER)
        self.header = header if type(header) is dict else {}

    def shown(self):
        """The disclosed parts as JSON texts by the name that they have in records.ndjson."""
        out = {}
        for code, (_, data, _) in self.parts.items():
            is_json = self.json.get(code, NO_JSON) is not NO_JSON
            name = part_name(code) + ("" if is_json else "_base64")
            out[name] = data if is_json else b'"' + base64.b64encode(data) + b'"'
        return out

    def view(self):
        leaf, names = self.leaf, lambda codes: canonical([part_name(code) for code in codes])
        uuid = "-".join(re.fullmatch("(.{8})(.{4})(.{4})(.{4})(.{12})", leaf.record_id.hex()).groups())
        members = {"index": b"%d" % leaf.index, "producer_seq": b"%d" % leaf.producer_seq,
                   "kind": canonical(KINDS.get(leaf.kind, f"kind_{leaf.kind}")), "record_id": canonical(uuid),
                   "leaf_hash": canonical(self.leaf_hash.hex()), "producer": canonical(leaf.producer.hex())}
        members.update({"erased": names(self.erased)} if self.erased else {})
        members.update({"withheld": names(self.withheld)} if self.withheld else {})
        return splice({**members, **recorded_at(leaf), **self.shown()})

    def matches(self, f):
        """Whether what leaf and header say fits the filter."""
        header, model = self.header, self.header.get("model")
        if "kind" in f:
            if KINDS.get(self.leaf.kind) != f["kind"]:
                return False
        elif self.leaf.kind >= FIRST_CONTROL_KIND:
            return False
        model = model if type(model) is dict else {}
        has = {"model_name": model.get("name"), "model_version": model.get("version"), "status": header.get("status")}
        if any(name in f and f[name] != value for name, value in has.items()):
            return False
        at = str(header.get("occurred_at"))
        if not is_time(at):
            return "since" not in f and "until" not in f
        return not ("since" in f and at < f["since"] or "until" in f and not at < f["until"])

    def is_of(self, f):
        """Whether the parties, if they are shown, fit the persons of the filter."""
        parties = self.json.get(PARTIES, {})
        asked = {name: f[name] for name in ("user_id", "subject_id") if name in f}
        fits = type(parties) is dict and all(parties.get(name) == value for name, value in asked.items())
        return PARTIES not in self.parts or fits


class Report:
    """What was found and how much was looked at."""

    def __init__(self):
        self.findings, self.n_findings, self.counts, self.said, self.could_not = {}, 0, {}, [], []

    def found(self, name, detail, index=None, file=None, line=None):
        finding = (name, index, file, line)
        self.n_findings += finding not in self.findings
        if len(self.findings) < N_FINDINGS_MAX:
            self.findings.setdefault(finding, detail)

    def count(self, name, n=1):
        self.counts[name] = self.counts.get(name, 0) + n


class Numbers:
    """Producers' numbers: contiguous within the range, or in a gap entry."""

    def __init__(self, report):
        self.report, self.next, self.holes, self.covered = report, {}, [], {}

    def take(self, index, leaf):
        expected = self.next.get(leaf.producer, leaf.producer_seq)
        if leaf.producer_seq < expected:
            detail = f"number {leaf.producer_seq} of producer {leaf.producer.hex()} stands here again"
            self.report.found("producer_repeat", detail, index=index)
        elif leaf.producer_seq > expected:
            self.holes.append((index, leaf.producer.hex(), expected, leaf.producer_seq - 1))
        self.next[leaf.producer] = max(expected, leaf.producer_seq + 1)

    def gap(self, control):
        """Takes the control part of a gap entry (spec/record.md, section 5); one that cannot be read covers nothing."""
        c = control if type(control) is dict else {}
        producer, runs = c.get("producer"), c.get("ranges")
        is_run = lambda run: type(run) is list and len(run) == 2 and all(type(n) is int for n in run)
        if type(producer) is str and re.fullmatch("[0-9a-f]{32}", producer) and c.get("reason") in GAP_REASONS and type(
                runs) is list and all(map(is_run, runs)):
            self.covered.setdefault(producer, []).extend((first, last) for first, last in runs if first <= last)

    def finish(self):
        for runs in self.covered.values():
            runs.sort()
            joined = []
            for first, last in runs:
                if joined and first <= joined[-1][1] + 1:
                    first, last = joined[-1][0], max(last, joined.pop()[1])
                joined.append((first, last))
            runs[:] = joined
        for index, producer, first, last in self.holes:
            runs = self.covered.get(producer, [])
            at = bisect.bisect(runs, (first, 1 << 64)) - 1
            first = max(first, runs[at][1] + 1) if at >= 0 else first
            if first <= last:
                detail = f"numbers {first} to {last} of producer {producer} became no entry; no gap entry says why"
                self.report.found("producer_gap", detail, index=index)


class Lines:
    """Lines of entries.ndjson, asked for by ascending index."""

    def __init__(self, bundle, report, path):
        self.lines, self.report, self.path, self.waiting, self.missing = bundle.lines(path), report, path, None, None

    def next(self):
        """(line number, entry), (line number, None) for one that cannot be read, or None at the end."""
        if self.waiting is None:
            number, data = next(self.lines, (None, b""))
            try:
                self.waiting = number and (number, read_entry(data))
            except ValueError as error:
                self.report.found("bad_line", str(error), file=self.path, line=number)
                self.waiting = (number, None)
        return self.waiting

    def at(self, index):
        """Commitments and parts of an index; None if they are missing or cannot be read."""
        while self.next():
            number, entry = self.waiting
            if entry and entry[0] > index:
                break
            self.waiting = None
            if entry is None or entry[0] == index:
                return entry and entry[1:]
            detail = f"entry {entry[0]} stands here, twice or out of place"
            self.report.found("inserted_entry", detail, file=self.path, line=number)
        # A run of missing entries is one finding, at its first.
        if self.missing != index - 1:
            self.report.found("missing_entry", "its line is not there", index=index, file=self.path)
        self.missing = index
        return None

    def finish(self):
        while self.next():
            number, _ = self.waiting
            self.report.found("inserted_entry", "a line stands behind the range's end", file=self.path, line=number)
            self.waiting = None


# -- the checks: spec/bundle.md, section 9 ---------------------------------------------------
class Verifier:
    def __init__(self, bundle, policies, pinned, tsa):
        self.bundle, self.policies, self.tsa, self.report, self.note = bundle, policies, tsa, Report(), None
        # Keys given with --key: of the ledger, or of its authority.
        self.pinned = pinned
        try:
            self.manifest = read_manifest(bundle.read("manifest.json"))
        except Refused as error:
            raise Refused(f"manifest.json: {error}") from None
        m = self.manifest
        self.first, self.end, self.filter = m["range"]["first"], m["range"]["end"], m["filter"]
        self.size, self.root = m["checkpoint"]["size"], bytes.fromhex(m["checkpoint"]["root"])
        self.matching, self.disclosed = set(m["matching"]), {CODES[name] for name in m["disclose"]}
        n_bundles = (self.end - self.first) // 256
        need(n_bundles < len(bundle.places), f"manifest.json: range: {n_bundles} entry bundles or more are not here")
        self.tree = Tree(bundle, self.report, self.size, max(self.first - 1, 0), min(self.end + 1, self.size))
        self.numbers, self.prev, self.time_us, self.times = Numbers(self.report), None, 0, {}
        # Claims that are judged when all entries were seen.
        self.erased, self.erasures, self.changes, self.keys, self.proofs = [], [], [], {}, set()
        self.history, self.checkpoints = KeyHistory(m["origin"]), [bundle.read("checkpoint")]
        self.records, self.is_view_whole = bundle.lines("records.ndjson"), True

    def run(self):
        self.checkpoint()
        root = self.tree.root()
        if root is not None and root != self.root:
            self.report.found("changed_tile", "the right-edge tiles do not give the checkpoint's root", file="tile")
        lines = Lines(self.bundle, self.report, "entries.ndjson")
        for index, data, proven in self.tree.leaves():
            leaf, leaf_hash = self.leaf(index, data, proven)
            if self.first <= index < self.end:
                self.in_range(index, leaf, leaf_hash, lines.at(index))
        lines.finish()
        self.outside()
        try:
            for index, control in sorted(self.changes, key=lambda change: change[0]):
                self.history.take(index, control)
        except CouldNot as error:
            self.report.could_not.append(f"the ledger's keys were not judged: {error}")
            self.history = None
        self.trust()
        self.claims()
        self.range()
        self.timestamps()
        self.files()
        return self.report

    def checkpoint(self):
        found, m = self.report.found, self.manifest
        try:
            note = self.note = Note(self.bundle.read("checkpoint") or b"")
            if (note.origin, note.size, note.root) != (m["origin"], self.size, self.root):
                found("bad_checkpoint", "its origin, size or root is not the manifest's", file="checkpoint")
        except ValueError as error:
            found("bad_checkpoint", f"{error}", file="checkpoint")

    def trust(self):
        """Whether the checkpoint is accepted; behind the entries, which say what keys follow from the auditor's."""
        found, m, note = self.report.found, self.manifest, self.note
        policies, is_log = list(self.policies), any(key.name == m["origin"] for key in self.pinned)
        if len(policies) > 1 and not is_log:
            # Beside a policy --key can be the authority's alone, which signs no checkpoints.
            policies = [(by, policy) for by, policy in policies if by != "--key"]
        try:
            policies.append(("the bundle's policy", Policy(self.bundle.read("policy") or b"")))
        except ValueError as error:
            found("bad_policy", str(error), file="policy")
        for name, policy in policies if note else []:
            try:
                if self.history and name == "--key" and is_log and not any(
                        (key.name, key.id) == (by, key_id) for key in policy.logs for by, key_id, _ in note.signatures):
                    more, way = self.history.following(self.pinned, note)
                    policy.logs += more
                    where = ", ".join(map(str, way))
                    self.report.said += [f"the checkpoint's key follows from --key by the key entries {where}"] if more else []
                self.report.said += [f"{text}, by {name}" for text in policy.judge(note)]
            except ValueError as error:
                found("untrusted_checkpoint", f"by {name}: {error}", file="checkpoint")
            except CouldNot as error:
                self.report.could_not.append(f"signatures were not verified: {error}")

    def leaf(self, index, data, proven):
        """The leaf if it is the proven one, and its leaf hash."""
        leaf, found = data and read_leaf(data), self.report.found
        prev = origin_prev(self.manifest["origin"]) if index == 0 else self.prev
        self.report.count("leaves")
        if data and proven and sha(b"\0", data) != proven or data and not leaf:
            found("changed_leaf", "it is not the one in the tiles, or none of version 1", index=index)
            leaf = None
        elif leaf and leaf.index != index:
            found("moved_entry", f"the leaf at this place says that it is entry {leaf.index}", index=index)
        elif leaf and prev not in (None, leaf.prev):
            found("broken_prev", "its link is not the leaf hash before", index=index)
        elif leaf and leaf.time_us < self.time_us:
            found("time_back", "its time is before that of the entry before", index=index)
        if leaf:
            self.time_us = max(self.time_us, leaf.time_us)
            if index in (self.first - 1, self.first, self.end - 1, self.end, self.size - 1):
                self.times[index] = leaf.time_us
        self.prev = proven or data and sha(b"\0", data)
        return leaf, self.prev

    def entry(self, leaf, leaf_hash, line, needed):
        """Holds a line against its leaf; None where there is nothing to go on with."""
        (commitments, parts), found, index = line, self.report.found, leaf.index
        self.report.count("entries")
        if body(commitments) != leaf.body:
            found("changed_commitment", "the commitments do not give the leaf's body", index=index)
            return None
        committed, is_whole = dict(commitments), True
        for code, (encoding, data, salt) in parts.items():
            self.report.count("parts")
            if committed.get(code) != commitment(salt, code, encoding, data).hex():
                found("changed_part", f"{part_name(code)} is not the part that the leaf commits to", index=index)
                is_whole = False
            if code not in needed:
                found("undue_part", f"{part_name(code)} is disclosed, and the manifest does not say so", index=index)
        for code in (HEADER, CONTROL):
            if code not in parts and (code == HEADER or code in committed):
                found("missing_part", f"the part {part_name(code)} is not disclosed", index=index)
                is_whole = False
        if not is_whole:
            return None
        entry = Entry(leaf, leaf_hash, parts, committed, needed)
        no_json = [code for code, value in entry.json.items() if value is NO_JSON]
        if no_json or not is_time(str(entry.header.get("occurred_at"))) or type(entry.header.get("kind")) is not str:
            found("not_json", "a part labelled JSON is none, or the header lacks kind or occurred_at", index=index)
        if leaf.kind == ERASURE:
            self.erasures.append((index, entry.json.get(CONTROL)))
        elif leaf.kind == GAP:
            self.numbers.gap(entry.json.get(CONTROL))
        elif leaf.kind == KEY:
            self.changes.append((index, entry.json.get(CONTROL)))
            shown = {name: text for name, text in entry.shown().items() if name.startswith("control")}
            self.keys[index] = splice({**shown, **recorded_at(leaf), "index": b"%d" % index})
        return entry

    def in_range(self, index, leaf, leaf_hash, line):
        is_asked, entry = index in self.matching, None
        if leaf:
            self.numbers.take(index, leaf)
        if leaf and leaf.index == index:
            entry = line and self.entry(leaf, leaf_hash, line, self.disclosed if is_asked else {HEADER, CONTROL})
        if entry:
            self.judge(index, entry, is_asked)
        elif leaf and leaf.kind == KEY:
            self.keys[index] = None
        if is_asked:
            self.report.count("matching")
            number, record = next(self.records, (None, b""))
            if entry and self.is_view_whole and record != entry.view():
                # The rest is off by one where a line is missing; one finding is enough.
                detail = f"it is not what entry {index} gives"
                self.report.found("changed_view", detail, file="records.ndjson", line=number)
                self.is_view_whole = False
            if self.manifest["receipts"]:
                self.receipt(index, leaf_hash)

    def judge(self, index, entry, is_asked):
        """Whether the entry is rightly among the matching ones, or rightly not."""
        fits, is_person = entry.matches(self.filter), "user_id" in self.filter or "subject_id" in self.filter
        if is_asked and not (fits and entry.is_of(self.filter)):
            self.report.found("false_match", "it does not fit the filter", index=index)
        elif fits and not is_asked and not is_person:
            detail = "it fits the filter and is not among the matching entries"
            self.report.found("omitted_match", detail, index=index)
        if is_asked:
            self.erased += [(index, code) for code in entry.erased]

    def receipt(self, index, leaf_hash):
        """The receipt of an entry, held against tree and checkpoint; None if it does not hold."""
        path = f"proofs/{index}.tlog-proof"
        self.proofs.add(path)
        data = self.bundle.read(path)
        if data is None:
            return None
        try:
            receipt = Receipt(data)
            receipt.check(self.manifest["origin"], self.root, self.size)
            if receipt.index != index or leaf_hash not in (None, sha(b"\0", receipt.leaf)):
                raise ValueError("it is of another entry")
            if receipt.checkpoint not in self.checkpoints:
                # Where the bundle's was changed this holds for all of them; one finding is enough.
                self.checkpoints[1:] = [receipt.checkpoint]
                raise ValueError("its checkpoint is not the bundle's")
        except ValueError as error:
            self.report.found("bad_receipt", str(error), index=index, file=path)
            return None
        self.report.count("receipts")
        return receipt

    def outside(self):
        """Entries outside the range: leaf and place come from their receipts."""
        path, last = "outside.ndjson", -1
        for number, data in self.bundle.lines(path):
            try:
                index, *line = read_entry(data)
            except ValueError as error:
                self.report.found("bad_line", str(error), file=path, line=number)
                continue
            receipt = self.receipt(index, None)
            leaf = receipt and read_leaf(receipt.leaf)
            if index <= last or self.first <= index < self.end or leaf and leaf.kind not in (ERASURE, GAP, KEY):
                self.report.found("inserted_entry", f"entry {index} does not belong here", file=path, line=number)
            elif leaf:
                self.entry(leaf, sha(b"\0", receipt.leaf), line, {HEADER, CONTROL})
            last = max(index, last)

    def claims(self):
        """What could only be judged behind the last entry."""
        found = self.report.found
        self.numbers.finish()
        try:
            said = self.erasures_that_hold() if self.history else set(self.erased)
        except CouldNot as error:
            self.report.could_not.append(f"erasures were not judged: {error}")
            said = set(self.erased)
        for index, code in self.erased:
            if (index, code) not in said:
                detail = f"the part {part_name(code)} is not disclosed, and no erasure that holds says that it was erased"
                found("missing_part", detail, index=index)
        for index in sorted(self.matching):
            if not self.first <= index < self.end:
                found("false_match", "it is not in the range", index=index)
        if self.is_view_whole and next(self.records, None):
            found("changed_view", "lines stand behind the last matching entry", file="records.ndjson")
        history = b"".join(self.keys[index] or b"" for index in sorted(self.keys))
        if None not in self.keys.values() and self.bundle.read("keys/history.ndjson") not in (None, history):
            found("changed_history", "it is not what the key entries give", file="keys/history.ndjson")
        is_person = "user_id" in self.filter or "subject_id" in self.filter
        claim = {"provable": not is_person, "why": "filter_on_person" if is_person else "headers_shown"}
        if self.manifest["completeness"] != claim:
            found("false_claim", f"completeness should say {claim['why']}", file="manifest.json")

    def erasures_that_hold(self):
        """{(index, part code)} of what was erased with leave of an authority key in force."""
        history, origin, said, by = self.history, self.manifest["origin"], set(), set()
        pinned = [key for key in self.pinned if key.name != origin]
        believed = history.believed(pinned) if pinned else None
        for index, control in self.erasures:
            try:
                erased, signers = erased_by(control, origin, index, history.in_force("authority", index, believed))
                said |= erased
                by |= {key.text for key in signers}
                self.report.count("erasures")
            except ValueError as error:
                self.report.found("forged_erasure", f"no authority allows this erasure: {error}", index=index)
        told = self.report.said
        told += [f"key entry {index} has no effect: {why}" for index, why in history.without_effect[:N_FINDINGS_MAX]]
        told += [f"erasures allowed by {key}" + ("" if pinned else ", whom the ledger itself names") for key in sorted(by)]
        return said

    def range(self):
        """That the leaves at both ends are those where a range of this filter begins and ends."""
        f, at, size = self.filter, self.times.get, self.size
        # Of a leaf that is missing or wrong, which is a finding already, the time is taken as good.
        is_first, is_end = self.first == 0, self.end == size
        if "since" in f:
            low = time_us(f["since"]) - DAY_US
            is_first = is_first or at(self.first - 1, low - 1) < low
            is_first = is_first and (self.first == size or at(self.first, low) >= low)
        if "until" in f:
            high = time_us(f["until"]) + f["late_by_us"]
            is_end = is_end or at(self.end, high + 1) > high
            is_end = is_end and (self.end == 0 or at(self.end - 1, high) <= high)
        for index, is_right, text in ((self.first, is_first, "begin"), (self.end, is_end, "end")):
            if not is_right:
                detail = f"a range of this filter does not {text} here"
                self.report.found("wrong_range", detail, index=index, file="manifest.json")

    def timestamps(self):
        for path in sorted(self.bundle.places):
            if not path.startswith("timestamps/") or not path.endswith(".tsr") or not self.note:
                continue
            try:
                chain = self.bundle.read(path[:-3] + "pem")
                said = timestamp(self.note.text, self.bundle.read(path), chain or b"", self.tsa)
                by = "" if self.tsa else "; the authority's signature was not checked: give --tsa"
                self.report.said.append(f"stamped at {said}: {path}{by}")
            except ValueError as error:
                self.report.found("bad_timestamp", str(error), file=path)
            except CouldNot as error:
                self.report.could_not.append(str(error))

    def files(self):
        """Digests, and that the files are those that there should be."""
        found, listed, there = self.report.found, self.manifest["files"], set(self.bundle.places)
        stamps = {path[:-3] + end for path in there if path.startswith("timestamps/") for end in ("tsr", "pem")}
        expected = set(FIXED) | self.tree.paths | self.proofs | stamps
        for path in sorted(there - expected):
            found("unexpected_file", "it is no file of this bundle", file=path)
        for path in sorted((expected | set(listed)) - there):
            found("missing_file", "it is not there", file=path)
        for path in sorted(there - MANIFEST):
            self.report.count("files")
            if listed.get(path) != self.bundle.digest(path):
                found("changed_file", "it has not the SHA-256 that the manifest gives", file=path)
        line = f"{self.bundle.digest('manifest.json')}  manifest.json\n".encode()
        if self.bundle.read("manifest.sha256") not in (None, line):
            found("changed_file", "it has not the SHA-256 of manifest.json", file="manifest.sha256")


def timestamp(text, response, chain, tsa):
    """When an RFC 3161 response says that the text was there; ValueError if it does not hold. The signature is held
    against the authority's root certificate alone: under those in the bundle anybody could have signed."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("text", "tsr", "pem")]
        for name, data in zip(names, (text, response, chain)):
            with open(name, "wb") as file:
                file.write(data)
        _, said = openssl("ts", "-reply", "-in", names[1], "-text")
        at = re.search(r"Time stamp: (.+) GMT", said)
        try:
            # The authority's certificate must have been good then, not today.
            when = datetime.datetime.strptime(re.sub(r"\.[0-9]+", "", at.group(1)), "%b %d %H:%M:%S %Y")
        except (AttributeError, ValueError):
            raise ValueError("no time stamp response") from None
        digest = "".join(re.findall(r"(?m)^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,16})", said.split("Message data:")[-1].split("Serial number:")[0]))
        if "Status: Granted" not in said or "Hash Algorithm: sha256\n" not in said or re.sub("[ -]", "", digest) != sha(text).hex():
            raise ValueError("it is not granted, or not over the SHA-256 of this checkpoint's text")
        if tsa:
            seconds = str(int((when - EPOCH).total_seconds()))
            code, _ = openssl("ts", "-verify", "-data", names[0], "-in", names[1], "-CAfile", tsa,
                              "-untrusted", names[2], "-attime", seconds)
            if code != 0:
                raise ValueError("its signature is not by the authority that was given")
    return f"{when} UTC"


# -- the command -----------------------------------------------------------------------------
def read_limited(name, most):
    with open(name, "rb") as file:
        data = file.read(most + 1)
    need(len(data) <= most, f"{name} has more than {most} bytes")
    return data


def check_receipt(name, policies):
    """A receipt alone; its leaf says when the entry was sequenced and what commitments must give."""
    report, data = Report(), read_limited(name, RECEIPT_BYTES_MAX)
    try:
        receipt = Receipt(data)
        note = Note(receipt.checkpoint)
        receipt.check(note.origin, note.root, note.size)
        for by, policy in policies:
            report.said += [f"{text}, by {by}" for text in policy.judge(note)]
        leaf = read_leaf(receipt.leaf)
        kind, (at,) = KINDS.get(leaf.kind, leaf.kind), recorded_at(leaf).values() or (b"?",)
        place = f"entry {leaf.index} of {note.origin} ({note.size} entries)"
        report.said.append(f"{place}: {kind}, recorded at {at.decode()}")
        report.said.append(f"leaf hash {sha(bytes(1), receipt.leaf).hex()}, body {leaf.body.hex()}")
        report.count("receipts")
    except ValueError as error:
        report.found("bad_receipt", str(error), file=name)
    except CouldNot as error:
        report.could_not.append(str(error))
    return report


def clean(text):
    """Text for a terminal: what a bundle says may hold control characters."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def describe(verifier):
    """What a manifest asked for, and how far the answer is proven."""
    m, f, is_clean = verifier.manifest, verifier.filter, not verifier.report.n_findings
    is_person = "user_id" in f or "subject_id" in f
    n, size, last_us = len(m["matching"]), verifier.size, verifier.times.get(verifier.size - 1)
    match = "are said to match" if is_person and "parties" not in m["disclose"] else "match"
    claim = "NOT PROVEN that none was left out" if is_person or not is_clean else "none of them left out"
    if match != "match":
        claim += ", nor that these are of the person: parties are not disclosed"
    last = None if last_us is None else EPOCH + datetime.timedelta(microseconds=min(last_us, 10**17))
    # What the bundle itself names dates nothing.
    dated = any(text.startswith(("cosigned by", "stamped at")) and not text.endswith(("by the bundle's policy", "give --tsa"))
                for text in verifier.report.said)
    upto = f"up to this checkpoint of {size} entries" + (f", the last recorded {last} UTC by the ledger's clock" if last else "")
    upto += ", dated by witnesses or time stamps above" if dated else ", which no witness or time stamp dates"
    more = "; what was recorded after it is not covered" if verifier.end == size else ""
    where = f"{verifier.first} up to {verifier.end}"
    return f"entries {where}, {n} {match} {canonical(f).decode()}; {claim}\n{upto}{more}"


def show(report, as_json, is_pinned, title):
    if as_json:
        keys = ("name", "index", "file", "line")
        findings = [{**{key: value for key, value in zip(keys, finding) if value is not None}, "detail": detail}
                    for finding, detail in report.findings.items()]
        out = {"checked": title, "key_pinned": is_pinned, "counts": report.counts, "said": report.said,
               "could_not": report.could_not, "n_findings": report.n_findings, "findings": findings}
        print(json.dumps(out, indent=1))
    else:
        for text in title.split("\n") + report.said:
            print(clean(text))
        print("checked: " + ", ".join(f"{n} {name}" for name, n in report.counts.items()))
        for (name, index, file, line), detail in report.findings.items():
            where = [f"entry {index}"] if index is not None else []
            where += [file if line is None else f"{file}:{line}"] if file else []
            print("FINDING", name, ", ".join(where), clean(detail), sep="\t")
        print(f"{report.n_findings} findings")
    if not is_pinned:
        print("WARNING: the key was not pinned. The bundle agrees with the policy in it, which whoever made it\n"
              "chose. Have the ledger's verifier key from its operator by another way, and give it with --key.",
              file=sys.stderr)
    for text in report.could_not:
        print(f"error: {clean(text)}", file=sys.stderr)
    return 1 if report.n_findings else 3 if report.could_not else 0


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bundle", nargs="?", help="an evidence bundle")
    parser.add_argument("--receipt", help="a receipt, in place of a bundle")
    parser.add_argument("--key", action="append", default=[], help="the ledger's verifier key, had by another way "
                        "than the bundle; a further one of another name is the authority's, which allows erasures")
    parser.add_argument("--policy", help="a file with a tlog-policy: keys of log and witnesses, quorum")
    parser.add_argument("--tsa", help="a file with the time stamping authority's root certificate (PEM)")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    arguments = parser.parse_args(arguments)
    if (arguments.bundle is None) == (arguments.receipt is None):
        parser.error("give a bundle, or a receipt with --receipt")
    if arguments.receipt and not arguments.key and not arguments.policy:
        parser.error("a receipt is held against a key or a policy: give --key or --policy")
    if arguments.receipt and arguments.key and arguments.policy:
        parser.error("a receipt is held against --key or --policy; give one of them")
    try:
        pinned = [VerifierKey(text, 1) for text in arguments.key]
        logs = "".join(f"log {text}\n" for text in arguments.key)
        policies = [("--key", Policy(f"{logs}quorum none\n".encode()))] if pinned else []
        if arguments.tsa:
            open(arguments.tsa, "rb").close()
        policies += [("--policy", Policy(read_limited(arguments.policy, 256 << 10)))] if arguments.policy else []
    except (OSError, ValueError, Refused) as error:
        parser.error(f"--key, --policy or --tsa: {error}")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if arguments.receipt:
            return show(check_receipt(arguments.receipt, policies), arguments.json, True, arguments.receipt)
        with open(arguments.bundle, "rb") as file:
            verifier = Verifier(Bundle(arguments.bundle, file), policies, pinned, arguments.tsa)
            report = verifier.run()
        m = verifier.manifest
        title = f"{m['origin']}: {m['checkpoint']['size']} entries, root {m['checkpoint']['root']}\n" + describe(verifier)
        return show(report, arguments.json, bool(policies), title)
    except (OSError, Refused) as error:
        print(f"error: {arguments.receipt or arguments.bundle}: {clean(str(error))}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
