//! Load shedding: turning requests away at the door of an instance while others can still be served.
//!
//! Sources: B. Beyer et al., "Site Reliability Engineering", chapter 21 (shedding by criticality and by utilization);
//! D. Yanacek, "Using load shedding to avoid overload", Amazon Builders' Library. A rule turns a request away when one of its
//! measures is at or above its mark; it may spare the more important ones. A rule with a `resume` mark is backpressure
//! with watermarks: once it has begun it goes on until its measure is at or below that mark.
//!
//! CPU utilization is measured over the latest 100 ms at least (own choice), the wait is that of the one who has waited longest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::time::Nanos;
use crate::quantity::{Duration, Share};

/// A rule of load shedding: `{ in_flight: 100 }`, `{ queue: 50, from_priority: 1 }`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShedSpec {
    /// Turns requests away while so many are at the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_flight: Option<u32>,
    /// Turns requests away while so many wait for a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue: Option<u32>,
    /// Turns requests away while somebody has waited so long for a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Duration>,
    /// Turns requests away while the cores are so busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Share>,
    /// Only requests of this priority and less important ones (larger numbers); all, 0, if left out.
    #[serde(default)]
    pub from_priority: u8,
    /// Once begun, it goes on until no more than so many are at the instance (or wait, if the rule is on the queue).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub resume: Option<u32>,
}

impl ShedSpec {
    /// Whether there is a mark at all.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let counts = [self.in_flight, self.queue];
        if counts.iter().all(Option::is_none) && self.wait.is_none() && self.cpu.is_none() {
            return Err("give a mark: `in_flight`, `queue`, `wait` or `cpu`".to_owned());
        }
        let high = counts.into_iter().flatten().min();
        match (self.resume, high) {
            (Some(resume), Some(high)) if resume < high => Ok(()),
            (Some(_), _) => Err("`resume` goes with `in_flight` or `queue`, and is less than it".to_owned()),
            (None, _) => Ok(()),
        }
    }
}

/// What an instance knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Requests there.
    pub in_flight: u32,
    /// Of these, waiting for a worker.
    pub queue: u32,
    /// How long the one at the head of the queue has waited [ns].
    pub wait: Nanos,
    /// How busy the cores are.
    pub cpu: f64,
}

/// A rule at work.
#[derive(Debug, Clone)]
pub struct Shed {
    spec: ShedSpec,
    paused: bool,
}

impl Shed {
    /// A rule that has not begun.
    pub fn new(spec: &ShedSpec) -> Self {
        Shed { spec: spec.clone(), paused: false }
    }

    /// Whether a request of this priority is turned away.
    pub fn sheds(&mut self, load: &Load, priority: u8) -> bool {
        let spec = &self.spec;
        let count = if spec.in_flight.is_some() { load.in_flight } else { load.queue };
        let high = spec.in_flight.is_some_and(|most| load.in_flight >= most)
            || spec.queue.is_some_and(|most| load.queue >= most)
            || spec.wait.is_some_and(|most| load.wait >= most.as_nanos())
            || spec.cpu.is_some_and(|most| load.cpu >= most.fraction());
        self.paused = match spec.resume {
            Some(low) => high || (self.paused && count > low),
            None => high,
        };
        self.paused && priority >= spec.from_priority
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Shed {
        Shed::new(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_rule_begins_at_its_mark_and_spares_the_important() {
        let mut rule = rule(r#"{"in_flight": 10, "from_priority": 2}"#);
        let load = |in_flight| Load { in_flight, ..Load::default() };
        assert!(!rule.sheds(&load(9), 5));
        assert!(rule.sheds(&load(10), 2));
        assert!(!rule.sheds(&load(10), 1), "more important");
        assert!(!rule.sheds(&load(9), 2));
    }

    #[test]
    fn watermarks_have_hysteresis() {
        let mut rule = rule(r#"{"queue": 10, "resume": 4}"#);
        let load = |queue| Load { queue, in_flight: 99, ..Load::default() };
        let seen: Vec<bool> = [9, 10, 9, 5, 4, 9, 10].into_iter().map(|queue| rule.sheds(&load(queue), 0)).collect();
        assert_eq!(seen, [false, true, true, true, false, false, true]);
    }

    #[test]
    fn waits_and_cores_are_marks_too() {
        let mut wait = rule(r#"{"wait": "50ms"}"#);
        assert!(!wait.sheds(&Load { wait: 49_999_999, ..Load::default() }, 0));
        assert!(wait.sheds(&Load { wait: 50_000_000, ..Load::default() }, 0));
        let mut cpu = rule(r#"{"cpu": "90%"}"#);
        assert!(!cpu.sheds(&Load { cpu: 0.89, ..Load::default() }, 0));
        assert!(cpu.sheds(&Load { cpu: 0.9, ..Load::default() }, 0));
    }

    #[test]
    fn rules_without_a_mark_are_refused() {
        let check = |text: &str| serde_json::from_str::<ShedSpec>(text).unwrap().check().is_ok();
        assert!(!check("{}"));
        assert!(!check(r#"{"in_flight": 5, "resume": 5}"#));
        assert!(!check(r#"{"cpu": "90%", "resume": 5}"#));
        assert!(check(r#"{"in_flight": 5, "resume": 4}"#));
    }
}
