//! Lines that cannot be recorded: each is told with its number, and nothing of it is kept.

use crate::support::{Folder, line};

/// A field of a record, around which a record is made, and what is said of it.
const FIELDS: &[(&str, &str)] = &[
    (r#""input":{"a":1,"a":2}"#, "/input/a: the key stands twice in this object"),
    (r#""request_id":"x","user_id":"b","user_id":"c""#, "/user_id: the key stands twice"),
    (r#""input":"\ud800""#, "/input: a lone surrogate (\\ud800) is no character"),
    (r#""input":"\udc00x""#, "/input: a lone surrogate"),
    (r#""input":{"score":NaN}"#, "/input/score: `NaN` is no JSON number"),
    (r#""input":[1,Infinity]"#, "/input/1: `Infinity` is no JSON number"),
    (r#""output":-Infinity"#, "/output: `-Infinity` is no JSON number"),
    (r#""index":5"#, "/index: is set by the ledger; leave it out"),
    (r#""prev":"00""#, "/prev: is set by the ledger"),
    (r#""leaf":"00""#, "/leaf: is set by the ledger"),
    (r#""recorded_at":"2026-01-01T00:00:00Z""#, "/recorded_at: is set by the ledger"),
    (r#""input_hash":"00""#, "/input_hash: is computed from the input"),
    (r#""colour":"red""#, "/colour: is no field of a record; put it under `metadata`"),
    (r#""model":{"name":"m","version":"1"}"#, "/model: is given twice"),
    (r#""kind":"gap""#, "/kind: `gap` entries are written by modeltrail itself"),
    (r#""kind":"event""#, "/kind: is none of the known names"),
    (r#""timestamp":"2026-03-15""#, "/timestamp: is no RFC 3339 time"),
    (r#""latency_ms":-1"#, "/latency_ms: is no number from 0"),
    (r#""latency_ms":"5""#, "/latency_ms: is no number from 0"),
    (r#""user_id":7"#, "/user_id: is not a string"),
    (r#""metadata":[1]"#, "/metadata: is not an object"),
    (r#""status":"ok""#, "/status: is none of the known names"),
    (r#""output_base64":"%""#, "/output_base64: is not base64"),
    ("\"input\":\"tab\there\"", "/input: control character U+0009 must be escaped"),
    (r#""input":1."#, "/input: no valid JSON"),
    (r#""input":01"#, "/input: no valid JSON"),
];

/// Whole lines.
const LINES: &[(&[u8], &str)] = &[
    (b"not json", "record: no valid JSON, expected an object"),
    (b"[1]", "record: no valid JSON, expected an object"),
    (b"{", "record: the JSON text ends here"),
    (b"{} {}", "record: no valid JSON, expected nothing after the value"),
    (b"{}", "/model: is required for a prediction"),
    (br#"{"model_name":"","model_version":"1"}"#, "/model_name: is empty"),
    (br#"{"model_name":" ","model_version":"1"}"#, "/model_name: is empty"),
    (br#"{"model_name":"m"}"#, "/model_version: is required"),
    (br#"{"model_name":"m","model_version":"1","request_id":""}"#, "/request_id: is empty"),
    (b"{\"model_name\":\"\xff\",\"model_version\":\"1\"}", "record: invalid UTF-8"),
    (
        b"\xef\xbb\xbf{\"model_name\":\"m\",\"model_version\":\"1\"}",
        "record: begins with a byte order mark",
    ),
];

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn each_is_told_with_its_line_and_leaves_nothing() {
    let folder = Folder::with_ledger();
    let mut cases: Vec<(Vec<u8>, String)> =
        LINES.iter().map(|(bytes, told)| (bytes.to_vec(), (*told).to_owned())).collect();
    for (n, (field, told)) in FIELDS.iter().enumerate() {
        let id = format!("bad-{n}");
        let record = if field.contains("request_id") {
            format!(r#"{{"model_name":"m","model_version":"1",{field}}}"#)
        } else {
            line(&id, &format!(",{field}"))
        };
        cases.push((record.into_bytes(), (*told).to_owned()));
    }
    // The record itself is the first level.
    let deep = line("deep", &format!(r#","input":{}"#, nested(128)));
    cases.push((deep.into_bytes(), "nested deeper than 128 levels".to_owned()));
    let long_id = line(&"x".repeat(129), "");
    cases.push((long_id.into_bytes(), "/request_id: is longer than 128 bytes".to_owned()));

    let mut file = Vec::new();
    for (n, (bad, _)) in cases.iter().enumerate() {
        file.extend_from_slice(bad);
        file.extend_from_slice(format!("\n{}\n", line(&format!("good-{n}"), "")).as_bytes());
    }
    folder.write("mixed.jsonl", &file);
    let output = folder.run(&["log", "mixed.jsonl"]).code(2);
    let told: Vec<&str> = output.stderr.lines().filter(|l| l.starts_with("mixed.jsonl:")).collect();
    assert_eq!(told.len(), cases.len(), "{}", output.stderr);
    for (n, ((bad, expect), told)) in cases.iter().zip(&told).enumerate() {
        let at = format!("mixed.jsonl:{}: ", 2 * n + 1);
        let bad = String::from_utf8_lossy(bad);
        assert!(told.starts_with(&at) && told.contains(expect), "{bad}\n{told}\nnot: {at}{expect}");
        assert!(told.contains("; "), "no remedy: {told}");
    }
    let n = cases.len();
    assert!(output.stderr.contains(&format!("{} lines: {n} recorded", 2 * n)), "{}", output.stderr);
    assert!(output.stderr.contains(&format!("{n} refused")));
    assert_eq!(folder.count(&["--model", "m"]), n as u64);
    let text = std::fs::read(folder.path("modeltrail.db")).unwrap();
    assert!(
        !text.windows(4).any(|window| window == b"bad-"),
        "something of a refused line was kept"
    );
    folder.run(&["verify"]).code(0);
}

#[test]
fn the_deepest_and_the_largest_record_pass_and_one_more_does_not() {
    let folder = Folder::with_ledger();
    const BYTES_MAX: usize = 16 << 20;
    let of_length = |id: &str, n_bytes: usize| {
        let empty = line(id, r#","input":"""#);
        line(id, &format!(r#","input":"{}""#, "x".repeat(n_bytes - empty.len())))
    };
    let deep = line("deep", &format!(r#","input":{}"#, nested(127)));
    let lines = [
        of_length("largest", BYTES_MAX),
        of_length("one-more", BYTES_MAX + 1),
        deep,
        // Far longer than what is held of a line.
        of_length("far-more", 2 * BYTES_MAX),
        line("last", ""),
    ];
    assert_eq!((lines[0].len(), lines[1].len()), (BYTES_MAX, BYTES_MAX + 1));
    let output = folder.pipe(&["log"], lines.join("\n")).code(2);
    let too_large =
        "record: is larger than 16777216 bytes; send less, or a digest of the large part";
    let told = output.stderr.lines().filter(|l| l.starts_with("stdin:")).collect::<Vec<_>>();
    assert_eq!(told.len(), 2, "{}", output.stderr);
    for (told, at) in told.iter().zip([2, 4]) {
        assert!(told.starts_with(&format!("stdin:{at}: ")), "{told}");
        assert!(told.contains("larger than 16777216 bytes; send less"), "{told}\n{too_large}");
    }
    for id in ["largest", "deep", "last"] {
        assert_eq!(folder.count(&["--request-id", id]), 1, "{id}");
    }
    assert_eq!(folder.count(&["--model", "m"]), 3);
    folder.run(&["verify"]).code(0);
}

#[test]
fn a_hundred_are_told_and_the_rest_counted() {
    let folder = Folder::with_ledger();
    let output = folder.pipe(&["log"], "nonsense\n".repeat(150)).code(2);
    let n_told = output.stderr.lines().filter(|l| l.contains("no valid JSON")).count();
    assert_eq!(n_told, 100);
    output.says("50 more refused lines").says("150 lines: 0 recorded").says("150 refused");
}

#[test]
fn a_refusal_holds_no_personal_data() {
    let folder = Folder::with_ledger();
    let bad = line("r", r#","jane.roe@example.com":1"#);
    let output = folder.pipe(&["log"], bad).code(2).says("is no field of a record");
    assert!(!output.stderr.contains("jane.roe"), "{}", output.stderr);
}
