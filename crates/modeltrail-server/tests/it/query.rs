//! `query` and `show`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Folder, line, predictions};

fn ids(entries: &Value) -> Vec<String> {
    let id = |entry: &Value| entry["request_id"].as_str().unwrap().to_owned();
    entries.as_array().unwrap().iter().map(id).collect()
}

/// Request ids of the example data that fit, newest first.
fn expected(fits: impl Fn(&Value) -> bool) -> Vec<String> {
    let records = predictions();
    let mut fitting: Vec<_> = records.iter().enumerate().filter(|(_, r)| fits(r)).collect();
    fitting.sort_by_key(|(n, r)| std::cmp::Reverse((r["timestamp"].as_str().unwrap(), *n)));
    fitting.iter().map(|(_, r)| r["request_id"].as_str().unwrap().to_owned()).collect()
}

type Fits = fn(&Value) -> bool;

#[test]
fn filters_alone_and_together_find_what_a_loop_finds() {
    let folder = Folder::with_predictions();
    let cases: &[(&[&str], Fits)] = &[
        (&["--kind", "prediction"], |_| true),
        (&["--model", "tumour_classifier"], |_| true),
        (&["--model", "nobody"], |_| false),
        (&["--status", "success"], |_| true),
        (&["--kind", "prediction", "--status", "failure"], |_| false),
        (&["--user", "analyst_jane"], |r| r["user_id"] == "analyst_jane"),
        (&["--label", "malignant"], |r| r["output_data"]["prediction"] == "malignant"),
        (&["--model-version", "v1.1.0"], |r| r["model_version"] == "v1.1.0"),
        (&["--subject", "patient-821631"], |r| r["subject_id"] == "patient-821631"),
        (&["--request-id", "e72aeff0-fff6-54a2-800b-df038406d3e1"], |r| {
            r["request_id"] == "e72aeff0-fff6-54a2-800b-df038406d3e1"
        }),
        (&["--kind", "prediction", "--since", "2026-03-15", "--until", "2026-03-16"], |r| {
            r["timestamp"].as_str().unwrap().starts_with("2026-03-15")
        }),
        (
            &[
                "--user",
                "analyst_omar",
                "--label",
                "benign",
                "--since",
                "2026-03-10T12:00:00+02:00",
            ],
            |r| {
                r["user_id"] == "analyst_omar"
                    && r["output_data"]["prediction"] == "benign"
                    && r["timestamp"].as_str().unwrap() >= "2026-03-10T10:00:00.000Z"
            },
        ),
    ];
    for (filters, fits) in cases {
        let mut args = vec!["query", "--limit", "0"];
        args.extend(*filters);
        assert_eq!(ids(&folder.json(&args)), expected(fits), "{filters:?}");
        assert_eq!(folder.count(filters), expected(fits).len() as u64, "{filters:?}");
    }
}

#[test]
fn pages_give_each_entry_once_and_in_order() {
    let folder = Folder::with_predictions();
    let all = expected(|r| r["user_id"] == "analyst_lars");
    for limit in ["1", "7", "16", "17", "50"] {
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut args =
                vec!["--format", "json", "query", "--user", "analyst_lars", "--limit", limit];
            args.extend(after.iter().flat_map(|cursor| ["--after", cursor]));
            let output = folder.run(&args).code(0);
            seen.extend(ids(&output.json()));
            let next = output.stderr.lines().find_map(|l| l.strip_prefix("next page: --after "));
            match next {
                Some(cursor) => after = Some(cursor.to_owned()),
                None => break,
            }
            if limit == "1" && seen.len() == 5 {
                break;
            }
        }
        let n = if limit == "1" { 5 } else { all.len() };
        assert_eq!(seen, all[..n], "limit {limit}");
    }
}

