//! A mixture: one of several distributions, by weight.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, Distribution, Random, Values, positive};
use crate::engine::random::unit;

/// One part of a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MixtureComponent_{Q}")]
#[serde(deny_unknown_fields)]
pub struct Component<Q> {
    /// Its weight; weights need not add up to anything in particular.
    #[schemars(range(min = 0.0))]
    pub weight: f64,
    /// What is drawn when it is chosen.
    pub of: Random<Q>,
}

pub(super) fn build<Q: Amount>(components: &[Component<Q>], files: &dyn Values) -> Result<Distribution, String> {
    let total: f64 = components.iter().map(|component| component.weight).sum();
    let total = positive("the sum of a mixture's weights", total)?;
    let mut end = 0.0;
    let mut parts = Vec::new();
    for Component { weight, of } in components {
        if *weight < 0.0 {
            return Err(format!("a weight must not be negative: {weight}"));
        }
        end += weight / total;
        parts.push((end, of.build(files)?));
    }
    Ok(Distribution::Mixture(parts.into()))
}

pub(super) fn sample(parts: &[(f64, Distribution)], random: &mut impl Rng) -> f64 {
    let point = unit(random);
    let part = parts.iter().find(|(end, _)| point < *end).or(parts.last());
    // A part may be a mixture itself; how deep they nest is limited by the file.
    part.map_or(0.0, |(_, distribution)| distribution.sample_other(random))
}
