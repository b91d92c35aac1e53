"""Edits that must be found in the bundles beside this file. `make_bundle.py` writes them to
`cases.json` as splices of bytes, so that the tests of every verifier can apply them (`README.md`).
"""
import base64, json, struct

from canonical import canonical
from ledger import PARTS, b64, numbers, sha


class Cases:
    """Builds the list. `pin` is what the auditor holds: the key, the policy, or another key."""

    def __init__(self, bundles, asked, other_key, large_key):
        self.bundles, self.asked, self.other_key, self.large_key, self.list = bundles, asked, other_key, large_key, []

    def add(self, name, finding, *edits, bundle="good.tar", rehash=True, resum=True, exit_code=1, pin="key"):
        old = self.bundles[bundle]
        files = dict(old)
        for edit in edits:
            edit(files)
        if rehash:
            put_manifest(files, {})
        if resum:
            put_sum(files)
        self.put(name, bundle, finding, splices(old, files), exit_code, pin)

    def put(self, name, bundle, finding, edits, exit_code, pin):
        edits = [[at, n_bytes, b64(data)] for at, n_bytes, data in edits]
        self.list.append({"name": name, "bundle": bundle, "edits": edits, "pin": pin, "exit": exit_code, "finding": finding})

    def refused(self, name, *edits):
        self.add(name, None, *edits, rehash=False, exit_code=2)

    def broken(self, name, edit):
        """An edit of the archive itself."""
        old = tar(self.bundles["good.tar"])
        self.put(name, "good.tar", None, list(difference(0, old, edit(old))), 2, "key")


def tar(files):
    return b"".join(b"".join(pieces(path, data)) for path, data in sorted(files.items())) + bytes(1024)


def pieces(path, data):
    """Header, content and padding of a file."""
    head = path.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(data) + b"0" * 11 + b"\0"
    tail = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
    return head + b"%06o\0 " % (sum(head) + 8 * 32 + sum(tail)) + tail, data, bytes(-len(data) % 512)


def difference(at, old, new):
    """What makes `new` of `old`, which stands at `at`: [(place, bytes to remove, bytes to insert)]."""
    n = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    if len(old) != len(new):
        k = next((i for i, (a, b) in enumerate(zip(old[n:][::-1], new[n:][::-1])) if a != b), min(len(old), len(new)) - n)
        yield at + n, len(old) - n - k, new[n:len(new) - k]
        return
    while n < len(old):
        end = last = n
        while end < len(old) and end - last < 16:
            last = end if old[end] != new[end] else last
            end += 1
        yield at + n, last + 1 - n, new[n:last + 1]
        n = next((i for i in range(end, len(old)) if old[i] != new[i]), len(old))


def splices(old, new):
    at, out = 0, []
    for path in sorted(set(old) | set(new)):
        for before, after in zip(*(pieces(path, files[path]) if path in files else [b""] * 3 for files in (old, new))):
            out += difference(at, before, after) if before != after else []
            at += len(before)
    return out


MANIFEST = ("manifest.json", "manifest.sha256")


def put_sum(files):
    """The manifest's digest, where there is a manifest."""
    if "manifest.json" in files:
        files["manifest.sha256"] = f"{sha(files['manifest.json']).hex()}  manifest.json\n".encode()


def put_manifest(files, members):
    value = {**json.loads(files["manifest.json"]), **members}
    if not members:
        value["files"] = {path: sha(data).hex() for path, data in files.items() if path not in MANIFEST}
    files["manifest.json"] = canonical(numbers(value)).encode()


def flip(path, at, xor=1):
    def edit(files):
        data = bytearray(files[path])
        data[at] ^= xor
        files[path] = bytes(data)
    return edit


def replace(path, old, new):
    def edit(files):
        assert old.encode() in files[path], old
        files[path] = files[path].replace(old.encode(), new.encode(), 1)
    return edit


def remove(path):
    return lambda files: files.pop(path)


