//! Queries: one index is chosen by the most selective filter, the others are looked at row by row.

use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::{Hash, Kind, Status};
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params, params_from_iter};

use super::super::{StoreError, UsageQuery, UsageRow};
use super::codec::{from_db, hash_key, text_key, to_db};
use super::terms::Terms;

/// The index that serves where no filter has one.
const BY_TIME: &str = "lookups_by_time";

/// One filter as SQL.
struct Filter {
    column: &'static str,
    value: Value,
    /// The index that begins with this column.
    index: &'static str,
}

/// A query turned into SQL, or the knowledge that nothing can fit it.
pub(super) struct Plan {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// Makes the plan of a query; `None` when a term of it is not in the ledger at all.
pub(super) fn plan(
    db: &Connection,
    query: &Query,
    oldest_first: bool,
    limit: usize,
) -> Result<Option<Plan>, StoreError> {
    let Some(filters) = filters(db, query)? else { return Ok(None) };
    let index = filters.first().map_or(BY_TIME, |filter| filter.index);
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    for filter in filters {
        match filter.value {
            // The partial indexes on these two are used only where the value is in the text.
            Value::Integer(code) if matches!(filter.column, "kind" | "status") => {
                conditions.push(format!("{} = {code}", filter.column));
                // Word for word what the index says: SQLite does not reason further than that.
                match filter.index {
                    "lookups_by_kind" => conditions.push("kind <> 1".to_owned()),
                    "lookups_by_status" => conditions.push("status > 1".to_owned()),
                    _ => {}
                }
            }
            value => {
                values.push(value);
                conditions.push(format!("{} = ?{}", filter.column, values.len()));
            }
        }
    }
    if let Some(since_ns) = query.since_ns {
        values.push(Value::Integer(since_ns));
        conditions.push(format!("time_ns >= ?{}", values.len()));
    }
    if let Some(until_ns) = query.until_ns {
        values.push(Value::Integer(until_ns));
        conditions.push(format!("time_ns < ?{}", values.len()));
    }
    if let Some(after) = query.after {
        values.push(Value::Integer(after.time_ns));
        values.push(Value::Integer(to_db(after.index)));
        let sign = if oldest_first { '>' } else { '<' };
        let at = values.len();
        // The first condition lets the index begin at the right place, the second is exact.
        conditions.push(format!("time_ns {sign}= ?{}", at - 1));
        conditions.push(format!("(time_ns, idx) {sign} (?{}, ?{at})", at - 1));
    }
    let filter = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    };
    let order = if oldest_first { "ASC" } else { "DESC" };
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT time_ns, idx FROM lookups INDEXED BY {index}{filter} \
         ORDER BY time_ns {order}, idx {order} LIMIT ?{}",
        values.len()
    );
    Ok(Some(Plan { sql, values }))
}

/// The filters of a query, most selective first: keys that few entries share, then people, then
/// what many entries share.
fn filters(db: &Connection, query: &Query) -> Result<Option<Vec<Filter>>, StoreError> {
    let mut filters = Vec::new();
    let mut push = |column, index, value| filters.push(Filter { column, value, index });
    let key = |text: &String| Value::Integer(text_key(text));
    if let Some(id) = &query.request_id {
        push("request_key", "lookups_by_request", key(id));
    }
    if let Some(mac) = &query.input_mac {
        push("input_mac_key", "lookups_by_mac", Value::Integer(hash_key(mac)));
    }
    if let Some(hash) = &query.input_hash {
        let Some(content) = content(db, hash)? else { return Ok(None) };
        push("input", "lookups_by_input", Value::Integer(content));
    }
    if let Some(id) = &query.session_id {
        push("session_key", "lookups_by_session", key(id));
    }
    if let Some(id) = &query.subject_id {
        push("subject_key", "lookups_by_subject", key(id));
    }
    let terms = [
        (&query.user_id, "user", "lookups_by_user"),
        (&query.model_version, "version", "lookups_by_version"),
        (&query.label, "label", "lookups_by_label"),
        (&query.model_name, "model", "lookups_by_model"),
    ];
    for (text, column, index) in terms {
        let Some(text) = text else { continue };
        let Some(id) = Terms::find(db, text)? else { return Ok(None) };
        push(column, index, Value::Integer(id));
    }
    if let Some(status) = query.status {
        let index = if status == Status::Success { BY_TIME } else { "lookups_by_status" };
        push("status", index, Value::Integer(i64::from(status.code())));
    }
    if let Some(kind) = query.kind {
        let index = if kind == Kind::Prediction { BY_TIME } else { "lookups_by_kind" };
        push("kind", index, Value::Integer(i64::from(kind.code())));
    }
    // What nearly every entry has in common chooses no index while something else can.
    filters.sort_by_key(|filter| filter.index == BY_TIME);
    Ok(Some(filters))
}

