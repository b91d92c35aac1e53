//! What one `key` entry says.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::note::{Note, NoteError, SignatureLine, VerifierKey};

/// What happened to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEvent {
    /// The first key of its role.
    Added,
    /// A further key takes over from one in force; until that one is retired both are in force.
    Rotated,
    /// A key is no longer in force.
    Retired,
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Signs checkpoints. Its name is the ledger's origin.
    Checkpoint,
    /// Signs what people decide: erasures, holds, and changes of keys. Best kept on another machine.
    Authority,
}

/// Why a key was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyReason {
    /// The ledger, or this role in it, began.
    Created,
    /// Nothing happened; keys are changed from time to time.
    Routine,
    /// Somebody else may have the key.
    Compromised,
    /// Nobody has the key any more.
    Lost,
}

/// Gives each variant the name that its JSON has.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ }) => {
        impl $type {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name used in JSON, the CLI and the documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names!(KeyEvent { Added = "added", Rotated = "rotated", Retired = "retired" });
names!(KeyRole { Checkpoint = "checkpoint", Authority = "authority" });
names!(KeyReason {
    Created = "created",
    Routine = "routine",
    Compromised = "compromised",
    Lost = "lost"
});

/// The part `control` of a `key` entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyChange {
    /// What happened.
    pub event: KeyEvent,
    /// [`KeyChange::text`] as a signed note; empty before [`KeyChange::sign`].
    pub note: String,
    /// Why.
    pub reason: KeyReason,
    /// The vkey of the key that it takes over from, of [`KeyEvent::Rotated`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What the key is for.
    pub role: KeyRole,
    /// The key itself, as C2SP writes verifier keys.
    pub vkey: String,
}

impl KeyChange {
    /// A change that nobody has signed yet.
    #[must_use]
    pub fn new(event: KeyEvent, role: KeyRole, key: &VerifierKey, reason: KeyReason) -> Self {
        let (note, vkey) = (String::new(), key.to_string());
        Self { event, note, reason, replaces: None, role, vkey }
    }

    /// Says which key it takes over from.
    #[must_use]
    pub fn replacing(mut self, key: &VerifierKey) -> Self {
        self.replaces = Some(key.to_string());
        self
    }

    /// What is signed: that this is about a key of the ledger `origin`, and all of the change.
    #[must_use]
    pub fn text(&self, origin: &str) -> String {
        let Self { event, role, vkey, reason, .. } = self;
        let replaces = self.replaces.as_deref().unwrap_or("-");
        format!("modeltrail/v1/key\n{origin}\n{event}\n{role}\n{vkey}\n{replaces}\n{reason}\n")
    }

    /// Takes the signatures over [`KeyChange::text`].
    ///
    /// # Errors
    /// When there are none, or more than a note can have.
    pub fn sign(mut self, origin: &str, lines: Vec<SignatureLine>) -> Result<Self, NoteError> {
        self.note = Note::new(self.text(origin), lines)?.to_string();
        Ok(self)
    }
}
