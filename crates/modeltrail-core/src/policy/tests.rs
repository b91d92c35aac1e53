//! Policies: what is read, what is refused and in which line, and which witnesses are a quorum.

use super::*;
use crate::anchor::Head;
use crate::checkpoint::Checkpoint;
use crate::cosignature::Cosigner;
use crate::hash::Hash;
use crate::note::{KeyError, KeyName, NoteSigner};

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn log(origin: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name(origin), &[seed; 32]).unwrap()
}

fn cosigner(seed: u8) -> Cosigner {
    Cosigner::new(name(&format!("w{seed}.example")), &[100 + seed; 32]).unwrap()
}

/// `{l1}` and `{w3}` stand for keys.
fn with_keys(text: &str) -> String {
    let mut out = text.to_owned();
    for seed in 1..=9 {
        out = out
            .replace(&format!("{{l{seed}}}"), &log("example.com/a", seed).verifier().to_string());
        out = out.replace(&format!("{{w{seed}}}"), &cosigner(seed).verifier().to_string());
    }
    out
}

fn read(text: &str) -> Policy {
    Policy::parse(with_keys(text).as_bytes()).unwrap()
}

/// A checkpoint of this log, cosigned by these witnesses.
fn signed(log: &NoteSigner, by: &[u8]) -> SignedCheckpoint {
    let head = Head { size: 3, root: Hash([5; 32]) };
    let mut signed = Checkpoint::new("example.com/a", head).unwrap().sign(log).unwrap();
    for seed in by {
        let line = cosigner(*seed).cosign(signed.note().text(), 1000 + u64::from(*seed));
        signed.add(line).unwrap();
    }
    signed
}

/// The example of C2SP tlog-policy: two of three, and one of three others.
const EXAMPLE: &str = "log {l1}

witness X1 {w1}
witness X2 {w2}
witness X3 {w3}
group X-witnesses 2 X1 X2 X3

witness Y1 {w4}
witness Y2 {w5}
witness Y3 {w6}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
";

#[test]
fn every_set_of_witnesses_is_judged_by_the_example_of_the_specification() {
    let policy = read(EXAMPLE);
    for set in 0_u8..64 {
        let by: Vec<u8> = (1..=6).filter(|seed| set >> (seed - 1) & 1 == 1).collect();
        let n_x = by.iter().filter(|seed| **seed <= 3).count();
        let expected = n_x >= 2 && by.len() > n_x;
        let result = policy.verify(&signed(&log("example.com/a", 1), &by));
        assert_eq!(result.is_ok(), expected, "{by:?}: {result:?}");
        match result {
            Ok(verified) => assert_eq!(verified.cosigned().len(), by.len()),
            Err(error) => {
                let quorum = "X-and-Y".to_owned();
                let (n_cosigned, n_witnesses) = (by.len(), 6);
                assert_eq!(error, PolicyError::Quorum { quorum, n_cosigned, n_witnesses });
            }
        }
    }
}

#[test]
fn a_policy_is_written_as_it_is_read() {
    let text = with_keys(EXAMPLE);
    let policy = read(EXAMPLE);
    let written = policy.to_bytes();
    assert_eq!(Policy::parse(&written).unwrap(), policy);
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let written = String::from_utf8(written).unwrap();
    let mut found: Vec<&str> = written.lines().collect();
    lines.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, lines);
    let spaced =
        "\t# a comment\n  log\t{l1}   https://log.example/ \n#\n \n\nwitness a {w1} u\nquorum a\n";
    let policy = read(spaced);
    assert_eq!(policy.logs()[0].url.as_ref().unwrap().as_bytes(), b"https://log.example/");
    assert_eq!(policy.witnesses()[0].url.as_ref().unwrap().to_string(), "u");
    let plain = with_keys("log {l1} https://log.example/\nwitness a {w1} u\nquorum a\n");
    assert_eq!(policy.to_bytes(), plain.as_bytes());
}