fn content(db: &Connection, hash: &Hash) -> Result<Option<i64>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id FROM contents WHERE key = ?1 AND hash = ?2")?;
    Ok(statement.query_row(params![hash_key(hash), hash.0], |row| row.get(0)).optional()?)
}

pub(super) fn scan(
    db: &Connection,
    query: &Query,
    oldest_first: bool,
    limit: usize,
) -> Result<Vec<Cursor>, StoreError> {
    let Some(plan) = plan(db, query, oldest_first, limit)? else { return Ok(Vec::new()) };
    let mut statement = prepare(db, &plan.sql)?;
    let places = statement.query_map(params_from_iter(plan.values), |row| {
        Ok(Cursor { time_ns: row.get(0)?, index: from_db(row.get(1)?) })
    })?;
    Ok(places.collect::<Result<_, _>>()?)
}

/// Prepares a statement that names an index. Where somebody has dropped that index the answers are the
/// same, found slowly; `verify` names it.
fn prepare<'db>(db: &'db Connection, sql: &str) -> rusqlite::Result<CachedStatement<'db>> {
    let error = match db.prepare_cached(sql) {
        Err(error) if error.to_string().contains("no such index") => error,
        prepared => return prepared,
    };
    let Some((before, from)) = sql.split_once(" INDEXED BY ") else { return Err(error) };
    let after = from.find(' ').and_then(|end| from.get(end..)).unwrap_or("");
    db.prepare_cached(&format!("{before}{after}"))
}

/// What a usage report reads: one covering index, in the order of time.
pub(super) const USAGE_SQL: &str = "SELECT time_ns, user, version, label, latency_us \
     FROM lookups INDEXED BY lookups_by_model \
     WHERE model = ?1 AND time_ns >= ?2 AND time_ns <= ?3 AND kind = ?4 ORDER BY time_ns";

pub(super) fn usage(
    db: &Connection,
    query: &UsageQuery,
    row: &mut dyn FnMut(UsageRow),
) -> Result<(), StoreError> {
    let Some(model) = Terms::find(db, &query.model_name)? else { return Ok(()) };
    // The last time that is meant; without an end that is the last one there is.
    let last_ns = query.until_ns.map_or(Some(i64::MAX), |until_ns| until_ns.checked_sub(1));
    let Some(last_ns) = last_ns else { return Ok(()) };
    let nobody = Terms::find(db, "")?.and_then(|id| u32::try_from(id).ok());
    let mut statement = prepare(db, USAGE_SQL)?;
    let mut rows =
        statement.query(params![model, query.since_ns, last_ns, Kind::Prediction.code()])?;
    while let Some(found) = rows.next()? {
        row(UsageRow {
            time_ns: found.get(0)?,
            user: found.get::<_, Option<u32>>(1)?.filter(|user| Some(*user) != nobody),
            version: found.get(2)?,
            label: found.get(3)?,
            latency_us: found.get::<_, Option<i64>>(4)?.map(from_db),
        });
    }
    Ok(())
}
