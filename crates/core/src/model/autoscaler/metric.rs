//! What an autoscaler can see: metrics, readings of them, and marks for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::quantity::Unit;
use crate::quantity::unit::parse_as;

/// A metric of a service that an autoscaler can go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ScalingMetric")]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// How busy the cores are, as a share of those of the instance.
    Cpu,
    /// Calls that are at the instances, at the moment of the scrape.
    InFlight,
    /// Calls sent to the instances per second.
    Requests,
    /// Calls that wait for a worker, at the moment of the scrape.
    Queue,
    /// The median of the response times of successful calls.
    P50,
    /// Their 95th percentile.
    P95,
    /// Their 99th percentile.
    P99,
    /// The share of the answered calls that failed.
    Errors,
    /// Messages that wait for a group of consumers, such as `orders.workers`, at the moment of the scrape.
    Lag(String),
}

impl Metric {
    /// Whether the values of the instances add up to that of the service.
    pub fn adds_up(&self) -> bool {
        matches!(self, Metric::InFlight | Metric::Requests | Metric::Queue | Metric::Lag(_))
    }

    /// The unit of its values.
    pub fn unit(&self) -> Unit {
        match self {
            Metric::Cpu | Metric::Errors => Unit::Share,
            Metric::InFlight | Metric::Queue | Metric::Lag(_) => Unit::Count,
            Metric::Requests => Unit::PerSecond,
            Metric::P50 | Metric::P95 | Metric::P99 => Unit::Seconds,
        }
    }

    /// The percentile that it is, from 0 to 1.
    pub fn percentile(&self) -> Option<f64> {
        match self {
            Metric::P50 => Some(0.5),
            Metric::P95 => Some(0.95),
            Metric::P99 => Some(0.99),
            _ => None,
        }
    }
}

/// A metric as it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// When it was measured [ns].
    pub at: Nanos,
    /// Of the service: a sum of what adds up, otherwise of all calls or cores together; in base units.
    pub whole: Option<f64>,
    /// Of every pod of the view.
    pub each: Vec<Option<f64>>,
}

/// A value of a metric as written: a number in the base unit, or a quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    /// A plain number.
    Number(f64),
    /// A quantity with its unit.
    Text(String),
}

impl Amount {
    /// The value in the base unit of a metric.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn of(&self, metric: &Metric) -> Result<f64, String> {
        let value = match self {
            Amount::Number(number) => *number,
            Amount::Text(text) => parse_as(text, metric.unit()).map_err(|error| error.to_string())?,
        };
        if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("it must be 0 or more".to_owned()) }
    }

    /// The value, which was checked.
    pub(super) fn value(&self, metric: &Metric) -> f64 {
        self.of(metric).unwrap_or(0.0)
    }

    /// Checks that it is a value of a metric above 0.
    pub(super) fn check(&self, key: &str, metric: &Metric) -> Result<(), (String, String)> {
        match self.of(metric) {
            Ok(value) if value > 0.0 => Ok(()),
            Ok(_) => Err((key.to_owned(), "it must be above 0".to_owned())),
            Err(message) => Err((key.to_owned(), message)),
        }
    }
}
