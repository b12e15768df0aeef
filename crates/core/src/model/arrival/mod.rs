//! Arrival processes: when requests come from outside.
//!
//! A process gives the arrivals one after the other; it knows nothing of the system it feeds. Poisson and paced arrivals
//! follow a rate that may change over time ([`profile`]): they run in *operational time*, the integral of the rate, so a
//! change of the rate stretches the same pattern of arrivals, and variants with different rates stay comparable.
//!
//! Source of the time change: E. Çinlar, Introduction to Stochastic Processes (1975), section 4.5.

pub mod clock;
pub mod modulated;
pub mod profile;
pub mod replay;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::{Distribution, Random, Values};
use crate::engine::time::round;
use crate::engine::ziggurat::Exponential;
use crate::engine::{Nanos, Stream, random};
use crate::quantity::Duration;
use clock::{Clock, ClockSpec};
use modulated::{Modulated, OnOffSpec, StateSpec};
use profile::{Profile, RateSpec};
use replay::{Player, Replay, ReplaySpec};

/// When requests of an open client arrive, as written in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Arrivals")]
#[serde(rename_all = "snake_case")]
pub enum ArrivalSpec {
    /// At random, independently of each other: a Poisson process of this rate.
    Poisson(RateSpec),
    /// Evenly spaced at this rate, as a load generator does.
    Constant(RateSpec),
    /// With gaps between 0 and twice the mean, all equally likely.
    Uniform(RateSpec),
    /// At random, at a rate that jumps between states, which follow each other in a circle (MMPP).
    Modulated(Vec<StateSpec>),
    /// At random in bursts, with silence between them.
    OnOff(OnOffSpec),
    /// With independent gaps from a distribution.
    Renewal(Random<Duration>),
    /// As they were recorded: instants, counts per interval, or an access log.
    Replay(ReplaySpec),
    /// At these instants, and never again.
    At(Vec<Duration>),
    /// In batches by the clock, such as a nightly job.
    Clock(ClockSpec),
}

/// An arrival process, checked and ready to be built for a run.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// Gaps in operational time.
    Profiled(Profile, Gap),
    /// A rate that jumps.
    Modulated(Box<Modulated>),
    /// Independent gaps [ns].
    Renewal(Distribution),
    /// A recording, and what of it could not be read.
    Replay(Replay, Option<String>),
    /// Given instants, ascending [ns].
    At(Vec<Nanos>),
    /// Batches at set times.
    Clock(Clock),
}

/// The gaps of a process in operational time; all have mean 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Memoryless.
    Exponential,
    /// Always 1.
    Constant,
    /// Between 0 and 2.
    Uniform,
}

impl ArrivalSpec {
    /// Checks the process and prepares it.
    ///
    /// # Errors
    /// What is wrong with the parameters, and what is allowed.
    pub fn prepare(&self, files: &dyn Values) -> Result<Arrivals, String> {
        Ok(match self {
            ArrivalSpec::Poisson(rate) => Arrivals::Profiled(rate.prepare()?, Gap::Exponential),
            ArrivalSpec::Constant(rate) => Arrivals::Profiled(rate.prepare()?, Gap::Constant),
            ArrivalSpec::Uniform(rate) => Arrivals::Profiled(rate.prepare()?, Gap::Uniform),
            ArrivalSpec::Modulated(states) if states.is_empty() => {
                return Err("at least one state is needed".to_owned());
            }
            ArrivalSpec::Modulated(states) => Arrivals::Modulated(Box::new(Modulated::new(states, files)?)),
            ArrivalSpec::OnOff(spec) => Arrivals::Modulated(Box::new(Modulated::new(&Modulated::on_off(spec), files)?)),
            ArrivalSpec::Renewal(gap) => {
                let gap = gap.build(files)?;
                if gap.as_constant() == Some(0.0) {
                    return Err("a gap between arrivals must be longer than 0".to_owned());
                }
                Arrivals::Renewal(gap)
            }
            ArrivalSpec::Replay(spec) => {
                let (replay, note) = files.recording(spec)?;
                Arrivals::Replay(replay, note)
            }
            ArrivalSpec::Clock(spec) => Arrivals::Clock(spec.prepare()?),
            ArrivalSpec::At(times) => {
                let times: Vec<Nanos> = times.iter().map(|time| time.as_nanos()).collect();
                if !times.is_sorted() {
                    return Err("instants must be in ascending order".to_owned());
                }
                Arrivals::At(times)
            }
        })
    }
}

impl Arrivals {
    /// The process for one run.
    pub fn build(&self) -> Process {
        match self {
            Arrivals::Profiled(profile, gap) => {
                let profiled = Profiled {
                    profile: profile.clone(),
                    unit: Exponential::new(),
                    operational: 0.0,
                    place: profile::Place::default(),
                };
                match gap {
                    Gap::Exponential => Process::Poisson(profiled),
                    Gap::Constant => Process::Even(profiled),
                    Gap::Uniform => Process::Uniform(profiled),
                }
            }
            Arrivals::Modulated(process) => Process::Modulated(process.clone()),
            Arrivals::Renewal(gap) => Process::Renewal { gap: gap.clone(), now: 0.0 },
            Arrivals::Replay(replay, _) => Process::Replay(Player::new(replay)),
            Arrivals::Clock(clock) => Process::Clock(*clock),
            Arrivals::At(times) => Process::At { times: times.clone(), next: 0 },
        }
    }
}

