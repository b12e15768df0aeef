//! The charts of an experiment that does not say what it wants to see.

use super::super::names::{clients, is_numeric};
use super::time::has_column;
use crate::spec::experiment_file::{PlotSpec, Spacing};
use crate::study::Study;

/// Most clients with charts of their own.
pub(super) const CLIENT_LIMIT: usize = 4;

/// With a swept quantity, the tail latency and the goodput over it; with variants, the tail latency and where the time
/// goes, side by side; otherwise both over time, and the distribution of response times.
pub(super) fn plots(study: &Study) -> Vec<PlotSpec> {
    let swept = study.factors.iter().find(|factor| is_numeric(factor) && factor.levels.len() > 1);
    let other = study.factors.iter().find(|factor| factor.levels.len() > 1);
    let several = study.variants().len() > 1;
    let mut plots = Vec::new();
    for client in clients(study).into_iter().take(CLIENT_LIMIT) {
        let tail = tail(study, client);
        let goodput = format!("{client}.goodput");
        if let Some(factor) = swept.or(other) {
            // Overloaded points are so slow that the others could not be told apart on a linear scale.
            let overloaded = is_numeric(factor) && study.points.iter().any(|point| point.overload.is_some());
            let scale = if overloaded { Spacing::Log } else { Spacing::Linear };
            plots.push(PlotSpec { scale, ..plot(&tail, &factor.key) });
            plots.push(plot(&goodput, &factor.key));
            continue;
        }
        if several {
            plots.push(plot(&tail, "variant"));
            plots.push(plot(client, "attribution"));
            continue;
        }
        let column = |name: &str| has_column(&study.columns, &format!("{client}.{name}"));
        let columns = ["latency.p95", "goodput"].into_iter().filter(|name| column(name));
        plots.extend(columns.map(|name| plot(&format!("{client}.{name}"), "time")));
        plots.push(plot(client, "distribution"));
        plots.push(plot(client, "attribution"));
    }
    plots.retain(|plot| {
        matches!(plot.x.as_deref(), Some("time" | "distribution" | "attribution")) || study.metric(&plot.y).is_some()
    });
    plots
}

/// The client's 95th percentile, or its mean where no point has enough observations for that.
fn tail(study: &Study, client: &str) -> String {
    let tail = format!("{client}.latency.p95");
    let known = |index: usize| study.points.iter().any(|point| point.estimates.get(index).is_some_and(Option::is_some));
    if study.metric(&tail).is_some_and(known) { tail } else { format!("{client}.latency.mean") }
}

pub(super) fn plot(y: &str, x: &str) -> PlotSpec {
    PlotSpec {
        y: y.to_owned(),
        x: Some(x.to_owned()),
        map: None,
        by: None,
        title: None,
        slo: None,
        mark: None,
        scale: Spacing::Linear,
        up_to: None,
    }
}
