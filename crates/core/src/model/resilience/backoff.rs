//! How long to wait before a retry.
//!
//! Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. With the cap c and the base b, the
//! wait before retry n = 1, 2, …:
//! - exponential: v = min(c, b·fⁿ⁻¹), where f is 2; linear: v = min(c, b·n); fixed: v = b;
//! - without jitter v; full jitter: uniform in [0, v]; equal jitter: v/2 + uniform in [0, v/2];
//! - decorrelated jitter: sₙ = min(c, uniform in [b, 3·sₙ₋₁]), s₀ = b, whatever the growth.
//!
//! gRPC (proposal A6) and the AWS SDKs use exponential backoff with full jitter, which is the default here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Duration;

/// How long to wait before a retry: `{ exponential: 50ms, max: 1s, jitter: full }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackoffSpec {
    /// The same wait before every retry; or give `linear` or `exponential`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Duration>,
    /// The wait before the first retry; it grows by as much with each further one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Duration>,
    /// The wait before the first retry; it is multiplied by `factor` with each further one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponential: Option<Duration>,
    /// What an exponential wait is multiplied by; 2 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub factor: Option<f64>,
    /// The longest wait; no limit if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Duration>,
    /// How the wait is spread; `full` for an exponential wait and `none` for others if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
}

/// How waits are spread, so that those who failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Not at all.
    None,
    /// Evenly between nothing and the wait.
    Full,
    /// Evenly between half the wait and the wait.
    Equal,
    /// Evenly between the first wait and three times the last one.
    Decorrelated,
}

/// How waits grow.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Growth {
    Fixed,
    Linear,
    Exponential(f64),
}

/// A backoff ready for use. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    growth: Growth,
    base: f64,
    cap: f64,
    jitter: Jitter,
}

impl Backoff {
    /// No wait at all.
    pub const IMMEDIATE: Backoff = Backoff { growth: Growth::Fixed, base: 0.0, cap: 0.0, jitter: Jitter::None };

    /// The backoff described.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(spec: &BackoffSpec) -> Result<Self, String> {
        let (growth, base) = match (spec.fixed, spec.linear, spec.exponential) {
            (Some(base), None, None) => (Growth::Fixed, base),
            (None, Some(base), None) => (Growth::Linear, base),
            (None, None, Some(base)) => (Growth::Exponential(spec.factor.unwrap_or(2.0)), base),
            _ => return Err("give one of `fixed`, `linear` and `exponential`".to_owned()),
        };
        if spec.factor.is_some() && spec.exponential.is_none() {
            return Err("a `factor` goes with `exponential`".to_owned());
        }
        if spec.max.is_some_and(|max| max < base) {
            return Err("`max` is less than the first wait".to_owned());
        }
        let usual = if spec.exponential.is_some() { Jitter::Full } else { Jitter::None };
        Ok(Backoff {
            growth,
            base: base.as_nanos() as f64,
            cap: spec.max.map_or(f64::INFINITY, |max| max.as_nanos() as f64),
            jitter: spec.jitter.unwrap_or(usual),
        })
    }

    /// The wait [ns] before retry `number`, from 1. `random` gives the uniform number in [0, 1) of each retry.
    pub fn wait(&self, number: u32, mut random: impl FnMut(u32) -> f64) -> f64 {
        let steps = f64::from(number.max(1) - 1);
        let full = match self.growth {
            Growth::Fixed => self.base,
            Growth::Linear => self.base * (steps + 1.0),
            Growth::Exponential(factor) => self.base * libm::pow(factor, steps),
        };
        let full = full.min(self.cap);
        match self.jitter {
            Jitter::None => full,
            Jitter::Full => full * random(number),
            Jitter::Equal => full / 2.0 + full / 2.0 * random(number),
            // Each wait depends on the one before; drawing them again needs no memory between the tries.
            Jitter::Decorrelated => (1..=number)
                .fold(self.base, |last, number| (self.base + random(number) * (3.0 * last - self.base)).min(self.cap)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stream;
    use crate::engine::random::unit;

    fn backoff(text: &str) -> Backoff {
        Backoff::new(&serde_json::from_str(text).unwrap()).unwrap()
    }

    fn waits(text: &str, retries: u32, random: f64) -> Vec<f64> {
        let backoff = backoff(text);
        (1..=retries).map(|number| (backoff.wait(number, |_| random) / 1e3).round() / 1e3).collect()
    }

    #[test]
    fn waits_grow_as_they_are_told_up_to_the_cap() {
        let none = |growth| format!(r#"{{{growth}, "max": "350ms", "jitter": "none"}}"#);
        assert_eq!(waits(&none(r#""exponential": "50ms""#), 5, 0.5), [50.0, 100.0, 200.0, 350.0, 350.0]);
        assert_eq!(waits(&none(r#""exponential": "50ms", "factor": 3"#), 3, 0.5), [50.0, 150.0, 350.0]);
        assert_eq!(waits(&none(r#""linear": "100ms""#), 4, 0.5), [100.0, 200.0, 300.0, 350.0]);
        assert_eq!(waits(&none(r#""fixed": "100ms""#), 3, 0.5), [100.0, 100.0, 100.0]);
    }

    #[test]
    fn jitter_spreads_as_in_the_architecture_blog() {
        let with = |jitter| format!(r#"{{"exponential": "100ms", "max": "1s", "jitter": "{jitter}"}}"#);
        assert_eq!(waits(&with("full"), 6, 0.25), [25.0, 50.0, 100.0, 200.0, 250.0, 250.0]);
        assert_eq!(waits(&with("equal"), 6, 0.5), [75.0, 150.0, 300.0, 600.0, 750.0, 750.0]);
        // 100 + r(3s - 100): r = 0.5 from s = 100 gives 200, 350, 575, 912.5, then the cap.
        assert_eq!(waits(&with("decorrelated"), 5, 0.5), [200.0, 350.0, 575.0, 912.5, 1000.0]);
    }

    #[test]
    fn total_waits_have_the_mean_and_deviation_of_the_closed_form() {
        // Caps 100, 200 and 400 ms with full jitter: mean 350 ms, variance the sum of cap²/12.
        let backoff = backoff(r#"{"exponential": "100ms", "max": "1s"}"#);
        let mut random = Stream::new(4);
        let total = |random: &mut Stream| (1..=3).map(|n| backoff.wait(n, |_| unit(random)) / 1e9).sum::<f64>();
        let totals: Vec<f64> = (0..40_000).map(|_| total(&mut random)).collect();
        let mean = totals.iter().sum::<f64>() / 4e4;
        let sd = (totals.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / 4e4).sqrt();
        assert!((mean / 0.35 - 1.0).abs() < 0.01, "{mean}");
        assert!((sd / 0.132_287_565 - 1.0).abs() < 0.02, "{sd}");
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "{}",
            r#"{"fixed": "1s", "linear": "1s"}"#,
            r#"{"fixed": "1s", "factor": 2}"#,
            r#"{"exponential": "2s", "max": "1s"}"#,
        ] {
            assert!(Backoff::new(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }
}