#[test]
fn names_are_octets() {
    let mut text = b"# \xff\nlog ".to_vec();
    text.extend(with_keys("{l1} \u{20ac}\nwitness ").bytes());
    text.extend(b"\xffK ");
    text.extend(with_keys("{w1}\nwitness K {w2}\nwitness \u{212a} {w3}\nquorum ").bytes());
    text.extend(b"\xffK\n");
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.witnesses()[0].name.as_bytes(), b"\xffK");
    assert!(policy.verify(&signed(&log("example.com/a", 1), &[1])).is_ok());
    assert!(policy.verify(&signed(&log("example.com/a", 1), &[2, 3])).is_err());
    assert_eq!(Policy::parse(&policy.to_bytes()).unwrap(), policy);
}

#[test]
fn any_log_of_the_origin_will_do() {
    let policy = read("log {l1}\nlog {l2}\nquorum none\n");
    assert!(policy.needs_no_witness());
    assert!(policy.verify(&signed(&log("example.com/a", 2), &[])).is_ok());
    let refused = policy.verify(&signed(&log("example.com/a", 3), &[]));
    assert_eq!(refused, Err(PolicyError::Signature(VerifyError::NoKnownKey)));
    // A key that is named like another origin has nothing to say about this one.
    let other = Policy::logs_only([log("example.com/b", 1).verifier().clone()]).unwrap();
    let refused = other.verify(&signed(&log("example.com/b", 1), &[]));
    assert_eq!(refused, Err(PolicyError::UnknownLog { origin: "example.com/a".into() }));
}

#[test]
fn witnesses_do_not_stand_in_for_the_log() {
    let policy = read("log {l1}\nwitness a {w1}\nquorum a\n");
    let stranger = signed(&log("example.com/a", 2), &[1]);
    assert_eq!(policy.verify(&stranger), Err(PolicyError::NoLogSignature));
    let mut twice = signed(&log("example.com/a", 1), &[1]);
    twice.add(cosigner(1).cosign(twice.note().text(), 2000)).unwrap();
    let times: Vec<u64> =
        policy.verify(&twice).unwrap().cosigned().iter().map(|by| by.time_s).collect();
    assert_eq!(times, [1001, 2000]);
    let two = read("log {l1}\nwitness a {w1}\nwitness b {w2}\ngroup g 2 a b\nquorum g\n");
    assert!(two.verify(&twice).is_err(), "a witness counts once");
}

#[test]
fn a_wrong_cosignature_refuses_even_where_it_is_not_needed() {
    let policy = read("log {l1}\nwitness a {w1}\nquorum none\n");
    let mut wrong = signed(&log("example.com/a", 1), &[]);
    wrong.add(cosigner(1).cosign("another\n", 1)).unwrap();
    let refused = policy.verify(&wrong);
    assert!(matches!(refused, Err(PolicyError::Signature(VerifyError::Invalid { .. }))));
}

fn refused(text: &str) -> PolicyParseError {
    Policy::parse(with_keys(text).as_bytes()).expect_err(&format!("{text:?} was read"))
}

