//! The Horizontal Pod Autoscaler of Kubernetes, `autoscaling/v2`.
//!
//! Every sync period each metric proposes a number by the replica calculator ([`calculator`]); the greatest counts. If a metric
//! cannot be read, the others may still scale up, not down. Stabilization windows and scaling policies ([`behavior`]) limit the
//! change.
//!
//! Source: Kubernetes, `pkg/controller/podautoscaler/horizontal.go` (`computeReplicasForMetrics`, `reconcileAutoscaler`) and
//! `replica_calculator.go` (`groupPods`), up to 1.32. Defaults: those of kube-controller-manager (`--horizontal-pod-autoscaler-*`): sync
//! period 15 s, tolerance 10 %, CPU initialization period 5 min, initial readiness delay 30 s.
//!
//! Limits: requests of resources are what the machine has; of resources only CPU is known.

pub mod behavior;
pub mod calculator;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Autoscaler, Metric, Phase, Pod, View};
use crate::engine::Nanos;
use crate::quantity::{Duration, Share};
use behavior::{Behavior, Past, Rules};
use calculator::{Group, Sample};

/// Parameters of the Horizontal Pod Autoscaler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Hpa")]
#[serde(deny_unknown_fields)]
pub struct HpaSpec {
    /// The metrics; the one that proposes most counts.
    #[schemars(length(min = 1))]
    pub metrics: Vec<HpaMetric>,
    /// How it may scale up.
    #[serde(default)]
    pub scale_up: Rules,
    /// How it may scale down.
    #[serde(default)]
    pub scale_down: Rules,
    /// A ratio that is no further from 1 changes nothing; 10% if left out.
    #[serde(default = "tenth")]
    pub tolerance: Share,
    /// How often it decides; 15 s if left out.
    #[serde(default = "quarter_minute")]
    pub sync: Duration,
    /// How long after its start the CPU of a pod counts only if it is ready and has been for a whole window; 5 min if left out.
    #[serde(default = "five_minutes")]
    pub cpu_initialization: Duration,
    /// A pod that became unready within this time after its start was never ready; 30 s if left out.
    #[serde(default = "half_minute")]
    pub readiness_delay: Duration,
}

/// A metric and its target: `{ resource: cpu, utilization: 70% }`, `{ pods: p95, average_value: 200m }`,
/// `{ external: { lag: orders.workers }, average_value: "100" }`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HpaMetric {
    /// A resource of the pods; `cpu` is the one that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Metric>,
    /// A metric of every pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<Metric>,
    /// A metric of an object, such as the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Metric>,
    /// A metric from outside the cluster, such as a queue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<Metric>,
    /// The target as a share of what the pods ask for; of `resource` only. Whole percents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization: Option<Share>,
    /// The target for the whole, as a Kubernetes quantity; of `object` and `external` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Quantity>,
    /// The target per pod, as a Kubernetes quantity: `200m` is 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_value: Option<Quantity>,
    /// What 1 means in a target of a response time: `s`, as Prometheus has it, if left out, or `ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<TimeUnit>,
}

/// What 1 means in a target of a response time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// A second.
    #[default]
    S,
    /// A millisecond.
    Ms,
}

/// A Kubernetes quantity: `200m`, `1.5`, `2k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "KubernetesQuantity")]
pub enum Quantity {
    /// A plain number.
    Number(f64),
    /// With a suffix: `m` for a thousandth, `k`, `M`, `G`, `Ki`, `Mi`, `Gi`.
    Text(String),
}

