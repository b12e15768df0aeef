//! How fast the Horizontal Pod Autoscaler may go: stabilization windows and scaling policies, as pure functions and a record
//! of the past.
//!
//! Source: Kubernetes, `pkg/controller/podautoscaler/horizontal.go`: `stabilizeRecommendationWithBehaviors`,
//! `convertDesiredReplicasWithBehaviorRate`, `calculateScaleUpLimitWithScalingRules`, `calculateScaleDownLimitWithBehaviors`.
//! Defaults: up at once by the greater of 4 pods and 100 % per 15 s; down by 100 % per 15 s after a window of 300 s.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::Duration;

/// How fast it may go in one direction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HpaRules")]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The most cautious recommendation of this time counts; up: at once, down: 300 s if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stabilization: Option<Duration>,
    /// Which of the policies counts; `max`, the greatest change, if left out.
    #[serde(default)]
    pub select: Select,
    /// The most it may change; up: 4 pods or 100 % per 15 s, down: 100 % per 15 s if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Rate>,
}

/// Which of several policies counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HpaSelect")]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// That of the greatest change.
    #[default]
    Max,
    /// That of the least change.
    Min,
    /// No change in this direction.
    Disabled,
}

/// The most it may change within a period: `{ pods: 4, period: 15s }` or `{ percent: 100, period: 15s }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HpaRate")]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// By so many pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32>,
    /// By this percentage of what there was at the beginning of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// The period; 15 s if left out.
    #[serde(default = "quarter_minute")]
    pub period: Duration,
}

fn quarter_minute() -> Duration {
    Duration::from_nanos(15_000_000_000)
}

impl Rate {
    fn pods(pods: u32) -> Self {
        Rate { pods: Some(pods), percent: None, period: quarter_minute() }
    }

    fn percent(percent: u32) -> Self {
        Rate { pods: None, percent: Some(percent), period: quarter_minute() }
    }

    /// The limit it sets on the way up.
    fn up(&self, start: i64) -> i64 {
        match (self.pods, self.percent) {
            (Some(pods), _) => start + i64::from(pods),
            (None, percent) => (start as f64 * (1.0 + f64::from(percent.unwrap_or(0)) / 100.0)).ceil() as i64,
        }
    }

    /// The limit it sets on the way down.
    fn down(&self, start: i64) -> i64 {
        match (self.pods, self.percent) {
            (Some(pods), _) => start - i64::from(pods),
            (None, percent) => (start as f64 * (1.0 - f64::from(percent.unwrap_or(0)) / 100.0)) as i64,
        }
    }
}

/// A change in the past: when, and by how many.
pub type Change = (Nanos, u32);

/// What it has recommended and done.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Recommendations before stabilization.
    recommended: Vec<(Nanos, u32)>,
    up: Vec<Change>,
    down: Vec<Change>,
}

/// The rules of both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    up: Rules,
    down: Rules,
}

impl Behavior {
    /// The rules, with defaults for what is left out.
    pub fn new(up: &Rules, down: &Rules) -> Self {
        let (mut up, mut down) = (up.clone(), down.clone());
        if up.policies.is_empty() {
            up.policies = vec![Rate::pods(4), Rate::percent(100)];
        }
        if down.policies.is_empty() {
            down.policies = vec![Rate::percent(100)];
        }
        up.stabilization.get_or_insert(Duration::ZERO);
        down.stabilization.get_or_insert(Duration::from_nanos(300_000_000_000));
        Behavior { up, down }
    }

    /// What is done about a recommendation, and noted.
    pub fn apply(&self, past: &mut Past, now: Nanos, current: u32, recommended: u32, bounds: [u32; 2]) -> u32 {
        let stable = self.stabilize(past, now, current, recommended);
        let wanted = self.limit(past, now, current, stable, bounds);
        if wanted > current {
            past.up.push((now, wanted - current));
        } else if wanted < current {
            past.down.push((now, current - wanted));
        }
        let longest = |rules: &Rules| rules.policies.iter().map(|rate| rate.period.as_nanos()).max().unwrap_or(0);
        let longest = longest(&self.up).max(longest(&self.down));
        past.up.retain(|(at, _)| at.saturating_add(longest) > now);
        past.down.retain(|(at, _)| at.saturating_add(longest) > now);
        wanted
    }

