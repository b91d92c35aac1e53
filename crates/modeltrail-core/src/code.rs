//! The registries of kind, part and encoding codes (`spec/leaf.md`). A code is never re-used.

/// Declares an enum whose variants have a one-way code and a name, with lookups both ways.
macro_rules! registry {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every member of the registry, ascending by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code that is written.
            #[must_use]
            pub const fn code(self) -> $repr {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The member with this code; `None` for a code of a later version.
            #[must_use]
            pub const fn from_code(code: $repr) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The name used in JSON, the CLI and the documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The member with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

registry! {
    /// What an entry tells of.
    Kind: u8 {
        /// A model answered.
        Prediction = 1, "prediction";
        /// A person looked at a prediction.
        Oversight = 2, "oversight";
        /// A decision taken on predictions.
        Decision = 3, "decision";
        /// What became true later.
        Outcome = 4, "outcome";
        /// Something went wrong.
        Incident = 5, "incident";
        /// A model or policy was deployed, changed or withdrawn.
        Lifecycle = 6, "lifecycle";
        /// A conversation or run began or ended.
        Session = 7, "session";
        /// A request is about to be forwarded.
        Intent = 8, "intent";
        /// A later record under a request id that is taken, with other content.
        Conflict = 9, "conflict";
        /// Record content was read.
        Access = 16, "access";
        /// Parts were erased.
        Erasure = 17, "erasure";
        /// A retention rule was set or applied.
        Retention = 18, "retention";
        /// A legal hold was placed or released.
        Hold = 19, "hold";
        /// Producer numbers that became no entry.
        Gap = 20, "gap";
        /// A signing key was made, rotated or withdrawn.
        Key = 21, "key";
        /// A producer opened, lives or closed.
        Producer = 22, "producer";
        /// The first entry of a ledger that goes on where another had to end.
        Epoch = 23, "epoch";
    }
}

impl Kind {
    /// True for kinds that a caller may submit; the others are the product's own.
    #[must_use]
    pub const fn is_submittable(self) -> bool {
        self.code() < 8
    }

    /// True for kinds whose entry carries a `control` part.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.code() >= 16
    }

    /// True for kinds whose request id is unique in the ledger.
    #[must_use]
    pub const fn has_unique_request_id(self) -> bool {
        self.code() < 8
    }
}

registry! {
    /// The parts that a leaf commits to. Commitments are taken in ascending code order.
    PartId: u16 {
        /// What the entry is, with no personal data and no free text.
        Header = 1, "header";
        /// What the model was given.
        Input = 2, "input";
        /// What the model answered.
        Output = 3, "output";
        /// Who asked, whom it is about, how the record is linked.
        Parties = 4, "parties";
        /// Anything else the caller wants kept.
        Metadata = 5, "metadata";
        /// What pins reproducibility.
        Pipeline = 6, "pipeline";
        /// What failed.
        Error = 7, "error";
        /// What a control entry says; never erased.
        Control = 8, "control";
    }
}

impl PartId {
    /// True for parts that an erasure can take. The header stays, so that counts in old reports can be
    /// checked, and what a control entry says stays too.
    #[must_use]
    pub const fn is_erasable(self) -> bool {
        !matches!(self, Self::Header | Self::Control)
    }
}

registry! {
    /// How a part's bytes are to be read.
    Encoding: u8 {
        /// Canonical JSON (`spec/record.md`).
        Json = 1, "json";
        /// Bytes as they came; the media type is in the header.
        Raw = 2, "raw";
    }
}

registry! {
    /// Whether the model answered.
    Status: u8 {
        /// It answered.
        Success = 1, "success";
        /// It failed; the error says how.
        Failure = 2, "failure";
        /// It is not known what became of the request.
        Unknown = 3, "unknown";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_go_both_ways() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
        }
        assert!(PartId::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        assert_eq!(Encoding::from_code(0), None);
    }

    #[test]
    fn only_the_product_writes_control_kinds() {
        assert!(Kind::ALL.iter().all(|kind| !(kind.is_control() && kind.is_submittable())));
        assert!(!Kind::Conflict.has_unique_request_id());
    }
}