def add(path, data):
    return lambda files: files.update({path: data})


def copy(path, to):
    return lambda files: files.update({to: files[path]})


def cut(path, n_bytes):
    return lambda files: files.update({path: files[path][:-n_bytes]})


def swap(one, other):
    return lambda files: files.update({one: files[other], other: files[one]})


def put_line(path, line, text):
    """Puts lines in the place of one, counted from 1."""
    def edit(files):
        lines = files[path].decode().splitlines(keepends=True)
        lines[line - 1] = text + "\n" if text else ""
        files[path] = "".join(lines).encode()
    return edit


def cut_line(path, line):
    return put_line(path, line, "")


def flip_signature(line):
    def edit(files):
        lines = files["checkpoint"].split(b"\n")
        words = lines[line - 1].split(b" ")
        data = base64.b64decode(words[2])
        lines[line - 1] = b" ".join(words[:2] + [base64.b64encode(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])])
        files["checkpoint"] = b"\n".join(lines)
    return edit


def manifest(member, value):
    return lambda files: put_manifest(files, {member: value})


def in_header(path, at, data, has_checksum=True):
    """Puts bytes into a file's header; the checksum fits."""
    def edit(old):
        start = old.index(path.encode() + bytes(100 - len(path)))
        head = bytearray(old[start:start + 512])
        head[at:at + len(data)] = data
        if has_checksum:
            head[148:156] = b" " * 8
            head[148:156] = b"%06o\0 " % sum(head)
        return old[:start] + bytes(head) + old[start + 512:]
    return edit


def behind(path, data, skip):
    """Puts bytes over those that stand `skip` bytes behind a file's header."""
    def edit(old):
        start = old.index(path.encode() + bytes(100 - len(path))) + 512 + skip
        return old[:start] + data + old[start + len(data):]
    return edit


def text_of(value):
    return canonical(numbers(value))


def edited(line, change):
    """A line of entries.ndjson after `change` of its value."""
    value = json.loads(line)
    change(value)
    return text_of(value)


def change_part(code, old, new, is_committed=False):
    """Changes a part's bytes; with `is_committed` its commitment too, so that only the body does not fit."""
    def change(value):
        part = next(part for part in value["parts"] if part["part"] == code)
        data = base64.b64decode(part["bytes"])
        assert old in data
        data = data.replace(old, new)
        part["bytes"] = b64(data)
        if is_committed:
            c = sha(b"modeltrail/v1/part\0", bytes.fromhex(part["salt"]), struct.pack(">H", code), bytes([part["encoding"]]),
                    struct.pack(">Q", len(data)), data)
            next(item for item in value["commitments"] if item[0] == code)[1] = c.hex()
    return change


def drop_part(code):
    return lambda value: value.update(parts=[part for part in value["parts"] if part["part"] != code])


def salt_of(code, salt):
    return lambda value: next(part for part in value["parts"] if part["part"] == code).update(salt=salt)


def swap_parts(value):
    """Gives input and output each other's bytes and salts."""
    one, other = (next(part for part in value["parts"] if part["part"] == code) for code in (2, 3))
    one["part"], other["part"] = 3, 2
    value["parts"].sort(key=lambda part: part["part"])


