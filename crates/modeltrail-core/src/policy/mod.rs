//! Whom to believe, as C2SP tlog-policy has it: the logs, the witnesses, and how many of these must
//! have cosigned a checkpoint.
//!
//! ```text
//! log example.com/ledger+…
//! witness a a.example+…
//! witness b b.example+…
//! group both all a b
//! quorum both
//! ```

mod parse;
#[cfg(test)]
mod tests;

pub use parse::{PolicyLineError, PolicyParseError};

use std::fmt;

use crate::checkpoint::SignedCheckpoint;
use crate::note::{KeyKind, Verified, VerifierKey, VerifyError};

/// Longest policy in bytes: all that is allowed below, with addresses and comments.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// Most logs, most witnesses and most groups of a policy, each. C2SP asks for 32; more than this is
/// no list that somebody has thought about.
pub const N_DEFINED_MAX: usize = 128;

/// A name or an address in a policy. C2SP has them as octets, of which nothing is to be known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(Vec<u8>);

impl Octets {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Octets {
    /// As text, with what is not UTF-8 replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A log that is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyLog {
    /// Its key; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it can be reached.
    pub url: Option<Octets>,
}

/// A witness that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyWitness {
    /// Its name within the policy.
    pub name: Octets,
    /// Its key.
    pub key: VerifierKey,
    /// Where it can be reached.
    pub url: Option<Octets>,
}

/// A witness or a group, by its place in the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// How many members of a group must have cosigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Threshold {
    All,
    Any,
    Number(usize),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    name: Octets,
    threshold: Threshold,
    members: Vec<Member>,
}

/// A policy. Comments of its text are not kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    /// `None` stands for `quorum none`.
    quorum: Option<Member>,
}

/// Why a policy does not accept a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// No `log` line is of this origin.
    #[error("the policy has no log named {origin:?}; add its verifier key in a log line")]
    UnknownLog {
        /// The checkpoint's origin.
        origin: String,
    },
    /// A signature by a key of the policy does not hold, or there is none.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// Witnesses have cosigned, but not the log.
    #[error("the log itself has not signed this checkpoint")]
    NoLogSignature,
    /// Too few witnesses.
    #[error(
        "cosigned by {n_cosigned} of {n_witnesses} witnesses, which is not the quorum {quorum}"
    )]
    Quorum {
        /// Name of the quorum's witness or group.
        quorum: String,
        /// Witnesses of the policy that have cosigned.
        n_cosigned: usize,
        /// Witnesses of the policy.
        n_witnesses: usize,
    },
}

/// A cosignature that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub witness: Octets,
    /// When it saw the checkpoint, by its own clock: seconds since 1970 UTC.
    pub time_s: u64,
}

/// A checkpoint that a policy accepts. Only [`Policy::verify`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedCheckpoint {
    signed: SignedCheckpoint,
    cosigned: Vec<Cosigned>,
}

impl VerifiedCheckpoint {
    /// The checkpoint with all its signatures, those by unknown keys among them.
    #[must_use]
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The cosignatures by witnesses of the policy, in the order of the lines.
    #[must_use]
    pub fn cosigned(&self) -> &[Cosigned] {
        &self.cosigned
    }
}

