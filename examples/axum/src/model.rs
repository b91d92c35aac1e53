//! A decision tree that tells tumours apart, trained when the program starts.

use serde_json::{Map, Value, json};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters,
};

/// Cases with their measurements, and what was said of each.
const CASES: &str = include_str!("../../data/predictions.jsonl");

/// What the tree can say, by its number.
const LABELS: [&str; 2] = ["benign", "malignant"];

type Tree = DecisionTreeClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

/// The trained model.
pub(crate) struct Model {
    tree: Tree,
    features: Vec<String>,
}

/// Why there is no model, or no prediction.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

impl Model {
    /// Trains it on the cases.
    ///
    /// # Errors
    /// When the cases cannot be read, or no tree can be made of them.
    pub(crate) fn train() -> Result<Self, Error> {
        let mut cases: Vec<(Map<String, Value>, u32)> = Vec::new();
        for line in CASES.lines() {
            let case: Value = serde_json::from_str(line)?;
            let label = case.pointer("/output_data/prediction").and_then(Value::as_str);
            let input = case.get("input_data").and_then(Value::as_object);
            let (Some(label), Some(input)) = (label, input) else {
                return Err("a case without measurements or label".into());
            };
            cases.push((input.clone(), u32::from(label == "malignant")));
        }
        // Some cases have notes beside their numbers.
        let first = cases.first().ok_or("no cases")?;
        let numbers = first.0.iter().filter(|(_, value)| value.is_number());
        let features: Vec<String> = numbers.map(|(name, _)| name.clone()).collect();
        let rows: Result<Vec<Vec<f64>>, Error> =
            cases.iter().map(|(input, _)| row(&features, input)).collect();
        let labels: Vec<u32> = cases.iter().map(|(_, label)| *label).collect();
        let parameters =
            DecisionTreeClassifierParameters::default().with_max_depth(6).with_min_samples_leaf(4);
        let tree = Tree::fit(&DenseMatrix::from_2d_vec(&rows?)?, &labels, parameters)?;
        Ok(Self { tree, features })
    }

    /// What it says of a case: `{"prediction": …}`.
    ///
    /// # Errors
    /// When a measurement is missing.
    pub(crate) fn predict(&self, input: &Map<String, Value>) -> Result<Value, Error> {
        let rows = DenseMatrix::from_2d_vec(&vec![row(&self.features, input)?])?;
        let labels = self.tree.predict(&rows)?;
        let label = labels.first().and_then(|label| LABELS.get(usize::try_from(*label).ok()?));
        Ok(json!({ "prediction": label }))
    }
}

fn row(features: &[String], input: &Map<String, Value>) -> Result<Vec<f64>, Error> {
    let of = |name: &String| {
        let value = input.get(name).and_then(Value::as_f64);
        value.ok_or_else(|| format!("`{name}` is missing or no number").into())
    };
    features.iter().map(of).collect()
}
