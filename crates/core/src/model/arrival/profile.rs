//! Rate profiles: how an arrival rate changes over time.
//!
//! Every profile but the sine is a chain of pieces on which the rate is linear; its integral is a quadratic that is
//! inverted in closed form. The sine's integral is inverted by Newton's method, safeguarded by bisection.
//!
//! Units: time in nanoseconds, rates in arrivals per nanosecond, operational time in arrivals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::{Duration, Rate};

/// A rate that may change over time, as written in a model file: a plain rate, or a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RateSpec {
    /// Always the same.
    Constant(Rate),
    /// Changing.
    Profile(ProfileSpec),
}

/// How a rate changes over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileSpec {
    /// From one rate to another, linearly, and then staying there.
    Ramp(Ramp),
    /// One rate until an instant, another after it.
    Step(Step),
    /// A base rate with one period at another rate.
    Spike(Spike),
    /// A wave around a mean: mean + amplitude·sin(2π·t/period).
    Sine(Sine),
    /// Several stages, one after the other; the last one stays.
    Stages(Vec<Stage>),
}

/// A linear change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The rate at the start.
    pub from: Rate,
    /// The rate at the end.
    pub to: Rate,
    /// How long the change takes.
    pub over: Duration,
}

/// A sudden change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RateStep")]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The rate before.
    pub from: Rate,
    /// The rate after.
    pub to: Rate,
    /// When it changes.
    pub at: Duration,
}

/// A sudden change for some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// The rate before and after.
    pub base: Rate,
    /// The rate during the spike.
    pub peak: Rate,
    /// When it begins.
    pub at: Duration,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub length: Duration,
}

/// A wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    /// The mean rate.
    pub mean: Rate,
    /// How far the rate swings; at most the mean.
    pub amplitude: Rate,
    /// The length of a wave.
    pub period: Duration,
}

/// A part of a chain of stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The rate of the stage, or at its end if it ramps.
    pub rate: Rate,
    /// How long it lasts; the last stage may leave it out.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Duration>,
    /// Whether the rate changes linearly from that of the stage before, rather than at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ramp: bool,
}

/// A checked profile.
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
#[derive(Debug, Clone, PartialEq)]
pub enum Profile {
    /// Linear pieces, in order of time.
    Pieces(Vec<Piece>),
    /// A wave.
    Sine { mean: f64, amplitude: f64, pulsation: f64 },
}

/// A piece of a profile: from `start` on the rate is `rate + slope·(t − start)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    start: f64,
    /// Arrivals expected before the piece.
    before: f64,
    rate: f64,
    /// 1/rate; division is what costs most in an arrival.
    inverse: f64,
    slope: f64,
}

/// Where in a profile the last answer was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    piece: usize,
    /// A copy of the piece if its rate is constant, for operational times before `until`.
    until: f64,
    start: f64,
    before: f64,
    inverse: f64,
}

/// Rates per second become rates per nanosecond.
fn per_nano(rate: Rate) -> f64 {
    rate.per_second() / 1e9
}

impl RateSpec {
    /// Checks the profile.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn prepare(&self) -> Result<Profile, String> {
        let stage = |rate: Rate, length: Option<Duration>, ramp: bool| Stage { rate, length, ramp };
        match self {
            RateSpec::Constant(rate) => pieces(&[stage(*rate, None, false)]),
            RateSpec::Profile(ProfileSpec::Ramp(Ramp { from, to, over })) => {
                let start = stage(*from, Some(Duration::ZERO), false);
                pieces(&[start, stage(*to, Some(*over), true), stage(*to, None, false)])
            }
            RateSpec::Profile(ProfileSpec::Step(Step { from, to, at })) => {
                pieces(&[stage(*from, Some(*at), false), stage(*to, None, false)])
            }
            RateSpec::Profile(ProfileSpec::Spike(Spike { base, peak, at, length })) => {
                let spike = stage(*peak, Some(*length), false);
                pieces(&[stage(*base, Some(*at), false), spike, stage(*base, None, false)])
            }
            RateSpec::Profile(ProfileSpec::Sine(Sine { mean, amplitude, period })) => {
                if amplitude.per_second() > mean.per_second() {
                    return Err("the amplitude of a sine must not exceed its mean: a rate is never negative".to_owned());
                }
                if *period == Duration::ZERO {
                    return Err("the period of a sine must be longer than 0".to_owned());
                }
                let pulsation = 2.0 * std::f64::consts::PI / period.as_nanos() as f64;
                Ok(Profile::Sine { mean: per_nano(*mean), amplitude: per_nano(*amplitude), pulsation })
            }
            RateSpec::Profile(ProfileSpec::Stages(stages)) => pieces(stages),
        }
    }
}

