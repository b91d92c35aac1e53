//! What `status` and `verify` say of a database's triggers. They hold nothing by themselves, but whoever
//! removes or adds one means to change something.

use modeltrail::store::SqliteFacts;

/// A warning for each thing that is not as the ledger was made.
pub(super) fn warnings(facts: &SqliteFacts) -> Vec<String> {
    let mut warnings = Vec::new();
    if !facts.changed_triggers.is_empty() {
        let names = facts.changed_triggers.join(", ");
        warnings.push(format!("triggers that refuse changes were removed or altered: {names}"));
    }
    if !facts.foreign_triggers.is_empty() {
        let names: Vec<String> = facts.foreign_triggers.iter().map(|name| shown(name)).collect();
        let names = names.join(", ");
        warnings.push(format!("triggers that no ledger is made with were added: {names}"));
    }
    warnings
}

/// Somebody's name for a trigger, fit for a terminal.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
