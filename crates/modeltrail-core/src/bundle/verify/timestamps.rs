//! RFC 3161 timestamps: that each is over this checkpoint. Whether its authority signed it is not
//! judged here: that takes the authority's certificate, which an auditor has from the authority, and
//! `openssl ts -verify`.

use std::io::{self, Read, Seek};

use serde::Serialize;

use super::Check;
use super::checkpoint::Signed;
use super::stamp::read_response;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::hash::sha256;

/// A timestamp over the bundle's checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TimestampReport {
    /// Its file.
    pub file: String,
    /// When, by the authority's clock and in its own form: `20260315093000Z`.
    pub time: String,
    /// The file's bytes, for who verifies the signature.
    #[serde(skip)]
    pub response: Vec<u8>,
    /// The certificates beside it (PEM), from whoever made the bundle.
    #[serde(skip)]
    pub certificates: Vec<u8>,
}

impl<R: Read + Seek> Check<R> {
    pub(super) fn check_timestamps(&mut self, signed: &Signed) -> io::Result<()> {
        let paths = self.container.files().filter_map(|(path, _)| BundlePath::parse(path));
        let paths: Vec<BundlePath> = paths.collect();
        for path in paths {
            let other = match path {
                BundlePath::Timestamp(n) => BundlePath::Certificates(n),
                BundlePath::Certificates(n) => BundlePath::Timestamp(n),
                _ => continue,
            };
            self.must_be_here(other);
            if matches!(path, BundlePath::Timestamp(_)) {
                self.check_timestamp(path, other, signed)?;
            }
        }
        Ok(())
    }

    fn check_timestamp(
        &mut self,
        path: BundlePath,
        certificates: BundlePath,
        signed: &Signed,
    ) -> io::Result<()> {
        let (Some(bytes), Some(checkpoint)) =
            (self.container.read(path)?, signed.checkpoint.as_ref())
        else {
            return Ok(());
        };
        let Some((imprint, time)) = read_response(&bytes) else {
            let detail = "it is no granted timestamp response with a SHA-256 imprint";
            self.file(Kind::BadTimestamp, path, detail);
            return Ok(());
        };
        if imprint == sha256(&[checkpoint.note().text().as_bytes()]) {
            self.report.checkpoint_text = checkpoint.note().text().to_owned();
            let certificates = self.container.read(certificates)?.unwrap_or_default();
            let file = path.to_string();
            let stamp = TimestampReport { file, time, response: bytes, certificates };
            self.report.timestamps.push(stamp);
        } else {
            self.file(Kind::BadTimestamp, path, "it is over something else than this checkpoint");
        }
        Ok(())
    }
}
