//! Why something was found and what is done with it; never what it was.

use std::collections::BTreeMap;

use modeltrail_core::redact::rules::Action;
use modeltrail_core::redact::{Finding, PartPlace, RedactError, Redactor, Why};

use super::mask::{Body, Document};
use crate::output::clean;

/// One line for each finding in a document.
pub(super) fn lines(
    redactor: &Redactor,
    document: &Document,
    model: &str,
) -> Result<Vec<String>, RedactError> {
    let place = PartPlace { part: document.part, model };
    let findings = match &document.before {
        Body::Json(json) => redactor.explain(Some(&place), json)?,
        Body::Text(text) => redactor.explain_text(Some(&place), text),
    };
    let names = Names::of(&findings);
    Ok(findings.iter().map(|finding| line(finding, document, &names)).collect())
}

fn line(finding: &Finding, document: &Document, names: &Names) -> String {
    let decoded = if document.is_encoded { " (decoded)" } else { "" };
    let mut place = format!("{}{}{decoded}", document.pointer, names.pointer(&finding.pointer));
    if finding.is_name {
        place.push_str(" (name)");
    }
    if let Some((start, end)) = finding.span {
        let space = if place.is_empty() { "" } else { " " };
        place.push_str(&format!("{space}bytes {start} to {end}"));
    } else if place.is_empty() {
        place.push_str("(the whole)");
    }
    let validation = match finding.rule.filter(|_| finding.why != Why::Denied) {
        Some(rule) => format!("; {}", rule.validation()),
        None => String::new(),
    };
    let (done, why) = (done(finding.action), why(&finding.why, names));
    clean(&format!("{place}: {}, {done}: {why}{validation}", finding.type_name)).into_owned()
}

fn done(action: Action) -> String {
    match action {
        Action::Replace => "replaced".to_owned(),
        Action::Mask { keep_last } => format!("masked but for the last {keep_last}"),
        Action::Remove => "removed".to_owned(),
        Action::Pseudonym => "given a pseudonym".to_owned(),
        Action::Keep => "kept".to_owned(),
    }
}

fn why(why: &Why, names: &Names) -> String {
    match why {
        Why::Shape => "by its shape".to_owned(),
        Why::WordNear => "a word beside it".to_owned(),
        Why::Name(name) => format!("the name `{}` on its path", names.name(name)),
        Why::Denied => "a place that the policy denies".to_owned(),
        Why::Pattern => "the policy's own pattern".to_owned(),
        // Whoever looks besides the rules gives no reason of its own.
        _ => "found besides the rules".to_owned(),
    }
}

/// Names in which something was found. They are shown by its type: a name may be personal data too.
struct Names {
    /// By their pointers; the longest last, so that each is replaced within those beneath it.
    types: BTreeMap<String, String>,
}

impl Names {
    fn of(findings: &[Finding]) -> Self {
        let names = findings.iter().filter(|finding| finding.is_name);
        let token = |finding: &Finding| format!("[{}]", finding.type_name.to_uppercase());
        Self { types: names.map(|name| (name.pointer.clone(), token(name))).collect() }
    }

    /// A pointer without such names.
    fn pointer(&self, pointer: &str) -> String {
        let mut shown = String::new();
        let mut end = 0;
        for segment in pointer.split('/').skip(1) {
            end += 1 + segment.len();
            let token = pointer.get(..end).and_then(|here| self.types.get(here));
            shown.push('/');
            shown.push_str(token.map_or(segment, String::as_str));
        }
        shown
    }

    /// A name, if it is none of them.
    fn name<'n>(&'n self, name: &'n str) -> &'n str {
        let segment = name.replace('~', "~0").replace('/', "~1");
        let same = |at: &str| at.rsplit('/').next() == Some(segment.as_str());
        let found = self.types.iter().find(|(at, _)| same(at));
        found.map_or(name, |(_, token)| token.as_str())
    }
}

#[cfg(test)]
mod tests {
    use modeltrail_core::PartId;

    use super::*;

    fn told(pointer: &str, before: Body) -> Vec<String> {
        let after = before.clone();
        let document = Document {
            pointer: pointer.to_owned(),
            is_encoded: pointer.ends_with("64"),
            part: PartId::Input,
            before,
            after,
        };
        lines(&Redactor::default(), &document, "m").unwrap()
    }

    #[test]
    fn each_finding_says_where_what_and_why_and_never_its_value() {
        let json = br#"{"ann@x.org":{"ssn":123456789},"text":"mail jo@x.org, phone 03012345678"}"#;
        let told = told("/input", Body::Json(json.to_vec()));
        let starts = [
            "/input/[EMAIL] (name) bytes 0 to 9: email, replaced: by its shape; a local part",
            "/input/[EMAIL]/ssn bytes 0 to 9: ssn, replaced: the name `ssn` on its path; 3-2-4 digits",
            "/input/text bytes 5 to 13: email, replaced: by its shape; a local part",
            "/input/text bytes 21 to 32: phone, replaced: a word beside it; '+' or 00",
        ];
        assert_eq!(told.len(), starts.len(), "{told:?}");
        for (line, start) in told.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
            assert!(!line.contains("x.org") && !line.contains("1234"), "{line}");
        }
    }

    #[test]
    fn text_and_decoded_bytes_have_places_too() {
        let text = || Body::Text("jo@x.org".to_owned());
        assert!(told("", text())[0].starts_with("bytes 0 to 8: email, replaced: "));
        assert!(
            told("/input_base64", text())[0].starts_with("/input_base64 (decoded) bytes 0 to 8: ")
        );
    }

    #[test]
    fn what_is_done_and_why_is_told_in_words() {
        let finding = |action, why, span| Finding {
            pointer: String::new(),
            is_name: false,
            type_name: "employee".to_owned(),
            rule: None,
            action,
            span,
            why,
        };
        let document = |pointer: &str| Document {
            pointer: pointer.to_owned(),
            is_encoded: false,
            part: PartId::Input,
            before: Body::Text(String::new()),
            after: Body::Text(String::new()),
        };
        let names = Names::of(&[]);
        for (action, why, expected) in [
            (
                Action::Mask { keep_last: 4 },
                Why::Pattern,
                "masked but for the last 4: the policy's own pattern",
            ),
            (Action::Remove, Why::Denied, "removed: a place that the policy denies"),
            (Action::Keep, Why::WordNear, "kept: a word beside it"),
            (
                Action::Pseudonym,
                Why::Name("staff".into()),
                "given a pseudonym: the name `staff` on its path",
            ),
        ] {
            let told = line(&finding(action, why, None), &document(""), &names);
            assert_eq!(told, format!("(the whole): employee, {expected}"));
        }
    }
}