    /// The recommendation within those of the stabilization windows.
    fn stabilize(&self, past: &mut Past, now: Nanos, current: u32, recommended: u32) -> u32 {
        let window = |rules: &Rules| rules.stabilization.map_or(0, Duration::as_nanos);
        let (up, down) = (window(&self.up), window(&self.down));
        let (mut least, mut most) = (recommended, recommended);
        for (at, earlier) in &past.recommended {
            if at.saturating_add(up) > now {
                least = least.min(*earlier);
            }
            if at.saturating_add(down) > now {
                most = most.max(*earlier);
            }
        }
        past.recommended.retain(|(at, _)| at.saturating_add(up.max(down)) > now);
        past.recommended.push((now, recommended));
        if current < least {
            least
        } else if current > most {
            most
        } else {
            current
        }
    }

    /// The number within what the policies allow.
    pub fn limit(&self, past: &Past, now: Nanos, current: u32, wanted: u32, [least, most]: [u32; 2]) -> u32 {
        let so_many = i64::from(current);
        if wanted > current {
            let limit = self.up_limit(past, now, so_many).max(so_many);
            i64::from(wanted).min(limit).min(i64::from(most)) as u32
        } else if wanted < current {
            let limit = self.down_limit(past, now, so_many).min(so_many);
            i64::from(wanted).max(limit).max(i64::from(least)) as u32
        } else {
            current
        }
    }

    fn up_limit(&self, past: &Past, now: Nanos, current: i64) -> i64 {
        let limits = self.up.policies.iter().map(|rate| rate.up(start(past, now, rate.period.as_nanos(), current)));
        match self.up.select {
            Select::Disabled => current,
            Select::Max => limits.max().unwrap_or(current),
            Select::Min => limits.min().unwrap_or(current),
        }
    }

    fn down_limit(&self, past: &Past, now: Nanos, current: i64) -> i64 {
        let limits = self.down.policies.iter().map(|rate| rate.down(start(past, now, rate.period.as_nanos(), current)));
        match self.down.select {
            Select::Disabled => current,
            Select::Max => limits.min().unwrap_or(current),
            Select::Min => limits.max().unwrap_or(current),
        }
    }
}