/// Arrivals that follow a rate: `operational` is the operational time of the last arrival (arrivals expected until then),
/// `place` where the profile was.
#[derive(Debug)]
pub struct Profiled {
    profile: Profile,
    unit: Exponential,
    operational: f64,
    place: profile::Place,
}

impl Profiled {
    /// The instant of the next arrival, after a gap in operational time.
    #[inline(always)]
    fn after(&mut self, gap: f64) -> Option<Nanos> {
        self.operational += gap;
        self.profile.time_of(self.operational, &mut self.place).map(round)
    }
}

/// Gives the arrivals of one client in one run.
#[derive(Debug)]
#[expect(missing_docs, reason = "the comment of each variant names its fields")]
pub enum Process {
    /// Memoryless gaps.
    Poisson(Profiled),
    /// Even gaps; the first arrival comes one gap after the start.
    Even(Profiled),
    /// Gaps between 0 and twice their mean.
    Uniform(Profiled),
    /// Arrivals at a rate that jumps.
    Modulated(Box<Modulated>),
    /// Arrivals with independent gaps; `now` is the last one [ns].
    Renewal { gap: Distribution, now: f64 },
    /// Recorded arrivals.
    Replay(Player),
    /// Batches by the clock.
    Clock(Clock),
    /// Arrivals at given instants.
    At { times: Vec<Nanos>, next: usize },
    /// None at all.
    Nothing,
}

impl Process {
    /// The instant of the next arrival, never before the last one; `None` if there is none any more.
    #[inline(always)]
    pub fn next(&mut self, random: &mut Stream) -> Option<Nanos> {
        match self {
            Process::Poisson(profiled) => {
                let gap = profiled.unit.sample(random);
                profiled.after(gap)
            }
            other => other.next_other(random),
        }
    }

    #[inline(never)]
    fn next_other(&mut self, random: &mut Stream) -> Option<Nanos> {
        match self {
            Process::Poisson(profiled) => {
                let gap = profiled.unit.sample(random);
                profiled.after(gap)
            }
            Process::Even(profiled) => profiled.after(1.0),
            Process::Uniform(profiled) => profiled.after(2.0 * random::unit(random)),
            Process::Modulated(process) => Some(round(process.next(random))),
            Process::Renewal { gap, now } => {
                *now += gap.sample(random);
                Some(round(*now))
            }
            Process::Replay(player) => player.next_arrival(),
            Process::Clock(clock) => clock.next_arrival(),
            Process::At { times, next } => {
                *next += 1;
                times.get(*next - 1).copied()
            }
            Process::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arrivals(spec: serde_json::Value, until: Nanos) -> Vec<Nanos> {
        let spec: ArrivalSpec = serde_json::from_value(spec).unwrap();
        let mut process = spec.prepare(&super::super::distribution::NoFiles).unwrap().build();
        let mut random = Stream::new(12);
        std::iter::from_fn(|| process.next(&mut random)).take_while(|time| *time <= until).collect()
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced() {
        assert_eq!(
            arrivals(json!({"constant": "100/s"}), 50_000_000),
            [10_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000]
        );
    }

    #[test]
    fn given_instants_come_as_given() {
        assert_eq!(arrivals(json!({"at": ["0ms", "5ms", "5ms"]}), 1 << 40), [0, 5_000_000, 5_000_000]);
        let spec: ArrivalSpec = serde_json::from_value(json!({"at": ["5ms", "0ms"]})).unwrap();
        assert!(spec.prepare(&super::super::distribution::NoFiles).is_err());
    }

    #[test]
    fn poisson_counts_have_equal_mean_and_variance() {
        let times = arrivals(json!({"poisson": "1000/s"}), 1_000_000_000_000);
        let mut counts = vec![0f64; 10_000];
        times.iter().for_each(|time| counts[((time - 1) / 100_000_000) as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / 1e4;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 1e4;
        // Counts per 100 ms: mean 100 with standard error 0.1; variance 100 with standard error 1.41; bounds at five.
        assert!((mean - 100.0).abs() < 0.5 && (variance - 100.0).abs() < 7.1, "{mean} {variance}");
    }

    #[test]
    fn uniform_and_renewal_gaps_have_their_mean() {
        for spec in [json!({"uniform": "100/s"}), json!({"renewal": {"gamma": {"mean": "10ms", "cv": 0.5}}})] {
            let count = arrivals(spec.clone(), 1_000_000_000_000).len() as f64;
            // 100 000 gaps with a coefficient of variation of at most 0.58: standard error 183; bound at five.
            assert!((count - 100_000.0).abs() < 915.0, "{spec} {count}");
        }
    }

    #[test]
    fn a_sine_has_its_mean_at_every_phase() {
        let spec = json!({"poisson": {"sine": {"mean": "100/s", "amplitude": "80/s", "period": "60s"}}});
        let times = arrivals(spec, 6_000_000_000_000);
        for (phase, expected) in [(15.0, 180.0), (45.0, 20.0), (30.0, 100.0)] {
            let near = times.iter().filter(|time| ((**time as f64 / 1e9) % 60.0 - phase).abs() < 0.5).count() as f64;
            // 100 periods, a second of each; Poisson with the expected count; bound at five, plus the curve's bend.
            let bound = 5.0 * (expected * 100.0f64).sqrt() + 0.005 * expected * 100.0;
            assert!((near - expected * 100.0).abs() < bound, "phase {phase}: {near}");
        }
    }
}
