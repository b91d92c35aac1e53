//! The signatures of a bundle's time stamps. They are left to `openssl ts`: certificates and their rules are more
//! than a ledger should have code of its own for.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use modeltrail_core::bundle::{BundleFinding, BundleFindingKind, BundleReport, TimestampReport};
use modeltrail_core::time::parse_rfc3339;

use crate::exit::Failure;

/// Longest that is kept of what openssl says.
const SAID_CHARS_MAX: usize = 200;

/// Holds every time stamp of a bundle against the root certificate in `tsa`. One that does not hold becomes a finding,
/// and is a time stamp no more.
///
/// # Errors
/// When openssl cannot be run, or there is no room for its files.
pub(super) fn verify(report: &mut BundleReport, tsa: &Path) -> Result<(), Failure> {
    let mut held = Vec::new();
    for stamp in std::mem::take(&mut report.timestamps) {
        match check(&stamp, &report.checkpoint_text, tsa)? {
            None => held.push(stamp),
            Some(why) => {
                report.n_findings += 1;
                report.findings.push(BundleFinding {
                    file: stamp.file,
                    line: None,
                    index: None,
                    index_end: None,
                    kind: BundleFindingKind::BadTimestamp,
                    detail: format!("it is not signed under the certificate that was given: {why}"),
                });
            }
        }
    }
    report.timestamps = held;
    Ok(())
}

/// What is wrong with a stamp's signature.
fn check(stamp: &TimestampReport, text: &str, tsa: &Path) -> Result<Option<String>, Failure> {
    let Some(at_s) = unix_s(&stamp.time) else {
        return Ok(Some(format!("{} is no time", stamp.time)));
    };
    let dir = tempfile::tempdir().map_err(Failure::failed)?;
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).map(|()| path).map_err(Failure::failed)
    };
    let (data, response) = (put("text", text.as_bytes())?, put("tsr", &stamp.response)?);
    let chain = put("pem", &stamp.certificates)?;
    let mut command = Command::new("openssl");
    command.args([OsStr::new("ts"), OsStr::new("-verify"), OsStr::new("-data"), data.as_os_str()]);
    command.args([OsStr::new("-in"), response.as_os_str(), OsStr::new("-CAfile"), tsa.as_os_str()]);
    command.args([OsStr::new("-untrusted"), chain.as_os_str()]);
    // The authority's certificate must have been good then, not today.
    command.arg("-attime").arg(at_s.to_string()).stdin(Stdio::null());
    let done = command.output().map_err(|error| {
        let text = format!("openssl could not be run: {error}; install it, or leave out --tsa");
        Failure::failed(text)
    })?;
    let said = String::from_utf8_lossy(&done.stderr);
    let why = said.lines().rev().find(|line| line.contains("error:")).unwrap_or("it does not hold");
    Ok((!done.status.success()).then(|| why.chars().take(SAID_CHARS_MAX).collect()))
}

/// Seconds since 1970 of a GeneralizedTime in UTC, `20260315093000Z`, with digits behind the second or without.
fn unix_s(time: &str) -> Option<i64> {
    let get = |range| time.get(range);
    let (year, month, day) = (get(0..4)?, get(4..6)?, get(6..8)?);
    let (hour, minute, second) = (get(8..10)?, get(10..12)?, get(12..14)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    Some(parse_rfc3339(&text).ok()?.div_euclid(1_000_000_000))
}
