"""Policies of redaction as `spec/redaction-policy.md` describes them: `generate.py` writes them to
`redaction-policy.json`."""
import hashlib, hmac, json, re, tomllib

from canonical import Num, canonical

PARTS = ["input", "output", "metadata", "pipeline", "error"]
CANCEL = """count enabled length max min mode present required reset sent status stop strength template type valid
version""".split()
TYPES = [["email", "EMAIL"], ["phone", "PHONE"], ["ssn", "SSN"], ["credit_card", "CC"], ["ip_address", "IP_ADDRESS"],
         ["de_tax_id", "DE_TAX_ID"]]

EQUAL = ["""
version = 1
name = "empty"
""", """
# The example of the code's documentation.
version = 1
name = "payments"

[types]
default = "replace"
email = "pseudonym"
credit_card = { mask = 4 }
ip_address = "off"

[[deny]]
keys = ["password", "authorization"]
paths = ["$.user.ssn", "$..token"]

[[allow]]
paths = ["$.embedding[*]"]
parts = ["input"]

[[rule]]
types = ["email"]
models = ["support-*"]
action = "keep"

[values]
allow = ["support@example.com"]

[[pattern]]
name = "employee"
regex = '\\bE[0-9]{6}\\b'
words = ["employee", "staff"]
action = "pseudonym"
""", """
name = "other-spelling"
version = 0x1
values.allow_sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
values.allow = ["b", "a", "a", "\\u00e9"]
types = { default = "off", phone = "mask", de_tax_id = "keep" }

[[deny]]
keys = ["apiKey", "API-key", "X-Api-Key", "ssn"]
paths = ["$", "$['a b']", '$["it\\u0027s"].x', "$[ 'z' , 0, 'b', * ]", "$..*", "$..['q'][10]", "$[2]", "$.a.b", "$.a"]
models = ["b**", "a?"]
parts = ["error", "input"]
type = "credentials"
action = "remove"

[[rule]]
parts = "output"
types = ["phone", "de_tax_id"]
action = { mask = 1 }

[[rule]]
parts = ["output"]
action = "mask"
"""]

# Each with the places of its problems, line and column from 1.
REFUSED = [
    ["name = \"x\"\n", [[1, 1]]],
    ["version = 2\nname = \"a b\"\nextra = 1\n", [[1, 11], [2, 8], [3, 1]]],
    ["version = 1\nname = \"x\"\n[types]\nemial = \"replace\"\nemail = \"erase\"\nphone = { mask = 7 }\n",
     [[4, 1], [5, 9], [6, 18]]],
    ["version = 1\nname = \"x\"\n[[deny]]\nparts = [\"header\", 3]\n", [[3, 1], [4, 10], [4, 20]]],
    ["version = 1\nname = \"x\"\n[[deny]]\npaths = [\"user\", \"$.a-b\", \"$[?@.x]\", \"$[1:2]\", \"$[-1]\", \"$[01]\", \"$.\"]\n",
     [[4, 10], [4, 18], [4, 27], [4, 38], [4, 48], [4, 57], [4, 66]]],
    ["version = 1\nname = \"x\"\n[[pattern]]\nname = \"id2\"\nregex = \"x\"\n[[pattern]]\nname = \"any\"\nregex = \"x*\"\n"
     "[[pattern]]\nname = \"upper\"\nregex = \"[A-Z]+\"\n[[pattern]]\nname = \"look\"\nregex = \"(?=x)y\"\n"
     "[[pattern]]\nname = \"big\"\nregex = \"(\\\\w{100}){100}\"\n[[pattern]]\nname = \"email\"\nregex = \"x\"\n",
     [[4, 8], [8, 9], [11, 9], [14, 9], [17, 9], [19, 8]]],
    ["version = 1\nname = \"x\"\n[[allow]]\n[[rule]]\naction = \"off\"\n[[deny]]\nkeys = [\"--\"]\naction = \"keep\"\n",
     [[3, 1], [4, 1], [5, 10], [7, 9], [8, 10]]],
    ["version = 1\nname = \"x\nname = 2\n", None],
]

