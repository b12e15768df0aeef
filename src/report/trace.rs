//! Traces of requests in two formats that viewers read.
//!
//! [`chrome`] is the Trace Event Format (Google, "Trace Event Format", 2016) that Perfetto and `chrome://tracing` open: a process
//! per request, a thread per branch, times in microseconds with three decimals, so to the nanosecond. [`otlp`] is the JSON encoding
//! of the OpenTelemetry Protocol (opentelemetry.io, OTLP specification 1.x): a resource per part, times in nanoseconds since the
//! start of the simulation.
//!
//! Both hold the same spans: request, attempts, branches, and the steps in which time passed, waiting apart from service. The
//! steps that are marked as deciding add up to the response time.

use serde_json::{Map, Value, json};

use super::plots::slug;
use crate::engine::random::named;
use crate::model::Blueprint;
use crate::model::frame::Outcome;
use crate::model::system::watch::{Span, Trace, What};

/// The name of every file of traces begins like this.
pub const PREFIX: &str = "trace";

/// The files of a variant's traces in both formats.
pub fn files(variant: &str, blueprint: &Blueprint, traces: &[Trace], seed: u64) -> [(String, Vec<u8>); 2] {
    let whose = if variant.is_empty() { String::new() } else { format!("-{}", slug(variant)) };
    [
        (format!("{PREFIX}{whose}.json"), chrome(blueprint, traces)),
        (format!("{PREFIX}{whose}.otlp.json"), otlp(blueprint, traces, seed)),
    ]
}

/// A span in words.
struct Words {
    name: String,
    /// The part: a client or service.
    part: String,
    /// `request`, `attempt`, `branch`, or the kind of time.
    kind: &'static str,
    instance: Option<u32>,
}

fn words(blueprint: &Blueprint, trace: &Trace, span: &Span) -> Words {
    let client = || blueprint.clients[trace.request.client as usize].name.clone();
    match span.what {
        What::Request => Words {
            name: format!("{} request {}", client(), trace.request.number),
            part: client(),
            kind: "request",
            instance: None,
        },
        What::Attempt { operation, instance } => {
            let operation = &blueprint.operations[operation as usize];
            let service = blueprint.services[operation.service as usize].name.clone();
            let name = format!("{service}.{}", operation.name);
            Words { name, part: service, kind: "attempt", instance: Some(instance) }
        }
        What::Branch => {
            let above = span.parent.map(|parent| words(blueprint, trace, &trace.spans[parent]));
            let part = above.map_or_else(client, |above| above.part);
            Words { name: "branch".to_owned(), part, kind: "branch", instance: None }
        }
        What::Step { account } => {
            let account = &blueprint.program.accounts[account as usize];
            let word = account.kind.word();
            let name = if account.resource == word { word.to_owned() } else { format!("{} {word}", account.resource) };
            Words { name, part: account.part.clone(), kind: word, instance: None }
        }
    }
}

/// Nanoseconds as microseconds; exact up to 2⁵³ ns, which is 104 days.
fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

/// The traces as Trace Event Format.
pub fn chrome(blueprint: &Blueprint, traces: &[Trace]) -> Vec<u8> {
    let mut events = Vec::new();
    for (number, trace) in traces.iter().enumerate() {
        let process = number + 1;
        let label = words(blueprint, trace, &trace.spans[0]).name;
        let time = crate::quantity::unit::display(
            (trace.request.ended - trace.request.started) as f64 / 1e9,
            crate::quantity::Unit::Seconds,
        );
        let outcome = trace.request.outcome.word();
        events.push(json!({
            "ph": "M", "name": "process_name", "pid": process, "tid": 1, "args": { "name": format!("{label}: {time}, {outcome}") }
        }));
        let threads = threads(&trace.spans);
        // Viewers nest spans of one thread by time; of spans that begin together the longer one is drawn around.
        let mut order: Vec<usize> = (0..trace.spans.len()).collect();
        order.sort_by_key(|index| (trace.spans[*index].started, std::cmp::Reverse(trace.spans[*index].ended), *index));
        for index in order {
            let span = &trace.spans[index];
            let own = words(blueprint, trace, span);
            let mut args = Map::new();
            args.insert("part".to_owned(), own.part.into());
            args.insert("decides".to_owned(), span.decides.into());
            args.extend(own.instance.map(|instance| ("instance".to_owned(), instance.into())));
            if span.abandoned {
                args.insert("abandoned".to_owned(), true.into());
            }
            if span.what == What::Request {
                args.insert("outcome".to_owned(), outcome.into());
            }
            events.push(json!({
                "ph": "X",
                "name": own.name,
                "cat": own.kind,
                "ts": micros(span.started),
                "dur": micros(span.ended - span.started),
                "pid": process,
                "tid": threads[index],
                "args": args,
            }));
        }
    }
    lines(json!({ "displayTimeUnit": "ms", "traceEvents": events }), "traceEvents")
}