def of_entries(cases, lines, first, matching):
    """Edits of entries.ndjson and the claims about it. An index has the line index - first + 1."""
    path, at = "entries.ndjson", lambda index: index - first + 1
    one, plain = matching[0], first + 8
    line = lambda index, change: put_line(path, at(index), edited(lines[index - first], change))
    cases.add("input changed", "changed_part", line(one, change_part(2, b"country", b"cOuntry")))
    cases.add("header changed", "changed_part", line(plain, change_part(1, b'"success"', b'"unknown"')))
    cases.add("header and its commitment changed", "changed_commitment",
              line(plain, change_part(1, b'"success"', b'"unknown"', True)))
    cases.add("salt changed", "changed_part", line(one, salt_of(3, "00" * 32)))
    cases.add("parts swapped", "changed_part", line(one, swap_parts))
    cases.add("encoding changed", "changed_part", line(one, lambda value: value["parts"][1].update(encoding=2)))
    cases.add("commitment changed", "changed_commitment", line(one, lambda value: value["commitments"][2].__setitem__(1, "11" * 32)))
    cases.add("commitment dropped", "changed_commitment", line(one, lambda value: value["commitments"].pop()))
    cases.add("header withheld", "missing_part", line(plain, drop_part(1)))
    cases.add("output withheld", "missing_part", line(one, drop_part(3)))
    cases.add("control withheld", "missing_part", line(130, drop_part(8)))
    cases.add("entry left out", "missing_entry", cut_line(path, at(plain)))
    cases.add("last entry left out", "missing_entry", cut_line(path, len(lines)))
    same, next_ = lines[plain - first], lines[plain + 1 - first]
    cases.add("entry twice", "inserted_entry", put_line(path, at(plain), same + "\n" + same))
    cases.add("entries swapped", "inserted_entry", put_line(path, at(plain), next_ + "\n" + same), cut_line(path, at(plain) + 2))
    cases.add("line not canonical", "bad_line", put_line(path, at(plain), same.replace(":", ": ", 1)))
    cases.add("member twice in a line", "bad_line", put_line(path, at(plain), same[:-1] + ',"index":%d}' % plain))
    cases.add("no JSON in a line", "bad_line", put_line(path, at(plain), "{"))
    cases.add("deep JSON in a line", "bad_line", put_line(path, at(plain), "[" * 5000))
    place = '"index":%d' % plain
    cases.add("number with a fraction", "bad_line", put_line(path, at(plain), same.replace(place, place + ".0")))
    cases.add("number of many digits", "bad_line", put_line(path, at(plain), same.replace(place, place + "0" * 5000)))
    cases.add("last line not ended", "bad_line", cut(path, 1))
    cases.add("match left out", "omitted_match", manifest("matching", [i for i in matching if i != one]), cut_line("records.ndjson", 1),
              remove(f"proofs/{one}.tlog-proof"), line(one, lambda value: value.update(parts=value["parts"][:1])))
    cases.add("match too many", "false_match", manifest("matching", sorted(matching + [plain])))
    cases.add("match outside the range", "false_match", manifest("matching", sorted(matching + [600])))
    cases.add("another filter claimed", "false_match", manifest("filter", {**cases.asked, "model_name": "churn"}))
    cases.add("completeness denied", "false_claim", manifest("completeness", {"provable": False, "why": "filter_on_person"}))
    cases.add("part disclosed that the manifest does not name", "undue_part",
              manifest("disclose", ["control", "error", "header", "input", "output"]))
    erasure = edited(lines[285 - first], lambda value: value.update(parts=[]))
    cases.add("erasure entry not shown", "missing_part", put_line(path, at(285), erasure))


def of_the_range(cases, first, end, matching):
    narrow = [i for i in matching if i < end - 20]
    cases.add("range narrowed at its end", "wrong_range", manifest("range", {"end": end - 20, "first": first}), manifest("matching", narrow),
              *[cut_line("entries.ndjson", end - first - 20 + 1)] * 20)
    cases.add("range narrowed at its beginning", "wrong_range", manifest("range", {"end": end, "first": first + 3}), *[cut_line("entries.ndjson", 1)] * 3)
    cases.add("range widened", "wrong_range", manifest("range", {"end": end, "first": first - 1}))
    later = {**cases.asked, "since": "2026-03-02T13:00:00.000000000Z"}
    cases.add("time asked for changed with the range kept", "wrong_range", manifest("filter", later))
    cases.add("records came later", "wrong_range", manifest("filter", {**cases.asked, "late_by_us": 30_000_000_000}))


