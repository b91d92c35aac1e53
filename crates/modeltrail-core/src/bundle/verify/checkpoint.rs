//! The signed checkpoint, and whom it is believed of.

use std::io::{self, Read, Seek};

use super::{Check, Pinned};
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::checkpoint::SignedCheckpoint;
use crate::policy::{Policy, VerifiedCheckpoint};

/// The file `checkpoint`.
pub(super) struct Signed {
    pub(super) bytes: Vec<u8>,
    /// `None` when it is none.
    pub(super) checkpoint: Option<SignedCheckpoint>,
}

impl<R: Read + Seek> Check<R> {
    /// `None` when the file is not there.
    pub(super) fn check_checkpoint(&mut self, pinned: &Pinned<'_>) -> io::Result<Option<Signed>> {
        let Some(bytes) = self.container.read(BundlePath::Checkpoint)? else { return Ok(None) };
        let own = self.read_policy()?;
        let checkpoint = match SignedCheckpoint::parse(&bytes) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                self.file(Kind::BadCheckpoint, BundlePath::Checkpoint, error.to_string());
                return Ok(Some(Signed { bytes, checkpoint: None }));
            }
        };
        self.check_named(&checkpoint);
        let by_keys = self.policy_of_keys(pinned);
        let by_pinned = by_keys.as_ref().map(|policy| (policy, "the key that was given"));
        let by_policy = pinned.policy.map(|policy| (policy, "the policy that was given"));
        let by_own = own.as_ref().map(|policy| (policy, "the bundle's own policy"));
        let mut accepted: Option<VerifiedCheckpoint> = None;
        for (policy, name) in by_policy.into_iter().chain(by_pinned).chain(by_own) {
            match policy.verify(&checkpoint) {
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
        Ok(Some(Signed { bytes, checkpoint: Some(checkpoint) }))
    }

    /// The keys that were given as a policy, if one of them has to have signed.
    fn policy_of_keys(&mut self, pinned: &Pinned<'_>) -> Option<Policy> {
        if !pinned.has_log(&self.manifest.origin) {
            return None;
        }
        match Policy::logs_only(pinned.keys.iter().cloned()) {
            Ok(policy) => Some(policy),
            Err(error) => {
                let detail = format!("the keys that were given are of no use: {error}");
                self.file(Kind::UntrustedCheckpoint, BundlePath::Checkpoint, detail);
                None
            }
        }
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
