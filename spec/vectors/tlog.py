"""Trees, signed notes, checkpoints, receipts, policies and witnesses as `spec/checkpoint.md`, `spec/receipt.md` and
C2SP have them: a second implementation, in Python's standard library alone, for the vectors.

Every reader returns None for what it refuses; reasons are not compared, verdicts are.
"""
import base64, functools, hashlib, re, struct

# -- Ed25519 (RFC 8032) ---------------------------------------------------------------------
P = 2 ** 255 - 19
Q = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, point):
    out = NEUTRAL
    while k:
        if k & 1:
            out = add(out, point)
        point, k = add(point, point), k >> 1
    return out


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decompress(data):
    """A point in its one spelling; None for anything else."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def hash_number(*pieces):
    return int.from_bytes(hashlib.sha512(b"".join(pieces)).digest(), "little")


@functools.lru_cache(maxsize=None)
def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:], compress(times(scalar, BASE))


def ed25519_sign(seed, message):
    scalar, prefix, public = expand(seed)
    r = hash_number(prefix, message) % Q
    point = compress(times(r, BASE))
    return point + ((r + hash_number(point, public, message) * scalar) % Q).to_bytes(32, "little")


@functools.lru_cache(maxsize=None)
def ed25519_verify(public, message, signature):
    """Strictly: one spelling of everything, no points of small order."""
    a, r = decompress(public), decompress(signature[:32]) if len(signature) == 64 else None
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q or any(compress(times(8, p)) == compress(NEUTRAL) for p in (a, r)):
        return False
    k = hash_number(signature[:32], public, message) % Q
    return compress(times(s, BASE)) == compress(add(r, times(k, a)))


# -- trees (RFC 6962) -----------------------------------------------------------------------
def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


class Tree:
    """Proofs by the recursions of section 2.1, over leaf hashes."""

    def __init__(self, leaf_hashes):
        self.leaves, self.kept = leaf_hashes, {}

    def root(self, start, end):
        if end - start < 2:
            return self.leaves[start] if end > start else sha()
        if (start, end) not in self.kept:
            k = split(end - start)
            self.kept[start, end] = sha(b"\1", self.root(start, start + k), self.root(start + k, end))
        return self.kept[start, end]

    def path(self, m, start, end):
        if end - start < 2:
            return []
        k = split(end - start)
        if m < k:
            return self.path(m, start, start + k) + [self.root(start + k, end)]
        return self.path(m - k, start + k, end) + [self.root(start, start + k)]

    def proof(self, m, start, end, whole=True):
        if m == end - start:
            return [] if whole else [self.root(start, end)]
        k = split(end - start)
        if m <= k:
            return self.proof(m, start, start + k, whole) + [self.root(start + k, end)]
        return self.proof(m - k, start + k, end, False) + [self.root(start, start + k)]


def split(n):
    return 1 << (n - 1).bit_length() - 1


def root_from_path(index, size, leaf_hash, path):
    """The root that a proof leads to, by recursion; None when it has another length."""
    if index >= size:
        return None
    if size == 1:
        return leaf_hash if not path else None
    if not path:
        return None
    k = split(size)
    if index < k:
        left = root_from_path(index, k, leaf_hash, path[:-1])
        return left and sha(b"\1", left, path[-1])
    right = root_from_path(index - k, size - k, leaf_hash, path[:-1])
    return right and sha(b"\1", path[-1], right)


def roots_from_proof(old, new, old_root, path, whole=True):
    """Both roots that a consistency proof leads to; None when it has another length."""
    if old == new:
        if whole:
            return (old_root, old_root) if not path else None
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    k = split(new)
    if old <= k:
        both = roots_from_proof(old, k, old_root, path[:-1], whole)
        return both and (both[0], sha(b"\1", both[1], path[-1]))
    both = roots_from_proof(old - k, new - k, old_root, path[:-1], False)
    return both and tuple(sha(b"\1", path[-1], part) for part in both)


# -- notes, keys, checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ---------
def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    """Base64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if b64(data) == text else None


def number(text):
    return int(text) if re.fullmatch("0|[1-9][0-9]*", text, re.ASCII) and int(text) < 2 ** 64 else None


def unhash(text):
    data = unb64(text)
    return data if data is not None and len(data) == 32 else None


class Key:
    def __init__(self, name, kind, seed):
        self.name, self.kind, self.seed, self.public = name, kind, seed, expand(seed)[2]
        self.id = sha(name.encode(), b"\n", bytes([kind]), self.public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(bytes([kind]) + self.public)}"
        self.secret = f"PRIVATE+KEY+{name}+{self.id.hex()}+{b64(bytes([kind]) + seed)}"

    def sign(self, text, time_s=None):
        if self.kind == 1:
            return self.line(ed25519_sign(self.seed, text.encode()))
        return self.line(struct.pack(">Q", time_s) + ed25519_sign(self.seed, cosigned_text(time_s, text)))

    def line(self, signature):
        return f"— {self.name} {b64(self.id + signature)}\n"


def cosigned_text(time_s, text):
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def parse_vkey(vkey):
    """Name, ID, kind and public key."""
    name, key_id, data = vkey.split("+", 2)
    data = unb64(data)
    assert sha(name.encode(), b"\n", data)[:4].hex() == key_id and len(data) == 33
    return name, bytes.fromhex(key_id), data[0], data[1:]


