//! Links and network cards: hand-counted times, both ways, whatever happens to whom.

use scalelab::measure::Kind;
use scalelab::model::Plan;

use crate::support::{SECOND, blueprint, plan, ran, ran_with, same};

/// One request at 1 s to a service; what is said of the client, the service, the operation and the links is given.
fn one(client: &str, service: &str, steps: &str, links: &str) -> String {
    format!(
        "
clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: s.o{client} }} }}
services: {{ s: {{ {service} operations: {{ o: {steps} }} }} }}
links: {{ {links} }}"
    )
}

#[test]
fn a_call_takes_the_latency_of_its_link_twice() {
    let ran = ran(&one("", "", "[ wait: 100ms ]", "default: { latency: 20ms }"), plan(10));
    same(ran.value("users.latency.mean"), 0.14);
    let split = ran.split(0);
    same(split["network.link service"], 0.04);
    same(split["s.wait service"], 0.1);
    same(ran.value("network.messages"), 0.2);
}

#[test]
fn a_timeout_covers_both_ways_and_the_reply_comes_to_nobody() {
    let model = one(", timeout: 130ms", "", "[ wait: 100ms ]", "users -> s: { latency: 20ms }");
    let ran = ran(&model, plan(10));
    same(ran.value("users.timed_out"), 1.0);
    same(ran.value("s.o.unheard"), 1.0);
}

#[test]
fn a_rejection_and_a_failure_come_back_over_the_link_too() {
    // The failure at 20 ms would be known at 20 ms if it did not have to come back: then a patience of 30 ms would do.
    let model = one(", timeout: 30ms", "", "[ fail: 100% ]", "default: { latency: 20ms }");
    same(ran(&model, plan(10)).value("users.timed_out"), 1.0);
    same(ran(&model.replace("30ms", "41ms"), plan(10)).value("users.errors"), 1.0);
    let rejecting = one(
        ", timeout: 30ms",
        "runtime: { workers: 1 }, queue: { limit: 0 },",
        "[ wait: 1s ]",
        "default: { latency: 20ms }",
    );
    let rejecting = rejecting.replace("at: [1s]", "at: [1s, 1s]");
    same(ran(&rejecting, plan(10)).value("users.timed_out"), 1.0);
    same(ran(&rejecting.replace("30ms", "41ms"), plan(10)).value("users.rejected"), 0.5);
}

#[test]
fn a_reply_goes_its_way_while_the_rest_is_done() {
    // 100 ms, the reply takes 20 ms + 10 ms for its bytes, the second of work after it takes nothing from the client.
    let model = one("", "", "[ wait: 100ms, reply: 10KB, wait: 1s ]", "default: { latency: 20ms, bandwidth: 1MB/s }");
    let ran = ran(&model, plan(10));
    same(ran.value("users.latency.mean"), 0.15);
    same(ran.value("network.utilization"), 0.001);
    same(ran.value("network.traffic"), 1000.0);
}

#[test]
fn a_reply_is_counted_at_the_balancer_that_sent_the_call() {
    // Four balancers that each know their own calls: one that were told of another's replies would count below nothing, or send
    // everything to whoever seems idle.
    let model = "
clients: { users: { arrivals: { poisson: 100/s }, call: s.o } }
services:
  s:
    instances: 4
    balancer: least_in_flight
    balancing: { count: 4 }
    operations: { o: [ wait: 10ms, reply: 1KB, wait: { exponential: 200ms } ] }
links: { default: { latency: 5ms } }";
    let ran = ran(model, plan(100));
    same(ran.value("users.failures"), 0.0);
    same(ran.value("users.latency.mean"), 0.02);
    let sent = &ran.record.services[0].sent;
    let all: u64 = sent.iter().sum();
    // Each instance gets a quarter of some 10,000 calls, give or take 43.
    assert!(sent.iter().all(|sent| sent.abs_diff(all / 4) < 300), "{sent:?}");
}

#[test]
fn the_slowest_of_card_and_link_sets_the_time_of_a_message_and_cards_are_shared() {
    // 1 MB at 10 MB/s through both cards at once: 100 ms, not 200. The link is faster.
    let model = "
clients: { users: { arrivals: { at: [1s] }, call: a.o } }
services:
  a: { machine: { network: 80Mbps }, operations: { o: [ call: b.p ] } }
  b: { machine: { network: 80Mbps }, operations: { p: [ reply: 1MB ] } }
links: { a -> b: { latency: 5ms, bandwidth: 1Gbps } }
";
    let first = ran(model, plan(10));
    same(first.value("users.latency.mean"), 0.11);
    same(first.value("b.network_out.utilization"), 0.01);
    same(first.value("a.network_in.utilization"), 0.01);
    // Two at once share the card: both take 200 ms, half of it waiting.
    let both = ran(&model.replace("at: [1s]", "at: [1s, 1s]"), plan(10));
    same(both.value("users.latency.mean"), 0.21);
    let split = both.split(0);
    assert!((split["a.network_in waiting"] - 0.1).abs() < 1e-6, "{split:?}");
    assert_eq!(both.blueprint.program.accounts.iter().filter(|account| account.kind == Kind::Network).count(), 4);
}