#[test]
fn an_exact_input_is_found_even_where_redaction_made_two_alike() {
    let folder = Folder::with_ledger();
    let input = |mail: &str| format!(r#"{{"b":1.0,"mail":"{mail}@example.com"}}"#);
    for who in ["anna", "berta"] {
        let record = line(who, &format!(r#","input":{}"#, input(who)));
        folder.pipe(&["log"], record).code(0);
    }
    let find = |given: &str| ids(&folder.json(&["query", "--input", given]));
    assert_eq!(find(&input("anna")), ["anna"]);
    // Order, space and the form of numbers do not matter.
    assert_eq!(find(r#" { "mail": "berta@example.com", "b": 1 } "#), ["berta"]);
    folder.write("input.json", input("anna"));
    assert_eq!(find("@input.json"), ["anna"]);
    let piped = folder.pipe(&["--format", "json", "query", "--input", "-"], input("berta")).code(0);
    assert_eq!(ids(&piped.json()), ["berta"]);
    // Nobody asked this, but redacted it is the same.
    let carla = folder.run(&["--format", "json", "query", "--input", &input("carla")]).code(0);
    assert_eq!(ids(&carla.json()), ["berta", "anna"]);
    carla.says("no entry has exactly this input");
    assert_eq!(find(r#"{"b":2}"#), Vec::<String>::new());
    let shown = folder.json(&["show", "anna"]);
    let hash = shown[0]["input_hash"].as_str().unwrap();
    assert_eq!(ids(&folder.json(&["query", "--input-hash", hash])), ["berta", "anna"]);
    folder.run(&["query", "--input", "{"]).code(2).says("--input: ");
    folder.run(&["query", "--input-hash", "abc"]).code(2).says("64 hex digits");
}

#[test]
fn every_form_holds_the_same_entries() {
    let folder = Folder::with_predictions();
    let filters = ["--label", "malignant", "--limit", "20"];
    let args = |format: &'static str| [&["--format", format, "query"], &filters[..]].concat();
    let array = folder.run(&args("json")).code(0).json();
    let lines = folder.run(&[&args("json")[..], &["--lines"]].concat()).code(0);
    let lines: Vec<Value> =
        lines.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(array, Value::Array(lines));
    let table = folder.run(&args("table")).code(0);
    let csv = folder.run(&args("csv")).code(0);
    assert_eq!((table.stdout.lines().count(), csv.stdout.lines().count()), (21, 21));
    let header = "index,timestamp,kind,model,version,label,user,latency_ms,request_id,";
    assert!(csv.stdout.starts_with(header));
    for (id, (row, cells)) in
        ids(&array).iter().zip(table.stdout.lines().zip(csv.stdout.lines()).skip(1))
    {
        assert!(row.ends_with(id) && cells.contains(id), "{id}\n{row}\n{cells}");
    }
    assert_eq!(folder.json(&["query", "--count", "--label", "malignant"])["count"], 208);
    let nothing = folder.run(&["query", "--model", "nobody"]).code(0).says("nothing found");
    assert_eq!(nothing.stdout, "");
    assert_eq!(folder.json(&["query", "--model", "nobody"]), serde_json::json!([]));
}

#[test]
fn cells_of_csv_are_no_formulas_and_tables_no_control_characters() {
    let folder = Folder::with_ledger();
    for (n, label) in [r"=HYPERLINK(1)", "+1", "-1", "@x", r"\tx", r"a\u001b[2Jb,\u0022c\u0022"]
        .iter()
        .enumerate()
    {
        let record = line(&format!("r{n}"), &format!(r#","output":{{"label":"{label}"}}"#));
        folder.pipe(&["log"], record).code(0);
    }
    let csv = folder.run(&["--format", "csv", "query", "--model", "m"]).code(0).stdout;
    for cell in [",'=HYPERLINK(1),", ",'+1,", ",'-1,", ",'@x,", ",'\tx,", "b,\"\"c\"\"\","] {
        assert!(csv.contains(cell), "{cell}\n{csv}");
    }
    let table = folder.run(&["query", "--model", "m"]).code(0).stdout;
    let shown = folder.run(&["show", "r5"]).code(0).stdout;
    assert!(!table.contains(['\x1b', '\t']) && !shown.contains('\x1b'), "{table}{shown}");
    assert_eq!(table.lines().count(), 7);
}

#[test]
fn show_gives_whole_entries_by_id_and_by_index() {
    let folder = Folder::with_ledger();
    let record = line(
        "r-1",
        r#","input":{"n":12345678901234567890,"m":"jo@example.com"},"error":{"code":"E1"},"links":[{"rel":"reviews","request_id":"r-0"}]"#,
    );
    folder.pipe(&["log"], record).code(0);
    let entry = &folder.json(&["show", "r-1"])[0];
    assert_eq!(entry["status"], "failure");
    assert_eq!(entry["parts"]["parties"]["links"][0]["request_id"], "r-0");
    let text = folder.run(&["--format", "json", "show", "r-1"]).stdout;
    assert!(text.contains(r#""n":12345678901234567890"#), "no digit is lost: {text}");
    let index = format!("#{}", entry["index"]);
    assert_eq!(folder.json(&["show", &index])[0], *entry);
    let sheet = folder.run(&["show", "r-1"]).code(0).stdout;
    for piece in [
        "  request id    r-1\n",
        "  redacted      input: email 1\n",
        "\"m\": \"[EMAIL]\"",
        "12345678901234567890",
        "\noutput",
        "\nerror\n",
    ] {
        assert_eq!(sheet.contains(piece), piece != "\noutput", "{piece}\n{sheet}");
    }
    folder.run(&["show", "r-2"]).code(3).says("no entry r-2").says("hint: ");
    folder.run(&["show", "#999"]).code(3);
    for bad in ["#", "#x", "#-1", "#99999999999999999999", ""] {
        folder.run(&["show", bad]).code(2);
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let folder = Folder::with_ledger();
    for args in [
        &["--since", "yesterday"][..],
        &["--until", "2026-13-01"],
        &["--after", "12"],
        &["--after", "x.y"],
        &["--kind", "event"],
        &["--status", "ok"],
        &["--limit", "-1"],
        &["--count", "--limit", "5"],
        &["--input", "1", "--input-hash", "00"],
    ] {
        folder.run(&[&["query"], args].concat()).code(2);
    }
}

#[test]
fn relative_times_count_back_from_now() {
    let folder = Folder::with_ledger();
    folder.pipe(&["log"], line("now", "")).code(0);
    folder.pipe(&["log"], line("then", r#","timestamp":"2020-01-01T00:00:00Z""#)).code(0);
    let found = |args: &[&str]| -> BTreeSet<String> {
        ids(&folder.json(&[&["query", "--model", "m"], args].concat())).into_iter().collect()
    };
    assert_eq!(found(&["--since", "1h"]), BTreeSet::from(["now".to_owned()]));
    assert_eq!(found(&["--until", "7d"]), BTreeSet::from(["then".to_owned()]));
}