fn pieces(stages: &[Stage]) -> Result<Profile, String> {
    let Some((last, earlier)) = stages.split_last() else {
        return Err("at least one stage is needed".to_owned());
    };
    if earlier.iter().any(|stage| stage.length.is_none()) {
        return Err("only the last stage may leave out `for`".to_owned());
    }
    if last.ramp && last.length.is_none() {
        return Err("a stage that ramps needs `for`".to_owned());
    }
    let (mut start, mut before, mut rate_before) = (0.0, 0.0, 0.0);
    let mut pieces = Vec::new();
    for stage in stages {
        let length = stage.length.map_or(0.0, |length| length.as_nanos() as f64);
        let end_rate = per_nano(stage.rate);
        let rate = if stage.ramp { rate_before } else { end_rate };
        if length > 0.0 {
            pieces.push(Piece { start, before, rate, inverse: 1.0 / rate, slope: (end_rate - rate) / length });
            before += length * (rate + end_rate) / 2.0;
            start += length;
        }
        rate_before = end_rate;
    }
    // The last rate stays.
    pieces.push(Piece { start, before, rate: rate_before, inverse: 1.0 / rate_before, slope: 0.0 });
    Ok(Profile::Pieces(pieces))
}

impl Profile {
    /// When the rate changes for the last time [ns]; never, or without end (a wave), if `None`.
    pub fn last_change(&self) -> Option<f64> {
        match self {
            Profile::Pieces(pieces) => pieces.last().map(|piece| piece.start).filter(|start| *start > 0.0),
            Profile::Sine { .. } => None,
        }
    }

    /// The rate at an instant [ns], in arrivals per nanosecond.
    pub fn rate_at(&self, time: f64) -> f64 {
        match self {
            Profile::Pieces(pieces) => {
                let piece = pieces.iter().rfind(|piece| piece.start <= time);
                piece.map_or(0.0, |piece| piece.rate + piece.slope * (time - piece.start))
            }
            Profile::Sine { mean, amplitude, pulsation } => mean + amplitude * libm::sin(pulsation * time),
        }
    }

    /// The instant [ns] by which `operational` arrivals are expected; `None` if that never comes. `place` remembers where
    /// the last call found its answer; calls must come with ascending `operational`.
    #[inline(always)]
    pub fn time_of(&self, operational: f64, place: &mut Place) -> Option<f64> {
        if operational < place.until {
            return Some(place.start + (operational - place.before) * place.inverse);
        }
        self.look_up(operational, place)
    }

    #[inline(never)]
    fn look_up(&self, operational: f64, place: &mut Place) -> Option<f64> {
        match self {
            Profile::Pieces(pieces) => {
                let ends = |piece: usize| pieces.get(piece + 1).map_or(f64::INFINITY, |next| next.before);
                while ends(place.piece) <= operational {
                    place.piece += 1;
                }
                let piece = pieces[place.piece];
                if piece.slope == 0.0 && piece.rate > 0.0 {
                    let (start, before, inverse) = (piece.start, piece.before, piece.inverse);
                    *place = Place { until: ends(place.piece), start, before, inverse, ..*place };
                }
                piece.time_of(operational)
            }
            Profile::Sine { mean, amplitude, pulsation } => sine_time(operational, *mean, *amplitude, *pulsation),
        }
    }
}