impl Policy {
    /// A policy that believes logs by their own signature, without witnesses: `quorum none`.
    ///
    /// # Errors
    /// What is wrong with a key: it is not of type 0x01, or is there twice.
    pub fn logs_only(keys: impl IntoIterator<Item = VerifierKey>) -> Result<Self, PolicyLineError> {
        let mut policy = Self::empty();
        for key in keys {
            policy.add_log(PolicyLog { key, url: None })?;
        }
        Ok(policy)
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyParseError> {
        parse::policy(bytes)
    }

    const fn empty() -> Self {
        Self { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: None }
    }

    fn add_log(&mut self, log: PolicyLog) -> Result<(), PolicyLineError> {
        has_kind(&log.key, KeyKind::Ed25519)?;
        if self.logs.iter().any(|other| other.key.public() == log.key.public()) {
            return Err(PolicyLineError::KeyTwice);
        }
        if self.logs.len() >= N_DEFINED_MAX {
            return Err(PolicyLineError::TooMany);
        }
        self.logs.push(log);
        Ok(())
    }

    fn add_witness(&mut self, witness: PolicyWitness) -> Result<(), PolicyLineError> {
        has_kind(&witness.key, KeyKind::CosignatureV1)?;
        if self.witnesses.iter().any(|other| other.key.public() == witness.key.public()) {
            return Err(PolicyLineError::KeyTwice);
        }
        self.name_is_free(&witness.name)?;
        if self.witnesses.len() >= N_DEFINED_MAX {
            return Err(PolicyLineError::TooMany);
        }
        self.witnesses.push(witness);
        Ok(())
    }

    fn name_is_free(&self, name: &Octets) -> Result<(), PolicyLineError> {
        if name.as_bytes() == b"none" {
            return Err(PolicyLineError::NameNone);
        }
        let taken = self.find(name).is_some();
        if taken { Err(PolicyLineError::NameTaken(name.to_string())) } else { Ok(()) }
    }

    fn find(&self, name: &Octets) -> Option<Member> {
        let witness = self.witnesses.iter().position(|witness| &witness.name == name);
        let group = || self.groups.iter().position(|group| &group.name == name);
        witness.map(Member::Witness).or_else(|| group().map(Member::Group))
    }

    /// The logs, in the order of their lines.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of their lines.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether a checkpoint without any cosignature is accepted.
    #[must_use]
    pub const fn needs_no_witness(&self) -> bool {
        self.quorum.is_none()
    }

    /// Accepts a checkpoint that a log of the policy with the checkpoint's origin has signed, and
    /// that the quorum has cosigned. Signatures by other keys are passed over.
    ///
    /// # Errors
    /// Why it does not.
    pub fn verify(&self, signed: &SignedCheckpoint) -> Result<VerifiedCheckpoint, PolicyError> {
        let origin = signed.checkpoint().origin();
        let logs = self.logs.iter().filter(|log| log.key.name().as_str() == origin);
        let mut keys: Vec<&VerifierKey> = logs.map(|log| &log.key).collect();
        if keys.is_empty() {
            return Err(PolicyError::UnknownLog { origin: origin.to_owned() });
        }
        keys.extend(self.witnesses.iter().map(|witness| &witness.key));
        let verified = signed.note().verify(keys.iter().copied())?;
        if !verified.iter().any(|signature| signature.key.kind() == KeyKind::Ed25519) {
            return Err(PolicyError::NoLogSignature);
        }
        let by: Vec<(usize, u64)> =
            verified.iter().filter_map(|signature| self.witness_of(signature)).collect();
        let cosigned = |at| by.iter().any(|(witness, _)| *witness == at);
        if !self.quorum.is_none_or(|quorum| self.has_cosigned(quorum, &cosigned)) {
            return Err(self.no_quorum(&cosigned));
        }
        let named = by.iter().filter_map(|(at, time_s)| {
            let witness = self.witnesses.get(*at)?.name.clone();
            Some(Cosigned { witness, time_s: *time_s })
        });
        Ok(VerifiedCheckpoint { signed: signed.clone(), cosigned: named.collect() })
    }

    fn witness_of(&self, signature: &Verified<'_>) -> Option<(usize, u64)> {
        let at = self.witnesses.iter().position(|witness| &witness.key == signature.key)?;
        Some((at, signature.time_s?))
    }

    /// Each name is a member at most once, so this visits each witness and group at most once.
    fn has_cosigned(&self, member: Member, cosigned: &impl Fn(usize) -> bool) -> bool {
        let group = match member {
            Member::Witness(at) => return cosigned(at),
            Member::Group(at) => self.groups.get(at),
        };
        let Some(group) = group else { return false };
        let n = group.members.iter().filter(|member| self.has_cosigned(**member, cosigned)).count();
        n >= match group.threshold {
            Threshold::All => group.members.len(),
            Threshold::Any => 1,
            Threshold::Number(k) => k,
        }
    }

    fn no_quorum(&self, cosigned: &impl Fn(usize) -> bool) -> PolicyError {
        let n_witnesses = self.witnesses.len();
        let n_cosigned = (0..n_witnesses).filter(|at| cosigned(*at)).count();
        let quorum = String::from_utf8_lossy(self.name_of(self.quorum)).into_owned();
        PolicyError::Quorum { quorum, n_cosigned, n_witnesses }
    }

    fn name_of(&self, member: Option<Member>) -> &[u8] {
        let name = match member {
            None => None,
            Some(Member::Witness(at)) => self.witnesses.get(at).map(|witness| &witness.name),
            Some(Member::Group(at)) => self.groups.get(at).map(|group| &group.name),
        };
        name.map_or(b"none", Octets::as_bytes)
    }

    /// The policy's text: logs, witnesses, groups, quorum. Bytes, as names need not be UTF-8.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = |words: &[&[u8]]| {
            out.extend(words.join(&b' '));
            out.push(b'\n');
        };
        for PolicyLog { key, url } in &self.logs {
            let key = key.to_string();
            let words: [&[u8]; 2] = [b"log", key.as_bytes()];
            line(&words.into_iter().chain(url.as_ref().map(Octets::as_bytes)).collect::<Vec<_>>());
        }
        for PolicyWitness { name, key, url } in &self.witnesses {
            let key = key.to_string();
            let words: [&[u8]; 3] = [b"witness", name.as_bytes(), key.as_bytes()];
            line(&words.into_iter().chain(url.as_ref().map(Octets::as_bytes)).collect::<Vec<_>>());
        }
        for Group { name, threshold, members } in &self.groups {
            let number = match threshold {
                Threshold::All => "all".to_owned(),
                Threshold::Any => "any".to_owned(),
                Threshold::Number(k) => k.to_string(),
            };
            let words: [&[u8]; 3] = [b"group", name.as_bytes(), number.as_bytes()];
            let members = members.iter().map(|member| self.name_of(Some(*member)));
            line(&words.into_iter().chain(members).collect::<Vec<_>>());
        }
        line(&[b"quorum", self.name_of(self.quorum)]);
        out
    }
}

fn has_kind(key: &VerifierKey, needed: KeyKind) -> Result<(), PolicyLineError> {
    if key.kind() == needed {
        return Ok(());
    }
    let (needed, found) = (needed.code(), key.kind().code());
    Err(PolicyLineError::Key(crate::note::KeyError::OtherKind { needed, found }))
}
