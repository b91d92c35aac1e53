//! `model-usage`: how a model was used.

use std::collections::BTreeMap;
use std::collections::HashMap;

use serde::Serialize;

use super::distinct::Distinct;
use super::latency::{Latencies, LatencyStats};
use super::{Period, time_text};
use crate::reader::{ReadError, Reader};
use crate::store::{UsageQuery, UsageRow};

/// Most labels and most versions that are counted one by one: a model whose prediction is a
/// continuous number would otherwise fill memory and report. The rest is counted under
/// [`OTHER`], and the report says so.
const N_COUNTED_MAX: usize = 65_536;

/// Where what is beyond [`N_COUNTED_MAX`] is counted.
const OTHER: &str = "[other]";

/// The figures of the seed document's `model_usage_report`, under its names.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ModelUsage {
    /// The model's name.
    pub model: String,
    /// How many days back.
    pub period_days: u32,
    /// Number of predictions.
    pub total_predictions: u64,
    /// The rest; left out when there is no prediction, as in the seed document.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

/// The figures over at least one prediction.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// Number of different users.
    pub unique_users: u64,
    /// Predictions by label; `null` for those without one, `"null"` for those with that text.
    pub prediction_distribution: BTreeMap<String, u64>,
    /// Predictions by version.
    pub versions_used: BTreeMap<String, u64>,
    /// Latencies.
    pub latency_stats: LatencyStats,
    /// Time of the first prediction.
    pub first_prediction: String,
    /// Time of the last prediction.
    pub last_prediction: String,
    /// Present and true when there were more labels or versions than are counted one by one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub distribution_cut: bool,
}

/// Counts by term, bounded.
#[derive(Default)]
struct Counts {
    of: HashMap<Option<u32>, u64>,
    n_other: u64,
}

impl Counts {
    fn add(&mut self, term: Option<u32>) {
        if self.of.len() >= N_COUNTED_MAX && !self.of.contains_key(&term) {
            self.n_other += 1;
            return;
        }
        *self.of.entry(term).or_default() += 1;
    }

    fn named(self, reader: &Reader) -> Result<BTreeMap<String, u64>, ReadError> {
        let mut named = BTreeMap::new();
        if self.n_other > 0 {
            named.insert(OTHER.to_owned(), self.n_other);
        }
        let mut of: Vec<_> = self.of.into_iter().collect();
        of.sort_unstable();
        for (term, n) in of {
            let text = match term {
                None => "null".to_owned(),
                // The text, not the absence of one; in quotes so that the two stay apart.
                Some(term) => match reader.term(term)? {
                    text if text == "null" => "\"null\"".to_owned(),
                    text => text,
                },
            };
            *named.entry(text).or_default() += n;
        }
        Ok(named)
    }
}

struct Pass {
    n: u64,
    users: Distinct,
    labels: Counts,
    versions: Counts,
    latencies: Latencies,
    first_ns: i64,
    last_ns: i64,
}

impl Pass {
    fn add(&mut self, row: UsageRow) {
        if self.n == 0 {
            self.first_ns = row.time_ns;
        }
        self.n += 1;
        self.last_ns = row.time_ns;
        if let Some(user) = row.user {
            self.users.add(user);
        }
        self.labels.add(row.label);
        self.versions.add(row.version);
        self.latencies.add(row.latency_us.unwrap_or(0));
    }
}

/// Reports how a model was used.
///
/// # Errors
/// When the ledger cannot be read.
pub fn model_usage(reader: &Reader, model: &str, period: &Period) -> Result<ModelUsage, ReadError> {
    let query = UsageQuery {
        model_name: model.to_owned(),
        since_ns: period.since_ns(),
        until_ns: period.until_ns(),
    };
    let mut pass = Pass {
        n: 0,
        users: Distinct::default(),
        labels: Counts::default(),
        versions: Counts::default(),
        latencies: Latencies::new(),
        first_ns: 0,
        last_ns: 0,
    };
    reader.usage(&query, &mut |row| pass.add(row))?;
    let (model, period_days) = (model.to_owned(), period.days);
    if pass.n == 0 {
        return Ok(ModelUsage { model, period_days, total_predictions: 0, figures: None });
    }
    // Later passes must see the rows of the first: what came since then is behind `until`.
    let query = UsageQuery { until_ns: Some(pass.last_ns.saturating_add(1)), ..query };
    let latency_stats = match pass.latencies.stats() {
        Ok(stats) => stats,
        Err(mut search) => loop {
            reader.usage(&query, &mut |row| search.add(row.latency_us.unwrap_or(0)))?;
            match search.found() {
                Ok(p95_us) => break pass.latencies.with_p95(p95_us),
                Err(narrower) => search = narrower,
            }
        },
    };
    let distribution_cut = pass.labels.n_other + pass.versions.n_other > 0;
    let figures = Figures {
        unique_users: pass.users.count(),
        prediction_distribution: pass.labels.named(reader)?,
        versions_used: pass.versions.named(reader)?,
        latency_stats,
        first_prediction: time_text(pass.first_ns),
        last_prediction: time_text(pass.last_ns),
        distribution_cut,
    };
    Ok(ModelUsage { model, period_days, total_predictions: pass.n, figures: Some(figures) })
}