KEYS = [["api_key", "apiKey"], ["api_key", "X-API-KEY"], ["apikey", "api_key2"], ["api_key", "monkey"], ["key", "monkey"],
        ["password", "userPassword"], ["password", "password_reset"], ["password", "passwordless"], ["ssn", "SSN"],
        ["token", "max_tokens"], ["token", "stop_token"], ["token", "access-token"], ["card_type", "cardType"],
        ["card", "cardType"], ["http", "XMLHttpRequest"], ["straße", "Straße2"], ["id", "userID"], ["sha256", "x.sha256"]]

DOCUMENT = {"user": {"ssn": 1, "a b": [2, {"ssn": 3}]}, "messages": [{"content": "x"}, {"content": ["y"]}], "ssn": 4}
MATCHES = ["$.user.ssn", "$..ssn", "$.messages[*].content", "$['user']['a b']", "$.messages[1]", "$", "$.*", "$..[0]",
           "$..['ssn','content']", "$.user..*", "$.nothing", "$.messages.content"]

PSEUDONYMS = [["email", "EMAIL", 0, "Ann@Example.com "], ["email", "EMAIL", 0, "ann@example.com"], ["phone", "PHONE", 3, "+44 (0)20 7946-0958"],
              ["phone", "PHONE", 3, "0044 20 7946 0958"], ["phone", "PHONE", 3, "\uff10\uff10442079460958"],
              ["credit_card", "CC", 25, "4111-1111 1111 1111"],
              ["de_tax_id", "DE_TAX_ID", 26, "36 574 261 809"], ["person_name", "PERSON_NAME", 702, " Ann\tLee "], ["api_key", "API_KEY", 1, "sk-A"]]
MASKS = [["4111111111111111", 4], ["ann@example.com", 6], ["abc", 4], ["", 4], ["a", 1], ["é€😀x", 1], ["123456", 4]]


def words(name):
    """The words of a name; nothing longer than the bound is among the vectors."""
    found, word = [], ""
    for i, c in enumerate(name):
        last, following = name[i - 1:i], name[i + 1:i + 2]
        cut = c.isupper() and (last.islower() or following.islower()) or c.isnumeric() != last.isnumeric() or not last.isalnum()
        if cut and word:
            found.append(word)
            word = ""
        if c.isalnum():
            word += c.lower()
    return found + [word] if word else found


def fits(key, name):
    name, key = words(name), "".join(words(key))
    for i in range(len(name)):
        for j in range(i + 1, min(len(name), i + 6) + 1):
            if "".join(name[i:j]) == key and not set(name[:i] + name[j:]) & set(CANCEL):
                return True
    return False


SEGMENT = re.compile(r"""(\.\.)?\[([^\]]*)\]|(\.\.?)(\*|[^.\[]+)""")
SELECTOR = re.compile(r"""\s*(?:(\*)|(\d+)|'([^']*)'|"([^"]*)")\s*(?:,|$)""")


def path(text):
    """Steps as (deep, sorted selectors), a selector as (kind, value). Escapes are read between double quotes only."""
    steps, at = [], 1
    while at < len(text):
        m = SEGMENT.match(text, at)
        deep = m[1] == ".." or m[3] == ".."
        if m[4]:
            selectors = [(0, 0)] if m[4] == "*" else [(2, m[4])]
        else:
            selectors = [(0, 0) if s[1] else (1, int(s[2])) if s[2] else (2, s[3] if s[3] is not None else json.loads(f'"{s[4]}"'))
                         for s in SELECTOR.finditer(m[2])]
        steps.append((deep, sorted(set(selectors))))
        at = m.end()
    return steps


def written(steps):
    def selector(kind, value):
        name = str(value).replace("\\", "\\\\").replace("'", "\\'")
        return ["*", str(value), f"'{name}'"][kind]
    return "$" + "".join((".." if deep else "") + "[" + ",".join(selector(*s) for s in sels) + "]" for deep, sels in steps)


def children(value):
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []


def matches(steps, value, pointer=""):
    if not steps:
        return {pointer}
    (deep, selectors), found = steps[0], set()
    for key, child in children(value):
        below = f"{pointer}/{key}"
        kind = 1 if isinstance(value, list) else 2
        if (0, 0) in selectors or (kind, key) in selectors:
            found |= matches(steps[1:], child, below)
        if deep:
            found |= matches(steps, child, below)
    return found


