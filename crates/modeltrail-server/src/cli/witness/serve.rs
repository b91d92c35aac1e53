//! `modeltrail witness serve`.

use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::context::Context;
use crate::config::{Flag, help};
use crate::exit::{Exit, Failure};
use crate::output::{Format, json_line, stdout};
use crate::witness::http::Server;
use crate::witness::judge::system_clock;
use crate::witness::{StateDir, Witness, key, parse_logs};

/// Cosign checkpoints over HTTP, as C2SP tlog-witness has it, until SIGTERM or SIGINT
#[derive(clap::Args)]
#[command(
    after_help = "Put a server that speaks TLS before it when it is to be reached from afar. \
                        Requests need no authentication: the log's signature is what counts."
)]
pub(crate) struct Args {
    /// Verifier key of a log, as `modeltrail key show` prints it; once for each, in place of
    /// `witness.logs`
    #[arg(long = "log", value_name = "VKEY")]
    logs: Vec<String>,
    #[arg(long, value_name = "FILE", help = help("witness.key"))]
    key: Option<PathBuf>,
    #[arg(long, value_name = "DIR", help = help("witness.state"))]
    state: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", help = help("witness.listen"))]
    listen: Option<String>,
}

impl Args {
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let path = |path: &PathBuf| path.display().to_string();
        let given = [
            ("witness.logs", (!self.logs.is_empty()).then(|| self.logs.join(" "))),
            ("witness.key", self.key.as_ref().map(path)),
            ("witness.state", self.state.as_ref().map(path)),
            ("witness.listen", self.listen.clone()),
        ];
        let flag = |(key, value): (_, Option<String>)| Some(Flag { key, value: value? });
        given.into_iter().filter_map(flag).collect()
    }
}

#[derive(Serialize)]
struct Ready {
    address: String,
    vkey: String,
    n_logs: usize,
}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let settings = &context.settings.witness;
    let logs = parse_logs(&settings.logs)?;
    let cosigner = key::read(&settings.key)?;
    if StateDir::is_new(&settings.state) {
        key::check_unused(&settings.key, &settings.state)?;
    }
    let state = StateDir::open(&settings.state, cosigner.verifier())?;
    if let Err(error) = key::mark_used(&settings.key, &settings.state) {
        context
            .notes
            .warn(&format!("{error}: the loss of the witness's memory would not be noticed"));
    }
    let witness = Witness::new(cosigner, state, logs, system_clock)?;
    let server = Server::bind(&settings.listen)?;
    let ready = Ready {
        address: format!("http://{}", server.address()),
        vkey: witness.verifier().to_string(),
        n_logs: witness.n_logs(),
    };
    let mut out = stdout();
    match context.settings.format {
        Format::Json => {
            json_line(&mut out, &ready)?;
        }
        _ => {
            let Ready { address, vkey, n_logs } = ready;
            writeln!(out, "address {address}\nvkey {vkey}\nlogs {n_logs}")?;
        }
    }
    out.flush()?;
    drop(out);
    server.run(witness).map_err(Failure::failed)?;
    context.notes.note("stopped");
    Ok(Exit::Fine)
}
