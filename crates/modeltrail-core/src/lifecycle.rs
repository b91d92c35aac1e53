//! What `lifecycle` entries of the ledger's own say: which redaction policy is in force, what a canary scan found,
//! and which epoch of pseudonyms began or ended (`spec/control.md`).
//!
//! The kind is one that callers may submit; those records have no part `control`, and these have nothing
//! else.

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, sha256};
use crate::redact::rules::{policy_lines, text_digest};
use crate::redact::{CanaryReport, ENGINE_VERSION, RULE_PACK_VERSION, Redactor};

/// What happened, by the member `event`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Lifecycle {
    /// This producer's records are redacted under this policy from here on.
    RedactionPolicy(PolicyInForce),
    /// Built-in values were handed to the redactor.
    RedactionCanary(Canary),
    /// The key of an epoch of pseudonyms was made, or destroyed.
    PseudonymEpoch(PseudonymEpoch),
}

/// A policy that is in force from here on for the producer that wrote the entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// The name in the policy's file; a list of rules has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What headers name, 64 hex digits.
    pub policy: String,
    /// What the ledger's newest such entry named, as far as this producer could see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Name and version of the recogniser behind the rules, with a space between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recogniser: Option<String>,
    /// What it says: the canonical form of a policy file, or the lines that the digest of a list of rules is over. Left
    /// out where an earlier entry has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Digest of the policy file's canonical form, 64 hex digits; a list of rules has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_digest: Option<String>,
    /// What reads it.
    pub versions: Versions,
}

/// The same policy masks other bytes under another engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Versions {
    /// Of how texts are read.
    pub engine: u32,
    /// Of rules, words and tables.
    pub rule_pack: u32,
}

impl PolicyInForce {
    /// What a redactor has in force. `previous` is what was before; with `has_text` an earlier entry has the
    /// text.
    #[must_use]
    pub fn of(redactor: &Redactor, previous: Option<String>, has_text: bool) -> Self {
        let policy = redactor.policy();
        let recogniser = redactor.detector().map(|(name, version)| format!("{name} {version}"));
        Self {
            name: policy.map(|policy| policy.name().to_owned()),
            policy: redactor.policy_digest().to_owned(),
            previous,
            recogniser,
            text: (!has_text).then(|| redactor.policy_text()),
            text_digest: policy.map(|policy| policy.digest().to_hex()),
            versions: Versions { engine: ENGINE_VERSION, rule_pack: RULE_PACK_VERSION },
        }
    }

    /// Whether the text is what headers name; false without a text.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let Some(text) = &self.text else { return false };
        let mut lines = match &self.text_digest {
            None => text.clone(),
            Some(digest) => {
                let computed = text_digest(text);
                if Hash::from_hex(digest) != Some(computed) {
                    return false;
                }
                policy_lines(self.versions.engine, self.versions.rule_pack, &computed)
            }
        };
        if let Some(recogniser) = &self.recogniser {
            lines = lines + "detector " + recogniser + "\n";
        }
        sha256(&[lines.as_bytes()]).to_hex() == self.policy
    }
}

/// What a canary scan found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Canary {
    /// Names of the rules whose value was left, `denied_place` for a denied place; never values.
    pub failed: Vec<String>,
    /// In how many documents a value was left.
    pub n_failed: u32,
    /// How many documents were handed over.
    pub n_vectors: u32,
    /// The policy that was in force, as headers name it.
    pub policy: String,
}

impl Canary {
    /// A report under the policy of a redactor.
    #[must_use]
    pub fn of(report: &CanaryReport, redactor: &Redactor) -> Self {
        let CanaryReport { n_vectors, n_failed, failed } = report.clone();
        Self { failed, n_failed, n_vectors, policy: redactor.policy_digest().to_owned() }
    }
}

/// What became of the key of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PseudonymEpoch {
    /// Which epoch, from 0.
    pub number: u32,
    /// What happened.
    pub state: EpochState,
}

/// What happened to the key of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochState {
    /// It was made; recorders that are opened from here on use it.
    Begun,
    /// It was destroyed: tokens of this epoch cannot be linked to values any more.
    Destroyed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::redact::rules::RedactionPolicy;
    use crate::redact::{Detector, DetectorError, DetectorSpan, DetectorText, Rule};
    use crate::{Kind, PartId, Redacted};

    /// Finds nothing.
    struct NoNames;

    impl Detector for NoNames {
        fn name(&self) -> &str {
            "no-names"
        }

        fn version(&self) -> &str {
            "1"
        }

        fn find(&self, _: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError> {
            Ok(Vec::new())
        }
    }

    fn control(lifecycle: Lifecycle) -> (String, Control) {
        let control = Control::Lifecycle(lifecycle);
        let redacted = Redacted::control(&control, 0);
        assert_eq!(redacted.kind(), Kind::Lifecycle);
        let part = redacted.parts().iter().find(|part| part.id == PartId::Control).unwrap();
        assert_eq!(Control::read(Kind::Lifecycle, &part.bytes), Some(control.clone()));
        let text = String::from_utf8(part.bytes.clone()).unwrap();
        let again = crate::canonical::canonicalize(text.as_bytes(), &crate::Limits::default());
        assert_eq!(again.unwrap(), text.as_bytes(), "members stand in canonical order");
        (text, control)
    }

    #[test]
    fn entries_are_canonical_and_come_back() {
        let redactor = Redactor::with_rules(Rule::BASIC);
        let in_force = PolicyInForce::of(&redactor, Some("ab".repeat(32)), false);
        assert!(in_force.is_proven());
        control(Lifecycle::RedactionPolicy(in_force));
        let canary = Canary::of(&redactor.canary(), &redactor);
        control(Lifecycle::RedactionCanary(canary));
        let epoch = PseudonymEpoch { number: 3, state: EpochState::Begun };
        let (text, _) = control(Lifecycle::PseudonymEpoch(epoch));
        assert_eq!(text, r#"{"event":"pseudonym_epoch","number":3,"state":"begun"}"#);
        assert_eq!(Control::read(Kind::Lifecycle, br#"{"event":"of_a_later_version"}"#), None);
    }

    #[test]
    fn a_text_that_is_not_what_headers_name_is_not_proven() {
        let text = "version = 1\nname = 'shop'\n[types]\nemail = 'remove'\n";
        let policy = RedactionPolicy::parse(text, &Rule::TYPES).unwrap();
        let redactor = Redactor::with_policy(policy, None);
        let in_force = PolicyInForce::of(&redactor, None, false);
        assert_eq!(in_force.name.as_deref(), Some("shop"));
        assert!(in_force.is_proven());
        control(Lifecycle::RedactionPolicy(in_force.clone()));
        assert!(!PolicyInForce::of(&redactor, None, true).is_proven(), "it has no text");
        let mut other = in_force.clone();
        other.text = other.text.map(|text| text.replace("remove", "keep"));
        assert!(!other.is_proven());
        let mut other = in_force.clone();
        other.versions.rule_pack += 1;
        assert!(!other.is_proven());
        let with = redactor.with_detector(std::sync::Arc::new(NoNames));
        assert!(PolicyInForce::of(&with, None, false).is_proven());
        let mut other = PolicyInForce::of(&with, None, false);
        control(Lifecycle::RedactionPolicy(other.clone()));
        other.recogniser = Some("no-names 2".to_owned());
        assert!(!other.is_proven());
        let rules = Redactor::with_rules(Rule::BASIC).with_detector(std::sync::Arc::new(NoNames));
        assert!(PolicyInForce::of(&rules, None, false).is_proven());
        let mut other = in_force;
        other.text_digest = None;
        assert!(!other.is_proven());
    }
}
