//! What is understood of bodies that are whole, cut, or made to cost much.

use proptest::prelude::*;

use super::*;

fn content<'a>(media_type: &'a str, bytes: &'a [u8], is_whole: bool) -> Content<'a> {
    Content { media_type: Some(media_type).filter(|it| !it.is_empty()), bytes, is_whole }
}

/// Every string of a value, names aside.
fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(members) => members.values().for_each(|item| strings(item, into)),
        _ => {}
    }
}

#[test]
fn json_that_is_cut_anywhere_is_closed_without_half_a_value() {
    let text = r#" {"a": [1, -2.5e3, true, null, {"b": "x\"y"}], "pass\u0077ord": "hunter2 éé", "n": 123456, "o": {}, "l": []} "#;
    let whole: Value = serde_json::from_str(text).unwrap();
    let mut known = vec!["[TRUNCATED]".to_owned()];
    strings(&whole, &mut known);
    let mut n_closed = 0;
    for end in 0..text.len() {
        let Some(closed) = cut::close(&text.as_bytes()[..end]) else {
            assert!(end < 2, "cut at {end}");
            continue;
        };
        n_closed += 1;
        let value: Value = serde_json::from_str(&closed)
            .unwrap_or_else(|error| panic!("{end}: {error}: {closed}"));
        let mut found = Vec::new();
        strings(&value, &mut found);
        assert!(found.iter().all(|text| known.contains(text)), "cut at {end}: {closed}");
        let n = value.get("n").cloned();
        assert!(matches!(n, None | Some(Value::String(_))) || n == Some(123456.into()), "{closed}");
    }
    assert_eq!(n_closed, text.len() - 2);
    for other in ["[1,,2", "{\"a\" 1", "]", "{1", &"[".repeat(200)] {
        assert_eq!(cut::close(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn events_are_read_as_the_standard_says() {
    let of = |text: &str| {
        let read = sse::read(text.as_bytes(), true).unwrap();
        let events: Vec<_> = read.events.into_iter().map(|it| (it.name, it.data)).collect();
        (events, read.is_open)
    };
    let one = |name: &str, data: &str| (name.to_owned(), data.to_owned());
    assert_eq!(of("data: a\n\n"), (vec![one("", "a")], false));
    assert_eq!(
        of("\u{feff}event: e\r\ndata:a\r\ndata: b\r\rdata: c\n\n").0,
        [one("e", "a\nb"), one("", "c")]
    );
    assert_eq!(of(": ping\n\ndata: a\nid: 7\nretry: 1\n\n").0, [one("", "a")]);
    assert_eq!(of("data\n\ndata:  x\n\n").0, [one("", ""), one("", " x")]);
    assert_eq!(
        of("event: e\n\ndata: a"),
        (vec![one("", "a")], true),
        "its name went with its own end"
    );
    let cut = sse::read(b"data: a\n\ndata: b\n", false).unwrap();
    assert_eq!(
        (cut.events.len(), cut.is_open),
        (1, true),
        "what was cut here may be half an event"
    );
}

#[test]
fn forms_become_names_and_values_and_files_stay_bytes() {
    let form = content("application/x-www-form-urlencoded", b"a=1&pass%20word=h+x&a=2&", true);
    let read = Read::of(&form, None);
    assert_eq!(read.json.unwrap(), serde_json::json!({"a": ["1", "2"], "pass word": "h x"}));
    let text = "--B\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nhello\r\n--B--\r\n";
    let multipart = |text: &str| {
        let read =
            Read::of(&content("multipart/form-data; boundary=B", text.as_bytes(), true), None);
        (read.json, read.problems)
    };
    assert_eq!(multipart(text).0.unwrap(), serde_json::json!({"q": "hello"}));
    let file = text.replace("name=\"q\"", "name=\"q\"; filename=\"x.png\"");
    assert_eq!(multipart(&file), (None, vec!["no_form"]));
    assert_eq!(multipart("--B\r\nx"), (None, vec!["no_form"]));
}

#[test]
fn paths_say_shape_model_and_version_behind_any_prefix() {
    for (path, shape, model, version) in [
        ("/v1/chat/completions", Shape::OpenAiChat, None, None),
        ("/openai/deployments/x/chat/completions", Shape::OpenAiChat, None, None),
        ("/v1/completions", Shape::OpenAiCompletions, None, None),
        ("/v1/models/fraud:predict", Shape::KserveV1, Some("fraud"), None),
        (
            "/gateway/v2/models/m%2F1/versions/7/infer",
            Shape::OpenInferenceV2,
            Some("m/1"),
            Some("7"),
        ),
        ("/predictions/resnet/2.0", Shape::TorchServe, Some("resnet"), Some("2.0")),
        ("/invocations", Shape::Mlflow, None, None),
    ] {
        assert_eq!(Shape::of_path(path), Some(shape), "{path}");
        let vars = shape.variables(path).unwrap();
        assert_eq!((vars.get("model"), vars.get("version")), (model, version), "{path}");
    }
    for path in [
        "/predict",
        "/v1/models",
        "/v1/models/:predict",
        "/v1/chat/completions/x",
        &"/".repeat(9000),
    ] {
        assert_eq!(Shape::of_path(path), None, "{path}");
    }
}

#[test]
fn hostile_indexes_cost_nothing() {
    let chunk = |index: u64| {
        format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":\"x\"}}}}]}}}}]}}\n\n"
        )
    };
    let text = chunk(u64::MAX) + &chunk(4_000_000_000) + &chunk(u64::MAX);
    let table = Shape::OpenAiChat.table();
    let read = Read::of(&content("text/event-stream", text.as_bytes(), true), table);
    let answer = read.json.unwrap();
    let arguments =
        |n| answer.pointer(&format!("/choices/{n}/message/tool_calls/0/function/arguments"));
    assert_eq!((arguments(0).unwrap(), arguments(1).unwrap()), (&"x".into(), &"xx".into()));
    assert_eq!(read.problems, ["stream_incomplete"]);
}

/// Texts that look like the real thing, and their parts in any order.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "data: ",
        "event: ",
        "\n",
        "\n\n",
        "\r\n",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "1e308",
        "-0",
        "\"type\":\"message_start\"",
        "\"message\":",
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]",
        "\"type\":\"response.output_text.delta\",\"delta\":\"x\"",
        "\"content_block_delta\"",
        "[DONE]",
        "\\u00",
        "é",
        "--B",
        "&",
        "=",
        "%zz",
        "\"error\":{\"message\":\"m\"}",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn nothing_that_comes_is_too_much(text in pieces(), media_type in 0..6_usize, is_whole: bool, shape in 0..11_usize) {
        let media_types = ["", "application/json", "text/event-stream", "application/x-ndjson", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B"];
        let content = content(media_types[media_type], text.as_bytes(), is_whole);
        let told = Told { path: "/x", status: Some(200), request: content, response: content };
        let understood = understand(Shape::ALL.get(shape).copied(), &told);
        // What came is there, unless it was nothing but what was cut.
        prop_assert!(understood.input.is_some() || text.is_empty());
        prop_assert!(understood.output.is_some() || text.is_empty());
    }
}
