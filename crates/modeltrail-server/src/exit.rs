//! How a command ends: exit codes, and what is said when it could not do it.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use modeltrail::anchor_file::AnchorFileError;
use modeltrail::bundle::BundleError;
use modeltrail::check::CheckError;
use modeltrail::keys::KeysError;
use modeltrail::reader::ReadError;
use modeltrail::recover::RecoverError;
use modeltrail::redaction::PolicyFileError;
use modeltrail::spool::SpoolError;
use modeltrail::store::StoreError;
use modeltrail::{LedgerError, RecordingError};

/// What scripts can rely on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// All is well.
    Fine,
    /// The command did its work and found something that is not as it should be.
    Findings,
    /// The command line, a setting or a record cannot be taken.
    Input,
    /// It could not be done.
    Failed,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Input => 2,
            Self::Failed => 3,
        })
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Who reads standard output has gone away: nothing to say.
    Pipe,
    /// To be told as `error: message` and `hint: hint`.
    Told {
        /// The exit code.
        exit: Exit,
        /// What is wrong; further lines are details.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl Failure {
    fn told(exit: Exit, text: impl Display) -> Self {
        // The libraries' messages end in `; what to do`.
        let text = text.to_string();
        let (message, hint) = match text.split_once("; ") {
            Some((message, hint)) if !text.contains('\n') => {
                (message.to_owned(), Some(hint.to_owned()))
            }
            _ => (text, None),
        };
        Self::Told { exit, message, hint }
    }

    /// The command line or what it names cannot be taken.
    pub(crate) fn input(text: impl Display) -> Self {
        Self::told(Exit::Input, text)
    }

    /// It could not be done.
    pub(crate) fn failed(text: impl Display) -> Self {
        Self::told(Exit::Failed, text)
    }

    /// A file cannot be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::failed(format!("{}: {error}", path.display()))
    }

    /// The same with another hint.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, message, .. } => {
                Self::Told { exit, message, hint: Some(hint.into()) }
            }
            Self::Pipe => Self::Pipe,
        }
    }
}

/// Of writing to standard output; files are told with [`Failure::file`].
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::failed(format!("cannot write the answer: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::Url(_) | LedgerError::Origin => Self::input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Ledger(error) => error.into(),
            ReadError::Input(_) => Self::input(error),
            error => Self::failed(error),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Ledger(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        match &error {
            BundleError::Filter(_) | BundleError::Exists(_) => Self::input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(error)
    }
}

impl From<SpoolError> for Failure {
    fn from(error: SpoolError) -> Self {
        Self::failed(error)
    }
}

impl From<AnchorFileError> for Failure {
    fn from(error: AnchorFileError) -> Self {
        Self::failed(error)
    }
}

impl From<PolicyFileError> for Failure {
    fn from(error: PolicyFileError) -> Self {
        let PolicyFileError::Problems { path, problems } = &error else {
            return Self::input(error).hint("mend the setting `redaction.policy`");
        };
        let mut message = match problems.all().len() {
            1 => "the redaction policy cannot be taken".to_owned(),
            n => format!("the redaction policy cannot be taken: {n} problems"),
        };
        for problem in problems.all() {
            message.push_str(&format!("\n  {}:{problem}", path.display()));
        }
        Self::input(message).hint("spec/redaction-policy.md says what a policy can say")
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        match &error {
            RecordingError::Refused(_)
            | RecordingError::Policy(_)
            | RecordingError::Redactor { .. } => Self::input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Recording(error) => error.into(),
            KeysError::Lines
            | KeysError::Origin { .. }
            | KeysError::EpochInUse { .. }
            | KeysError::NoEpoch { .. } => Self::input(error),
            error => Self::failed(error),
        }
    }
}

impl From<RecoverError> for Failure {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Ledger(error) => error.into(),
            RecoverError::Recording(error) => error.into(),
            error @ (RecoverError::Healthy | RecoverError::Memory) => Self::input(error),
            error => Self::failed(error),
        }
    }
}

/// Lets a command that has found something say so even when nobody reads its answer to the end.
pub(crate) fn even_if_unread(written: Result<(), Failure>) -> Result<(), Failure> {
    match written {
        Err(Failure::Pipe) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_becomes_the_hint_and_a_closed_pipe_says_nothing() {
        let Failure::Told { exit, message, hint } = Failure::from(LedgerError::Url("x".into()))
        else {
            panic!("told");
        };
        assert_eq!((exit, message.as_str()), (Exit::Input, "`x` names no store"));
        assert!(hint.unwrap().starts_with("write sqlite:PATH"));
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(matches!(Failure::from(pipe), Failure::Pipe));
        assert!(even_if_unread(Err(Failure::Pipe)).is_ok());
    }
}
