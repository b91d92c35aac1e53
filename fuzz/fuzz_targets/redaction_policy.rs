//! Any text as a policy, and behind a zero byte any document under it: no panic, a reason for what is
//! refused, and of a policy that can be read nothing left for a second pass.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modeltrail_core::Limits;
use modeltrail_core::canonical::canonicalize;
use modeltrail_core::redact::rules::{PseudonymKey, RedactionPolicy};
use modeltrail_core::redact::{RedactError, Redactor, Rule};

fuzz_target!(|text: &str| {
    let (policy, document) = text.split_once('\0').unwrap_or((text, "[]"));
    let policy = match RedactionPolicy::parse(policy, &Rule::TYPES) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(!problems.all().is_empty(), "refused without a reason");
            return;
        }
    };
    let redactor = Redactor::with_policy(policy, Some(PseudonymKey::new(0, &[7; 32])));
    let limits = Limits::default();
    let Ok(json) = canonicalize(document.as_bytes(), &limits) else { return };
    match redactor.redact_json(&json) {
        Ok(Some((masked, counts))) => {
            assert!(!counts.is_empty(), "masked, and nothing counted");
            let canonical = canonicalize(&masked, &limits).expect("what is written is JSON");
            assert_eq!(canonical, masked, "what is written is canonical");
            let twice = redactor.redact_json(&masked).map(|twice| twice.map(|(json, _)| json));
            assert!(twice.is_ok_and(|twice| twice.is_none_or(|json| json == masked)), "once more");
        }
        Ok(None) | Err(RedactError::NotSettled { .. }) => {}
        Err(error) => panic!("canonical JSON is refused: {error}"),
    }
});