impl Quantity {
    /// Its milli-units, rounded up as `MilliValue` does.
    ///
    /// # Errors
    /// What cannot be read, and what can.
    pub fn milli(&self) -> Result<i64, String> {
        let text = match self {
            Quantity::Number(number) => number.to_string(),
            Quantity::Text(text) => text.trim().to_owned(),
        };
        let split = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
        let (digits, suffix) = text.split_at(split);
        let factor = match suffix {
            "m" => 1.0,
            "" => 1e3,
            "k" => 1e6,
            "M" => 1e9,
            "G" => 1e12,
            "Ki" => 1024e3,
            "Mi" => 1024.0 * 1024e3,
            "Gi" => 1024.0 * 1024.0 * 1024e3,
            _ => return Err(format!("`{text}` is no Kubernetes quantity; write 200m, 1.5, 2k or 1Gi")),
        };
        match digits.parse::<f64>() {
            Ok(number) if (0.0..1e15).contains(&(number * factor)) => Ok((number * factor - 1e-6).ceil() as i64),
            _ => Err(format!("`{text}` is no Kubernetes quantity; write 200m, 1.5, 2k or 1Gi")),
        }
    }
}

fn tenth() -> Share {
    Share::from_fraction(0.1).unwrap_or_default()
}

fn quarter_minute() -> Duration {
    Duration::from_nanos(15_000_000_000)
}

fn half_minute() -> Duration {
    Duration::from_nanos(30_000_000_000)
}

fn five_minutes() -> Duration {
    Duration::from_nanos(300_000_000_000)
}

/// What a target is compared with, in whole units of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Of what the pods ask for [%].
    Utilization(i64),
    /// Per pod, of pods or a resource [milli-units].
    Average(i64),
    /// Of the whole [milli-units].
    Value(i64),
    /// Of the whole, per pod [milli-units].
    ValuePerPod(i64),
}

impl HpaMetric {
    /// The metric, and what its source is called.
    fn source(&self) -> Result<(&Metric, &'static str), String> {
        let sources = [
            (&self.resource, "resource"),
            (&self.pods, "pods"),
            (&self.object, "object"),
            (&self.external, "external"),
        ];
        let mut given = sources.iter().filter_map(|(metric, source)| Some((metric.as_ref()?, *source)));
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err("give exactly one source: resource, pods, object or external".to_owned()),
        }
    }

    fn target(&self) -> Result<Target, String> {
        let (metric, source) = self.source()?;
        let positive = |milli: i64| if milli > 0 { Ok(milli) } else { Err("a target is above 0".to_owned()) };
        match (source, self.utilization, &self.value, &self.average_value) {
            ("resource", ..) if *metric != Metric::Cpu => Err("of resources only `cpu` is known".to_owned()),
            ("resource", Some(share), None, None) => {
                let percent = share.fraction() * 100.0;
                if percent < 0.5 || (percent - percent.round()).abs() > 1e-9 {
                    return Err("a utilization is a whole number of percents, at least 1%".to_owned());
                }
                Ok(Target::Utilization(percent.round() as i64))
            }
            ("resource" | "pods", None, None, Some(value)) => Ok(Target::Average(positive(value.milli()?)?)),
            ("object" | "external", None, Some(value), None) => Ok(Target::Value(positive(value.milli()?)?)),
            ("object" | "external", None, None, Some(value)) => Ok(Target::ValuePerPod(positive(value.milli()?)?)),
            ("resource", ..) => Err("a resource has a `utilization` or an `average_value`".to_owned()),
            ("pods", ..) => Err("a metric of pods has an `average_value`".to_owned()),
            _ => Err("an object or external metric has a `value` or an `average_value`".to_owned()),
        }
    }

    /// A value of the metric in milli-units.
    fn milli(&self, metric: &Metric, value: f64) -> i64 {
        let in_milliseconds = metric.percentile().is_some() && self.unit == Some(TimeUnit::Ms);
        let units = if in_milliseconds { value * 1e3 } else { value };
        (units * 1e3).round() as i64
    }
}

impl HpaSpec {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        for (number, metric) in self.metrics.iter().enumerate() {
            metric.target().map_err(|message| (format!("hpa.metrics[{number}]"), message))?;
        }
        let wrong = |rate: &behavior::Rate| rate.pods.is_some() == rate.percent.is_some();
        for (key, rules) in [("scale_up", &self.scale_up), ("scale_down", &self.scale_down)] {
            if let Some(number) = rules.policies.iter().position(wrong) {
                let message = "a policy has either `pods` or `percent`".to_owned();
                return Err((format!("hpa.{key}.policies[{number}]"), message));
            }
        }
        Ok(())
    }
}

