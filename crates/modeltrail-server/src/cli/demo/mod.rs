//! `modeltrail demo`: a walk through everything, on data that comes with the program.

mod steps;
mod tale;
mod tamper;

use std::path::{Path, PathBuf};

use super::context::Notes;
use crate::exit::{Exit, Failure};
use crate::output::{stdout, stdout_has_color};
use steps::Demo;
use tale::Tale;

/// 569 predictions of a tumour classifier, March 2026 (`examples/data/README.md`).
const PREDICTIONS: &str = include_str!("../../../../../examples/data/predictions.jsonl");

/// Walk through recording, asking, reporting and the discovery of an edit
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Work in this folder and keep it, to try the commands oneself
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, notes: Notes) -> Result<Exit, Failure> {
    let (dir, temporary) = match &args.keep {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
            (dir.clone(), None)
        }
        None => {
            let temporary = tempfile::Builder::new().prefix("modeltrail-demo-").tempdir();
            let temporary = temporary.map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let mut tale = Tale::new(stdout(), stdout_has_color());
    let told = tell(&dir, args.keep.is_some(), &mut tale);
    if let Some(temporary) = temporary
        && let Err(error) = temporary.close()
    {
        notes.warn(&format!("{} could not be removed: {error}", dir.display()));
    }
    told
}

/// The steps one after the other. Each computes what it says.
fn tell(dir: &Path, kept: bool, tale: &mut Tale<impl std::io::Write>) -> Result<Exit, Failure> {
    let demo = Demo::new(dir, PREDICTIONS)?;
    let place = if kept { "it stays" } else { "it is removed at the end; --keep DIR keeps it" };
    tale.say(&format!("A walk through modeltrail in {} ({place}).", dir.display()))?;
    demo.create(tale)?;
    demo.record(tale)?;
    demo.redaction(tale)?;
    let story = demo.look_up(tale)?;
    demo.version_on_a_day(tale)?;
    demo.same_input(tale)?;
    demo.model_usage(tale)?;
    demo.data_access(tale)?;
    if !demo.verify(tale)? {
        return Ok(Exit::Findings);
    }
    if !demo.tamper(story, tale)? {
        return Ok(Exit::Findings);
    }
    demo.end(kept, tale)?;
    tale.finish()?;
    Ok(Exit::Fine)
}
