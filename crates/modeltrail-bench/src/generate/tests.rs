//! The load is what it says it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Generator, SEED};

const N: usize = 20_000;

fn lines(seed: u64) -> Vec<String> {
    Generator::new(N as u64, seed).take_lines(usize::MAX)
}

fn share(n: usize) -> f64 {
    n as f64 / N as f64
}

#[test]
fn same_seed_same_load() {
    let first = lines(SEED);
    assert_eq!(first.len(), N);
    assert_eq!(first, lines(SEED));
    assert_ne!(first, lines(SEED + 1));
}

#[test]
fn sizes_and_shares() {
    let lines = lines(SEED);
    let mean = lines.iter().map(String::len).sum::<usize>() as f64 / N as f64;
    assert!((1200.0..1600.0).contains(&mean), "mean of {mean} bytes");
    for (model, expected, bytes) in [
        ("fraud_detector", 0.55, 800.0..1050.0),
        ("sentiment_classifier", 0.30, 650.0..900.0),
        ("support_assistant", 0.15, 3500.0..5000.0),
    ] {
        let of_model: Vec<&String> = lines.iter().filter(|line| line.contains(model)).collect();
        let found = share(of_model.len());
        assert!((found - expected).abs() < 0.03, "{model}: {found}");
        let mean = of_model.iter().map(|line| line.len()).sum::<usize>() / of_model.len();
        assert!(bytes.contains(&(mean as f64)), "{model}: {mean} bytes");
    }
}

#[test]
fn inputs_repeat_and_request_ids_do_not() {
    let parsed: Vec<Value> =
        lines(SEED).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let inputs: BTreeSet<String> =
        parsed.iter().map(|record| record["input"].to_string()).collect();
    let repeated = 1.0 - share(inputs.len());
    assert!((0.13..0.21).contains(&repeated), "{repeated} of the inputs are repeats");
    let ids: BTreeSet<&str> =
        parsed.iter().filter_map(|record| record["request_id"].as_str()).collect();
    assert_eq!(ids.len(), N);
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
}

#[test]
fn times_ascend_within_the_thirty_days() {
    let parsed: Vec<Value> =
        lines(SEED).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<&str> =
        parsed.iter().filter_map(|record| record["timestamp"].as_str()).collect();
    assert_eq!(times.len(), N);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(times[0].starts_with("2026-05-31T00:0") && times[N - 1].starts_with("2026-06-29T23:5"));
}

#[test]
fn personal_data_and_users() {
    let lines = lines(SEED);
    let emails = share(lines.iter().filter(|line| line.contains('@')).count());
    // A third of the 15 %, and more where a record carries two.
    assert!((0.04..0.09).contains(&emails), "{emails} with an e-mail address");
    let heaviest = share(lines.iter().filter(|line| line.contains("\"svc-batch-0\"")).count());
    assert!((0.08..0.14).contains(&heaviest), "the heaviest user has {heaviest}");
}

#[test]
fn card_numbers_pass_the_luhn_check() {
    let mut rng = crate::random::Rng::new(SEED);
    for _ in 0..100 {
        let number = super::personal::card_number(&mut rng).to_string();
        assert_eq!(number.len(), 16);
        let sum: u32 = number
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, digit)| {
                let digit = u32::from(digit - b'0') * if at % 2 == 1 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        assert_eq!(sum % 10, 0, "{number}");
    }
}
