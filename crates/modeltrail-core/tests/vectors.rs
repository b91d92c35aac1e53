//! The vectors of `spec/vectors`, which a second implementation in Python has written: leaves,
//! frames, records, lookup columns, labels, control entries and refusals.
//!
//! `canonical.json` is read beside the code of canonical bytes, `spool.json` is of another crate.

/// What several vector files have in common.
#[cfg(test)]
mod common {
    use modeltrail_core::hash::unhex;
    use modeltrail_core::record::Part;
    use modeltrail_core::{Encoding, Hash, PartId};

    /// A part: JSON as text, anything else as hex.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct PartVector {
        part: String,
        encoding: String,
        text: Option<String>,
        bytes: Option<String>,
    }

    impl PartVector {
        pub(super) fn to_part(&self) -> Part {
            let bytes = match (&self.text, &self.bytes) {
                (Some(text), None) => text.as_bytes().to_vec(),
                (None, Some(hex)) => unhex(hex).unwrap(),
                _ => panic!("text or bytes, not both"),
            };
            Part {
                id: PartId::from_name(&self.part).unwrap(),
                encoding: Encoding::from_name(&self.encoding).unwrap(),
                bytes,
            }
        }
    }

    pub(super) fn array<const N: usize>(hex: &str) -> [u8; N] {
        unhex(hex).unwrap().try_into().unwrap()
    }

    pub(super) fn hash(hex: &str) -> Hash {
        Hash::from_hex(hex).unwrap()
    }
}

#[cfg(test)]
mod leaves {
    use modeltrail_core::commitment;
    use modeltrail_core::leaf::{leaf_hash, origin_prev};
    use modeltrail_core::merkle::Frontier;
    use modeltrail_core::record::Part;
    use modeltrail_core::{Frame, Hash, Leaf};

    use super::common::{PartVector, array, hash};

    #[derive(serde::Deserialize)]
    struct Ledger {
        origin: String,
        entries: Vec<Entry>,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        secret: String,
        parts: Vec<PartVector>,
        commitments: Vec<String>,
        body: String,
        record_id: String,
        producer: String,
        producer_seq: u64,
        kind: u8,
        time_us: u64,
        frame: String,
        request_id_assigned: bool,
        leaf: String,
        leaf_hash: String,
        root: String,
    }

    fn ledger() -> Ledger {
        serde_json::from_str(include_str!("../../../spec/vectors/leaf.json")).unwrap()
    }

    #[test]
    fn commitments_bodies_leaves_and_roots() {
        let ledger = ledger();
        assert!(ledger.entries.len() > 4, "an odd number of leaves above a full subtree");
        let mut prev = origin_prev(&ledger.origin);
        let mut frontier = Frontier::new();
        for entry in &ledger.entries {
            let parts: Vec<Part> = entry.parts.iter().map(PartVector::to_part).collect();
            let commitments =
                commitment::commit(&array(&entry.secret), parts.iter().map(Part::as_ref));
            let found: Vec<Hash> = commitments.iter().map(|(_, hash)| *hash).collect();
            let expected: Vec<Hash> = entry.commitments.iter().map(|hex| hash(hex)).collect();
            assert_eq!(found, expected);
            assert_eq!(commitment::body(&commitments), hash(&entry.body));
            let leaf = Leaf {
                kind: entry.kind,
                index: frontier.size(),
                time_us: entry.time_us,
                record_id: array(&entry.record_id),
                producer: array(&entry.producer),
                producer_seq: entry.producer_seq,
                prev,
                body: hash(&entry.body),
            };
            let bytes: [u8; 122] = array(&entry.leaf);
            assert_eq!(leaf.encode(), bytes);
            assert_eq!(Leaf::decode(&bytes), Ok(leaf));
            prev = leaf_hash(&bytes);
            assert_eq!(prev, hash(&entry.leaf_hash));
            frontier.push(prev);
            assert_eq!(frontier.root(), hash(&entry.root), "size {}", frontier.size());
        }
    }

