"""Records, their parts and lookup columns as `spec/record.md` describes them: the half of the second
implementation that `generate.py` writes to `record.json`.

Redaction itself is not implemented twice: a case says by hand what its masked parts are.
"""
import base64, datetime, hashlib, hmac, json, struct
from decimal import ROUND_HALF_UP, Decimal

from canonical import Num, canonical, canonical_text

MAC_KEY = bytes(range(32))
RULES = """
email phone ssn credit_card iban bank_account aba_routing ip_address mac_address url_credentials api_key jwt
private_key password secret auth_header cookie crypto_wallet date_of_birth passport driver_license person_name
address us_itin us_npi us_mbi de_tax_id fr_nir es_nif it_fiscal_code nl_bsn be_nn se_personnummer fi_hetu
no_fnr dk_cpr pl_pesel pt_nif ch_ahv at_svnr ie_pps uk_nhs uk_nino cz_rc ro_cnp hr_oib bg_egn ee_isikukood
tr_tckn in_aadhaar in_pan sg_nric cn_ric kr_rrn th_tnin za_id il_id jp_my_number hk_id tw_id au_tfn
au_medicare br_cpf br_cnpj ca_sin mx_curp cl_rut ar_cuit
""".split()
ENCODINGS = {"json": 1, "raw": 2}
KINDS = {"prediction": 1, "oversight": 2, "decision": 3, "outcome": 4, "incident": 5, "lifecycle": 6, "session": 7}
STATUSES = {"success": 1, "failure": 2, "unknown": 3}
ASSIGNED_ID, ASSIGNED_TIME = "0198c0de-0000-7000-8000-000000000001", "2026-03-15T09:30:00.000000001Z"


def mac(*pieces):
    return hmac.new(MAC_KEY, b"".join(pieces), hashlib.sha256).digest()


def policy_text(rules):
    lines = ["modeltrail/redaction", "engine 3", "rule pack 3"] + ["rule " + r for r in RULES if r in rules]
    return "".join(line + "\n" for line in lines)


def policy(rules):
    return hashlib.sha256(policy_text(rules).encode()).hexdigest()


def time_ns(text):
    """Nanoseconds since 1970 UTC of an RFC 3339 time."""
    text = text.upper().replace("Z", "+00:00")
    whole, zone = text[:19], text[-6:]
    fraction = text[19:-6].lstrip(".").ljust(9, "0")[:9]
    seconds = datetime.datetime.fromisoformat(whole + zone).timestamp()
    return int(seconds) * 10**9 + int(fraction)


def time_text(ns):
    seconds, fraction = divmod(ns, 10**9)
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % fraction


