//! The policy of a preview: a file, read and checked before anything else is.

use std::io::Write as _;
use std::path::Path;

use modeltrail_core::PartId;
use modeltrail_core::redact::rules::{POLICY_BYTES_MAX, PseudonymKey, RedactionPolicy};
use modeltrail_core::redact::{Redactor, Rule};
use serde_json::{Map, Value, json};

use super::super::context::Context;
use super::tell;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};

/// Reads a policy. All that is wrong with it is told, a line each.
pub(super) fn read(path: &Path) -> Result<RedactionPolicy, Failure> {
    let refused = |why: &str| Failure::input(format!("{}: {why}", path.display()));
    let bytes = match files::read(path, POLICY_BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(refused("there is no such file; name a redaction policy")),
        Err(error) => return Err(refused(&error.to_string())),
    };
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| refused("no UTF-8 text; name a redaction policy"))?;
    RedactionPolicy::parse(&text, &Rule::TYPES).map_err(|problems| {
        let all = problems.all();
        all.iter().for_each(|problem| tell(&format!("{}:{problem}", path.display())));
        let n =
            if all.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", all.len()) };
        refused(&format!("{n}; mend what is told above, spec/redaction-policy.md has the format"))
    })
}

/// A key that nobody has had and nobody will have: a preview must not tell which token somebody has
/// in a ledger.
pub(super) fn throw_away_key() -> Result<PseudonymKey, Failure> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| Failure::failed(format!("no random bytes: {e}")))?;
    Ok(PseudonymKey::new(0, &key))
}

/// All that a policy says. Its canonical form is JSON.
fn form(policy: &RedactionPolicy) -> Value {
    serde_json::from_str(policy.canonical()).unwrap_or_default()
}

fn entries<'f>(form: &'f Value, list: &str) -> &'f [Value] {
    form.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

const COLUMNS: &[Column] =
    &[Column::text("type"), Column::text("action"), Column::text("what a candidate has to pass")];

/// `--check`: what a policy is, without any input.
pub(super) fn check(policy: RedactionPolicy, context: &Context) -> Result<Exit, Failure> {
    let form = form(&policy);
    let digest = policy.digest().to_hex();
    let redactor = Redactor::with_policy(policy.clone(), None);
    let mut out = stdout();
    let rows = match context.settings.format {
        Format::Json => {
            let types: Map<_, _> =
                types(&policy).map(|(name, action)| (name.to_owned(), json!(action))).collect();
            let answer = json!({
                "digest": digest,
                "header_digest": redactor.policy_digest(),
                "name": policy.name(),
                "policy": form,
                "types": types,
            });
            json_line(&mut out, &answer)?;
            return Ok(Exit::Fine);
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => {
            let n = |list| entries(&form, list).len();
            writeln!(out, "policy      {}", policy.name())?;
            writeln!(out, "digest      {digest}")?;
            writeln!(out, "in headers  {}", redactor.policy_digest())?;
            writeln!(
                out,
                "by place    deny {}, allow {}, rule {}; patterns {}\n",
                n("deny"),
                n("allow"),
                n("rules"),
                n("patterns")
            )?;
            Rows::table(out, COLUMNS, stdout_has_color())
        }
    };
    write_types(&policy, rows)?;
    Ok(Exit::Fine)
}

fn write_types(
    policy: &RedactionPolicy,
    mut rows: Rows<impl std::io::Write>,
) -> Result<(), Failure> {
    for (name, action) in types(policy) {
        let about = match Rule::named(name) {
            Some(rule) => format!("{} ({})", rule.validation(), rule.beside()),
            None => "the policy's own pattern".to_owned(),
        };
        rows.row(vec![name.to_owned(), action, about])?;
    }
    rows.finish()?;
    Ok(())
}

/// Every type with its action where no place says otherwise, or `off`.
fn types(policy: &RedactionPolicy) -> impl Iterator<Item = (&str, String)> {
    let scope = policy.scope(PartId::Input, "");
    (0..policy.n_slots()).filter_map(move |slot| {
        let action = if policy.is_on(slot) { scope.action(slot).to_string() } else { "off".into() };
        Some((policy.type_name(slot)?, action))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> RedactionPolicy {
        let text = format!("version = 1\nname = 'p'\n{text}");
        RedactionPolicy::parse(&text, &Rule::TYPES).unwrap()
    }

    #[test]
    fn every_type_is_told_with_its_action() {
        let policy = policy(
            "[types]\ndefault = 'off'\nemail = 'keep'\n[[pattern]]\nname = 'e'\nregex = 'E[0-9]{6}'\n",
        );
        let types: Vec<_> = types(&policy).collect();
        assert_eq!(types.len(), Rule::ALL.len() + 1);
        assert_eq!(types[0], ("email", "keep".to_owned()));
        assert_eq!(types[1], ("phone", "off".to_owned()));
    }
}