def of_the_tree(cases, first):
    bundle, tile, size = "tile/entries/000", "tile/0/000", 124
    at = lambda index, field: index * size + 2 + field
    cases.add("leaf's body changed", "changed_leaf", flip(bundle, at(first + 5, 100)))
    cases.add("leaf's time changed", "changed_leaf", flip(bundle, at(first + 5, 17)))
    cases.add("leaf's length changed", "changed_leaf", flip(bundle, 1))
    cases.add("leaves cut", "changed_leaf", cut(bundle, size))
    cases.add("leaf outside the range changed", "changed_leaf", flip(bundle, at(3, 100)))
    cases.add("leaf hash changed in its tile", "changed_tile", flip(tile, 32 * first))
    cases.add("tile on the right edge changed", "changed_tile", flip("tile/0/002.p/188", 5))
    cases.add("tile of level 1 changed", "changed_tile", flip("tile/1/000.p/2", 40))
    cases.add("tile cut", "changed_tile", cut(tile, 32))
    cases.add("tiles swapped", "changed_tile", swap(tile, "tile/0/001"))
    cases.add("tile missing", "missing_file", remove(tile))
    cases.add("tile on the right edge missing", "missing_file", remove("tile/0/002.p/188"))
    cases.add("entry bundle missing", "missing_file", remove("tile/entries/001"))
    cases.add("tile of another number", "unexpected_file", add("tile/0/007", bytes(8192)))
    cases.add("full tile of level 1 changed", "changed_tile", flip("tile/1/000", 32 * 234), bundle="large.tar", pin=cases.large_key)
    cases.add("tile of level 2 changed", "changed_tile", flip("tile/2/000.p/1", 0), bundle="large.tar", pin=cases.large_key)
    cases.add("first entry's link changed", "changed_leaf", flip(bundle, 2 + 60), bundle="person.tar")


def of_other_files(cases, matching, outside):
    one, other = (f"proofs/{i}.tlog-proof" for i in matching[:2])
    cases.add("record changed", "changed_view", replace("records.ndjson", '"country":"', '"country":"X'))
    cases.add("record left out", "changed_view", cut_line("records.ndjson", 1))
    cases.add("record added", "changed_view", put_line("records.ndjson", len(matching), "{}\n{}"))
    cases.add("erased parts passed off as withheld", "changed_view", replace("records.ndjson", '"erased":', '"Erased":'))
    cases.add("receipts swapped", "bad_receipt", swap(one, other))
    cases.add("receipt's proof changed", "bad_receipt", flip(one, 260, 2))
    cases.add("receipt's leaf changed", "bad_receipt", replace(one, "extra AQE", "extra AQF"))
    cases.add("receipt's checkpoint changed", "bad_receipt", replace(one, "\n700\n", "\n701\n"))
    cases.add("receipt missing", "missing_file", remove(one))
    cases.add("receipt of an entry not asked for", "unexpected_file", copy(one, "proofs/73.tlog-proof"))
    cases.add("history of keys changed", "changed_history", replace("keys/history.ndjson", '"role":"checkpoint"', '"role":"checkpoints"'))
    cases.add("erasure entry outside the range left out", "missing_part", cut_line("outside.ndjson", 3), remove("proofs/600.tlog-proof"))
    cases.add("gap entry outside the range left out", "producer_gap", cut_line("outside.ndjson", 2), remove("proofs/500.tlog-proof"))
    cases.add("key entry outside the range left out", "changed_history", cut_line("outside.ndjson", 1), remove("proofs/1.tlog-proof"))
    key = edited(outside[0], change_part(8, b'"added"', b'"ended"'))
    cases.add("entry outside the range changed", "changed_part", put_line("outside.ndjson", 1, key))
    foreign = outside[0].replace('"index":1,', '"index":2,')
    cases.add("entry of another kind outside the range", "missing_file", put_line("outside.ndjson", 1, outside[0] + "\n" + foreign))
    cases.add("entry outside the range twice", "inserted_entry", put_line("outside.ndjson", 1, outside[0] + "\n" + outside[0]))
    cases.add("receipt of an entry outside the range missing", "missing_file", remove("proofs/600.tlog-proof"))
    cases.add("time stamp changed", "bad_timestamp", flip("timestamps/1.tsr", 110))
    cases.add("time stamp without certificates", "missing_file", remove("timestamps/1.pem"))
    cases.add("file changed without its digest", "changed_file", flip("VERIFY.md", 10), rehash=False)
    cases.add("file that the manifest does not list", "changed_file", add("timestamps/2.pem", b""), rehash=False)
    software = replace("manifest.json", '"make_bundle.py"', '"made_bundle.py"')
    cases.add("manifest changed without its digest", "changed_file", software, rehash=False, resum=False)
    cases.add("manifest's digest changed", "changed_file", flip("manifest.sha256", 10), rehash=False, resum=False)
    cases.add("manifest's digest missing", "missing_file", remove("manifest.sha256"), rehash=False, resum=False)
    cases.add("file missing", "missing_file", remove("VERIFY.md"))
    cases.add("records missing", "missing_file", remove("records.ndjson"))
    cases.add("entries missing", "missing_file", remove("entries.ndjson"))


