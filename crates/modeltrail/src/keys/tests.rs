//! Keys of a ledger made, rotated, lost and retired, and checkpoints signed meanwhile.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use modeltrail_core::checkpoint::SignedCheckpoint;
use serde_json::json;

use super::*;
use crate::check::{self, CheckOptions};
use crate::publish::PublishOptions;
use crate::{Ledger, Reader, Record};

const ORIGIN: &str = "example.com/keys";

struct Place {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::parse(&url(dir.path())).unwrap();
        ledger.create(ORIGIN).unwrap();
        Self { dir, ledger }
    }

    fn with_keys() -> Self {
        let place = Self::new();
        let recorder = place.recorder();
        LedgerKeys::of(&recorder).unwrap().begin().unwrap();
        recorder.close().unwrap();
        place
    }

    fn recorder(&self) -> Recorder {
        let often =
            PublishOptions { every: Duration::from_millis(20), ..PublishOptions::default() };
        Recorder::options().publish(often).open(&url(self.dir.path())).unwrap()
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.ledger.keys_dir().join(name)
    }

    /// Records something and gives the checkpoint that covers it.
    fn published(&self, recorder: &Recorder) -> SignedCheckpoint {
        let record = Record::prediction("m", "1").input(json!(1)).output(json!(2));
        let recorded = recorder.record_at(record, Ack::Published).unwrap();
        let receipt = recorded.receipt.unwrap();
        assert_eq!(Some(receipt.index), recorded.index);
        receipt.checkpoint
    }

    #[track_caller]
    fn assert_clean(&self) {
        let report = check::run(&self.ledger, &CheckOptions::default(), |_, _| {}).unwrap();
        assert_eq!(report.findings, []);
    }
}

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("audit.db").display())
}

fn n_lines(checkpoint: &SignedCheckpoint) -> usize {
    checkpoint.note().signatures().len()
}

#[test]
fn a_ledger_begins_with_two_keys_and_signs_its_checkpoints() {
    let place = Place::new();
    let recorder = place.recorder();
    let [authority, checkpoint] = LedgerKeys::of(&recorder).unwrap().begin().unwrap();
    let history = LedgerKeys::of(&recorder).unwrap().history().unwrap();
    assert_eq!(history.in_force(KeyRole::Authority, u64::MAX).next(), Some(&authority));
    assert_eq!(history.in_force(KeyRole::Checkpoint, u64::MAX).next(), Some(&checkpoint));
    for name in ["authority.key", "checkpoint.key"] {
        let mode = std::fs::metadata(place.key_file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let again = LedgerKeys::of(&recorder).unwrap().begin();
    assert!(matches!(again, Err(KeysError::There { .. })), "{again:?}");
    assert_eq!(place.published(&recorder).verify_log([&checkpoint]), Ok(()));
    recorder.close().unwrap();
    // The last checkpoint covers everything, and is the anchor.
    let anchor = std::fs::read(place.ledger.anchor_path()).unwrap();
    let anchor = SignedCheckpoint::parse(&anchor).unwrap();
    let reader = Reader::of(&place.ledger).unwrap();
    assert_eq!(anchor.checkpoint().head().size, reader.size().unwrap());
    assert_eq!(reader.checkpoint().unwrap(), Some(anchor));
    let head = crate::anchor_file::read(&place.ledger.head_path()).unwrap().unwrap();
    assert_eq!(head.head.size, reader.size().unwrap());
    place.assert_clean();
}

#[test]
fn a_rotation_is_noticed_while_another_process_would_sequence() {
    let place = Place::with_keys();
    let recorder = place.recorder();
    assert_eq!(n_lines(&place.published(&recorder)), 1);
    // As a command line would beside a running application.
    let beside = place.recorder();
    let keys = LedgerKeys::of(&beside).unwrap();
    let next = keys.rotate(KeyReason::Routine, None).unwrap();
    assert!(matches!(keys.rotate(KeyReason::Routine, None), Err(KeysError::Overlap)));
    let both = until(|| Some(place.published(&recorder)).filter(|it| n_lines(it) == 2));
    assert_eq!(both.verify_log([&next]), Ok(()));
    let old = keys.retire(KeyReason::Routine).unwrap();
    assert_eq!(both.verify_log([&old]), Ok(()));
    let one = until(|| Some(place.published(&recorder)).filter(|it| n_lines(it) == 1));
    assert_eq!(one.verify_log([&next]), Ok(()));
    assert!(matches!(keys.retire(KeyReason::Routine), Err(KeysError::NoOverlap)));
    assert!(!place.key_file("next.key").exists());
    beside.close().unwrap();
    recorder.close().unwrap();
    place.assert_clean();
}

/// Tries until it works: each try records and waits for a checkpoint, which takes its time.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(done) = attempt() {
            return done;
        }
    }
    panic!("it did not come about in 200 checkpoints")
}

