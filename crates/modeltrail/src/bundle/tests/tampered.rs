//! Bundles that somebody changed: each as a whole that fits together, and each byte alone.

use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

use modeltrail_core::bundle::{EntryLine, Filter, Pinned, verify};

use super::check;
use super::fixture::{Made, filter, ledger, request};
use crate::bundle::packing::{
    Files, change_entry, change_manifest, leave_out, lines, pack, remove_line, unpack,
};
use crate::store::MemoryStore;

/// What both verifiers find in a bundle of which something was changed.
#[track_caller]
fn found(made: &Made, bytes: &[u8], change: impl FnOnce(&mut Files), name: &str) {
    let mut files = unpack(bytes);
    change(&mut files);
    let changed = pack(files).unwrap();
    let report = check(&changed, made);
    let names: Vec<&str> = report.findings.iter().map(|finding| finding.kind.name()).collect();
    assert!(names.contains(&name), "{name} is not in {:#?}", report.findings);
    if let Some(said) = made.agrees_with_python(&changed, 1) {
        assert!(said.contains(&format!("\"{name}\"")), "{name} is not in {said}");
    }
}

#[test]
fn an_inconvenient_record_that_was_left_out_is_found_by_both_verifiers() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 60);
    let of_model = filter(|filter| filter.model_name = Some("fraud".into()));
    let bytes = made.bundle(&request(&made, of_model));
    // Entry 12, the fifth of the matching ones, as if it had not matched: its header stays and tells.
    let left_out = |files: &mut Files| leave_out(files, 12).unwrap();
    found(&made, &bytes, left_out, "omitted_match");
    // Or as if there were no such entry: the leaf is in the tree, and so are its neighbours' links.
    let without_line = |files: &mut Files| {
        leave_out(files, 12).unwrap();
        remove_line(files, 12).unwrap();
    };
    found(&made, &bytes, without_line, "missing_entry");
    // Or with another header, for which nobody has the commitment.
    let with_other_header = |files: &mut Files| {
        leave_out(files, 12).unwrap();
        let change = |line: &mut EntryLine<'static>| {
            let text = String::from_utf8(line.parts[0].bytes.to_vec()).unwrap();
            line.parts[0].bytes = text.replace("fraud", "churn").into_bytes().into();
        };
        change_entry(files, 12, change).unwrap();
    };
    found(&made, &bytes, with_other_header, "changed_part");
    // Or with a range that ends before it.
    let narrowed = |files: &mut Files| {
        let entries = lines(files, "entries.ndjson")[..12].concat();
        files.insert("entries.ndjson".into(), entries);
        let records = lines(files, "records.ndjson")[..4].concat();
        files.insert("records.ndjson".into(), records);
        files.retain(|path, _| {
            let index = path.strip_prefix("proofs/").and_then(|name| name.split('.').next());
            index.is_none_or(|index| index.parse::<u64>().unwrap() < 12)
        });
        change_manifest(files, |manifest| {
            manifest.matching.retain(|index| *index < 12);
            manifest.range.end = 12;
        })
        .unwrap();
    };
    found(&made, &bytes, narrowed, "wrong_range");
}

#[test]
fn parts_of_one_record_do_not_pass_for_those_of_another() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 60);
    let bytes = made.bundle(&request(&made, Filter::default()));
    let swap = |files: &mut Files| {
        let mut entries = lines(files, "entries.ndjson");
        let mut one = EntryLine::parse(entries[3].trim_ascii_end()).unwrap();
        let mut other = EntryLine::parse(entries[4].trim_ascii_end()).unwrap();
        std::mem::swap(&mut one.parts[1], &mut other.parts[1]);
        (entries[3], entries[4]) = (one.to_bytes(), other.to_bytes());
        files.insert("entries.ndjson".into(), entries.concat());
    };
    found(&made, &bytes, swap, "changed_part");
}

#[test]
fn no_single_byte_of_a_bundle_can_change() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 5);
    let of_model = filter(|filter| filter.model_name = Some("fraud".into()));
    let bytes = made.bundle(&request(&made, of_model));
    assert!(check(&bytes, &made).is_clean());
    let (next, n_passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                let mut changed = bytes.clone();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(byte) = bytes.get(at) else { return };
                    // Another bit at each place, so that signs, digits and letters all have their turn.
                    changed[at] = byte ^ (1 << (at % 8));
                    let report = verify(Cursor::new(&changed), &Pinned::policy(&made.policy));
                    let is_accepted = report.is_ok_and(|report| report.is_clean());
                    assert!(!is_accepted, "byte {at} of {}", bytes.len());
                    n_passed.fetch_add(1, Ordering::Relaxed);
                    changed[at] = *byte;
                }
            });
        }
    });
    assert_eq!(n_passed.into_inner(), bytes.len());
}