def latency_us(token):
    return int((Decimal(token) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def without_null(value):
    return {k: v for k, v in value.items() if v is not None}


def payload(fields, name, alias):
    """(encoding, bytes) of an input or output under any of its names."""
    for key in (name, alias):
        if key in fields:
            return "json", canonical(fields[key]).encode()
    data = fields.get(name + "_base64")
    return None if data is None else ("raw", base64.b64decode(data))


def submitted(text):
    """What the caller gave, by the names of `spec/record.md`; absent members are None."""
    fields = json.loads(text, parse_int=Num, parse_float=Num)
    as_json = lambda key: None if fields.get(key) is None else ("json", canonical(fields[key]).encode())
    model = fields.get("model")
    if model is None and "model_name" in fields:
        model = {"name": fields["model_name"], "version": fields["model_version"]}
    error = fields.get("error")
    record = {key: fields.get(key) for key in (
        "request_id", "timestamp", "user_id", "subject_id", "session_id", "trace_id", "client_address", "status")}
    record.update(
        kind=fields.get("kind") or "prediction", model=model and without_null(model), links=fields.get("links") or [],
        input=payload(fields, "input", "input_data"), output=payload(fields, "output", "output_data"),
        metadata=as_json("metadata"), pipeline=as_json("pipeline"),
        error=error and ("json", canonical(without_null(error)).encode()),
        latency_us=None if fields.get("latency_ms") is None else latency_us(fields["latency_ms"]))
    for name in ("input", "output"):
        raw = record[name] and record[name][0] == "raw"
        default = "application/octet-stream" if raw else None
        record[name + "_media_type"] = fields.get(name + "_media_type") or default
    return record


def submitted_mac(record):
    text = lambda key: None if record[key] is None else record[key].encode()
    when = None if record["timestamp"] is None else struct.pack(">q", time_ns(record["timestamp"]))
    items = [(0, record["kind"].encode()), (0, when),
             (0, record["model"] and canonical(record["model"]).encode())]
    items += [(0, text(key)) for key in ("user_id", "subject_id", "session_id", "trace_id", "client_address")]
    items.append((0, None if record["latency_us"] is None else struct.pack(">Q", record["latency_us"])))
    items.append((0, None if record["status"] is None else bytes([STATUSES[record["status"]]])))
    items.append((0, canonical(record["links"]).encode() if record["links"] else None))
    for key in ("input", "output", "metadata", "pipeline", "error"):
        items.append((ENCODINGS[record[key][0]], record[key][1]) if record[key] else (0, None))
    items += [(0, text(key)) for key in ("input_media_type", "output_media_type")]
    pieces = []
    for encoding, data in items:
        pieces += [bytes([data is not None, encoding]), struct.pack(">Q", len(data or b"")), data or b""]
    return mac(*pieces)


def header(record, rules, counts, pipeline):
    assigned = [key for key in ("request_id", "timestamp") if record[key] is None]
    status = record["status"] or ("failure" if record["error"] else "success")
    members = {
        "assigned": assigned or None, "capture": {"complete": "full", "mode": "api"},
        "input_media_type": record["input_media_type"], "kind": record["kind"],
        "latency_us": None if record["latency_us"] is None else Num(record["latency_us"]),
        "model": record["model"], "occurred_at": time_text(time_ns(record["timestamp"] or ASSIGNED_TIME)),
        "output_media_type": record["output_media_type"],
        "pipeline_digest": None if pipeline is None else hashlib.sha256(pipeline).hexdigest(), "policy": policy(rules),
        "redactions": {p: {r: Num(n) for r, n in c.items()} for p, c in counts.items()} or None, "status": status}
    return canonical(without_null(members)).encode()


def parties(record):
    data = record["input"]
    members = {key: record[key] for key in (
        "client_address", "session_id", "subject_id", "trace_id", "user_id")}
    members.update(input_mac=mac(data[1]).hex() if data else None, links=record["links"] or None,
                   request_id=record["request_id"] or ASSIGNED_ID, submitted_mac=submitted_mac(record).hex())
    return canonical(without_null(members)).encode()


def label(output):
    value = json.loads(output, parse_int=Num, parse_float=Num)
    if not isinstance(value, dict):
        return None
    value = value["prediction"] if "prediction" in value else value.get("label")
    if value is None:
        return None
    text = value if isinstance(value, str) and not isinstance(value, Num) else canonical(value)
    data = text.encode()
    if len(data) <= 200:
        return text
    return data[:183].decode(errors="ignore") + "#" + hashlib.sha256(data).hexdigest()[:16]


def key64(text):
    return struct.unpack(">q", hashlib.sha256(text.encode()).digest()[:8])[0]


def lookup(record, parts):
    texts = {key: record[key] for key in ("user_id", "subject_id", "session_id")}
    texts["request_id"] = record["request_id"] or ASSIGNED_ID
    data, output, model = parts.get("input"), parts.get("output"), record["model"] or {}
    return {
        "time_ns": time_ns(record["timestamp"] or ASSIGNED_TIME), "kind": KINDS[record["kind"]],
        "model_name": model.get("name"), "model_version": model.get("version"), "latency_us": record["latency_us"],
        "status": STATUSES[record["status"] or ("failure" if record["error"] else "success")], **texts,
        "input_mac": mac(record["input"][1]).hex() if record["input"] else None,
        "input_hash": hashlib.sha256(data[1]).hexdigest() if data else None,
        "label": label(output[1]) if output and output[0] == "json" else None,
        "keys": {key: key64(text) for key, text in sorted(texts.items()) if text is not None}}


def case(name, text, rules=(), masked=None, counts=None):
    record = submitted(text)
    parts = {key: record[key] for key in ("input", "output", "metadata", "pipeline", "error") if record[key]}
    for part, data in (masked or {}).items():
        parts[part] = (parts[part][0], data.encode())
    parts["header"] = ("json", header(record, rules, counts or {}, parts.get("pipeline", (0, None))[1]))
    parts["parties"] = ("json", parties(record))
    order = ["header", "input", "output", "parties", "metadata", "pipeline", "error"]
    show = lambda encoding, data: {"text": data.decode()} if encoding == "json" else {"bytes": data.hex()}
    return {"name": name, "submitted": text, "rules": list(rules),
            "parts": [{"part": p, "encoding": parts[p][0], **show(*parts[p])} for p in order if p in parts],
            "lookup": lookup(record, parts)}


def control(kind, members):
    head = canonical({"kind": kind, "occurred_at": ASSIGNED_TIME})
    return {"kind": kind, "header": head, "control": canonical_text(json.dumps(members))}


CASES = [
    ("flat names, nothing optional",
     '{"model_name":"fraud_detector","model_version":"v3.2.1","input_data":{"transaction_amount":1250.0},'
     '"output_data":{"prediction":"legitimate","confidence":0.97},"user_id":"analyst_jane","latency_ms":23.5}'),
    ("every field",
     '{"request_id":"r-1","timestamp":"2026-03-15T10:30:00.123456789+01:00","kind":"decision","model":{"provider":"p",'
     '"digest":"sha256:00","version":"2","name":"m"},"input":[1,12345678901234567890],"output":{"label":true},'
     '"user_id":"u","subject_id":"s","session_id":"c","trace_id":"t","client_address":"192.0.2.1","latency_ms":0.0005,'
     '"status":"unknown","error":{"message":"slow","code":"E7"},"pipeline":{"seed":7,"code":"abc"},'
     '"links":[{"request_id":"r-0","rel":"decides"}],"metadata":{"z":1,"a":"\\u00e9\\n"}}'),
    ("null is absent, except as input and output",
     '{"request_id":null,"timestamp":null,"kind":null,"model":{"name":"m","version":"1","digest":null},"input":null,'
     '"output":null,"latency_ms":null,"status":null,"error":null,"pipeline":null,"links":null,"metadata":null}'),
    ("bytes that are no JSON",
     '{"request_id":"raw","timestamp":"2026-03-15T09:30:00Z","model_name":"m","model_version":"1","input_base64":"AP8B",'
     '"output_base64":"eyJsYWJlbCI6MX0=","output_media_type":"text/plain"}'),
    ("no model, an error and no status",
     '{"request_id":"e","timestamp":"1969-12-31T23:59:59.5Z","kind":"incident","error":{"code":"timeout"}}'),
]
REDACTED = (
    "masked values and a masked key",
    '{"request_id":"jane@example.com","timestamp":"2026-03-15T09:30:00Z","model_name":"m","model_version":"1",'
    '"input":{"jane@example.com":1,"note":"write to jane@example.com, SSN 123-45-6789"},"output":{"label":"a@b.org"},'
    '"metadata":{"card":"4111 1111 1111 1111"},"error":{"message":"call (212) 555-0142"}}',
    RULES,
    {"input": '{"[EMAIL]":1,"note":"write to [EMAIL], SSN [SSN]"}', "output": '{"label":"[EMAIL]"}',
     "metadata": '{"card":"[CC]"}', "error": '{"message":"call [PHONE]"}'},
    {"input": {"email": 2, "ssn": 1}, "output": {"email": 1}, "metadata": {"credit_card": 1}, "error": {"phone": 1}})

MODEL = '"model_name":"m","model_version":"1"'
# Text and the JSON pointer of the refusal.
REFUSED = [
    ("[]", ""), ("", ""), ('{"a":1', ""), ("{%s} x" % MODEL, ""), ("{}", "/model"),
    ('{"model_name":"m"}', "/model_version"), ('{"model_version":"1"}', "/model_name"),
    ('{"model":{"name":"m","version":"1"},"model_name":"m"}', "/model"), ('{"model":{"name":"m"}}', "/model"),
    ('{"model":{"name":"m","version":"1","size":2}}', "/model"), ('{"model":{"name":" ","version":"1"}}', "/model/name"),
    ('{"model":{"name":"m","version":"%s"}}' % ("v" * 257), "/model/version"),
    ('{%s,"request_id":""}' % MODEL, "/request_id"), ('{%s,"request_id":7}' % MODEL, "/request_id"),
    ('{%s,"request_id":"%s"}' % (MODEL, "r" * 129), "/request_id"), ('{%s,"user_id":"a\\nb"}' % MODEL, "/user_id"),
    ('{%s,"timestamp":"2026-03-15T09:30:00"}' % MODEL, "/timestamp"), ('{%s,"timestamp":1}' % MODEL, "/timestamp"),
    ('{%s,"timestamp":"1500-01-01T00:00:00Z"}' % MODEL, "/timestamp"), ('{%s,"kind":"gap"}' % MODEL, "/kind"),
    ('{%s,"kind":"conflict"}' % MODEL, "/kind"), ('{%s,"kind":"other"}' % MODEL, "/kind"),
    ('{%s,"latency_ms":-1}' % MODEL, "/latency_ms"), ('{%s,"latency_ms":"5"}' % MODEL, "/latency_ms"),
    ('{%s,"latency_ms":9007199254740.993}' % MODEL, "/latency_ms"), ('{%s,"status":"ok"}' % MODEL, "/status"),
    ('{%s,"error":"timeout"}' % MODEL, "/error"), ('{%s,"error":{"trace":"x"}}' % MODEL, "/error"),
    ('{%s,"metadata":[1]}' % MODEL, "/metadata"), ('{%s,"pipeline":"x"}' % MODEL, "/pipeline"),
    ('{%s,"links":[{"rel":"likes","request_id":"r"}]}' % MODEL, "/links/0/rel"),
    ('{%s,"links":[{"rel":"reviews","request_id":""}]}' % MODEL, "/links/0/request_id"),
    ('{%s,"links":{"rel":"reviews"}}' % MODEL, "/links"), ('{%s,"input":1,"input_data":1}' % MODEL, "/input_data"),
    ('{%s,"input":1,"input_base64":"AA=="}' % MODEL, "/input_base64"),
    ('{%s,"input_base64":"A"}' % MODEL, "/input_base64"), ('{%s,"input":1,"input_media_type":"a/b"}' % MODEL, "/input_media_type"),
    ('{%s,"index":0}' % MODEL, "/index"), ('{%s,"recorded_at":"x"}' % MODEL, "/recorded_at"),
    ('{%s,"input_hash":"00"}' % MODEL, "/input_hash"), ('{%s,"colour":"red"}' % MODEL, "/colour"),
    ('{%s,"jane@example.com":1}' % MODEL, "/[EMAIL]"), ('{%s,"event":"other"}' % MODEL, "/event"),
    ('{%s,"input":{"a":1,"a":1}}' % MODEL, "/input/a"), ('{%s,"input":[0,NaN]}' % MODEL, "/input/1"),
    ('{%s,"input":{"a/b":{"c":-Infinity}}}' % MODEL, "/input/a~1b/c"), ('{%s,"input":"\\ud800"}' % MODEL, "/input"),
    ('{%s,"input":01}' % MODEL, "/input"), ('{%s,"input":1e9999999999}' % MODEL, "/input"),
    ('{%s,"input":"a\tb"}' % MODEL, "/input"), ('{%s,"input":%s1%s}' % (MODEL, "[" * 128, "]" * 128), "/input" + "/0" * 127),
]
LABELS = [
    '{"prediction":"fraud","label":"x"}', '{"label":"positive"}', '{"label":"x","prediction":null}', '{"label":1.5}',
    '{"prediction":[1,{"a":true}]}', '{"prediction":"a\\"b\\n"}', '{"label":false}', '{"score":1}', "[1]", '"fraud"', "null",
    '{"label":"%s"}' % ("é" * 100), '{"label":"%s"}' % ("é" * 101), '{"prediction":[%s1]}' % ("1," * 150)]
LATENCIES = ["0", "0.0004", "0.0005", "23.5", "1e3", "0.00149999", "9007199254740.992"]
CONTROLS = [
    ("gap", {"producer": "aa" * 16, "ranges": [[3, 3], [7, 9]], "reason": "duplicate"}),
    ("gap", {"producer": "aa" * 16, "ranges": [[0, 18446744073709551614]], "reason": "quarantined"}),
    ("producer", {"event": "heartbeat", "next_seq": 42, "producer": "bb" * 16, "software": "modeltrail/0.1.0"}),
    ("lifecycle", {"event": "redaction_policy", "policy": policy(["email"]), "text": policy_text(["email"]),
                   "versions": {"engine": 2, "rule_pack": 2}}),
    ("lifecycle", {"event": "redaction_policy", "name": "shop", "policy": "cd" * 32, "previous": policy(["email"]),
                   "text_digest": "ef" * 32, "versions": {"engine": 2, "rule_pack": 2}}),
    ("lifecycle", {"event": "redaction_canary", "failed": ["email"], "n_failed": 2, "n_vectors": 11,
                   "policy": policy(["email"])}),
    ("lifecycle", {"event": "pseudonym_epoch", "number": 1, "state": "begun"})]


def vectors():
    return {
        "mac_key": MAC_KEY.hex(), "mode": "api", "assigned_request_id": ASSIGNED_ID,
        "assigned_time_ns": time_ns(ASSIGNED_TIME),
        "policies": [{"rules": list(rules), "digest": policy(rules)} for rules in ([], ["email"], RULES)],
        "records": [case(*c) for c in CASES] + [case(*REDACTED)],
        "controls": [control(*c) for c in CONTROLS], "refused": REFUSED,
        "labels": [[text, label(text)] for text in LABELS],
        "latencies": [[text, latency_us(text)] for text in LATENCIES]}
