//! `memory`: the most memory that the command line's long work takes, however large the ledger.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::report::{DAYS, END, MODEL};
use crate::outcome::{Outcome, progress};
use crate::setup::{Setup, create_ledger};
use crate::shared::SharedLedger;
use crate::{Failure, Result};

/// Records with `--large`.
const N_LARGE: u64 = 10_000_000;

const PEAK_MIB_MAX: f64 = 128.0;

/// How often the peak is looked at. The kernel keeps it (`VmHWM`), so that only what a process
/// takes in its last milliseconds can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

#[derive(Serialize)]
struct Peak {
    peak_mib: f64,
    seconds: f64,
}

pub(crate) fn run(setup: &Setup, shared: &SharedLedger) -> Result<Outcome> {
    let program = setup.program()?;
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "memory.db")?;
    let n = if setup.large { N_LARGE } else { shared.n };
    progress(&format!("logging {n} records through the command line"))?;
    let log = log(setup, &program, &url, n)?;
    // What `log` made is read where it is the larger one.
    let read = if setup.large { url.as_str() } else { shared.url.as_str() };
    let verify = watch(Command::new(&program).args(["--store", read, "verify"]))?;
    let days = DAYS.to_string();
    let report = watch(Command::new(&program).args([
        "--store",
        read,
        "--format",
        "json",
        "report",
        "model-usage",
        "--model",
        MODEL,
        "--days",
        &days,
        "--as-of",
        END,
    ]))?;
    let met = [&log, &verify, &report].iter().all(|peak| peak.peak_mib <= PEAK_MIB_MAX);
    Ok(Outcome {
        name: "memory",
        baseline: json!({}),
        product: json!({"log": log, "verify": verify, "report": report}),
        ratio: None,
        target: json!({"peak_mib_max": PEAK_MIB_MAX}),
        met,
        n,
        notes: vec!["VmHWM of child processes; log reads from a pipe".to_owned()],
    })
}

fn log(setup: &Setup, program: &Path, url: &str, n: u64) -> Result<Peak> {
    let mut command = Command::new(program);
    command.args(["--store", url, "log", "-"]).stdin(Stdio::piped());
    let begun = Instant::now();
    let mut child = quiet(&mut command).spawn()?;
    let stdin = child.stdin.take().ok_or("the child has no stdin")?;
    let mut generator = setup.generator(n);
    let feeder = std::thread::spawn(move || {
        // A mebibyte: few system calls.
        let mut stdin = BufWriter::with_capacity(1 << 20, stdin);
        while let Some(line) = generator.next_line() {
            stdin.write_all(line.as_bytes())?;
            stdin.write_all(b"\n")?;
        }
        stdin.flush()
    });
    let peak = wait(child, begun)?;
    feeder.join().map_err(|_| Failure::from("the feeder panicked"))??;
    Ok(peak)
}

fn watch(command: &mut Command) -> Result<Peak> {
    let begun = Instant::now();
    wait(quiet(command).spawn()?, begun)
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null())
}

/// Waits for a child and keeps the highest peak seen.
fn wait(mut child: Child, begun: Instant) -> Result<Peak> {
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(high_water_kib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    if !status.success() {
        return Err(format!("modeltrail ended with {status}").into());
    }
    Ok(Peak { peak_mib: peak_kib as f64 / 1024.0, seconds: begun.elapsed().as_secs_f64() })
}

/// `VmHWM` of a process in KiB; `None` once it has ended.
fn high_water_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim_end().parse().ok()
}
