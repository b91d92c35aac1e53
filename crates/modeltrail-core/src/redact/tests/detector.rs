//! A recogniser that is plugged in: what it finds, and what becomes of a part when it fails.

use std::sync::Arc;

use super::super::rules::RedactionPolicy;
use super::super::{
    Detector, DetectorError, DetectorSpan, DetectorText, RedactError, Redactor, Rule,
};

/// Finds a word, and does what it is told to by others.
struct Fake;

impl Detector for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn version(&self) -> &str {
        "1.0"
    }

    fn find(&self, texts: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError> {
        let mut spans = Vec::new();
        for (n, DetectorText { text, .. }) in texts.iter().enumerate() {
            match *text {
                "error" => return Err(DetectorError),
                "panic" => panic!("as asked"),
                _ => {}
            }
            let rule = Rule::PersonName;
            let found = text.match_indices("Ada");
            spans.extend(found.map(|(start, word)| {
                let end = if text.contains("all") { text.len() } else { start + word.len() };
                DetectorSpan { text: n, start, end, rule }
            }));
            if *text == "beyond" {
                spans.push(DetectorSpan { text: n, start: 3, end: 7, rule });
            }
            if *text == "cut é" {
                spans.push(DetectorSpan { text: n, start: 0, end: 5, rule });
            }
        }
        Ok(spans)
    }
}

fn masked(redactor: &Redactor, json: &str) -> Result<String, RedactError> {
    let redacted = redactor.redact_json(json.as_bytes())?;
    Ok(redacted.map_or_else(|| json.to_owned(), |(bytes, _)| String::from_utf8(bytes).unwrap()))
}

#[test]
fn it_is_asked_about_what_the_rules_have_left() {
    let redactor = Redactor::default().with_detector(Arc::new(Fake));
    for (json, expected) in [
        (
            r#"{"a":["Ada said",{"b":"x"}],"Ada":1}"#,
            r#"{"a":["[PERSON_NAME] said",{"b":"x"}],"Ada":1}"#,
        ),
        (r#"["Ada jo@example.com, all"]"#, r#"["[PERSON_NAME] [EMAIL][PERSON_NAME]"]"#),
        (r#"["Ada\u0001Ada"]"#, r#"["[PERSON_NAME]\u0001[PERSON_NAME]"]"#),
        ("[1,null,2.5,\"x\"]", "[1,null,2.5,\"x\"]"),
    ] {
        let once = masked(&redactor, json).unwrap();
        assert_eq!(once, expected);
        assert_eq!(masked(&redactor, &once).unwrap(), once);
    }
    let (text, counts) = redactor.redact_text("Ada, Ada").unwrap();
    assert_eq!((text.as_str(), counts.get(Rule::PersonName)), ("[PERSON_NAME], [PERSON_NAME]", 2));
    assert_eq!(redactor.redact_text("nobody"), None);
}

#[test]
fn what_it_cannot_say_is_not_recorded() {
    let redactor = Redactor::default().with_detector(Arc::new(Fake));
    for text in ["error", "panic", "beyond", "cut é"] {
        let json = serde_json::to_string(&["fine", text]).unwrap();
        assert_eq!(masked(&redactor, &json), Err(RedactError::Detector), "{text}");
        assert_eq!(redactor.redact_text(text).unwrap().0, "[REDACTION_FAILED]");
    }
    assert_eq!(
        masked(&Redactor::default(), r#"["error","panic"]"#).unwrap(),
        r#"["error","panic"]"#
    );
}

#[test]
fn a_policy_says_what_is_done_with_it() {
    let text = "version = 1\nname = 'x'\n[types]\nperson_name = { mask = 1 }\n[[allow]]\nkeys = ['title']\n[[rule]]\nkeys = ['author']\naction = 'keep'\n";
    let policy = RedactionPolicy::parse(text, &Rule::TYPES).unwrap();
    let plain = Redactor::with_policy(policy, None);
    let redactor = plain.clone().with_detector(Arc::new(Fake));
    let json = r#"{"author":"Ada","note":"by Ada","title":"Ada"}"#;
    let (bytes, counts) = redactor.redact_json(json.as_bytes()).unwrap().unwrap();
    assert_eq!(bytes, br#"{"author":"Ada","note":"by **a","title":"Ada"}"#);
    assert_eq!(counts.get(Rule::PersonName), 2);
    assert_eq!(redactor.detector(), Some(("fake", "1.0")));
    assert_ne!(redactor.policy_digest(), plain.policy_digest());
    let rules = Redactor::with_rules([Rule::Email]);
    let lines = rules.policy_text() + "detector fake 1.0\n";
    let digest = crate::hash::sha256(&[lines.as_bytes()]).to_hex();
    assert_eq!(rules.with_detector(Arc::new(Fake)).policy_digest(), digest);
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicUsize);

impl Detector for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn find(&self, texts: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Fake.find(texts)
    }
}

#[test]
fn bytes_are_one_question() {
    let counting = Arc::new(Counting::default());
    let redactor = Redactor::default().with_detector(counting.clone());
    let place = super::super::PartPlace { part: crate::code::PartId::Input, model: "m" };
    let (masked, counts) =
        redactor.redact_bytes_part(&place, b"Ada\xffx\xffjo@example.com Ada\xfe").unwrap().unwrap();
    assert_eq!(masked, b"[PERSON_NAME]\xffx\xff[EMAIL] [PERSON_NAME]\xfe");
    assert_eq!((counts.get(Rule::PersonName), counts.get(Rule::Email)), (2, 1));
    assert_eq!(counting.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert!(redactor.redact_bytes_part(&place, b"error\xff").is_err());
    assert_eq!(redactor.redact_bytes_part(&place, b"x\xff"), Ok(None));
}

#[test]
fn what_is_kept_counts_once_and_what_is_off_or_allowed_not_at_all() {
    let under = |rules: &str| {
        let text = format!("version = 1\nname = 'x'\n{rules}");
        let policy = RedactionPolicy::parse(&text, &Rule::TYPES).unwrap();
        Redactor::with_policy(policy, None).with_detector(Arc::new(Fake))
    };
    let json = br#"{"n":"Ada jo@example.com"}"#;
    let (_, counts) = under("[types]\nemail = 'keep'\n").redact_json(json).unwrap().unwrap();
    assert_eq!((counts.get(Rule::Email), counts.get(Rule::PersonName)), (1, 1));
    let off = under("[types]\nperson_name = 'off'\n");
    assert_eq!(off.redact_json(br#"["Ada"]"#), Ok(None));
    assert_eq!(off.redact_text("Ada"), None);
    assert_eq!(under("[[allow]]\npaths = ['$']\n").redact_text("Ada"), None);
}