/// The Horizontal Pod Autoscaler at work.
#[derive(Debug)]
pub struct Hpa {
    spec: HpaSpec,
    metrics: Vec<(Metric, Target)>,
    behavior: Behavior,
    past: Past,
}

impl Hpa {
    /// One that has not decided yet.
    pub fn new(spec: &HpaSpec) -> Self {
        let metric = |spec: &HpaMetric| Some((spec.source().ok()?.0.clone(), spec.target().ok()?));
        Hpa {
            metrics: spec.metrics.iter().filter_map(metric).collect(),
            behavior: Behavior::new(&spec.scale_up, &spec.scale_down),
            past: Past::default(),
            spec: spec.clone(),
        }
    }

    /// How a pod counts (`groupPods`).
    fn group(&self, pod: &Pod, value: Option<f64>, of_cpu: bool, at: Nanos, view: &View<'_>) -> Group {
        match pod.phase {
            Phase::Leaving => return Group::Ignored,
            Phase::Pending => return Group::Unready,
            Phase::Unready | Phase::Ready => {}
        }
        if value.is_none() {
            return Group::Missing;
        }
        let ready = pod.phase == Phase::Ready;
        let initializing = pod.started.saturating_add(self.spec.cpu_initialization.as_nanos()) > view.now;
        let unready = if initializing {
            !ready || at < pod.changed.saturating_add(view.window)
        } else {
            !ready && pod.started.saturating_add(self.spec.readiness_delay.as_nanos()) > pod.changed
        };
        if of_cpu && unready { Group::Unready } else { Group::Ready }
    }

    /// What a metric proposes; `None` if it cannot be read.
    fn propose(&self, number: usize, view: &View<'_>) -> Option<u32> {
        let (metric, target) = &self.metrics[number];
        let (spec, reading) = (&self.spec.metrics[number], &view.readings[number]);
        let (current, tolerance) = (view.wanted, self.spec.tolerance.fraction());
        let of_cpu = spec.resource.is_some();
        let pods = || -> Vec<Sample> {
            let sample = |(pod, value): (&Pod, &Option<f64>)| Sample {
                group: self.group(pod, *value, of_cpu, reading.at, view),
                value: value.map_or(0, |value| spec.milli(metric, value)),
                request: 1000,
            };
            view.pods.iter().zip(&reading.each).map(sample).collect()
        };
        match *target {
            Target::Utilization(percent) => calculator::utilization(current, percent, &pods(), tolerance),
            Target::Average(milli) => calculator::average(current, milli, &pods(), tolerance),
            Target::Value(milli) => {
                let usage = spec.milli(metric, reading.whole?);
                Some(calculator::value(current, usage, milli, view.ready(), tolerance))
            }
            Target::ValuePerPod(milli) => {
                let usage = spec.milli(metric, reading.whole?);
                Some(calculator::value_per_pod(current, usage, milli, tolerance))
            }
        }
    }
}

impl Autoscaler for Hpa {
    fn every(&self) -> Nanos {
        self.spec.sync.as_nanos()
    }

    fn metrics(&self) -> Vec<Metric> {
        self.metrics.iter().map(|(metric, _)| metric.clone()).collect()
    }

    fn decide(&mut self, view: &View<'_>) -> u32 {
        let [least, most] = view.bounds;
        if view.wanted > most || view.wanted < least {
            return view.wanted.clamp(least, most);
        }
        let proposals: Vec<Option<u32>> = (0..self.metrics.len()).map(|number| self.propose(number, view)).collect();
        let Some(proposed) = proposals.iter().flatten().max().copied() else { return view.wanted };
        if proposals.contains(&None) && proposed < view.wanted {
            return view.wanted;
        }
        self.behavior.apply(&mut self.past, view.now, view.wanted, proposed, view.bounds)
    }
}
