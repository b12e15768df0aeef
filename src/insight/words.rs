//! Numbers in sentences.

use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::study::insight::{Effect, Insight};

/// A share in percent, with at most one digit behind the point: `12.5 %`, `100 %`.
pub fn percent(share: f64) -> String {
    display((share * 1000.0).round() / 1000.0, Unit::Share)
}

/// A metric without its client: `goodput`.
pub fn short(metric: &str) -> &str {
    metric.split_once('.').map_or(metric, |(_, rest)| rest)
}

/// What an intervention does to the ranking metric: `goodput +49.7 % (49.3 to 50.1 %)`.
pub fn changed(effect: &Effect, insight: &Insight) -> String {
    let name = short(&insight.metric);
    let Some(ratio) = effect.ratio else { return format!("{name} is not known") };
    let of = |ratio: f64| (ratio - 1.0) * 100.0;
    let (mean, low, high) = (of(ratio.mean), of(ratio.low), of(ratio.high));
    let digits = usize::from(mean.abs() < 9.95 || high - low < 1.0);
    let signed = |value: f64| {
        let text = format!("{value:+.digits$}");
        let is_nothing = text.chars().all(|c| matches!(c, '0' | '.' | '+' | '-'));
        if is_nothing { "0".to_owned() } else { text.replace('-', "−") }
    };
    if high - low < 0.05 {
        return format!("{name} {} %", signed(mean));
    }
    format!("{name} {} % ({} to {} %)", signed(mean), signed(low), signed(high))
}

/// An intervention as a source of figures: `services.orders.runtime.workers: 50 → 100`.
pub fn setting(effect: &Effect) -> String {
    format!("{}: {} → {}", effect.lever.key, effect.from, effect.to)
}
