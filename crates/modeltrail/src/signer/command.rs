//! A key that another program has: an agent, a hardware module, a service.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use modeltrail_core::note::{SignatureLine, VerifierKey};
use rustix::process::{Pid, Signal, kill_process_group};

use super::file::read_closed;
use super::{Signer, SignerError};

/// How long the program may take. A remote key service answers within a second; who waits for a
/// checkpoint should not wait for one that hangs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes that are read of what the program prints: a name of 1,000 bytes and a signature.
const ANSWER_BYTES_MAX: u64 = 4096;

/// How often it is looked whether a program that has said everything has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Programs of this process that run now, each the leader of a group of its own. A program leaves this
/// list before it is waited for, so that no number here is another process's by now.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Ends all signing programs that still run, with what they have started, and gives their number. For a
/// process that is about to end and must leave none behind; whoever waits for a signature is told that
/// the program was ended.
pub(crate) fn end_programs() -> usize {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().for_each(|group| end_group(*group));
    running.len()
}

/// One that has ended already is no error.
fn end_group(group: Pid) {
    kill_process_group(group, Signal::KILL).unwrap_or_default();
}

/// A program that was started, in a group of its own: what it starts in turn ends with it.
struct Program {
    child: Child,
    group: Pid,
}

impl Program {
    fn start(command: &mut Command) -> io::Result<Self> {
        // Under the lock, so that `end_programs` sees it or comes before it.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        running.push(group);
        Ok(Self { child, group })
    }

    /// Its status once it has ended.
    fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let status = self.child.try_wait()?;
        if status.is_some() {
            running.retain(|group| *group != self.group);
        }
        Ok(status)
    }
}

impl Drop for Program {
    /// It may hang, and nobody waits for it any more. One that has ended and was waited for is left
    /// alone, with what it may have started to stay.
    fn drop(&mut self) {
        {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(at) = running.iter().position(|group| *group == self.group) else { return };
            end_group(self.group);
            running.swap_remove(at);
        }
        drop(self.child.wait());
    }
}

/// Signs by running a program: it gets the note's text on standard input, signs exactly these bytes
/// with Ed25519, and prints one signature line of C2SP signed-note (`— NAME BASE64`).
///
/// It runs in a process group of its own, so it cannot ask at a terminal, and is killed with all it has
/// started when it takes too long, or when a recorder that is closed cannot wait any longer. Where this
/// process itself is killed, one that hangs stays.
#[derive(Debug)]
pub struct CommandSigner {
    verifier: VerifierKey,
    program: String,
    args: Vec<String>,
    timeout: Duration,
}

impl CommandSigner {
    /// A signer for the key that `verifier` verifies.
    #[must_use]
    pub const fn new(verifier: VerifierKey, program: String, args: Vec<String>) -> Self {
        Self { verifier, program, args, timeout: TIMEOUT }
    }

    /// Another time than 10 s for the program to answer in.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Reads the file that [`CommandSigner::to_text`] writes.
    ///
    /// # Errors
    /// When the file cannot be read, others can read or write it, or it holds no command.
    pub fn open(path: &Path) -> Result<Self, SignerError> {
        let text = read_closed(path)?;
        let bad = |what| SignerError::Command { path: path.to_owned(), what };
        let mut lines = text.lines();
        let vkey = lines.next().ok_or_else(|| bad("it is empty; the first line is a vkey"))?;
        let verifier = VerifierKey::parse(vkey)
            .map_err(|source| SignerError::Key { path: path.to_owned(), source })?;
        let program = lines.next().filter(|line| !line.is_empty());
        let program = program.ok_or_else(|| bad("the second line must be a program"))?;
        Ok(Self::new(verifier, program.to_owned(), lines.map(str::to_owned).collect()))
    }

    /// The vkey, the program and its arguments, a line each. `None` when one of them holds a line
    /// end.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let lines = std::iter::once(&self.program).chain(&self.args);
        let mut text = format!("{}\n", self.verifier);
        for line in lines {
            if line.contains(['\n', '\r']) {
                return None;
            }
            text.push_str(line);
            text.push('\n');
        }
        Some(text)
    }

    fn failed(&self, what: impl Into<String>) -> SignerError {
        SignerError::Program { program: self.program.clone(), what: what.into() }
    }

    fn run(&self, text: &str) -> Result<Vec<u8>, SignerError> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let program = Program::start(&mut command);
        let mut program =
            program.map_err(|error| self.failed(format!("cannot be started: {error}")))?;
        self.talk(&mut program, text)
    }

    fn talk(&self, program: &mut Program, text: &str) -> Result<Vec<u8>, SignerError> {
        let deadline = Instant::now() + self.timeout;
        let child = &mut program.child;
        let out = reading(child.stdout.take()).map_err(|error| self.failed(error.to_string()))?;
        let err = reading(child.stderr.take()).map_err(|error| self.failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A checkpoint is shorter than any pipe's buffer. Who does not read it cannot sign it,
            // and the signature tells.
            drop(stdin.write_all(text.as_bytes()));
        }
        let timeout = || self.failed(format!("no answer within {} ms", self.timeout.as_millis()));
        let answer = wait(&out, deadline).ok_or_else(timeout)?;
        let status = loop {
            match program.status().map_err(|error| self.failed(error.to_string()))? {
                Some(status) => break status,
                None if Instant::now() >= deadline => return Err(timeout()),
                None => std::thread::sleep(LOOK_EVERY),
            }
        };
        if status.success() {
            return Ok(answer);
        }
        let said = wait(&err, deadline).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let said = said.lines().next().unwrap_or("and said nothing");
        Err(self.failed(format!("ended with {status}: {said}")))
    }
}

impl Signer for CommandSigner {
    fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError> {
        let answer = self.run(text)?;
        let answer = String::from_utf8_lossy(&answer);
        SignatureLine::parse(answer.strip_suffix('\n').unwrap_or(&answer))
            .map_err(|source| SignerError::Line { program: self.program.clone(), source })
    }
}

/// Reads a pipe to its end, or to the bound, in a thread: a program may leave it open for ever, and
/// then the thread stays until it ends.
fn reading(pipe: Option<impl Read + Send + 'static>) -> io::Result<Receiver<Vec<u8>>> {
    let (give, taken) = channel();
    std::thread::Builder::new().name("modeltrail-signer".to_owned()).spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What came before an error is looked at all the same.
            drop(pipe.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes));
        }
        drop(give.send(bytes));
    })?;
    Ok(taken)
}

/// What was read, or `None` when it takes too long.
fn wait(taken: &Receiver<Vec<u8>>, deadline: Instant) -> Option<Vec<u8>> {
    match taken.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(bytes) => Some(bytes),
        Err(RecvTimeoutError::Disconnected) => Some(Vec::new()),
        Err(RecvTimeoutError::Timeout) => None,
    }
}
