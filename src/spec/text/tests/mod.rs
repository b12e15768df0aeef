//! The whole way on a sample of the file format: golden renderings of usual mistakes, agreement with serde, hostile input.

#![expect(dead_code, reason = "the fields of the sample types are decoded and not read")]

mod golden;
mod hostile;
mod typing;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::check::{Scalar, check};
use super::diagnostic::{Diagnostic, render};
use super::parse::parse;
use super::schema::Schema;
use super::source::Sources;
use super::to_json::to_json;

/// A newtype over text with a format of its own, in miniature.
macro_rules! quantity {
    ($name:ident, $format:literal, $suffix:literal) => {
                struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if has_unit(&text, $suffix) { Ok(Self) } else { Err(serde::de::Error::custom("unit")) }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

quantity!(Duration, "duration", "s");
quantity!(Rate, "rate", "/s");

fn has_unit(text: &str, suffix: &str) -> bool {
    let number = text.strip_suffix(suffix).map(|number| number.trim_end_matches(['m', 'u']));
    number.is_some_and(|number| number.parse::<f64>().is_ok_and(f64::is_finite))
}

fn formats(format: &str, scalar: Scalar<'_>) -> Result<(), String> {
    let (suffix, example) = if format == "rate" { ("/s", "400/s") } else { ("s", "50ms") };
    match scalar {
        Scalar::Text(text) if has_unit(text, suffix) => Ok(()),
        Scalar::Text(_) => Err(format!("not a {format}; write it as in `{example}`")),
        Scalar::Number { text, .. } => {
            Err(format!("the unit is missing; write it as in `{text}{}`", example.trim_start_matches(char::is_numeric)))
        }
    }
}

/// A model.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Model {
    /// What the model is about.
    about: Option<String>,
    /// Who sends requests, by name.
    clients: BTreeMap<String, Client>,
    /// What serves them, by name.
    #[serde(default)]
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Client {
    /// How requests arrive.
    arrivals: Arrivals,
    /// When a client gives up.
    timeout: Option<Duration>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Arrivals {
    Poisson(Poisson),
    Users(Users),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Poisson {
    /// Independent requests at this mean rate.
    poisson: Rate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Users {
    /// So many users, each with one request at a time.
    #[schemars(range(min = 1))]
    users: u32,
    /// The pause between an answer and the next request.
    think: Time,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Time {
    Fixed(Duration),
    Drawn(Distribution),
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Distribution {
    /// Memoryless, with this mean.
    Exponential(Duration),
    /// Skewed.
    Lognormal {
        /// The mean.
        mean: Duration,
        /// Standard deviation by mean.
        cv: f64,
    },
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Service {
    /// Running copies.
    #[serde(default)]
    instances: u32,
    /// Order of service.
    discipline: Option<Discipline>,
    /// What it can do, as lists of steps.
    #[serde(default)]
    operations: BTreeMap<String, Vec<Step>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Discipline {
    /// First come, first served.
    Fifo,
    /// Last come, first served.
    Lifo,
}

/// The recommended typing of steps: one closed struct per step, its own key required, in an untagged enum.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Step {
    Cpu(CpuStep),
    Call(CallStep),
    Parallel(ParallelStep),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CpuStep {
    /// Computes for a time of one core.
    cpu: Time,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallStep {
    /// Calls an operation and waits for the answer.
    call: String,
    /// The pool of connections to use.
    through: Option<String>,
    /// When to give up.
    timeout: Option<Duration>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ParallelStep {
    /// Does all of these at the same time.
    #[schemars(length(min = 1))]
    parallel: Vec<Step>,
}

const VALID: &str = "\
# A model.
about: A shop.
clients:
  shoppers:
    arrivals: { poisson: 400/s }
    timeout: 1s
  robots: { arrivals: { users: 5, think: &t { lognormal: { mean: 2s, cv: 1.2 } } } }
services:
  shop:
    instances: 4
    discipline: fifo
    operations:
      browse:
        - cpu: *t
        - parallel:
            - call: orders.read
              through: \"db\"
            - { call: payments.charge, timeout: 300ms }
      other: [ cpu: 1ms ]
";

/// Checks a text against the schema of `T`, and asserts that what passes the check can be decoded.
fn diagnose<T: JsonSchema + serde::de::DeserializeOwned>(text: &str) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("shop.yaml", text);
    let found = match parse(&sources, file) {
        Ok(node) => {
            let schema = Schema::new(schemars::schema_for!(T).to_value()).unwrap();
            let found = check(&node, &schema, &formats);
            let decoded = serde_json::from_value::<T>(to_json(&node)).map(drop);
            assert!(!found.is_empty() || decoded.is_ok(), "{decoded:?} of\n{text}");
            found
        }
        Err(errors) => errors,
    };
    (sources, found)
}

fn rendered(text: &str) -> String {
    let (sources, found) = diagnose::<Model>(text);
    render(&found, &sources, false)
}

/// The valid model with one text replaced by another.
fn with(old: &str, new: &str) -> String {
    assert!(VALID.contains(old), "{old}");
    rendered(&VALID.replacen(old, new, 1))
}

#[test]
fn a_valid_model_gives_no_diagnostics_and_decodes() {
    assert_eq!(rendered(VALID), "");
    assert_eq!(rendered(&format!("\u{feff}{}", VALID.replace('\n', "\r\n"))), "");
}
