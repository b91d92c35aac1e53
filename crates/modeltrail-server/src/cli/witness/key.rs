//! `modeltrail witness key`.

use std::io::Write as _;
use std::path::PathBuf;

use modeltrail_core::note::KeyName;

use crate::cli::context::Context;
use crate::config::{Flag, help};
use crate::exit::{Exit, Failure};
use crate::output::stdout;
use crate::witness::key;

/// Show the witness's verifier key, or make its key
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Make a key with this name; by custom a URL without its scheme, like witness.example.com/w1
    #[arg(long, value_name = "NAME")]
    generate: Option<String>,
    #[arg(long, value_name = "FILE", help = help("witness.key"))]
    key: Option<PathBuf>,
}

impl Args {
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let key = self.key.as_ref().map(|path| path.display().to_string());
        key.map(|value| Flag { key: "witness.key", value }).into_iter().collect()
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let path = &context.settings.witness.key;
    let cosigner = match &args.generate {
        Some(name) => {
            let name =
                KeyName::new(name).map_err(|e| Failure::input(format!("--generate: {e}")))?;
            let cosigner = key::create(path, name)?;
            context.notes.note(&format!(
                "{} holds the secret half. Give the line on standard output to the ledgers' operators and \
                 to whoever checks their checkpoints.",
                path.display()
            ));
            cosigner
        }
        None => key::read(path)?,
    };
    let mut out = stdout();
    writeln!(out, "{}", cosigner.verifier())?;
    out.flush()?;
    Ok(Exit::Fine)
}
