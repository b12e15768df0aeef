//! `scalelab list`: what can be written in files. Everything is read from the schema and the metrics' declarations, so the
//! list cannot be out of date.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use super::{Status, print, show};
use crate::experiment::design::{Options, design};
use crate::measure::Metric;
use crate::model::system::metrics::{
    BALANCING, CHANNEL, CLIENT, CLIENT_COST, FLEET, LINK, MEMORY, OPERATION, POOL, ROLLOUT, SERVICE_COST, SLO, STATION,
    VERTICAL,
};
use crate::spec::load::{Disk, Loader, model_schema};

/// List what can be written in files: steps, distributions, arrivals, policies, metrics
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to list; everything if left out
    #[arg(value_enum)]
    topic: Option<Topic>,
    /// With `metrics`: the names that this model or experiment has
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Steps of operations
    Steps,
    /// Distributions of random amounts
    Distributions,
    /// Arrival processes
    Arrivals,
    /// Profiles of arrival rates
    Profiles,
    /// Balancing policies
    Balancers,
    /// How instances run requests
    Runtimes,
    /// Metrics of runs
    Metrics,
}

/// Topics that are enums of the model's schema, and their names there.
const ENUMS: [(Topic, &str, &str); 6] = [
    (Topic::Steps, "steps", "Step"),
    (Topic::Distributions, "distributions", "Distribution_Duration"),
    (Topic::Arrivals, "arrivals", "Arrivals"),
    (Topic::Profiles, "profiles", "ProfileSpec"),
    (Topic::Balancers, "balancers", "Policy"),
    (Topic::Runtimes, "runtimes", "RuntimeSpec"),
];

/// Prints the list.
pub fn run(arguments: &Arguments) -> Status {
    if let (Some(Topic::Metrics), Some(file)) = (arguments.topic, &arguments.file) {
        return metrics_of(file);
    }
    let schema = model_schema();
    let wanted = |topic| arguments.topic.is_none_or(|wanted| wanted == topic);
    let mut text = String::new();
    for (topic, title, name) in ENUMS {
        if wanted(topic) {
            text.push_str(&section(title, &alternatives(&schema, name)));
        }
    }
    if wanted(Topic::Metrics) {
        text.push_str(&section("metrics of a client: <client>.<metric>", &metrics(CLIENT)));
        text.push_str(&section("metrics of a client with an SLO: <client>.<metric>", &metrics(SLO)));
        text.push_str(&section("metrics of an operation: <service>.<operation>.<metric>", &metrics(OPERATION)));
        text.push_str(&section("metrics of a service with several instances: <service>.<metric>", &metrics(BALANCING)));
        text.push_str(&section("metrics of a station: <service>.<station>.<metric>", &metrics(STATION)));
        text.push_str(&section("metrics of a service with memory: <service>.<metric>", &metrics(MEMORY)));
        let priced = "if anything has a price";
        text.push_str(&section(&format!("metrics of a client, {priced}: <client>.<metric>"), &metrics(CLIENT_COST)));
        text.push_str(&section(&format!("metrics of a service, {priced}: <service>.<metric>"), &metrics(SERVICE_COST)));
        text.push_str(&section(
            "metrics of a channel, beside those of a station: <service>.<channel>.<metric>",
            &metrics(CHANNEL),
        ));
        let fleet = "metrics of a service whose instances come and go: <service>.<metric>";
        text.push_str(&section(fleet, &metrics(FLEET)));
        let resized = "metrics of a service whose instances change their size: <service>.<metric>";
        text.push_str(&section(resized, &metrics(VERTICAL)));
        text.push_str(&section("metrics of a service with a rollout: <service>.<metric>", &metrics(ROLLOUT)));
        text.push_str(&section("metrics of a node pool: <pool>.<metric>", &metrics(POOL)));
        text.push_str(&section("metrics of a link: <link>.<metric>", &metrics(LINK)));
    }
    print(&text);
    Status::Good
}

fn section(title: &str, entries: &[(String, String)]) -> String {
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = entries.iter().map(|(name, about)| format!("  {name:width$}  {about}\n"));
    format!("{title}\n{}\n", lines.collect::<String>())
}

fn metrics<B>(metrics: &[Metric<B>]) -> Vec<(String, String)> {
    metrics
        .iter()
        .map(|metric| (metric.name.to_owned(), format!("[{}] {}", metric.unit.symbol(), metric.about)))
        .collect()
}

/// The alternatives of an enum in a schema: name and description.
fn alternatives(schema: &Value, name: &str) -> Vec<(String, String)> {
    let definition = &schema["$defs"][name];
    let branches = definition["oneOf"].as_array().or(definition["anyOf"].as_array());
    let alternative = |branch: &Value| {
        let about = branch["description"].as_str().unwrap_or_default().replace('\n', " ");
        let target = branch["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let shape = target.map_or(branch, |target| &schema["$defs"][target]);
        let key = shape["required"][0].as_str().or(shape["const"].as_str());
        key.map(|key| (key.to_owned(), about))
    };
    branches.into_iter().flatten().filter_map(alternative).collect()
}

/// Prints the names of all metrics of a file.
fn metrics_of(file: &std::path::Path) -> Status {
    let mut loader = Loader::new(&Disk);
    match loader.load(file).and_then(|document| design(&loader, &document, &Options::default())) {
        Err(diagnostics) => {
            show(&diagnostics, &loader.sources);
            Status::Input
        }
        Ok(design) => {
            let lines = design.metrics.iter().map(|metric| format!("{} [{}]\n", metric.name, metric.unit.symbol()));
            print(&lines.collect::<String>());
            Status::Good
        }
    }
}
