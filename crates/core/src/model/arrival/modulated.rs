//! Modulated arrivals: a Poisson process whose rate jumps between states, as bursts do.
//!
//! The states follow each other in a circle, each for a random time; with exponential times this is a Markov-modulated Poisson
//! process (MMPP). On–off arrivals are the case of two states, one without arrivals.
//!
//! Source: W. Fischer, K. Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", Performance Evaluation 18
//! (1993).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Stream;
use crate::engine::ziggurat::Exponential;
use crate::model::distribution::{Distribution, Random, Values};
use crate::quantity::{Duration, Rate};

/// A state of modulated arrivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateSpec {
    /// The rate while the state lasts.
    pub rate: Rate,
    /// How long it lasts each time.
    #[serde(rename = "for")]
    pub length: Random<Duration>,
}

/// Bursts and silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnOffSpec {
    /// The rate within a burst.
    pub rate: Rate,
    /// How long a burst lasts.
    pub on: Random<Duration>,
    /// How long the silence after it lasts.
    pub off: Random<Duration>,
}

/// A state: rate [1/ns] and how long it lasts [ns].
#[derive(Debug, Clone)]
struct State {
    rate: f64,
    length: Distribution,
}

/// The process. State: where it is and until when.
#[derive(Debug, Clone)]
pub struct Modulated {
    states: Vec<State>,
    unit: Exponential,
    /// The present state, and when it ends [ns].
    state: usize,
    end: f64,
    now: f64,
}

impl Modulated {
    /// The process that begins with the first of these states.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn new(specs: &[StateSpec], files: &dyn Values) -> Result<Self, String> {
        let state = |spec: &StateSpec| {
            let length = spec.length.build(files)?;
            if length.as_constant() == Some(0.0) {
                return Err("a state must last longer than 0".to_owned());
            }
            Ok(State { rate: spec.rate.per_second() / 1e9, length })
        };
        let states = specs.iter().map(state).collect::<Result<Vec<_>, String>>()?;
        if states.iter().all(|state| state.rate == 0.0) {
            return Err("at least one state needs a rate above 0".to_owned());
        }
        let state = states.len() - 1;
        Ok(Modulated { states, unit: Exponential::new(), state, end: 0.0, now: 0.0 })
    }

    /// The states of on–off arrivals.
    pub fn on_off(spec: &OnOffSpec) -> [StateSpec; 2] {
        let off = StateSpec { rate: Rate::default(), length: spec.off.clone() };
        [StateSpec { rate: spec.rate, length: spec.on.clone() }, off]
    }

    /// The instant of the next arrival [ns].
    pub fn next(&mut self, random: &mut Stream) -> f64 {
        let mut wanted = self.unit.sample(random);
        loop {
            let rate = self.states[self.state].rate;
            let possible = rate * (self.end - self.now);
            if wanted <= possible && rate > 0.0 {
                self.now += wanted / rate;
                return self.now;
            }
            wanted -= possible;
            self.now = self.end;
            self.state = (self.state + 1) % self.states.len();
            self.end += self.states[self.state].length.sample(random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::distribution::NoFiles;
    use serde_json::json;

    fn counts(states: serde_json::Value, bin: f64, bins: usize) -> Vec<f64> {
        let states: Vec<StateSpec> = serde_json::from_value(states).unwrap();
        let (mut process, mut random) = (Modulated::new(&states, &NoFiles).unwrap(), Stream::new(8));
        let mut counts = vec![0.0; bins];
        loop {
            let place = (process.next(&mut random) / bin) as usize;
            if place >= bins {
                return counts;
            }
            counts[place] += 1.0;
        }
    }

    #[test]
    fn the_mean_rate_is_that_of_the_states_by_time_and_counts_vary_more_than_poisson() {
        let states = json!([
            {"rate": "100/s", "for": {"exponential": "1s"}}, {"rate": "1100/s", "for": {"exponential": "250ms"}}
        ]);
        let counts = counts(states, 1e8, 40_000);
        let mean = counts.iter().sum::<f64>() / 40_000.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 40_000.0;
        // Mean rate (100 + 1100/4)/1.25 = 300/s. Index of dispersion of counts in t: 1 + 2·p₁p₂(λ₁−λ₂)²/(λ̄·r)·(1 − (1−e^(−rt))/(rt))
        // with r = 1 + 4 = 5/s, p = 0.8 and 0.2: 1 + 2·0.16·10⁶/(300·5)·(1 − (1−e^(−0.5))/0.5) = 46.5.
        assert!((mean - 30.0).abs() < 1.0, "{mean}");
        assert!((variance / mean - 46.5).abs() < 3.0, "{}", variance / mean);
    }

    #[test]
    fn constant_states_switch_at_their_times() {
        let counts = counts(json!([{"rate": "1000/s", "for": "1s"}, {"rate": "0/s", "for": "3s"}]), 1e9, 400);
        assert!(counts.iter().enumerate().all(|(second, count)| (second % 4 == 0) == (*count > 0.0)));
    }
}
