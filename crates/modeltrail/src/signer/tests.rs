//! Keys that others can read, programs that fail, and which keys a ledger signs with.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::Checkpoint;
use modeltrail_core::note::{KeyName, NoteSigner};

use super::*;

const ORIGIN: &str = "example.com/ledger";

fn key(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

fn shell(key: &NoteSigner, script: &str, args: &[&str]) -> CommandSigner {
    let first = ["-c", script, "sign"].into_iter().chain(args.iter().copied());
    let args = first.map(str::to_owned).collect();
    CommandSigner::new(key.verifier().clone(), "sh".to_owned(), args)
}

#[test]
fn a_key_comes_back_from_its_file_and_an_open_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys").join("checkpoint.key");
    let made = FileSigner::create(&path, key(ORIGIN, 1)).unwrap();
    let again = FileSigner::open(&path).unwrap();
    assert_eq!(again.verifier(), made.verifier());
    assert_eq!(again.sign("x\n").unwrap(), made.sign("x\n").unwrap());
    assert!(matches!(FileSigner::create(&path, key(ORIGIN, 2)), Err(SignerError::Io { .. })));
    for mode in [0o644, 0o640, 0o604, 0o620] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = FileSigner::open(&path).unwrap_err();
        assert!(matches!(error, SignerError::Open { .. }), "{mode:o}: {error}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let secret = key(ORIGIN, 1).to_secret_text();
    for text in ["", "x", &secret[..secret.len() - 4], &key(ORIGIN, 1).verifier().to_string()] {
        std::fs::write(&path, text).unwrap();
        let error = FileSigner::open(&path).unwrap_err();
        assert!(matches!(error, SignerError::Key { .. }), "{text}: {error}");
        assert!(!error.to_string().contains(&secret[30..60]), "the secret is in the message");
    }
}

#[test]
fn a_program_gets_the_text_and_its_line_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    let (one, text) = (key(ORIGIN, 1), "a text\nof lines\n");
    let line = one.sign(text);
    let heard = dir.path().join("heard");
    let script = "cat > \"$1\"; printf '%s\\n' \"$2\"";
    let signer = shell(&one, script, &[heard.to_str().unwrap(), &line.to_string()]);
    assert_eq!(sign_checked(&signer, text).unwrap(), line);
    assert_eq!(std::fs::read_to_string(heard).unwrap(), text);
    let wrong = sign_checked(&signer, "another text\n");
    assert!(matches!(wrong, Err(SignerError::Wrong { .. })), "{wrong:?}");
    let path = dir.path().join("checkpoint.command");
    write_closed(&path, &signer.to_text().unwrap()).unwrap();
    let again = CommandSigner::open(&path).unwrap();
    assert_eq!(again.sign(text).unwrap(), line);
    assert_eq!(shell(&one, "a\nb", &[]).to_text(), None);
}

#[test]
fn a_program_that_fails_hangs_or_says_something_else_is_told() {
    let one = key(ORIGIN, 1);
    let says = |script: &str| shell(&one, script, &[]).sign("x\n").unwrap_err().to_string();
    let failed = says("cat > /dev/null; echo the token is locked >&2; exit 3");
    assert!(failed.contains("the token is locked") && failed.contains('3'), "{failed}");
    assert!(says("cat > /dev/null; echo hello").contains("no signature line"));
    assert!(says("cat > /dev/null").contains("no signature line"));
    // More than is ever read, and more than a pipe holds.
    assert!(says("exec cat /dev/zero").contains("sign"));
    let hangs = shell(&one, "exec tail -f /dev/null", &[]).timeout(Duration::from_millis(20));
    let hangs = hangs.sign("x\n").unwrap_err().to_string();
    assert!(hangs.contains("no answer within 20 ms"), "{hangs}");
    let missing = CommandSigner::new(one.verifier().clone(), "/no/such/program".into(), Vec::new());
    assert!(missing.sign("x\n").unwrap_err().to_string().contains("cannot be started"));
}

/// A shell that starts another program keeps it in its group: killing the shell alone left that behind.
#[test]
fn what_a_program_that_hangs_has_started_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pid");
    let one = key(ORIGIN, 1);
    let script = "tail -f /dev/null & echo $! > \"$1.new\"; mv \"$1.new\" \"$1\"; wait";
    let hangs = shell(&one, script, &[path.to_str().unwrap()]).timeout(Duration::from_secs(2));
    let error = hangs.sign("x\n").unwrap_err().to_string();
    assert!(error.contains("no answer within 2000 ms"), "{error}");
    let pid = std::fs::read_to_string(path).unwrap();
    let began = std::time::Instant::now();
    while is_running(pid.trim()) {
        assert!(began.elapsed() < Duration::from_secs(30), "{pid} was left behind");
        std::thread::yield_now();
    }
}

/// Whether a process runs; one that has ended and that nobody has waited for does not.
fn is_running(pid: &str) -> bool {
    let ps = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(ps.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

#[test]
fn a_ring_signs_with_the_key_in_force_and_the_one_that_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(KeyRing::load(dir.path(), ORIGIN).unwrap().is_none());
    FileSigner::create(&at("checkpoint.key"), key(ORIGIN, 1)).unwrap();
    let before = stamps(dir.path());
    FileSigner::create(&at("next.key"), key(ORIGIN, 2)).unwrap();
    assert_ne!(stamps(dir.path()), before);
    // Not in force, and not for checkpoints.
    FileSigner::create(&at("next.key.new"), key(ORIGIN, 3)).unwrap();
    FileSigner::create(&at("authority.key"), key("somebody", 4)).unwrap();
    let ring = KeyRing::load(dir.path(), ORIGIN).unwrap().unwrap();
    let head = Head { size: 3, root: Hash([7; 32]) };
    let signed = ring.sign(&Checkpoint::new(ORIGIN, head).unwrap()).unwrap();
    assert_eq!(signed.note().signatures().len(), 2);
    for seed in [1, 2] {
        assert_eq!(signed.verify_log([key(ORIGIN, seed).verifier()]), Ok(()));
    }
    let other = KeyRing::load(dir.path(), "example.com/other").unwrap_err();
    assert!(matches!(other, SignerError::Name { .. }), "{other}");
    std::fs::copy(at("next.key"), at("next.command")).unwrap();
    let twice = KeyRing::load(dir.path(), ORIGIN).unwrap_err();
    assert!(matches!(twice, SignerError::Twice { .. }), "{twice}");
}