def action(given):
    if isinstance(given, dict):
        return f"mask {given['mask']}"
    return "mask 4" if given == "mask" else given


def listed(table, key):
    given = table.get(key, [])
    return [given] if isinstance(given, str) else given


def place(table):
    models = {re.sub(r"\*+", "*", model) for model in listed(table, "models")}
    paths = [path(text) for text in listed(table, "paths")]
    return {"keys": sorted({"".join(words(key)) for key in listed(table, "keys")}, key=str.encode),
            "models": sorted(models, key=str.encode), "parts": [p for p in PARTS if p in listed(table, "parts")],
            "paths": [written(p) for i, p in enumerate(sorted(paths)) if p not in sorted(paths)[:i]]}


def form(text):
    """The canonical form of a policy."""
    file = tomllib.loads(text)
    patterns, types = file.get("pattern", []), {"default": "replace"}
    types |= {p["name"]: action(p["action"]) for p in patterns if "action" in p}
    types |= {name: action(given) for name, given in file.get("types", {}).items()}
    values = file.get("values", {})
    return canonical({
        "allow": [place(t) for t in file.get("allow", [])],
        "deny": [place(t) | {"action": action(t.get("action", "replace")), "type": t.get("type", "redacted")}
                 for t in file.get("deny", [])],
        "name": file["name"],
        "patterns": [{"models": place(p)["models"], "name": p["name"], "parts": place(p)["parts"], "regex": p["regex"],
                      "words": sorted({"".join(words(w)) for w in listed(p, "words")})} for p in patterns],
        "rules": [place(t) | {"action": action(t["action"]), "types": sorted(set(listed(t, "types")))}
                  for t in file.get("rule", [])],
        "types": types,
        "values": {"allow": sorted(set(listed(values, "allow")), key=str.encode),
                   "allow_sha256": sorted({h.lower() for h in listed(values, "allow_sha256")})},
        "version": Num(file["version"])})



def normal(name, value):
    if name in ("email", "ip_address"):
        return value.strip().lower()
    value = value.translate({0xFF10 + n: str(n) for n in range(10)}) if name != "api_key" else value
    if name == "phone":
        digits = re.sub(r"[^0-9]", "", value.replace("(0)", "", 1) if value.strip().startswith("+") else value)
        return digits.removeprefix("00")
    if name == "person_name":
        return " ".join(value.split()).lower()
    return value if name == "api_key" else "".join(c for c in value.lower() if c.isalnum())


def token(name, label, epoch, value):
    mac = hmac.new(bytes([epoch % 256]) * 32, name.encode() + b"\0" + normal(name, value).encode(), hashlib.sha256)
    letters, n = "", epoch + 1
    while n:
        n, rest = divmod(n - 1, 26)
        letters = chr(97 + rest) + letters
    return f"[{label}:{letters}:{''.join(chr(97 + int(d, 16)) for d in mac.hexdigest()[:16])}]"


def masked(value, keep):
    keep = min(keep, len(value) // 2)
    return "*" * (len(value) - keep) + value[len(value) - keep:]


def digest(text):
    return hashlib.sha256(b"modeltrail/v1/redaction-policy\0" + form(text).encode()).hexdigest()


def in_header(text, engine, pack):
    lines = f"modeltrail/redaction\nengine {engine}\nrule pack {pack}\npolicy {digest(text)}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def vectors():
    return {
        "types": TYPES,
        "equal": [{"toml": t, "canonical": form(t), "digest": digest(t),
                   "engine": 2, "rule_pack": 3, "in_header": in_header(t, 2, 3)} for t in EQUAL],
        "refused": [{"toml": t, "at": at} for t, at in REFUSED],
        "keys": [{"key": k, "name": n, "fits": fits(k, n)} for k, n in KEYS],
        "document": DOCUMENT,
        "paths": [{"path": p, "canonical": written(path(p)), "at": sorted(matches(path(p), DOCUMENT))} for p in MATCHES],
        # The key of an epoch is its number, mod 256, 32 times.
        "pseudonyms": [{"type": n, "label": l, "epoch": e, "value": v, "token": token(n, l, e, v)} for n, l, e, v in PSEUDONYMS],
        "masks": [{"value": v, "keep_last": k, "masked": masked(v, k)} for v, k in MASKS],
    }