    #[test]
    fn frames_are_read_and_written_byte_for_byte() {
        for entry in ledger().entries {
            let bytes = modeltrail_core::hash::unhex(&entry.frame).unwrap();
            let frame = Frame::decode(&bytes).unwrap();
            let parts: Vec<Part> = entry.parts.iter().map(PartVector::to_part).collect();
            assert_eq!(frame.kind().code(), entry.kind);
            assert_eq!(frame.request_id_assigned(), entry.request_id_assigned);
            assert_eq!(frame.record_id(), &array::<16>(&entry.record_id));
            assert_eq!(frame.secret(), &array::<32>(&entry.secret));
            assert_eq!(frame.parts(), parts);
            assert_eq!(frame.encode(), bytes);
        }
    }
}

#[cfg(test)]
mod records {
    use modeltrail_core::control::Control;
    use modeltrail_core::hash::{MacKey, sha256};
    use modeltrail_core::label::label;
    use modeltrail_core::lookup::Lookup;
    use modeltrail_core::record::{CaptureContext, Header, Part, Redacted};
    use modeltrail_core::redact::{Redactor, Rule};
    use modeltrail_core::{Frame, Kind, Limits, PartId, Record, Status};

    use super::common::{PartVector, array, hash};

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Vectors {
        mac_key: String,
        mode: String,
        assigned_request_id: String,
        assigned_time_ns: i64,
        policies: Vec<Policy>,
        records: Vec<Case>,
        controls: Vec<ControlCase>,
        refused: Vec<(String, String)>,
        labels: Vec<(String, Option<String>)>,
        latencies: Vec<(String, u64)>,
    }

