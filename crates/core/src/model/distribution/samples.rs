//! Measured values from a CSV file, each equally likely (the empirical distribution).

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, Values};
use crate::engine::random::below;

/// Where the values are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Samples_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Parameters<Q> {
    /// The CSV file, relative to the model file; its first row names the columns.
    pub csv: String,
    /// The column.
    pub column: String,
    /// What a value of 1 stands for, such as `1ms`.
    pub unit: Q,
}

impl<Q: Amount> Parameters<Q> {
    pub(super) fn build(&self, files: &dyn Values) -> Result<Distribution, String> {
        let unit = self.unit.amount();
        let values = files.column(&self.csv, &self.column)?;
        if values.is_empty() {
            return Err(format!("column `{}` of `{}` is empty", self.column, self.csv));
        }
        if let Some(bad) = values.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            return Err(format!("column `{}` of `{}` holds {bad}; amounts must be 0 or more", self.column, self.csv));
        }
        Ok(Distribution::Samples(values.into_iter().map(|value| value * unit).collect()))
    }
}

pub(super) fn sample(values: &[f64], random: &mut impl Rng) -> f64 {
    values[below(random, values.len() as u64) as usize]
}
