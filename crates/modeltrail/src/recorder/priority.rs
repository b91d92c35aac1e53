//! The sequencer gives way to the application.

/// How much less urgent the sequencer's thread is than the others of its process. Where every core
/// is busy with inference it then gets about a quarter of what each of those threads gets; where a
/// core is free it makes no difference. What it has not taken waits in the spool.
const NICE: i32 = 5;

/// Lowers the priority of the calling thread. On Linux a priority belongs to a thread; elsewhere it
/// would be the whole process's, and nothing is done.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = lower(rustix::thread::gettid()) {
        tracing::debug!(%error, "the sequencer keeps the priority of its process");
    }
}

#[cfg(target_os = "linux")]
fn lower(thread: rustix::process::Pid) -> rustix::io::Result<()> {
    let now = rustix::process::getpriority_process(Some(thread))?;
    rustix::process::setpriority_process(Some(thread), now + NICE)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_by_itself() {
        let priority = |thread| rustix::process::getpriority_process(Some(thread)).unwrap();
        let before = priority(rustix::thread::gettid());
        let lowered = std::thread::spawn(move || {
            give_way();
            priority(rustix::thread::gettid())
        });
        assert_eq!(lowered.join().unwrap(), (before + NICE).min(19));
        assert_eq!(priority(rustix::thread::gettid()), before);
    }
}