#[test]
fn lines_that_are_wrong_are_named() {
    use PolicyLineError as Error;
    let start = "log {l1}\nwitness a {w1}\nwitness b {w2}\n";
    let text = |text: &str| text.to_owned();
    let cases = [
        ("log", Error::Words("log <vkey> [<url>]")),
        ("log {l2} u v", Error::Words("log <vkey> [<url>]")),
        ("log {l1}", Error::KeyTwice),
        ("log {w3}", Error::Key(KeyError::OtherKind { needed: 1, found: 4 })),
        ("log x", Error::Key(KeyError::Parts)),
        ("witness c", Error::Words("witness <name> <vkey> [<url>]")),
        ("witness c {w3} u v", Error::Words("witness <name> <vkey> [<url>]")),
        ("witness c {l3}", Error::Key(KeyError::OtherKind { needed: 4, found: 1 })),
        ("witness c {w1}", Error::KeyTwice),
        ("witness a {w3}", Error::NameTaken(text("a"))),
        ("witness none {w3}", Error::NameNone),
        ("group none any a", Error::NameNone),
        ("group a any b", Error::NameTaken(text("a"))),
        ("group g any", Error::Words("group <name> all|any|<k> <name>...")),
        ("group g", Error::Words("group <name> all|any|<k> <name>...")),
        ("group g any c", Error::NotDefined(text("c"))),
        ("group g any none", Error::NotDefined(text("none"))),
        ("group g any g", Error::NotDefined(text("g"))),
        ("group g any a a", Error::MemberTwice(text("a"))),
        ("group g 0 a b", Error::Threshold(2)),
        ("group g 3 a b", Error::Threshold(2)),
        ("group g 02 a b", Error::Threshold(2)),
        ("group g +1 a b", Error::Threshold(2)),
        ("group g ALL a b", Error::Threshold(2)),
        ("quorum", Error::Words("quorum <name>|none")),
        ("quorum a b", Error::Words("quorum <name>|none")),
        ("quorum c", Error::NotDefined(text("c"))),
        ("Quorum a", Error::Keyword),
        ("log\u{a0}{l2}", Error::Keyword),
        ("quorum a\r", Error::Control(b'\r')),
        ("# \u{7f}", Error::Control(0x7f)),
        ("#\0", Error::Control(0)),
    ];
    for (bad, error) in cases {
        let found = refused(&format!("{start}{bad}\nquorum a\n"));
        assert_eq!(found, PolicyParseError::Line { line: 4, error }, "{bad}");
    }
    let twice = refused(&format!("{start}group g any a\ngroup h any a\nquorum g\n"));
    let error = Error::MemberTwice(text("a"));
    assert_eq!(twice, PolicyParseError::Line { line: 5, error });
    let twice = refused(&format!("{start}quorum a\nquorum a\n"));
    assert_eq!(twice, PolicyParseError::Line { line: 5, error: Error::QuorumTwice });
    // Duplicates are told by the public key, whatever they are called.
    let renamed =
        VerifierKey::new(name("other"), KeyKind::Ed25519, log("x", 1).verifier().public());
    let again = refused(&format!("{start}log {}\nquorum a\n", renamed.unwrap()));
    assert_eq!(again, PolicyParseError::Line { line: 4, error: Error::KeyTwice });
}

#[test]
fn a_policy_is_whole() {
    assert_eq!(refused(""), PolicyParseError::NoQuorum);
    assert_eq!(refused("log {l1}\n"), PolicyParseError::NoQuorum);
    assert_eq!(refused("quorum none"), PolicyParseError::NoLineEnd);
    let long = vec![b'\n'; POLICY_BYTES_MAX + 1];
    assert_eq!(Policy::parse(&long), Err(PolicyParseError::TooLong(POLICY_BYTES_MAX + 1)));
    let empty = read("quorum none\n");
    let origin = "example.com/a".to_owned();
    let refused = empty.verify(&signed(&log("example.com/a", 1), &[]));
    assert_eq!(refused, Err(PolicyError::UnknownLog { origin }));
}

#[test]
fn the_number_of_lines_is_bounded_above_what_the_specification_asks() {
    let group = |n: usize| {
        let mut text = with_keys("witness a {w1}\ngroup g0 any a\n");
        for at in 1..n {
            text += &format!("group g{at} any g{}\n", at - 1);
        }
        text + &format!("quorum g{}\n", n - 1)
    };
    let policy = Policy::parse((with_keys("log {l1}\n") + &group(N_DEFINED_MAX)).as_bytes());
    assert!(policy.unwrap().verify(&signed(&log("example.com/a", 1), &[1])).is_ok());
    let (line, error) = (N_DEFINED_MAX + 2, PolicyLineError::TooMany);
    let found = Policy::parse(group(N_DEFINED_MAX + 1).as_bytes());
    assert_eq!(found, Err(PolicyParseError::Line { line, error }));
}