impl Piece {
    #[inline]
    fn time_of(&self, operational: f64) -> Option<f64> {
        let wanted = operational - self.before;
        if self.slope == 0.0 {
            return (self.rate > 0.0).then_some(self.start + wanted * self.inverse);
        }
        // rate·x + slope·x²/2 = wanted, in the form that loses no digits.
        let root = libm::sqrt((self.rate * self.rate + 2.0 * self.slope * wanted).max(0.0));
        Some(self.start + 2.0 * wanted / (self.rate + root))
    }
}

/// Inverts mean·t + amplitude/pulsation·(1 − cos(pulsation·t)).
fn sine_time(operational: f64, mean: f64, amplitude: f64, pulsation: f64) -> Option<f64> {
    if mean <= 0.0 {
        return None;
    }
    let swing = amplitude / pulsation;
    let expected = |time: f64| mean * time + swing * (1.0 - libm::cos(pulsation * time));
    let (mut low, mut high) = (((operational - 2.0 * swing) / mean).max(0.0), operational / mean);
    let mut time = (low + high) / 2.0;
    // Newton converges in a few rounds; the bracket guarantees an end.
    for _ in 0..100 {
        let error = expected(time) - operational;
        if error > 0.0 {
            high = time
        } else {
            low = time
        }
        let rate = mean + amplitude * libm::sin(pulsation * time);
        let newton = time - error / rate;
        let next = if newton > low && newton < high { newton } else { (low + high) / 2.0 };
        if (next - time).abs() < 0.01 {
            return Some(next);
        }
        time = next;
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn times(spec: serde_json::Value, counts: &[f64]) -> Vec<Option<f64>> {
        let spec: RateSpec = serde_json::from_value(spec).unwrap();
        let profile = spec.prepare().unwrap();
        let mut place = Place::default();
        counts
            .iter()
            .map(|count| profile.time_of(*count, &mut place).map(|nanos| (nanos / 1e6).round() / 1e3))
            .collect()
    }

    #[test]
    fn profiles_reach_their_counts_at_the_times_of_their_integrals() {
        assert_eq!(times(json!("10/s"), &[1.0, 100.0]), [Some(0.1), Some(10.0)]);
        // 0 to 10/s over 10 s: t²/2 arrivals; 50 by the end, then 10/s.
        let ramp = json!({"ramp": {"from": "0/s", "to": "10/s", "over": "10s"}});
        assert_eq!(times(ramp, &[2.0, 50.0, 60.0]), [Some(2.0), Some(10.0), Some(11.0)]);
        let step = json!({"step": {"from": "1/s", "to": "10/s", "at": "10s"}});
        assert_eq!(times(step, &[5.0, 20.0]), [Some(5.0), Some(11.0)]);
        let spike = json!({"spike": {"base": "1/s", "peak": "10/s", "at": "10s", "for": "10s"}});
        assert_eq!(times(spike, &[10.0, 110.0, 111.0]), [Some(10.0), Some(20.0), Some(21.0)]);
        let stages = json!({"stages": [{"rate": "10/s", "for": "10s"}, {"rate": "0/s", "for": "10s", "ramp": true}, {"rate": "0/s"}]});
        assert_eq!(times(stages, &[100.0, 137.5, 150.1]), [Some(10.0), Some(15.0), None]);
    }

    #[test]
    fn a_sine_reaches_its_mean_count_after_whole_periods() {
        let sine = json!({"sine": {"mean": "100/s", "amplitude": "100/s", "period": "60s"}});
        assert_eq!(times(sine, &[6000.0, 12000.0]), [Some(60.0), Some(120.0)]);
    }

    #[test]
    fn impossible_profiles_are_refused() {
        for spec in [
            json!({"sine": {"mean": "1/s", "amplitude": "2/s", "period": "1s"}}),
            json!({"sine": {"mean": "2/s", "amplitude": "1/s", "period": "0s"}}),
            json!({"stages": []}),
            json!({"stages": [{"rate": "1/s"}, {"rate": "2/s"}]}),
        ] {
            let spec: RateSpec = serde_json::from_value(spec).unwrap();
            assert!(spec.prepare().is_err(), "{spec:?}");
        }
    }
}
