//! The signed checkpoint, and whom it is believed of.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use super::facts::Facts;
use super::{Check, Pinned};
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::checkpoint::SignedCheckpoint;
use crate::keys::{KeyChange, KeyRole};
use crate::note::{VerifierKey, VerifyError};
use crate::policy::{Policy, VerifiedCheckpoint};
use crate::verify::Keys;

/// The file `checkpoint`.
pub(super) struct Signed {
    pub(super) bytes: Vec<u8>,
    /// `None` when it is none.
    pub(super) checkpoint: Option<SignedCheckpoint>,
}

impl<R: Read + Seek> Check<R> {
    /// `None` when the file is not there.
    pub(super) fn check_checkpoint(&mut self) -> io::Result<Option<Signed>> {
        let Some(bytes) = self.container.read(BundlePath::Checkpoint)? else { return Ok(None) };
        let checkpoint = match SignedCheckpoint::parse(&bytes) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                self.file(Kind::BadCheckpoint, BundlePath::Checkpoint, error.to_string());
                return Ok(Some(Signed { bytes, checkpoint: None }));
            }
        };
        self.check_named(&checkpoint);
        Ok(Some(Signed { bytes, checkpoint: Some(checkpoint) }))
    }

    /// Whether the auditor's keys and policies accept the checkpoint. It comes behind the entries, as `key` entries
    /// say which keys follow from the auditor's.
    pub(super) fn check_trust(
        &mut self,
        signed: &Signed,
        facts: &Facts,
        pinned: &Pinned<'_>,
    ) -> io::Result<()> {
        let own = self.read_policy()?;
        let Some(checkpoint) = &signed.checkpoint else { return Ok(()) };
        let by_keys = self.policy_of_keys(checkpoint, facts, pinned);
        let by_pinned = by_keys.as_ref().map(|policy| (policy, "the key that was given"));
        let by_policy = pinned.policy.map(|policy| (policy, "the policy that was given"));
        let by_own = own.as_ref().map(|policy| (policy, "the bundle's own policy"));
        let mut accepted: Option<VerifiedCheckpoint> = None;
        for (policy, name) in by_policy.into_iter().chain(by_pinned).chain(by_own) {
            match policy.verify(checkpoint) {
                Ok(verified) => {
                    accepted.get_or_insert(verified);
                }
                Err(error) => {
                    let detail = format!("by {name} it is not accepted: {error}");
                    self.file(Kind::UntrustedCheckpoint, BundlePath::Checkpoint, detail);
                    // What the bundle's own policy says is of no use to who does not believe it.
                    break;
                }
            }
        }
        let cosigned = accepted.iter().flat_map(VerifiedCheckpoint::cosigned);
        self.report.cosigned_by = cosigned.map(|by| by.witness.to_string()).collect();
        Ok(())
    }

    /// The keys that were given as a policy, if one of them has to have signed. Where none has, those that
    /// follow from them count beside them.
    fn policy_of_keys(
        &mut self,
        checkpoint: &SignedCheckpoint,
        facts: &Facts,
        pinned: &Pinned<'_>,
    ) -> Option<Policy> {
        if !pinned.has_log(&self.manifest.origin) {
            return None;
        }
        let mut keys = pinned.keys.to_vec();
        if checkpoint.note().verify(&keys) == Err(VerifyError::NoKnownKey) {
            keys.extend(self.following(checkpoint, facts, pinned));
        }
        match Policy::logs_only(keys) {
            Ok(policy) => Some(policy),
            Err(error) => {
                let detail = format!("the keys that were given are of no use: {error}");
                self.file(Kind::UntrustedCheckpoint, BundlePath::Checkpoint, detail);
                None
            }
        }
    }

    /// Checkpoint keys that signed this checkpoint, were in force for it, and follow from a given one of the
    /// ledger's name by the bundle's `key` entries (`spec/control.md`, section 1). The entries go into the report.
    fn following(
        &mut self,
        checkpoint: &SignedCheckpoint,
        facts: &Facts,
        pinned: &Pinned<'_>,
    ) -> Vec<VerifierKey> {
        let origin = &self.manifest.origin;
        if !pinned.keys.iter().any(|key| key.name().as_str() == origin) {
            return Vec::new();
        }
        let read = |(index, change): &(u64, Option<KeyChange>)| Some((*index, change.clone()?));
        let mut changes: Vec<(u64, KeyChange)> = facts.changes.iter().filter_map(read).collect();
        changes.sort_by_key(|(index, _)| *index);
        let keys = Keys::new(origin, pinned.keys.to_vec(), &changes);
        let in_force = keys.in_force(KeyRole::Checkpoint, checkpoint.checkpoint().head().size);
        let made =
            |key: &&VerifierKey| checkpoint.note().signatures().iter().any(|line| key.made(line));
        let found: Vec<&VerifierKey> = in_force.filter(made).collect();
        let ways: BTreeSet<u64> = found.iter().flat_map(|key| keys.way_to(key)).collect();
        self.report.key_followed_by = ways.into_iter().collect();
        found.into_iter().cloned().collect()
    }

    fn read_policy(&mut self) -> io::Result<Option<Policy>> {
        let Some(bytes) = self.container.read(BundlePath::Policy)? else { return Ok(None) };
        match Policy::parse(&bytes) {
            Ok(policy) => Ok(Some(policy)),
            Err(error) => {
                self.file(Kind::BadPolicy, BundlePath::Policy, error.to_string());
                Ok(None)
            }
        }
    }

    /// The manifest must name this checkpoint.
    fn check_named(&mut self, signed: &SignedCheckpoint) {
        let checkpoint = signed.checkpoint();
        let head = checkpoint.head();
        let differing = [
            ("origin", checkpoint.origin() != self.manifest.origin),
            ("size", head.size != self.manifest.checkpoint.size),
            ("root", head.root != self.root),
        ];
        for (what, _) in differing.iter().filter(|(_, differs)| *differs) {
            let detail = format!("its {what} is not the one that the manifest names");
            self.file(Kind::BadCheckpoint, BundlePath::Checkpoint, detail);
        }
    }
}