def of_the_checkpoint(cases, witness, root):
    path, start = "checkpoint", b64(bytes.fromhex(root))[:4]
    cases.add("checkpoint's size changed", "bad_checkpoint", replace(path, "\n700\n", "\n701\n"))
    cases.add("checkpoint's root changed", "untrusted_checkpoint", replace(path, "\n" + start, "\nAAAA"))
    cases.add("signature changed", "untrusted_checkpoint", flip_signature(5))
    cases.add("cosignature changed", "untrusted_checkpoint", flip_signature(6), pin="policy")
    cases.add("cosignature missing", "untrusted_checkpoint", cut_line(path, 7), pin="policy")
    cases.add("signature missing", "untrusted_checkpoint", cut_line(path, 5))
    cases.add("checkpoint that is none", "bad_checkpoint", replace(path, "\n\n", "\n"))
    cases.add("checkpoint missing", "missing_file", remove(path))
    cases.add("policy that is none", "bad_policy", replace("policy", "quorum ", "quorom "))
    more = "witness three " + witness + "\nquorum three"
    cases.add("policy that wants more", "untrusted_checkpoint", replace("policy", "quorum all-witnesses", more))
    followed = "entry that the checkpoint's key follows by left out"
    cases.add(followed, "untrusted_checkpoint", cut_line("outside.ndjson", 2), remove("proofs/1.tlog-proof"), bundle="rotated.tar")
    cases.add("another key pinned than those that were rotated", "untrusted_checkpoint", bundle="rotated.tar", pin=cases.other_key)
    cases.add("another ledger's key pinned", "untrusted_checkpoint", pin=cases.other_key)
    cases.add("forged from end to end by another key", "untrusted_checkpoint", bundle="forged.tar")
    cases.add("signed by a key that nobody put in force", "untrusted_checkpoint", bundle="stolen.tar")
    cases.add("no witness where two are asked for", "untrusted_checkpoint", bundle="forged.tar", pin="policy")


