//! `modeltrail receipt`.

use std::io::Write as _;
use std::path::PathBuf;

use modeltrail::Reader;

use super::behind;
use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::files::{self, For};
use crate::output::stdout;

/// Write an entry's receipt: that it stands in the ledger, for anybody to check
#[derive(clap::Args)]
#[command(
    after_help = "The receipt is a C2SP tlog-proof. `modeltrail verify --receipt FILE --key VKEY` checks it, as \
                  does docs/verify.py. An entry that no checkpoint covers yet has none: exit code 3.\n\
                  In a shell, quote '#12'."
)]
pub(crate) struct Args {
    /// A request id, or # and an index
    #[arg(value_name = "ID")]
    id: String,
    /// Write it to a new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let reader = context.reader()?;
    behind::warn(&context.ledger()?, reader.size()?, context);
    let receipt = reader.receipt(index(args, &reader)?)?.to_string();
    let Some(path) = &args.output else {
        let mut out = stdout();
        out.write_all(receipt.as_bytes())?;
        out.flush()?;
        return Ok(Exit::Fine);
    };
    match files::create(path, receipt.as_bytes(), For::Everybody) {
        Ok(()) => Ok(Exit::Fine),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = format!("{} is there already; name a new file", path.display());
            Err(Failure::input(text))
        }
        Err(error) => Err(Failure::file(path, &error)),
    }
}

/// The entry's index; of a request id that others came under too, the first one's.
fn index(args: &Args, reader: &Reader) -> Result<u64, Failure> {
    if let Some(digits) = args.id.strip_prefix('#') {
        let refused = |_| Failure::input(format!("`{}` is no index; write it like #12", args.id));
        return digits.parse().map_err(refused);
    }
    let entries = reader.by_request_id(&args.id)?;
    let none = || {
        let text = format!("no entry {} in {}", args.id, reader.origin());
        Failure::failed(text).hint("`modeltrail query` finds entries by what is known")
    };
    entries.first().map(|entry| entry.leaf.index).ok_or_else(none)
}
