//! Traces of requests: their spans add up to the response time, to the nanosecond, and watching changes nothing.

use std::collections::BTreeSet;

use scalelab::experiment::tracing::{Choice, trace};
use scalelab::model::frame::Outcome;
use scalelab::model::system::System;
use scalelab::model::system::watch::{Survey, Trace, Tracer, What};
use scalelab::report::trace::files;

use crate::support::{Folder, Memory, SECOND, blueprint, plan, try_design};

/// Everything that can happen to a request: direct and mixed ones, queues, shared cores, forks within forks, timeouts, failures,
/// full queues, work after the reply.
const MODEL: &str = "
clients:
  readers: { arrivals: { poisson: 380/s }, call: web.page, timeout: 80ms }
  buyers: { arrivals: { users: 20, think: { exponential: 200ms } }, mix: { web.page: 40%, web.buy: 60% } }
services:
  web:
    instances: 2
    machine: { cores: 1 }
    runtime: { workers: 6 }
    queue: { limit: 10 }
    operations:
      page: [ cpu: { exponential: 4ms }, call: store.read ]
      buy:
        - cpu: 3ms
        - parallel:
            - call: store.read
            - call: store.write
              timeout: 60ms
        - fail: 5%
        - reply: 1KB
        - cpu: 2ms
  store:
    runtime: { workers: 8 }
    machine: { cores: 2 }
    operations:
      read: [ wait: { exponential: 10ms }, cpu: { exponential: 2ms } ]
      write: [ parallel: [ { wait: { exponential: 30ms } }, { cpu: 5ms } ], wait: 1ms ]
";

fn all_traces() -> (Vec<Trace>, Survey) {
    let blueprint = blueprint(MODEL);
    let plan = plan(20);
    let plain = System::new(&blueprint, plan).run(&|| false).expect("it runs");
    let mut survey = Survey::default();
    let seen = System::new(&blueprint, plan).run_watched(&|| false, &mut survey).expect("it runs");
    let numbers: BTreeSet<u64> = survey.seen.iter().map(|seen| seen.number).collect();
    let mut tracer = Tracer::new(numbers);
    let traced = System::new(&blueprint, plan).run_watched(&|| false, &mut tracer).expect("it runs");
    assert_eq!((plain.fingerprint, plain.events), (seen.fingerprint, seen.events));
    assert_eq!((plain.fingerprint, plain.events), (traced.fingerprint, traced.events));
    // What was seen is what was booked.
    for (client, book) in plain.clients.iter().enumerate() {
        for outcome in Outcome::ALL {
            let of = |seen: &&scalelab::model::system::watch::Seen| {
                seen.client as usize == client && seen.outcome == outcome
            };
            let count = survey.seen.iter().filter(of).count() as u64;
            assert_eq!(count, book.ended[outcome as usize], "{client} {}", outcome.word());
        }
    }
    (tracer.traces, survey)
}

#[test]
fn the_steps_on_the_deciding_path_add_up_to_the_response_time() {
    let (traces, survey) = all_traces();
    assert_eq!(traces.len(), survey.seen.len());
    assert!(traces.len() > 2000, "{}", traces.len());
    let mut outcomes = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for trace in &traces {
        let request = trace.request;
        assert_eq!(trace.sum(), request.ended - request.started, "{trace:?}");
        assert_eq!((trace.spans[0].started, trace.spans[0].ended), (request.started, request.ended));
        for span in &trace.spans[1..] {
            let parent = trace.spans[span.parent.expect("it has one")];
            assert!(span.started >= parent.started && span.ended <= parent.ended, "{span:?} {parent:?}");
            kinds.insert(format!("{:?}", span.what).split(' ').next().map(str::to_owned));
        }
        outcomes.insert(request.outcome.word());
    }
    assert_eq!(outcomes, BTreeSet::from(["error", "rejected", "success", "timed out"]));
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(traces.iter().any(|trace| trace.spans.iter().any(|span| span.abandoned)));
}

#[test]
fn steps_of_one_frame_follow_each_other_without_gaps() {
    let (traces, _) = all_traces();
    for trace in &traces {
        for (index, span) in trace.spans.iter().enumerate() {
            let mut inner: Vec<_> = trace.spans.iter().filter(|other| other.parent == Some(index)).collect();
            if inner.is_empty() || matches!(span.what, What::Step { .. }) {
                continue;
            }
            inner.sort_by_key(|span| (span.started, span.ended));
            let mut until = span.started;
            for part in inner {
                assert!(part.started <= until, "a gap in {trace:?}");
                until = until.max(part.ended);
            }
            assert_eq!(until, span.ended, "{trace:?}");
        }
    }
}