    #[derive(serde::Deserialize)]
    struct Policy {
        rules: Vec<String>,
        digest: String,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        submitted: String,
        rules: Vec<String>,
        parts: Vec<PartVector>,
        lookup: Columns,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Columns {
        time_ns: i64,
        kind: u8,
        model_name: Option<String>,
        model_version: Option<String>,
        latency_us: Option<u64>,
        status: Option<u8>,
        request_id: Option<String>,
        user_id: Option<String>,
        subject_id: Option<String>,
        session_id: Option<String>,
        input_mac: Option<String>,
        input_hash: Option<String>,
        label: Option<String>,
        keys: std::collections::BTreeMap<String, i64>,
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ControlCase {
        kind: String,
        header: String,
        control: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../../spec/vectors/record.json")).unwrap()
    }

    fn redactor(rules: &[String]) -> Redactor {
        let named = |name: &String| Rule::ALL.into_iter().find(|rule| rule.name() == name).unwrap();
        Redactor::with_rules(rules.iter().map(named))
    }

    impl Vectors {
        fn redact(&self, text: &str, rules: &[String]) -> Redacted<Record> {
            let limits = Limits::default();
            let mut record = Record::from_json(text.as_bytes(), &limits).unwrap();
            record.assign(|| self.assigned_request_id.clone(), || self.assigned_time_ns);
            let context = CaptureContext {
                redactor: &redactor(rules),
                mac_key: &MacKey::new(array(&self.mac_key)),
                limits: &limits,
                mode: &self.mode,
            };
            Redacted::new(record, &context).unwrap()
        }
    }

    #[test]
    fn records_become_the_parts_of_the_specification() {
        let vectors = vectors();
        for case in &vectors.records {
            let redacted = vectors.redact(&case.submitted, &case.rules);
            let expected: Vec<Part> = case.parts.iter().map(PartVector::to_part).collect();
            for (found, expected) in redacted.parts().iter().zip(&expected) {
                let text = |part: &Part| String::from_utf8_lossy(&part.bytes).into_owned();
                assert_eq!(text(found), text(expected), "{}: {}", case.name, expected.id);
            }
            assert_eq!(redacted.parts(), expected, "{}", case.name);
            let frame = Frame::new(redacted, [1; 16], [2; 32]);
            assert_eq!(Frame::decode(&frame.encode()).unwrap(), frame);
        }
    }

    #[test]
    fn lookup_columns_are_derived_as_specified() {
        for case in vectors().records {
            let parts: Vec<Part> = case.parts.iter().map(PartVector::to_part).collect();
            let expected = case.lookup;
            let kind = Kind::from_code(expected.kind).unwrap();
            let found = Lookup::derive(kind, parts.iter().map(Part::as_ref)).unwrap();
            let texts = [
                ("model_name", found.model_name.as_deref(), &expected.model_name),
                ("model_version", found.model_version.as_deref(), &expected.model_version),
                ("request_id", found.request_id.as_deref(), &expected.request_id),
                ("user_id", found.user_id.as_deref(), &expected.user_id),
                ("subject_id", found.subject_id.as_deref(), &expected.subject_id),
                ("session_id", found.session_id.as_deref(), &expected.session_id),
                ("label", found.label.as_deref(), &expected.label),
            ];
            for (column, found, expected) in texts {
                assert_eq!(found, expected.as_deref(), "{}: {column}", case.name);
            }
            assert_eq!(found.time_ns, expected.time_ns, "{}", case.name);
            assert_eq!(found.latency_us, expected.latency_us, "{}", case.name);
            assert_eq!(found.status.map(Status::code), expected.status, "{}", case.name);
            assert_eq!(found.input_mac, expected.input_mac.as_deref().map(hash), "{}", case.name);
            assert_eq!(found.input_hash, expected.input_hash.as_deref().map(hash), "{}", case.name);
            for (column, key) in &expected.keys {
                let (_, text, _) = texts.iter().find(|(name, ..)| name == column).unwrap();
                let digest = sha256(&[text.unwrap().as_bytes()]).0;
                let first: [u8; 8] = digest[..8].try_into().unwrap();
                assert_eq!(i64::from_be_bytes(first), *key, "{}: {column}", case.name);
            }
        }
    }

    #[test]
    fn refusals_point_at_what_was_refused() {
        let refused = vectors().refused;
        assert!(refused.len() > 40);
        for (text, pointer) in refused {
            let error = Record::from_json(text.as_bytes(), &Limits::default())
                .expect_err(&format!("{text} was taken"));
            assert_eq!(error.pointer, pointer, "{text}: {error}");
        }
    }

    #[test]
    fn labels_are_cut_and_told_apart_as_specified() {
        for (output, expected) in vectors().labels {
            assert_eq!(label(output.as_bytes()).as_deref(), expected.as_deref(), "{output}");
        }
    }

    #[test]
    fn latencies_are_rounded_half_up_to_whole_microseconds() {
        let vectors = vectors();
        for (milliseconds, expected) in &vectors.latencies {
            let text =
                format!(r#"{{"model_name":"m","model_version":"1","latency_ms":{milliseconds}}}"#);
            let redacted = vectors.redact(&text, &[]);
            let header: Header<'_> = serde_json::from_slice(&redacted.parts()[0].bytes).unwrap();
            assert_eq!(header.latency_us, Some(*expected), "{milliseconds}");
        }
    }

    #[test]
    fn policies_are_named_by_their_rules() {
        for Policy { rules, digest } in vectors().policies {
            assert_eq!(redactor(&rules).policy_digest(), digest, "{rules:?}");
        }
    }

    #[test]
    fn control_entries_are_read_and_written_byte_for_byte() {
        let vectors = vectors();
        for case in &vectors.controls {
            let kind = Kind::from_name(&case.kind).unwrap();
            let control = Control::read(kind, case.control.as_bytes()).unwrap();
            let redacted = Redacted::control(&control, vectors.assigned_time_ns);
            assert_eq!(redacted.kind(), kind);
            let texts: Vec<(PartId, &str)> = redacted
                .parts()
                .iter()
                .map(|part| (part.id, std::str::from_utf8(&part.bytes).unwrap()))
                .collect();
            let expected =
                [(PartId::Header, case.header.as_str()), (PartId::Control, case.control.as_str())];
            assert_eq!(texts, expected);
        }
    }
}

/// The files are what the second implementation writes today; nobody has edited them by hand.
#[test]
fn the_vectors_are_those_of_the_second_implementation() {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/generate.py");
    let run = std::process::Command::new("python3").args([generator, "--check"]).output();
    let Ok(run) = run else {
        println!("skipped: there is no python3");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