#[test]
fn a_request_has_a_size_and_goes_up() {
    let model = one(", request: 1MB", "machine: { network: 80Mbps },", "[ wait: 1ms ]", "");
    let ran = ran(&model.replace("links: {  }", ""), plan(10));
    same(ran.value("users.latency.mean"), 0.101);
    same(ran.value("s.network_in.utilization"), 0.01);
    same(ran.value("s.network_out.utilization"), 0.0);
}

#[test]
fn zones_have_links_and_instances_are_in_them_in_turn() {
    let model = "
clients: { users: { zone: eu/a, arrivals: { at: [1s, 2s] }, call: s.o } }
services: { s: { instances: 2, zones: [eu/b, us/a], operations: { o: [ wait: 1ms ] } } }
links: { default: { latency: 1s }, eu -> us: { latency: 40ms }, eu/a -> eu/b: { latency: 1ms } }
";
    let ran = ran(model, plan(10));
    same(ran.value("users.latency.mean"), (0.003 + 0.081) / 2.0);
    same(ran.value("eu -> us.messages"), ran.value("eu/a -> eu/b.messages"));
    same(ran.value("network.messages"), 0.0);
}

#[test]
fn what_is_lost_is_sent_again_after_a_timeout_that_doubles() {
    // With probability p^k·(1−p) a message is lost k times and takes 200 ms·(2^k − 1) longer: both ways 2·200 ms·p/(1−2p).
    let model = "
clients: { users: { arrivals: { constant: 1000/s }, call: s.o } }
services: { s: { operations: { o: [ wait: 1ms ] } } }
links: { default: { loss: 1% } }
";
    let ran = ran(model, plan(100));
    let expected = 0.001 + 2.0 * 0.2 * 0.01 / 0.98;
    assert!((ran.value("users.latency.mean") / expected - 1.0).abs() < 0.06, "{}", ran.value("users.latency.mean"));
    assert!((ran.value("network.lost") - 0.01).abs() < 0.001);
    same(ran.value("users.failures"), 0.0);
}

#[test]
fn jitter_spreads_evenly_around_the_latency() {
    let model = "
clients: { users: { arrivals: { constant: 1000/s }, call: s.o } }
services: { s: { operations: { o: [] } } }
links: { default: { latency: 10ms, jitter: 4ms } }
";
    let ran = ran(model, plan(20));
    assert!((ran.value("users.latency.mean") - 0.02).abs() < 1e-4);
    // Two uniforms of width 8 ms: a variance of 2·64/12 ms².
    assert!((ran.value("users.latency.sd") - (128.0f64 / 12.0).sqrt() * 1e-3).abs() < 5e-5);
}

#[test]
fn those_on_their_way_to_an_instance_that_dies_are_lost_with_it_and_cards_are_free_again() {
    let model = "
clients: { users: { arrivals: { constant: 10/s }, call: s.o, request: 100KB } }
services: { s: { machine: { network: 80Mbps }, operations: { o: [ wait: 50ms, reply: 100KB ] } } }
links: { default: { latency: 100ms } }
";
    let plan = Plan { drain: 5 * SECOND, ..plan(10) };
    let ran = ran_with(model, &[(0, SECOND + 5_000_000, Some(SECOND))], plan);
    // 270 ms each: at 1.005 s those of 0.8, 0.9 and 1.0 s are under way; the ten of 1.1 to 2.0 s find nobody.
    assert_eq!((ran.value("users.crashed") * 99.0).round() as u64, 3);
    assert_eq!((ran.value("users.unreachable") * 99.0).round() as u64, 10);
    assert_eq!(ran.get("users.unfinished"), Some(0.0));
}

#[test]
fn without_links_nothing_is_on_its_way() {
    let model = one("", "", "[ wait: 100ms ]", "").replace("links: {  }", "");
    assert!(blueprint(&model).network.is_none());
    same(ran(&model, plan(10)).value("users.latency.mean"), 0.1);
}