const EXPERIMENT: &str = "
question: Which requests are slow?
model: m.yaml
run: { warm_up: 1s, window: 10s, replications: 2 }
variants: { as is: {}, one: { services.web.instances: 1 } }
";

#[test]
fn both_files_hold_the_same_spans_and_add_up() {
    let memory = Memory::of("m.yaml", MODEL).and("e.yaml", EXPERIMENT);
    let (_, design) = try_design(&memory, "e.yaml", &Default::default()).expect("it is fine");
    let traced = trace(&design, Choice::Slowest(15), &|| false).expect("it runs");
    assert_eq!(traced.len(), 2);
    assert_eq!(traced[1].variant, "one");
    for traced in &traced {
        assert_eq!(traced.traces.len(), 15);
        let window = SECOND..11 * SECOND;
        assert!(traced.traces.iter().all(|trace| window.contains(&trace.request.started)));
        let [(_, chrome), (_, otlp)] = files(traced.variant, traced.blueprint, &traced.traces, 1);
        let chrome: serde_json::Value = serde_json::from_slice(&chrome).expect("it is JSON");
        let otlp: serde_json::Value = serde_json::from_slice(&otlp).expect("it is JSON");
        let events = chrome["traceEvents"].as_array().expect("a list");
        let spans: Vec<&serde_json::Value> = otlp["resourceSpans"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|resource| resource["scopeSpans"][0]["spans"].as_array().expect("a list"))
            .collect();
        let complete = events.iter().filter(|event| event["ph"] == "X").count();
        assert_eq!(complete, spans.len());
        let ids: BTreeSet<&str> = spans.iter().filter_map(|span| span["spanId"].as_str()).collect();
        assert_eq!(ids.len(), spans.len(), "identifiers are unique");
        assert!(spans.iter().all(|span| span["parentSpanId"].as_str().is_none_or(|parent| ids.contains(parent))));
        let step = |kind: &str| !["request", "attempt", "branch"].contains(&kind);
        for (process, own) in traced.traces.iter().enumerate() {
            let response = own.request.ended - own.request.started;
            let mine = events.iter().filter(|event| event["pid"] == process + 1 && event["ph"] == "X");
            let steps =
                mine.filter(|event| event["args"]["decides"] == true && step(event["cat"].as_str().unwrap_or("")));
            let sum: f64 = steps.filter_map(|event| event["dur"].as_f64()).sum();
            assert!((sum - response as f64 / 1e3).abs() <= 1.0, "{sum} {response}");
            let id = format!("{:016x}", own.request.number + 1);
            let time = |span: &serde_json::Value, key: &str| -> u64 {
                span[key].as_str().and_then(|text| text.parse().ok()).expect("a time")
            };
            let sum: u64 = spans
                .iter()
                .filter(|span| span["traceId"].as_str().is_some_and(|trace| trace.ends_with(&id)))
                .filter(|span| span["attributes"][1]["value"]["boolValue"] == true)
                .filter(|span| step(span["attributes"][0]["value"]["stringValue"].as_str().unwrap_or("")))
                .map(|span| time(span, "endTimeUnixNano") - time(span, "startTimeUnixNano"))
                .sum();
            assert_eq!(sum, response);
        }
    }
}

#[test]
fn traces_are_written_beside_the_results_and_leave_them_as_they_are() {
    let folder = Folder::new("trace");
    folder.write("m.yaml", MODEL);
    folder.write("e.yaml", EXPERIMENT);
    folder.scalelab(&["run", "e.yaml", "--quick", "--quiet"]).with(0);
    let before = folder.files("output/e");
    folder.scalelab(&["run", "e.yaml", "--quick", "--quiet", "--trace", "5"]).with(0);
    let mut after = folder.files("output/e");
    for name in ["trace-as-is.json", "trace-as-is.otlp.json", "trace-one.json", "trace-one.otlp.json"] {
        assert!(after.remove(name).is_some(), "{name}");
    }
    assert_eq!(before, after);
    // Making the report again keeps them, a run without them does not.
    folder.scalelab(&["report", "output/e"]).with(0);
    assert!(folder.files("output/e").contains_key("trace-one.json"));
    folder.scalelab(&["run", "e.yaml", "--quick", "--quiet"]).with(0);
    assert_eq!(folder.files("output/e"), before);
}
