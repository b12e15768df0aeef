//! What became of the search for the best of the variants.

use serde::{Deserialize, Serialize};

use crate::quantity::Unit;
use crate::quantity::unit::display;

/// What became of a selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// The metric.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// Whether the highest is the best.
    pub higher_is_better: bool,
    /// The probability with which the best is selected, if it is better than the others by the indifference.
    pub probability: f64,
    /// Differences up to this do not matter.
    pub indifference: f64,
    /// The levels, in words; empty if nothing is swept.
    pub place: String,
    /// The best; `None` if it could not be decided with the replications that are allowed.
    pub best: Option<String>,
    /// All variants, best mean first.
    pub contenders: Vec<Contender>,
}

/// A variant of a selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// The variant.
    pub variant: String,
    /// Its mean over the replications that it was observed in.
    pub mean: f64,
    /// After how many replications it dropped out.
    pub out: Option<usize>,
}

impl Selected {
    /// The result in a sentence.
    pub fn words(&self) -> String {
        let place = if self.place.is_empty() { String::new() } else { format!(" at {}", self.place) };
        let value = |contender: &Contender| {
            let out = contender.out.map_or(String::new(), |runs| format!(", out after {runs} runs"));
            format!("{} ({}{out})", contender.variant, display(contender.mean, self.unit))
        };
        let all = self.contenders.iter().map(value).collect::<Vec<_>>().join(", ");
        let (sure, margin) = (display(self.probability, Unit::Share), display(self.indifference, self.unit));
        let which = if self.higher_is_better { "highest" } else { "lowest" };
        match &self.best {
            Some(best) => format!(
                "Best of {} by the {which} {}{place}: {best}, with a probability of at least {sure} if differences up to {margin} \
                 do not matter. {all}.",
                self.contenders.len(),
                self.metric
            ),
            None => format!(
                "Which of {} variants has the {which} {}{place} is not decided to within {margin} with a probability of \
                 {sure}; more replications would. {all}.",
                self.contenders.len(),
                self.metric
            ),
        }
    }
}