#[test]
fn what_was_interrupted_goes_on() {
    let place = Place::new();
    let recorder = place.recorder();
    let keys = LedgerKeys::of(&recorder).unwrap();
    let [_, key] = keys.begin().unwrap();
    let rename = |from: &str, to: &str| {
        std::fs::rename(place.key_file(from), place.key_file(to)).unwrap();
    };
    // The entry is there, and the file has not got its name yet.
    rename("checkpoint.key", "checkpoint.key.new");
    assert_eq!(keys.generate(KeyRole::Checkpoint).unwrap(), key);
    assert!(place.key_file("checkpoint.key").exists());
    let next = keys.rotate(KeyReason::Routine, None).unwrap();
    rename("next.key", "next.key.new");
    assert_eq!(keys.rotate(KeyReason::Routine, None).unwrap(), next);
    // Retired by its entry, with both files still there.
    let old = std::fs::read(place.key_file("checkpoint.key")).unwrap();
    assert_eq!(keys.retire(KeyReason::Routine).unwrap(), key);
    rename("checkpoint.key", "next.key");
    crate::signer::write_closed(
        &place.key_file("checkpoint.key"),
        std::str::from_utf8(&old).unwrap(),
    )
    .unwrap();
    assert_eq!(keys.retire(KeyReason::Routine).unwrap(), key);
    assert!(!place.key_file("next.key").exists());
    let history = keys.history().unwrap();
    assert_eq!(history.keys().len(), 3);
    assert_eq!(place.published(&recorder).verify_log([&next]), Ok(()));
    recorder.close().unwrap();
    place.assert_clean();
}

#[test]
fn a_lost_key_is_replaced_by_the_authority_and_records_are_kept_meanwhile() {
    let place = Place::with_keys();
    std::fs::remove_file(place.key_file("checkpoint.key")).unwrap();
    let officer = place.dir.path().join("officer.key");
    std::fs::rename(place.key_file("authority.key"), &officer).unwrap();
    let before = std::fs::read(place.ledger.anchor_path()).unwrap();
    let recorder = place.recorder();
    let record = || Record::prediction("m", "1").input(json!(1));
    recorder.record_at(record(), Ack::Sequenced).unwrap();
    let unsigned = recorder.record_at(record(), Ack::Published);
    assert!(matches!(unsigned, Err(crate::RecordingError::Unsigned)), "{unsigned:?}");
    assert_eq!(std::fs::read(place.ledger.anchor_path()).unwrap(), before);
    let keys = LedgerKeys::of(&recorder).unwrap();
    let alone = keys.rotate(KeyReason::Lost, None);
    assert!(matches!(alone, Err(KeysError::NoSayer { .. })), "{alone:?}");
    let keys = keys.authority_file(&officer);
    let next = keys.rotate(KeyReason::Lost, None).unwrap();
    let checkpoint = place.published(&recorder);
    assert_eq!((n_lines(&checkpoint), checkpoint.verify_log([&next])), (1, Ok(())));
    let authority = keys.rotate_authority(KeyReason::Routine).unwrap();
    let history = keys.history().unwrap();
    let in_force: Vec<_> = history.in_force(KeyRole::Authority, u64::MAX).collect();
    assert_eq!(in_force, [&authority]);
    recorder.close().unwrap();
    place.assert_clean();
}

#[test]
fn keys_that_are_not_the_ledgers_are_refused_at_start() {
    let place = Place::with_keys();
    let open = || Recorder::open(&url(place.dir.path())).map(drop).unwrap_err().to_string();
    let path = place.key_file("checkpoint.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open().contains("run chmod 600"), "{}", open());
    std::fs::rename(&path, place.dir.path().join("kept")).unwrap();
    let other = NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[1; 32]).unwrap();
    FileSigner::create(&path, other).unwrap();
    assert!(open().contains("no entry puts it in force"), "{}", open());
}

#[test]
fn an_origin_that_cannot_name_a_key_is_told() {
    let dir = tempfile::tempdir().unwrap();
    Ledger::parse(&url(dir.path())).unwrap().create("our ledger").unwrap();
    let recorder = Recorder::open(&url(dir.path())).unwrap();
    let result = LedgerKeys::of(&recorder).unwrap().begin();
    assert!(matches!(result, Err(KeysError::Origin { .. })), "{result:?}");
    recorder.close().unwrap();
}

/// A program that has nothing to do with us signs, where `openssl` is there.
#[test]
fn a_ledger_signs_through_openssl() {
    let version = std::process::Command::new("openssl").arg("version").output();
    if !version.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).starts_with("OpenSSL 3")) {
        eprintln!("skipped: there is no OpenSSL 3 here");
        return;
    }
    let place = Place::new();
    let seed = [5; 32];
    let key = NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &seed).unwrap();
    // PKCS #8 of an Ed25519 key (RFC 8410 section 7).
    let mut der = modeltrail_core::hash::unhex("302e020100300506032b657004220420").unwrap();
    der.extend(seed);
    let pem = place.dir.path().join("key.der");
    std::fs::write(&pem, der).unwrap();
    let script = r#"set -e; t=$(mktemp); trap 'rm -f "$t" "$t.sig"' EXIT; cat > "$t"
openssl pkeyutl -sign -rawin -inkey "$1" -keyform DER -in "$t" -out "$t.sig"
printf '\342\200\224 %s %s\n' "$2" "$({ printf "$3"; cat "$t.sig"; } | base64 -w0)""#
        .replace('\n', "; ");
    let id = key.verifier().id().to_string();
    let id: String =
        id.as_bytes().chunks(2).map(|two| format!("\\x{}", String::from_utf8_lossy(two))).collect();
    let args = ["-c", &script, "sign", pem.to_str().unwrap(), ORIGIN, &id].map(str::to_owned);
    let signer = CommandSigner::new(key.verifier().clone(), "bash".into(), args.into());
    let recorder = place.recorder();
    let keys = LedgerKeys::of(&recorder).unwrap();
    assert_eq!(keys.use_command(&signer).unwrap(), *key.verifier());
    assert_eq!(place.published(&recorder).verify_log([key.verifier()]), Ok(()));
    recorder.close().unwrap();
    place.assert_clean();
}
