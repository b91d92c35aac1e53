//! Reading policies, line by line.

use super::{
    Group, Member, N_DEFINED_MAX, Octets, POLICY_BYTES_MAX, Policy, PolicyLog, PolicyWitness,
    Threshold,
};
use crate::lines::parse_decimal;
use crate::note::{KeyError, VerifierKey};

/// Why bytes are no policy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyParseError {
    /// Longer than [`POLICY_BYTES_MAX`].
    #[error("a policy has at most {POLICY_BYTES_MAX} bytes, this one {0}")]
    TooLong(usize),
    /// The last line has no line feed, so that the rest of it may be missing.
    #[error("the policy does not end in a line feed; was it cut?")]
    NoLineEnd,
    /// A line is wrong.
    #[error("line {line} of the policy: {error}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        error: PolicyLineError,
    },
    /// There is no quorum line.
    #[error("the policy has no quorum line; write `quorum none` if no witness is needed")]
    NoQuorum,
}

/// What is wrong with a line of a policy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyLineError {
    /// A byte that no policy has.
    #[error("byte {0:#04x}; a policy has no control characters but tab and line feed")]
    Control(u8),
    /// Not one of the four kinds of line.
    #[error("a line begins with log, witness, group, quorum or #")]
    Keyword,
    /// Words are missing, or too many.
    #[error("it should read `{0}`")]
    Words(&'static str),
    /// The key is none, or of a type that does not do this.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The same public key is in another line of the same kind, whatever its name.
    #[error("this key is in another line already; one key counts once")]
    KeyTwice,
    /// The name is defined already.
    #[error("the name {0:?} is defined already")]
    NameTaken(String),
    /// `none` is what a quorum is called that needs nobody.
    #[error("`none` cannot be defined; it is the quorum without witnesses")]
    NameNone,
    /// No line before defines this name.
    #[error("no line before this one defines {0:?}")]
    NotDefined(String),
    /// The name is a member already; every witness counts in one way only.
    #[error("{0:?} is a member of a group already; every name is at most once")]
    MemberTwice(String),
    /// Not a number of members.
    #[error("the number must be all, any, or from 1 to {0}, the number of members")]
    Threshold(usize),
    /// A second quorum line.
    #[error("there is a quorum line already")]
    QuorumTwice,
    /// More lines of one kind than [`N_DEFINED_MAX`].
    #[error("a policy has at most {N_DEFINED_MAX} logs, witnesses and groups each")]
    TooMany,
}

pub(super) fn policy(bytes: &[u8]) -> Result<Policy, PolicyParseError> {
    if bytes.len() > POLICY_BYTES_MAX {
        return Err(PolicyParseError::TooLong(bytes.len()));
    }
    if bytes.is_empty() {
        return Err(PolicyParseError::NoQuorum);
    }
    let body = bytes.strip_suffix(b"\n").ok_or(PolicyParseError::NoLineEnd)?;
    let mut reader = Reader { policy: Policy::empty(), members: Vec::new(), has_quorum: false };
    for (line, text) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        reader.line(text).map_err(|error| PolicyParseError::Line { line, error })?;
    }
    if reader.has_quorum { Ok(reader.policy) } else { Err(PolicyParseError::NoQuorum) }
}

struct Reader {
    policy: Policy,
    /// Names that are members of groups.
    members: Vec<Member>,
    has_quorum: bool,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyLineError> {
        let refused = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
        if let Some(byte) = line.iter().copied().find(refused) {
            return Err(PolicyLineError::Control(byte));
        }
        let words = line.split(|byte| *byte == b' ' || *byte == b'\t');
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        match words.split_first() {
            None => Ok(()),
            Some((first, _)) if first.starts_with(b"#") => Ok(()),
            Some((&b"log", rest)) => self.log(rest),
            Some((&b"witness", rest)) => self.witness(rest),
            Some((&b"group", rest)) => self.group(rest),
            Some((&b"quorum", rest)) => self.quorum(rest),
            Some(_) => Err(PolicyLineError::Keyword),
        }
    }

    fn log(&mut self, words: &[&[u8]]) -> Result<(), PolicyLineError> {
        let (key, url) = match words {
            [key] => (key, None),
            [key, url] => (key, Some(octets(url))),
            _ => return Err(PolicyLineError::Words("log <vkey> [<url>]")),
        };
        self.policy.add_log(PolicyLog { key: parse_key(key)?, url })
    }

    fn witness(&mut self, words: &[&[u8]]) -> Result<(), PolicyLineError> {
        let (name, key, url) = match words {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some(octets(url))),
            _ => return Err(PolicyLineError::Words("witness <name> <vkey> [<url>]")),
        };
        self.policy.add_witness(PolicyWitness { name: octets(name), key: parse_key(key)?, url })
    }

    fn group(&mut self, words: &[&[u8]]) -> Result<(), PolicyLineError> {
        let [name, number, members @ ..] = words else {
            return Err(PolicyLineError::Words("group <name> all|any|<k> <name>..."));
        };
        if members.is_empty() {
            return Err(PolicyLineError::Words("group <name> all|any|<k> <name>..."));
        }
        let threshold = threshold(number, members.len())?;
        let name = octets(name);
        self.policy.name_is_free(&name)?;
        let mut found = Vec::with_capacity(members.len());
        for member in members {
            let place = self.defined(&octets(member))?;
            if self.members.contains(&place) {
                return Err(PolicyLineError::MemberTwice(octets(member).to_string()));
            }
            self.members.push(place);
            found.push(place);
        }
        if self.policy.groups.len() >= N_DEFINED_MAX {
            return Err(PolicyLineError::TooMany);
        }
        self.policy.groups.push(Group { name, threshold, members: found });
        Ok(())
    }

    fn quorum(&mut self, words: &[&[u8]]) -> Result<(), PolicyLineError> {
        let [name] = words else { return Err(PolicyLineError::Words("quorum <name>|none")) };
        if self.has_quorum {
            return Err(PolicyLineError::QuorumTwice);
        }
        self.has_quorum = true;
        self.policy.quorum =
            if *name == b"none" { None } else { Some(self.defined(&octets(name))?) };
        Ok(())
    }

    fn defined(&self, name: &Octets) -> Result<Member, PolicyLineError> {
        let found = self.policy.find(name);
        found.ok_or_else(|| PolicyLineError::NotDefined(name.to_string()))
    }
}

fn octets(bytes: &[u8]) -> Octets {
    Octets(bytes.to_vec())
}

fn parse_key(bytes: &[u8]) -> Result<VerifierKey, KeyError> {
    VerifierKey::parse(std::str::from_utf8(bytes).map_err(|_| KeyError::Name)?)
}

fn threshold(word: &[u8], n_members: usize) -> Result<Threshold, PolicyLineError> {
    match word {
        b"all" => Ok(Threshold::All),
        b"any" => Ok(Threshold::Any),
        digits => {
            let number = std::str::from_utf8(digits).ok().and_then(parse_decimal);
            let number = number.and_then(|number| usize::try_from(number).ok());
            let number = number.filter(|number| (1..=n_members).contains(number));
            number.map(Threshold::Number).ok_or(PolicyLineError::Threshold(n_members))
        }
    }
}
