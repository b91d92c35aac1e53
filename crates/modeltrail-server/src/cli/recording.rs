//! How commands that record open a recorder: by the settings.

use std::time::Duration;

use modeltrail::{OnFull, Recorder, RecorderOptions};

use crate::config::{OnFullChoice, Settings};
use crate::exit::Failure;

/// Options of a recorder; `mode` is the way in, as headers name it, `block` how long a record waits for room where the
/// settings say that it waits.
///
/// # Errors
/// When the redaction policy cannot be taken.
pub(crate) fn options(
    settings: &Settings,
    mode: &str,
    block: Duration,
) -> Result<RecorderOptions, Failure> {
    let options = Recorder::options()
        .capture_mode(mode)
        .limits(settings.limits)
        .redactor(settings.redactor()?)
        .canary(settings.canary)
        .spool(settings.spool)
        .trim(settings.trim)
        .publish(settings.publish)
        .on_full(match settings.on_full {
            OnFullChoice::Block => OnFull::Block(block),
            OnFullChoice::Fail => OnFull::Fail,
            OnFullChoice::Gap => OnFull::Gap,
        });
    Ok(match &settings.spool_dir {
        Some(dir) => options.spool_dir(dir),
        None => options,
    })
}
