//! The ways in: every field of a record that holds content, in every form that content has, and lines
//! that are refused.

use modeltrail::Record;
use modeltrail_core::record::Payload;
use serde_json::{Value, json};

use super::search::base64;
use super::secrets::Canary;

/// Records that carry each canary in all their content.
pub(crate) fn records(canaries: &[Canary], run: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for (n, canary) in canaries.iter().enumerate() {
        let document = &canary.document;
        let make = |way: &str| {
            let id = if run == "accepted" && way == "plain" {
                format!("canary-{n}")
            } else {
                format!("{run}-{way}-{n}")
            };
            Record::prediction("m", "1").request_id(id)
        };
        let raw = serde_json::value::to_raw_value(document).unwrap();
        records.push(
            make("plain")
                .input(document.clone())
                .output(Payload::raw(raw))
                .metadata(json!({"inner": document}))
                .pipeline(json!([{"step": 1, "with": document}])),
        );
        records.push(make("nested").input(forms(canary)));
        if let Some(text) = &canary.text {
            records
                .push(make("error").input(json!({"text": text})).error("upstream", text.as_str()));
            records.push(
                make("bytes")
                    .input(Payload::bytes(text.clone().into_bytes(), "text/plain"))
                    .output(Payload::bytes(document.to_string().into_bytes(), "application/json")),
            );
        }
    }
    records
}

/// The document as JSON in a string, in base64, and its text in pieces as a model streams them.
fn forms(canary: &Canary) -> Value {
    let text = canary.document.to_string();
    let mut forms = json!({
        "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": text}}],
        "body": json!({"again": text}).to_string(),
        "blob": base64(text.as_bytes()),
    });
    // A cut in the middle of the secret, at a character's start.
    if let Some(text) = &canary.text
        && let Some(at) = text.find(&canary.secret)
    {
        let middle = at + canary.secret.len() / 2;
        let cut = (at + 1..=middle).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(at);
        let piece = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        forms["stream"] = json!([piece(&text[..cut]), piece(&text[cut..])]);
    }
    forms
}

/// Lines of JSON for the program: good ones, and ones that it has to refuse.
pub(crate) fn lines(canaries: &[Canary]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut push = |line: &[u8]| {
        lines.extend_from_slice(line);
        lines.push(b'\n');
    };
    for (n, canary) in canaries.iter().enumerate() {
        let good = json!({
            "request_id": format!("line-{n}"), "model_name": "m", "model_version": "1",
            "input": canary.document, "output": forms(canary), "metadata": {"a": canary.document},
        });
        push(good.to_string().as_bytes());
        let body = canary.document.to_string();
        let head = r#"{"model_name":"m","model_version":"1","#;
        push(format!("{head}\"input\":{body}").as_bytes());
        push(format!("{head}\"input\":{{\"a\":{body},\"a\":{body}}}}}").as_bytes());
        push(format!("{head}\"latency_ms\":{body}}}").as_bytes());
        push(format!("{head}\"timestamp\":{body}}}").as_bytes());
        push(format!("{head}\"metadata\":[{body}]}}").as_bytes());
        push(format!("{head}\"input\":{}{body}{}}}", "[".repeat(200), "]".repeat(200)).as_bytes());
        push(&[head.as_bytes(), b"\"input\":[\"\xff\",", body.as_bytes(), b"]}"].concat());
        if let Some(text) = &canary.text {
            let text = Value::from(text.as_str());
            for field in ["kind", "status", "timestamp", "output_base64"] {
                push(format!("{head}\"{field}\":{text}}}").as_bytes());
            }
            // As a name of a member: unknown, standing twice, and above what is refused.
            push(format!("{head}{text}:1}}").as_bytes());
            push(format!("{head}\"input\":{{{text}:1,{text}:2}}}}").as_bytes());
            push(format!("{head}\"input\":{{{text}:NaN}}}}").as_bytes());
            push(text.as_str().unwrap_or_default().replace('\n', " ").as_bytes());
        }
    }
    lines
}

/// Lines for the preview: documents, and texts. A line of broken JSON is text to it, in which the names
/// of members mean less; nothing of it is kept.
pub(crate) fn preview(canaries: &[Canary]) -> String {
    let mut lines = String::new();
    for canary in canaries {
        lines.push_str(&format!("{}\n{}\n", canary.document, forms(canary)));
        if let Some(text) = &canary.text {
            lines.push_str(&format!("{}\n", text.replace('\n', " ")));
        }
    }
    lines
}
