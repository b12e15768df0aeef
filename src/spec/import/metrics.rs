//! Names of metrics and triggers in manifests, and what they are here.

use crate::model::autoscaler::Metric;

/// Names of metrics of pods and objects that are known.
pub(super) const KNOWN: [(&str, Metric); 14] = [
    ("http_requests_per_second", Metric::Requests),
    ("requests_per_second", Metric::Requests),
    ("requests-per-second", Metric::Requests),
    ("http_requests", Metric::Requests),
    ("http_requests_in_flight", Metric::InFlight),
    ("requests_in_flight", Metric::InFlight),
    ("queue_depth", Metric::Queue),
    ("queue_length", Metric::Queue),
    ("http_request_duration_p50", Metric::P50),
    ("http_request_duration_p95", Metric::P95),
    ("http_request_duration_p99", Metric::P99),
    ("latency_p95", Metric::P95),
    ("latency_p99", Metric::P99),
    ("error_rate", Metric::Errors),
];

/// The metric of a name: one that is known, or one that ends or begins like `p95` says which percentile it is.
pub(super) fn metric(name: &str) -> Option<Metric> {
    let exact = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, metric)| metric.clone());
    let words = || name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let percentile = |word: &str, metric: Metric| words().any(|known| known == word).then_some(metric);
    exact
        .or_else(|| percentile("p50", Metric::P50))
        .or_else(|| percentile("p95", Metric::P95))
        .or_else(|| percentile("p99", Metric::P99))
}

/// The word of a metric in a model file.
pub(super) fn word(metric: &Metric) -> String {
    match metric {
        Metric::Cpu => "cpu".to_owned(),
        Metric::InFlight => "in_flight".to_owned(),
        Metric::Requests => "requests".to_owned(),
        Metric::Queue => "queue".to_owned(),
        Metric::P50 => "p50".to_owned(),
        Metric::P95 => "p95".to_owned(),
        Metric::P99 => "p99".to_owned(),
        Metric::Errors => "errors".to_owned(),
        Metric::Lag(group) => format!("{{ lag: {group} }}"),
    }
}