/// The thread of each span: branches that run at the same time have one each.
fn threads(spans: &[Span]) -> Vec<u32> {
    let (mut threads, mut last) = (vec![1; spans.len()], 1);
    for index in 1..spans.len() {
        let parent = spans[index].parent.unwrap_or(0);
        threads[index] = threads[parent];
        let is_twin = |(place, other): (usize, &Span)| {
            place < index
                && other.parent == spans[index].parent
                && other.what == What::Branch
                && other.started == spans[index].started
        };
        if spans[index].what == What::Branch && spans.iter().enumerate().any(is_twin) {
            last += 1;
            threads[index] = last;
        }
    }
    threads
}

/// The traces as OTLP JSON.
pub fn otlp(blueprint: &Blueprint, traces: &[Trace], seed: u64) -> Vec<u8> {
    let text = |value: &str| json!({ "stringValue": value });
    let mut parts: Vec<(String, Vec<Value>)> = Vec::new();
    for trace in traces {
        let high = named(seed, "trace");
        let trace_id = format!("{:016x}{:016x}", high | 1, trace.request.number.wrapping_add(1));
        let span_id = |index: usize| {
            format!(
                "{:016x}",
                named(trace.request.number.wrapping_add(high), "span").wrapping_add(index as u64) | 1 << 63
            )
        };
        for (index, span) in trace.spans.iter().enumerate() {
            let own = words(blueprint, trace, span);
            let mut attributes = vec![
                json!({ "key": "scalelab.kind", "value": text(own.kind) }),
                json!({ "key": "scalelab.decides", "value": { "boolValue": span.decides } }),
            ];
            if let Some(instance) = own.instance {
                attributes.push(json!({ "key": "service.instance.id", "value": text(&instance.to_string()) }));
            }
            if span.abandoned {
                attributes.push(json!({ "key": "scalelab.abandoned", "value": { "boolValue": true } }));
            }
            let mut line = json!({
                "traceId": trace_id,
                "spanId": span_id(index),
                "name": own.name,
                // 1 is internal, 2 server, 3 client.
                "kind": match span.what { What::Request => 3, What::Attempt { .. } => 2, _ => 1 },
                "startTimeUnixNano": span.started.to_string(),
                "endTimeUnixNano": span.ended.to_string(),
                "attributes": attributes,
            });
            if let Some(parent) = span.parent {
                line["parentSpanId"] = span_id(parent).into();
            }
            if span.what == What::Request && trace.request.outcome != Outcome::Success {
                // 2 is an error.
                line["status"] = json!({ "code": 2, "message": trace.request.outcome.word() });
            }
            match parts.iter_mut().find(|part| part.0 == own.part) {
                Some(part) => part.1.push(line),
                None => parts.push((own.part, vec![line])),
            }
        }
    }
    let resources: Vec<Value> = parts
        .into_iter()
        .map(|(part, spans)| {
            json!({
                "resource": { "attributes": [{ "key": "service.name", "value": text(&part) }] },
                "scopeSpans": [{ "scope": { "name": "scalelab", "version": env!("CARGO_PKG_VERSION") }, "spans": spans }],
            })
        })
        .collect();
    lines(json!({ "resourceSpans": resources }), "resourceSpans")
}

/// JSON with an entry of the main list per line.
fn lines(mut value: Value, list: &str) -> Vec<u8> {
    let entries = value[list].take();
    let entries: Vec<String> = entries.as_array().into_iter().flatten().map(Value::to_string).collect();
    value[list] = json!([]);
    let body = format!("[\n{}\n]", entries.join(",\n"));
    format!("{}\n", value.to_string().replacen("[]", &body, 1)).into_bytes()
}