/// How many there were at the beginning of a period that ends now.
fn start(past: &Past, now: Nanos, period: Nanos, current: i64) -> i64 {
    let within = |changes: &[Change]| -> i64 {
        changes.iter().filter(|(at, _)| at.saturating_add(period) > now).map(|(_, by)| i64::from(*by)).sum()
    };
    current - within(&past.up) + within(&past.down)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;
    /// Now, in the tests with a past.
    const NOW: Nanos = 1000 * SECOND;

    fn pods(pods: u32, seconds: u64) -> Rate {
        Rate { pods: Some(pods), percent: None, period: Duration::from_nanos(seconds * SECOND) }
    }

    fn percent(percent: u32, seconds: u64) -> Rate {
        Rate { pods: None, percent: Some(percent), period: Duration::from_nanos(seconds * SECOND) }
    }

    fn rules(policies: &[Rate]) -> Rules {
        Rules { policies: policies.to_vec(), ..Rules::default() }
    }

    fn ago(changes: &[(u32, u64)]) -> Vec<Change> {
        changes.iter().map(|(by, seconds)| (NOW - seconds * SECOND, *by)).collect()
    }

    /// Reference case J02: `TestScalingWithRules`.
    #[test]
    fn policies_limit_as_in_the_tests_of_kubernetes() {
        type Case = (u32, u32, [u32; 2], Vec<Rate>, Vec<Rate>, Vec<(u32, u64)>, Vec<(u32, u64)>, u32);
        let three = vec![(1, 100), (5, 60), (9, 20)];
        let none = Vec::new;
        let cases: Vec<Case> = vec![
            (5, 7, [3, 8], vec![], vec![], vec![], vec![], 7),
            (10, 50, [1, 1000], vec![], vec![], vec![], vec![], 20),
            (10, 500, [1, 1000], vec![pods(100, 60), percent(100, 60)], none(), vec![], vec![], 110),
            (10, 500, [1, 1000], vec![pods(2, 60), percent(100, 60)], none(), vec![], vec![], 20),
            (10, 50, [1, 1000], vec![pods(30, 60)], none(), vec![], vec![], 40),
            (10, 50, [1, 1000], vec![percent(200, 60)], none(), vec![], vec![], 30),
            (3, 1000, [1, 2000], vec![percent(1, 60)], none(), vec![], vec![], 4),
            (100, 1000, [100, 150], vec![], vec![], vec![], vec![], 150),
            (100, 2, [1, 1000], none(), vec![pods(20, 60), percent(1, 60)], vec![], vec![], 80),
            (100, 2, [1, 1000], none(), vec![pods(2, 60), percent(1, 60)], vec![], vec![], 98),
            (10, 2, [1, 1000], none(), vec![pods(5, 60)], vec![], vec![], 5),
            (10, 5, [1, 1000], none(), vec![percent(50, 60)], vec![], vec![], 5),
            (10, 2, [5, 1000], none(), vec![percent(100, 60)], vec![], vec![], 5),
            (100, 500, [1, 1000], vec![pods(5, 120)], none(), three.clone(), vec![], 100),
            (100, 500, [1, 1000], vec![pods(150, 120)], none(), three.clone(), vec![], 235),
            (100, 500, [1, 1000], vec![percent(200, 120)], none(), three.clone(), vec![], 255),
            (100, 500, [1, 200], vec![pods(300, 60)], none(), three.clone(), vec![], 200),
            (10, 5, [1, 1000], none(), none(), vec![], three.clone(), 5),
            (100, 2, [1, 1000], none(), vec![pods(5, 120)], vec![], three, 100),
            (100, 0, [1, 1000], none(), vec![percent(50, 120)], vec![], vec![(2, 100), (4, 60), (6, 20)], 56),
            (100, 0, [1, 1000], none(), vec![percent(10, 120)], vec![], vec![(10, 100), (10, 60), (10, 20)], 100),
            (10, 5, [1, 1000], none(), vec![percent(1000, 120)], vec![], vec![(10, 100), (10, 60), (10, 20)], 5),
            (
                100,
                200,
                [1, 1000],
                vec![pods(1000, 120), percent(100, 60)],
                none(),
                vec![(8, 105), (12, 75), (9, 45), (11, 15)],
                vec![],
                200,
            ),
        ];
        for (number, (current, desired, bounds, up, down, ups, downs, expected)) in cases.into_iter().enumerate() {
            let behavior = Behavior::new(&rules(&up), &rules(&down));
            let past = Past { recommended: vec![], up: ago(&ups), down: ago(&downs) };
            assert_eq!(behavior.limit(&past, NOW, current, desired, bounds), expected, "case {number}");
        }
    }

    #[test]
    fn the_least_change_can_be_selected_and_a_direction_disabled() {
        let two = |select| Rules { select, ..rules(&[pods(2, 60), percent(50, 60)]) };
        let least = Behavior::new(&two(Select::Min), &two(Select::Min));
        assert_eq!(least.limit(&Past::default(), NOW, 1, 100, [1, 100]), 2);
        assert_eq!(least.limit(&Past::default(), NOW, 5, 1, [1, 100]), 3);
        let never = Behavior::new(&two(Select::Max), &two(Select::Disabled));
        assert_eq!(never.limit(&Past::default(), NOW, 5, 1, [1, 100]), 5);
    }

    /// Reference case J04: the example of the documentation.
    #[test]
    fn eighty_replicas_go_down_to_ten_as_documented() {
        let down = Rules { stabilization: Some(Duration::ZERO), ..rules(&[pods(4, 60), percent(10, 60)]) };
        let behavior = Behavior::new(&Rules::default(), &down);
        let (mut past, mut replicas, mut seen) = (Past::default(), 80, vec![80]);
        for minute in 1..15 {
            replicas = behavior.apply(&mut past, minute * 60 * SECOND, replicas, 10, [1, 100]);
            seen.push(replicas);
        }
        assert_eq!(seen, [80, 72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10]);
    }

    #[test]
    fn going_down_waits_until_the_window_holds_nothing_higher() {
        let behavior = Behavior::new(&Rules::default(), &Rules::default());
        let mut past = Past::default();
        let mut at = |seconds: u64, current, recommended| {
            behavior.apply(&mut past, seconds * SECOND, current, recommended, [1, 100])
        };
        assert_eq!(at(0, 10, 10), 10);
        assert_eq!(at(15, 10, 4), 10);
        assert_eq!(at(285, 10, 6), 10);
        // 300 s later the recommendation of 10 counts no more; the highest one left is 6.
        assert_eq!(at(300, 10, 4), 6);
        assert_eq!(at(315, 6, 8), 8);
    }
}
