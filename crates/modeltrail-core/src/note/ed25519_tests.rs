//! Signatures of others (`spec/vectors/third-party`): which hold, and which forms are refused.

use super::{KeyKind, KeyName, VerifierKey};
use crate::hash::unhex;

/// Whether a key, if it is taken at all, takes the signature.
fn holds(key: &str, message: &str, signature: &str) -> bool {
    let public = unhex(key).unwrap().try_into().unwrap();
    let name = KeyName::new("example.com").unwrap();
    let key = VerifierKey::new(name, KeyKind::Ed25519, &public);
    let (message, signature) = (unhex(message).unwrap(), unhex(signature).unwrap());
    key.is_ok_and(|key| key.verify_bytes(&message, &signature).is_some())
}

#[test]
fn signatures_of_wycheproof() {
    let text = include_str!("../../../../spec/vectors/third-party/ed25519/wycheproof.json");
    let cases: Vec<(u32, String, String, String, bool)> = serde_json::from_str(text).unwrap();
    let n_valid = cases.iter().filter(|(.., is_valid)| *is_valid).count();
    assert_eq!((cases.len(), n_valid), (151, 88));
    for (number, key, message, signature, is_valid) in cases {
        assert_eq!(holds(&key, &message, &signature), is_valid, "case {number}");
    }
}

#[derive(serde::Deserialize)]
struct Cctv {
    flags: Vec<String>,
    keys: Vec<String>,
    sigs: Vec<String>,
    msgs: Vec<String>,
    /// Number, key, signature, message, and a bit for each flag.
    cases: Vec<(u32, usize, usize, usize, u32)>,
}

#[test]
fn small_order_and_other_spellings_are_refused() {
    let text = include_str!("../../../../spec/vectors/third-party/ed25519/cctv.json");
    let Cctv { flags, keys, sigs, msgs, cases } = serde_json::from_str(text).unwrap();
    // What the strict reading refuses. A point with a component of small order is taken as long as
    // the equation holds without multiplying by the cofactor (no residue).
    let refused =
        ["low_order_R", "low_order_A", "low_order_residue", "non_canonical_A", "non_canonical_R"];
    let mask = refused.map(|name| 1 << flags.iter().position(|flag| flag == name).unwrap());
    let mask: u32 = mask.iter().sum();
    let mut n_held = 0;
    for (number, key, signature, message, flags) in &cases {
        let message = crate::hash::hex(msgs[*message].as_bytes());
        let found = holds(&keys[*key], &message, &sigs[*signature]);
        assert_eq!(found, flags & mask == 0, "case {number}");
        n_held += u32::from(found);
    }
    assert_eq!((cases.len(), n_held), (914, 43));
}
