//! `report`: the seed document's keys, and the figures of a plain loop.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Folder, predictions};

/// Rank `int(n × 0.95)` of the ascending latencies above zero, and the others, as the seed document
/// has them.
fn latencies(records: &[&Value]) -> (f64, f64, f64) {
    let mut all: Vec<f64> = records.iter().map(|r| r["latency_ms"].as_f64().unwrap()).collect();
    all.retain(|ms| *ms > 0.0);
    all.sort_by(f64::total_cmp);
    let n = all.len();
    (all.iter().sum::<f64>() / n as f64, all[n * 95 / 100], all[n - 1])
}

#[test]
fn model_usage_is_what_a_loop_over_the_file_gives() {
    let folder = Folder::with_predictions();
    let args = [
        "--format",
        "json",
        "report",
        "model-usage",
        "--model",
        "tumour_classifier",
        "--as-of",
        "2026-03-31",
        "--days",
    ];
    let records = predictions();
    for (days, since) in [("31", "2026-02-28"), ("7", "2026-03-24"), ("1", "2026-03-30")] {
        let output = folder.run(&[&args[..], &[days]].concat()).code(0);
        let report = output.json();
        let fits = |r: &&Value| r["timestamp"].as_str().unwrap() >= since;
        let fitting: Vec<&Value> = records.iter().filter(fits).collect();
        let count = |of: fn(&Value) -> &Value| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for record in &fitting {
                *counts.entry(of(record).as_str().unwrap().to_owned()).or_default() += 1;
            }
            json!(counts)
        };
        assert_eq!(report["total_predictions"], fitting.len());
        assert_eq!(report["period_days"].to_string(), days);
        assert_eq!(report["prediction_distribution"], count(|r| &r["output_data"]["prediction"]));
        assert_eq!(report["versions_used"], count(|r| &r["model_version"]));
        assert_eq!(report["unique_users"], count(|r| &r["user_id"]).as_object().unwrap().len());
        assert_eq!(
            report["first_prediction"].as_str().unwrap()[..19],
            fitting[0]["timestamp"].as_str().unwrap()[..19]
        );
        let (mean, p95, max) = latencies(&fitting);
        let stat = |name: &str| report["latency_stats"][name].as_f64().unwrap();
        assert!((stat("mean_ms") - mean).abs() < 1e-9, "{} {mean}", stat("mean_ms"));
        assert!((stat("p95_ms") - p95).abs() < 1e-9 && (stat("max_ms") - max).abs() < 1e-9);
        let keys = [
            "model",
            "period_days",
            "total_predictions",
            "unique_users",
            "prediction_distribution",
            "versions_used",
            "latency_stats",
            "first_prediction",
            "last_prediction",
        ];
        let places: Vec<_> = keys
            .iter()
            .map(|key| output.stdout.find(&format!("\n  \"{key}\":")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{}", output.stdout);
    }
}

#[test]
fn data_access_is_what_a_loop_over_the_file_gives() {
    let folder = Folder::with_predictions();
    for user in ["analyst_jane", "analyst_priya", "nobody"] {
        let args = ["report", "data-access", "--user", user, "--as-of", "2026-03-31"];
        let report = folder.json(&args);
        let records = predictions();
        let expect: Vec<Value> = records
            .iter()
            .filter(|r| r["user_id"] == user)
            .map(|r| json!([r["request_id"], r["model_name"]]))
            .collect();
        assert_eq!(report["total_requests"], expect.len());
        let requests = report["requests"].as_array().unwrap();
        let seen: Vec<Value> =
            requests.iter().map(|r| json!([r["request_id"], r["model"]])).collect();
        assert_eq!(seen, expect, "{user}");
        let keys: Vec<_> = report.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            ["models_used", "outside", "period_days", "requests", "total_requests", "user_id"]
        );
        let csv = folder.run(&[&["--format", "csv"], &args[..]].concat()).code(0).stdout;
        assert_eq!(csv.lines().count(), expect.len() + 1);
        let table = folder.run(&args).code(0).stdout;
        assert!(table.starts_with(&format!("{user}, 90 days: {} requests\n", expect.len())));
    }
}

#[test]
fn an_empty_period_has_no_figures_and_says_so() {
    let folder = Folder::with_predictions();
    let output = folder
        .run(&[
            "--format",
            "json",
            "report",
            "model-usage",
            "--model",
            "tumour_classifier",
            "--as-of",
            "2020-01-01",
        ])
        .code(0)
        .says("no prediction of tumour_classifier");
    let mut report = output.json();
    assert_eq!(report.as_object_mut().unwrap().remove("outside").unwrap()["tier"], "T0");
    assert_eq!(
        report,
        json!({"model": "tumour_classifier", "period_days": 30, "total_predictions": 0})
    );
    folder
        .run(&["report", "model-usage", "--model", "m", "--as-of", "soon"])
        .code(2)
        .says("--as-of");
    folder.run(&["report"]).code(2);
}

#[test]
fn the_same_figures_in_every_form() {
    let folder = Folder::with_predictions();
    let args = [
        "report",
        "model-usage",
        "--model",
        "tumour_classifier",
        "--days",
        "31",
        "--as-of",
        "2026-03-31",
    ];
    let table = folder.run(&args).code(0).stdout;
    let csv = folder.run(&[&["--format", "csv"], &args[..]].concat()).code(0).stdout;
    for (figure, of, value) in [
        ("total_predictions", "", "569"),
        ("prediction_distribution", "benign", "361"),
        ("versions_used", "v1.1.0", "284"),
        ("latency_stats", "max_ms", "18.367"),
    ] {
        assert!(csv.contains(&format!("\n{figure},{of},{value}\n")), "{figure}\n{csv}");
        let row = table.lines().find(|l| l.starts_with(figure) && l.contains(of)).unwrap();
        assert!(row.ends_with(value), "{row}");
    }
}
