//! A process that records until it is killed or told to stop: this test binary, started again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use modeltrail::publish::PublishOptions;
use modeltrail::{Ack, OnFull, Recorder, Trim};

use crate::place::{self, SPOOL};

/// Marks a process as a child, and holds what it is to do.
const TASK: &str = "MODELTRAIL_IT_TASK";

/// Set where the spool is to forget a record only once it is published.
pub(crate) const TRIM: &str = "MODELTRAIL_IT_TRIM_PUBLISHED";

/// Checkpoints come often, so that many a kill falls between a commit and one.
const PUBLISH: PublishOptions =
    PublishOptions { every: Duration::from_millis(20), n_entries: 65_536 };

/// How long anything may take before a test gives up; far more than any of it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a child does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Tells the ids of children apart.
    pub(crate) no: usize,
    pub(crate) n_threads: usize,
    pub(crate) ack: Ack,
    /// Whether it may become the sequencer.
    pub(crate) sequence: bool,
    /// Bytes of each record beside what it always has.
    pub(crate) padding_bytes: usize,
}

impl Task {
    fn to_text(self, dir: &Path) -> String {
        let Self { no, n_threads, ack, sequence, padding_bytes } = self;
        let dir = dir.display();
        format!("{no} {n_threads} {} {sequence} {padding_bytes} {dir}", ack.name())
    }

    fn parse(text: &str) -> (Self, String) {
        let fields: Vec<&str> = text.splitn(6, ' ').collect();
        let task = Self {
            no: fields[0].parse().unwrap(),
            n_threads: fields[1].parse().unwrap(),
            ack: Ack::ALL.into_iter().find(|ack| ack.name() == fields[2]).unwrap(),
            sequence: fields[3].parse().unwrap(),
            padding_bytes: fields[4].parse().unwrap(),
        };
        (task, fields[5].to_owned())
    }

    /// The id of a record. A thread issues the next one when the one before was answered.
    fn id(self, thread: usize, n: usize) -> String {
        format!("{}/{thread}/{n}", self.no)
    }
}

/// The child. Lines on stdout: `ack ID` as soon as a call has returned, `sequencer` once it is one,
/// `failed ID TEXT`, and `closed` at an orderly end, which comes when stdin ends.
#[test]
#[ignore = "runs as a child process of other tests"]
fn child_main() {
    let Ok(text) = std::env::var(TASK) else { return };
    let (task, dir) = Task::parse(&text);
    let recorder = Recorder::options()
        .ack(task.ack)
        .sequence(task.sequence)
        .spool(SPOOL)
        .publish(PUBLISH)
        .trim(if std::env::var_os(TRIM).is_some() { Trim::Published } else { Trim::Sequenced })
        .on_full(OnFull::Block(PATIENCE))
        // These children only record: who waits for `sequenced` must not wait for the others.
        .give_way(false)
        .open(&place::url(Path::new(&dir)))
        .unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..task.n_threads {
            let (recorder, stop) = (&recorder, &stop);
            scope.spawn(move || record_until(recorder, task, thread, stop));
        }
        scope.spawn(|| tell_when_sequencer(&recorder, &stop));
        // Nobody writes to it: it ends when the other side lets go of it.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    println!("closed");
}

fn record_until(recorder: &Recorder, task: Task, thread: usize, stop: &AtomicBool) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if task.ack == Ack::Written {
            // Nothing else holds it back, and ten times as many records as a sequencer takes would
            // only make the others wait.
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = task.id(thread, n);
        match recorder.record(place::record(&id, task.padding_bytes)) {
            // One write of one line, done when this returns: a kill after it takes nothing back.
            Ok(_) => println!("ack {id}"),
            Err(error) => println!("failed {id} {error}"),
        }
    }
}