def parse_note(text):
    """Text and lines: name, ID, signature."""
    if not text.endswith("\n") or re.search(r"[\0-\x09\x0b-\x1f]", text) or "\n\n" not in text:
        return None
    body, block = text.rsplit("\n\n", 1)
    lines = []
    for line in block[:-1].split("\n"):
        match = re.fullmatch(r"— (\S+) (\S+)", line)
        data = match and unb64(match[2])
        if not data or len(data) < 5 or "+" in match[1]:
            return None
        lines.append((match[1], data[:4], data[4:]))
    return (body + "\n", lines) if lines and len(lines) <= 100 else None


def holds(vkey, text, signature):
    """None for a signature that does not hold, else its time or 0."""
    _, _, kind, public = parse_vkey(vkey)
    if kind == 1:
        return 0 if ed25519_verify(public, text.encode(), signature) else None
    time_s = int.from_bytes(signature[:8], "big")
    is_good = len(signature) == 72 and time_s < 2 ** 63 and ed25519_verify(public, cosigned_text(time_s, text), signature[8:])
    return time_s if is_good else None


def verify_note(text, lines, vkeys):
    """The keys that have signed, with times; None when one line of a known key does not hold."""
    found = []
    for name, key_id, signature in lines:
        known = [vkey for vkey in vkeys if parse_vkey(vkey)[:2] == (name, key_id)]
        times_s = [(vkey, holds(vkey, text, signature)) for vkey in known]
        good = [(vkey, time_s) for vkey, time_s in times_s if time_s is not None]
        if known and not good:
            return None
        found += good[:1]
    return found or None


def parse_checkpoint(text):
    """Origin, size, root."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        return None
    size, root = number(lines[1]), unhash(lines[2])
    return (lines[0], size, root) if size is not None and root else None


# -- policies, receipts, witnesses (C2SP tlog-policy, tlog-proof, tlog-witness) -------------
def accepts(policy, note):
    """Whether a policy, well-formed and without comments, accepts a parsed note."""
    checkpoint = parse_checkpoint(note[0])
    words = [line.split() for line in policy.splitlines()]
    logs = [line[1] for line in words if line[0] == "log" and checkpoint and line[1].startswith(checkpoint[0] + "+")]
    witnesses = {line[1]: line[2] for line in words if line[0] == "witness"}
    signed = checkpoint and logs and verify_note(*note, logs + list(witnesses.values()))
    by = {vkey for vkey, _ in signed or []}
    if not by & set(logs):
        return False
    have = {"none"} | {name for name, vkey in witnesses.items() if vkey in by}
    for _, name, k, *members in (line for line in words if line[0] == "group"):
        needed = {"all": len(members), "any": 1}.get(k) or int(k)
        have |= {name} if len(have & set(members)) >= needed else set()
    return next(line[1] for line in words if line[0] == "quorum") in have


def verify_receipt(text, policy):
    """Whether a receipt of one of our own ledgers holds."""
    head, _, rest = text.partition("\n\n")
    match = re.fullmatch(r"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex (\S+)((?:\n\S+)*)", head)
    note = match and parse_note(rest)
    if not note or not accepts(policy, note):
        return False
    leaf, index, proof = unb64(match[1]), number(match[2]), [unhash(line) for line in match[3].split()]
    origin, size, root = parse_checkpoint(note[0])
    if not leaf or index is None or None in proof or root_from_path(index, size, sha(b"\0", leaf), proof) != root:
        return False
    fits = len(leaf) == 122 and leaf[0] == 1 and int.from_bytes(leaf[2:10], "big") == index
    return fits and (index > 0 or leaf[58:90] == sha(b"modeltrail/v1/origin\0", origin.encode()))


def decide(request, logs, state):
    """Status and body of a witness, and what is evidence; `state` maps an origin to size and root."""
    head, _, rest = request.partition("\n\n")
    match = re.fullmatch(r"old (\S+)((?:\n\S+)*)", head)
    note = match and parse_note(rest)
    checkpoint = note and parse_checkpoint(note[0])
    proof = [unhash(line) for line in match[2].split()] if match else []
    if not checkpoint or number(match[1]) is None or None in proof or len(proof) > 63:
        return 400, None, None
    (origin, size, root), old = checkpoint, number(match[1])
    if origin not in logs:
        return 404, None, None
    if not verify_note(*note, logs[origin]):
        return 403, None, None
    known, known_root = state.get(origin, (0, sha()))
    evidence = "equivocation" if origin in state and size == known and root != known_root else None
    evidence = evidence or ("empty_root" if size == 0 and root != sha() else None)
    if old > size:
        return 400, None, evidence
    if old != known:
        return 409, f"{known}\n", evidence
    if (size == 0 and root != sha()) or (old == 0 and proof):
        return 422, None, evidence
    if old > 0:
        both = roots_from_proof(old, size, known_root, proof)
        if both and old == size and root != known_root:
            return 409, None, evidence
        if both != (known_root, root):
            return 422, None, evidence or "inconsistency"
    state[origin] = size, root
    return 200, None, None
