//! `modeltrail query`.

mod filter;

pub(crate) use filter::Filter;

use std::io::Write as _;

use modeltrail::{Query, Reader};
use modeltrail_core::query::Cursor;

use super::context::Context;
use super::entry::Entries;
use crate::exit::{Exit, Failure};
use crate::output::{Format, stdout};

/// Find entries, newest first
#[derive(clap::Args)]
#[command(after_help = "All filters that are given must hold.\n\
    Times: 2026-03-15T09:30:00Z, 2026-03-15 (its beginning in UTC), or 7d, 24h, 30m back from now.\n\
    Example, all of one day: modeltrail query --since 2026-03-15 --until 2026-03-16")]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,
    /// Most entries to give; 0 for all
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Go on behind this place: what `next page` said
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    after: Option<String>,
    /// Give the number of entries only
    #[arg(long, conflicts_with_all = ["limit", "after", "lines"])]
    count: bool,
    /// With --format json: an entry a line (NDJSON) instead of an array
    #[arg(long)]
    lines: bool,
}

/// Entries that are held at once: a page of whole entries of 16 MiB each is not held for the rest.
const N_PAGE: usize = 16;

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let reader = context.reader()?;
    let mut query = args.filter.to_query(&reader, context)?;
    if args.count {
        return count(&reader, &query, context);
    }
    if let Some(after) = &args.after {
        let refused =
            || Failure::input(format!("`{after}` is no cursor; take what `next page` said"));
        query.after = Some(Cursor::parse(after).ok_or_else(refused)?);
    }
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut entries = Entries::to_stdout(context.settings.format, args.lines)?;
    let mut n = 0;
    let next = loop {
        let page = reader.query(&query, (limit - n).min(N_PAGE))?;
        n += page.entries.len();
        for entry in &page.entries {
            entries.push(entry)?;
        }
        query.after = page.next;
        if n >= limit || page.next.is_none() {
            break page.next;
        }
    };
    entries.finish()?;
    if n == 0 {
        context.notes.note("nothing found");
    }
    if let Some(next) = next {
        context.notes.note(&format!("next page: --after {}", next.to_text()));
    }
    Ok(Exit::Fine)
}

fn count(reader: &Reader, query: &Query, context: &Context) -> Result<Exit, Failure> {
    let n = reader.count(query)?;
    let mut out = stdout();
    match context.settings.format {
        Format::Table => writeln!(out, "{n}")?,
        Format::Json => writeln!(out, "{{\"count\":{n}}}")?,
        Format::Csv => writeln!(out, "count\n{n}")?,
    }
    out.flush()?;
    Ok(Exit::Fine)
}