fn tell_when_sequencer(recorder: &Recorder, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if recorder.stats().unwrap().is_sequencer {
            println!("sequencer");
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a child has said so far.
#[derive(Default)]
struct Said {
    acked: BTreeSet<String>,
    failed: Vec<String>,
    is_sequencer: bool,
    closed: bool,
}

#[derive(Default)]
struct Heard {
    said: Mutex<Said>,
    changed: Condvar,
}

/// A running child. It is killed when it is dropped.
pub(crate) struct Child {
    pub(crate) task: Task,
    process: Process,
    stdin: Option<ChildStdin>,
    heard: Arc<Heard>,
    /// Gives something when the child's stdout has ended.
    over: Receiver<()>,
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Child {
    pub(crate) fn start(task: Task, dir: &Path) -> Self {
        let exe = std::env::current_exe().unwrap();
        Self::start_as(&mut Command::new(exe), task, dir)
    }

    /// Starts it by a command whose last argument so far is the test binary.
    pub(crate) fn start_as(command: &mut Command, task: Task, dir: &Path) -> Self {
        let mut process = command
            .args(["--exact", "child::child_main", "--ignored", "--nocapture"])
            .env(TASK, task.to_text(dir))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let heard = Arc::new(Heard::default());
        let (tell, over) = channel();
        let for_thread = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                for_thread.hear(&line);
            }
            for_thread.hear("");
            tell.send(()).ok();
        });
        let stdin = process.stdin.take();
        Self { task, process, stdin, heard, over }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until `n` records are acknowledged.
    #[track_caller]
    pub(crate) fn wait_acks(&self, n: usize) {
        self.wait(&format!("{n} acknowledgements"), |said| said.acked.len() >= n);
    }

    #[track_caller]
    pub(crate) fn wait_sequencer(&self) {
        self.wait("becoming the sequencer", |said| said.is_sequencer);
    }

    pub(crate) fn is_sequencer(&self) -> bool {
        self.heard.said.lock().unwrap().is_sequencer
    }

    pub(crate) fn n_acked(&self) -> usize {
        self.heard.said.lock().unwrap().acked.len()
    }

    #[track_caller]
    fn wait(&self, what: &str, until: impl Fn(&Said) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut said = self.heard.said.lock().unwrap();
        while !until(&said) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{:?} gave up waiting for {what}", self.task);
            said = self.heard.changed.wait_timeout(said, left).unwrap().0;
        }
    }

    /// Kills it with SIGKILL and gives what it had acknowledged by then.
    pub(crate) fn kill(mut self) -> BTreeSet<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.last_words(false)
    }

    /// Lets it end in order and gives what it had acknowledged.
    pub(crate) fn stop(mut self) -> BTreeSet<String> {
        self.stdin = None;
        self.over.recv_timeout(PATIENCE).unwrap();
        assert!(self.process.wait().unwrap().success(), "{:?} failed", self.task);
        self.last_words(true)
    }

    fn last_words(&self, closed: bool) -> BTreeSet<String> {
        // What is still in the pipe counts: it was said before the end.
        self.over.recv_timeout(PATIENCE).ok();
        let mut said = self.heard.said.lock().unwrap();
        assert_eq!(said.failed, [] as [String; 0]);
        assert_eq!(said.closed, closed);
        std::mem::take(&mut said.acked)
    }
}

impl Heard {
    fn hear(&self, line: &str) {
        let mut said = self.said.lock().unwrap();
        match line.split_once(' ') {
            Some(("ack", id)) => {
                said.acked.insert(id.to_owned());
            }
            Some(("failed", text)) => said.failed.push(text.to_owned()),
            _ if line == "sequencer" => said.is_sequencer = true,
            _ if line == "closed" => said.closed = true,
            _ => return,
        }
        drop(said);
        self.changed.notify_all();
    }
}

/// True when a child can have issued the id: the thread's one before was answered.
pub(crate) fn was_issued(id: &str, acked: &BTreeSet<String>) -> bool {
    let Some((thread, n)) = id.rsplit_once('/') else { return false };
    match n.parse::<usize>() {
        Ok(0) => true,
        Ok(n) => acked.contains(&format!("{thread}/{}", n - 1)),
        Err(_) => false,
    }
}
