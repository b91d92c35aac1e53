//! Lines of a web server's access log, against what the ledger has from that time.

use std::io::{BufRead as _, Read as _};
use std::path::Path;

use modeltrail::Reader;
use modeltrail::capture::{CaptureConfig, Plan};
use modeltrail::{Kind, Query, small_file};
use modeltrail_core::PartId;
use modeltrail_core::record::Header;
use serde::Serialize;

use super::Check;
use crate::cli::context::Context;
use crate::cli::log::Source;
use crate::exit::Failure;

const CHECK: &str = "access log";

/// Longest line that is looked at: servers take request lines of 8 KiB, and a log repeats three headers beside it.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Longest configuration of capture.
const CONFIG_BYTES_MAX: usize = 1024 * 1024;

/// A second, in which a log's times are.
const SECOND_NS: i64 = 1_000_000_000;

/// What was counted in the log and in the ledger.
#[derive(Default, Serialize)]
pub(super) struct Figures {
    /// Lines that tell of a request that is to be captured, in the times that were asked for.
    n_requests: u64,
    /// Captured requests that the ledger has from the same time.
    n_recorded: u64,
    /// Lines of other requests.
    n_others: u64,
    /// Lines that tell of no request, or are too long.
    n_unread: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ns: Option<i64>,
}

/// A request as a line of the log tells of it.
#[derive(PartialEq, Eq, Debug)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    time_ns: Option<i64>,
}

/// The plan of a configuration of capture, or of none.
pub(super) fn plan(file: Option<&Path>) -> Result<Plan, Failure> {
    let config = match file {
        None => CaptureConfig::default(),
        Some(path) => {
            let text = small_file::read_text(path, CONFIG_BYTES_MAX)
                .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
            CaptureConfig::from_toml(&text)
                .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?
        }
    };
    config.plan().map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::input(lines.join("\n"))
    })
}

pub(super) fn figures(
    path: &Path,
    plan: &Plan,
    (since_ns, until_ns): (Option<i64>, Option<i64>),
    context: &Context,
) -> Result<(Figures, Check), Failure> {
    let mut source = Source::open(Some(path), context.notes)?;
    let mut figures = Figures::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut source.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let n = read.map_err(|error| Failure::failed(format!("{}: {error}", source.name)))?;
        if n == 0 {
            break;
        }
        if n as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            source.from.skip_until(b'\n').map_err(Failure::failed)?;
            figures.n_unread += 1;
            continue;
        }
        figures.take(&line, plan, since_ns, until_ns);
    }
    let from = since_ns.or(figures.first_ns);
    let to = until_ns.or_else(|| figures.last_ns.map(|ns| ns.saturating_add(SECOND_NS)));
    figures.n_recorded = recorded(context, from, to)?;
    let check = figures.check();
    Ok((figures, check))
}

impl Figures {
    fn take(&mut self, line: &[u8], plan: &Plan, since_ns: Option<i64>, until_ns: Option<i64>) {
        let Some(line) = std::str::from_utf8(line).ok().and_then(read_line) else {
            self.n_unread += 1;
            return;
        };
        let inside = |ns: i64| {
            since_ns.is_none_or(|since| ns >= since) && until_ns.is_none_or(|until| ns < until)
        };
        if !line.time_ns.is_none_or(inside) {
            return;
        }
        let (path, query) = match line.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (line.path, None),
        };
        if plan.begin(line.method, path, query).is_none() {
            self.n_others += 1;
            return;
        }
        self.n_requests += 1;
        if let Some(ns) = line.time_ns {
            self.first_ns = Some(self.first_ns.map_or(ns, |first| first.min(ns)));
            self.last_ns = Some(self.last_ns.map_or(ns, |last| last.max(ns)));
        }
    }

    fn check(&self) -> Check {
        let Self { n_requests, n_recorded, n_unread, .. } = self;
        if *n_requests == 0 {
            let what = format!("no line tells of a request that is captured ({n_unread} unread)");
            return Check::wrong(CHECK, what);
        }
        let mut what = format!("{n_requests} requests in the log, {n_recorded} in the ledger");
        if self.first_ns.is_none() {
            what += " in all (the log has no times)";
        }
        if *n_unread > 0 {
            what += &format!("; {n_unread} lines were not understood");
        }
        if n_recorded < n_requests {
            let n = n_requests - n_recorded;
            what += &format!("; {n} are missing: is every way to the model captured?");
            return Check::wrong(CHECK, what);
        }
        Check::ok(CHECK, what)
    }
}

/// Captured requests in the ledger between two times.
fn recorded(
    context: &Context,
    since_ns: Option<i64>,
    until_ns: Option<i64>,
) -> Result<u64, Failure> {
    let reader: Reader = context.reader()?;
    let query = Query { kind: Some(Kind::Prediction), since_ns, until_ns, ..Query::default() };
    let mut n = 0;
    reader.each::<modeltrail::reader::ReadError>(&query, |_, entry| {
        let header = entry.parts.iter().find(|part| part.id == PartId::Header);
        let header = header.and_then(|part| serde_json::from_slice::<Header<'_>>(&part.bytes).ok());
        n += u64::from(header.is_some_and(|header| modeltrail::coverage::is_captured(&header)));
        Ok(())
    })?;
    Ok(n)
}

/// A line of the common or combined log format (NCSA, as Apache and nginx write it): the time in brackets, the
/// request in quotes. A line without a time, as uvicorn writes it, is read too.
fn read_line(line: &str) -> Option<Line<'_>> {
    let (before, rest) = line.split_once('"')?;
    let (request, _) = rest.split_once('"')?;
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    if !is_method || !words.next()?.starts_with("HTTP/") || !path.starts_with('/') {
        return None;
    }
    let time = before.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']'));
    Some(Line { method, path, time_ns: time.and_then(|(text, _)| time_ns(text)) })
}

/// `10/Oct/2000:13:55:36 -0700` as nanoseconds since 1970 UTC.
fn time_ns(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, rest) = rest.split_once(':')?;
    let (clock, zone) = rest.split_once(' ')?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (hours, minutes) = zone.split_at_checked(3)?;
    let text = format!("{year}-{month:02}-{day}T{clock}{hours}:{minutes}");
    modeltrail_core::time::parse_rfc3339(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_servers_are_read() {
        let combined = "203.0.113.9 - jane [10/Oct/2000:13:55:36 -0700] \"POST /predict?x=1 HTTP/1.1\" 200 12 \"-\" \"curl\"";
        let at = modeltrail_core::time::parse_rfc3339("2000-10-10T20:55:36Z").unwrap();
        let expected = Line { method: "POST", path: "/predict?x=1", time_ns: Some(at) };
        assert_eq!(read_line(combined), Some(expected));
        let uvicorn = "INFO:     127.0.0.1:53210 - \"POST /predict HTTP/1.1\" 200 OK";
        let expected = Line { method: "POST", path: "/predict", time_ns: None };
        assert_eq!(read_line(uvicorn), Some(expected));
        for other in ["", "started", "x \"y\" z", "- [x] \"\\x16\\x03\" 400 0 \"-\""] {
            assert_eq!(read_line(other), None, "{other}");
        }
    }
}