def of_the_container(cases, good):
    twice = b"".join(pieces("checkpoint", good["checkpoint"]))
    cases.broken("cut", lambda old: old[:-512])
    cases.broken("cut in the middle", lambda old: old[:300_000])
    cases.broken("byte behind the end", lambda old: old + b"x")
    cases.broken("zero blocks behind the end", lambda old: old + bytes(512))
    cases.broken("file twice", lambda old: old.replace(twice, twice + twice, 1))
    cases.broken("path upwards", in_header("checkpoint", 0, b"../eckpoin"))
    cases.broken("absolute path", in_header("checkpoint", 0, b"/checkpoin"))
    cases.broken("path of no bundle", in_header("checkpoint", 0, b"checkpoinU"))
    cases.broken("out of order", in_header("policy", 0, b"VERIFY.md"))
    cases.broken("bytes behind the path", in_header("policy", 50, b"x"))
    cases.broken("symbolic link", in_header("checkpoint", 156, b"2policy"))
    cases.broken("hard link", in_header("policy", 156, b"1checkpoint"))
    cases.broken("folder", in_header("checkpoint", 156, b"5"))
    cases.broken("extended header", in_header("checkpoint", 156, b"x"))
    cases.broken("huge size", in_header("policy", 124, b"77777777777"))
    cases.broken("size in base 256", in_header("policy", 124, b"\x80" + bytes(10) + b"\x50"))
    cases.broken("another mode", in_header("policy", 100, b"0000755"))
    cases.broken("another owner", in_header("policy", 265, b"root"))
    cases.broken("another time", in_header("policy", 136, b"14764000000"))
    cases.broken("checksum wrong", in_header("policy", 148, b"000000", has_checksum=False))
    cases.broken("padding used", behind("policy", b"x", len(good["policy"]) + 3))
    cases.broken("no tar", lambda old: b"PK\x03\x04" + bytes(1000))
    cases.broken("empty", lambda old: b"")
    cases.refused("tile too long", add("tile/0/000", good["tile/0/000"] + b"x"))
    cases.refused("manifest missing", remove("manifest.json"))
    cases.refused("manifest not canonical", replace("manifest.json", '{"checkpoint":', '{ "checkpoint":'))
    cases.refused("manifest with a member twice", replace("manifest.json", '"version":1}', '"version":1,"version":1}'))
    cases.refused("manifest of another version", replace("manifest.json", '"version":1}', '"version":2}'))
    cases.refused("manifest with another member", replace("manifest.json", '"version":1}', '"version":1,"zeal":1}'))
    cases.refused("manifest that ends in a line feed", replace("manifest.json", '"version":1}', '"version":1}\n'))
    cases.refused("manifest whose version is no whole number", replace("manifest.json", '"version":1}', '"version":1.0}'))
    cases.refused("time before 1677", manifest("filter", {"since": "1600-01-01T00:00:00.000000000Z"}))
    cases.refused("time after 2262", manifest("filter", {"since": "2262-04-11T23:47:16.854775808Z"}))
    cases.refused("filter that is not known", replace("manifest.json", '"late_by_us":', '"late_by_ms":'))
    cases.refused("time in another spelling", replace("manifest.json", ':00.000000000Z","until"', ':00Z","until"'))
    cases.refused("matching not ascending", replace("manifest.json", '"matching":[217,', '"matching":[217,217,'))
    cases.refused("manifest that names itself", replace("manifest.json", '"outside.ndjson":', '"manifest.sha256":'))
    cases.refused("a path upwards in the manifest", replace("manifest.json", '"VERIFY.md":', '"../VERIFY.md":'))
    cases.refused("range backwards", manifest("range", {"end": 5, "first": 72}))
    cases.refused("range beyond the ledger", manifest("range", {"end": 701, "first": 72}))
    cases.refused("disclose without the header", manifest("disclose", ["control", "input"]))


def cases(key, policy, other_key, large_key, witness, bundles):
    """What `cases.json` holds."""
    good = bundles["good.tar"]
    lines, outside = (good[path].decode().splitlines() for path in ("entries.ndjson", "outside.ndjson"))
    m = json.loads(good["manifest.json"])
    first, end, matching = m["range"]["first"], m["range"]["end"], m["matching"]
    out = Cases(bundles, m["filter"], other_key, large_key)
    of_entries(out, lines, first, matching)
    of_the_range(out, first, end, matching)
    of_the_tree(out, first)
    of_other_files(out, matching, outside)
    of_the_checkpoint(out, witness, m["checkpoint"]["root"])
    of_the_container(out, good)
    return {"key": key, "policy": policy, "cases": out.list}
