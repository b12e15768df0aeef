//! What caches, databases and queues mean: small models worked out by hand.

use scalelab::model::Plan;

use crate::support::{SECOND, plan, ran, same, try_ran};

/// A shop that asks a cache `c` before an origin that takes half a second.
fn cached(arrivals: &str, cache: &str) -> String {
    format!(
        "clients: {{ users: {{ arrivals: {{ at: {arrivals} }}, call: shop.read, keys: {{ population: 1 }} }} }}\n\
         services:\n  shop: {{ operations: {{ read: [ {{ cache: c, on_miss: [ call: origin.fetch ] }} ] }} }}\n  \
         origin: {{ operations: {{ fetch: [ wait: 500ms ] }} }}\n\
         caches: {{ c: {{ items: 10, {cache} }} }}\n"
    )
}

#[test]
fn a_miss_fetches_and_a_hit_does_not() {
    for place in ["local: true", "get: []"] {
        let ran = ran(&cached("[1s, 2s, 3s, 4s]", place), plan(10));
        same(ran.value("c.hit_ratio"), 0.75);
        same(ran.value("users.latency.mean"), 0.125);
        same(ran.value("origin.fetch.throughput"), 0.1);
        same(ran.value("c.items"), 1.0);
    }
}

#[test]
fn an_item_expires_from_its_fill_or_from_its_last_hit() {
    // Filled at 1.5 s.
    let fixed = ran(&cached("[1s, 2s, 3s, 4s]", "local: true, ttl: 2s"), plan(10));
    same(fixed.value("c.hit_ratio"), 0.5);
    let sliding = ran(&cached("[1s, 2s, 3s, 4s]", "local: true, ttl: 2s, sliding: true"), plan(10));
    same(sliding.value("c.hit_ratio"), 0.75);
}

#[test]
fn of_those_who_miss_together_one_fetches_and_all_go_on_with_it() {
    let alone = ran(&cached("[1s, 1.1s, 1.3s]", "local: true"), plan(10));
    same(alone.value("origin.fetch.throughput"), 0.3);
    let together = ran(&cached("[1s, 1.1s, 1.3s]", "local: true, single_flight: true"), plan(10));
    same(together.value("origin.fetch.throughput"), 0.1);
    same(together.value("users.latency.mean"), (0.5 + 0.4 + 0.2) / 3.0);
    same(together.value("c.joined"), 0.2);
}

#[test]
fn an_expired_item_is_given_while_one_fetches_beside() {
    // Filled at 1.5 s, expired at 3.5 s, asked for at 4 s and 4.2 s, fetched anew at 4.5 s.
    let model = cached("[1s, 4s, 4.2s, 5s]", "local: true, ttl: 2s, stale_while_revalidate: 5s");
    let ran = ran(&model, plan(10));
    same(ran.value("c.hit_ratio"), 0.75);
    same(ran.value("c.refreshed"), 0.1);
    same(ran.value("origin.fetch.throughput"), 0.2);
    same(ran.value("users.latency.max"), 0.5);
}

#[test]
fn a_request_about_nothing_cannot_ask_a_cache() {
    let model = cached("[1s]", "local: true").replace(", keys: { population: 1 }", "");
    let violation = try_ran(&model, plan(3)).err().expect("it is refused");
    assert!(violation.of_model && violation.what.contains("keys"), "{violation}");
}

/// Publishers at given instants, and a worker that takes one second for a message.
fn queued(arrivals: &str, queue: &str, consumer: &str) -> String {
    format!(
        "clients: {{ makers: {{ arrivals: {{ at: {arrivals} }}, call: app.put, keys: {{ population: 1 }} }} }}\n\
         services:\n  app: {{ operations: {{ put: [ publish: q ] }} }}\n  \
         worker: {{ operations: {{ work: [ wait: 1s ] }} }}\n\
         queues: {{ q: {{ {queue} consumers: {{ w: {{ call: worker.work, {consumer} }} }} }} }}\n"
    )
}

#[test]
fn messages_wait_for_a_free_consumer_and_publishers_do_not() {
    let ran = ran(&queued("[1s, 1s, 1s]", "", "concurrency: 1"), plan(10));
    same(ran.value("makers.latency.max"), 0.0);
    same(ran.value("q.w.wait.mean"), 1.0);
    same(ran.value("q.w.delay.mean"), 2.0);
    same(ran.value("q.w.delivered"), 0.3);
    same(ran.value("q.w.waiting"), 0.3);
    same(ran.value("q.w.waiting.peak"), 2.0);
}

#[test]
fn a_full_queue_blocks_rejects_or_drops() {
    // One is worked on, one waits; the third finds the queue full.
    let at = "[1s, 1s, 1s]";
    let blocked = ran(&queued(at, "limit: 1,", ""), plan(10));
    same(blocked.value("makers.latency.max"), 1.0);
    same(blocked.value("q.w.delivered"), 0.3);
    let rejected = ran(&queued(at, "limit: 1, when_full: reject,", ""), plan(10));
    same(rejected.value("makers.rejected"), 1.0 / 3.0);
    let dropped = ran(&queued(at, "limit: 1, when_full: drop_oldest,", ""), plan(10));
    same(dropped.value("makers.failures"), 0.0);
    same(dropped.value("q.w.lost"), 0.1);
    same(dropped.value("q.w.delivered"), 0.2);
}

#[test]
fn waiting_for_the_result_takes_as_long_as_the_work() {
    let model = queued("[1s, 1s]", "", "").replace("publish: q", "{ publish: q, wait_for_result: true }");
    let ran = ran(&model, plan(10));
    same(ran.value("makers.latency.mean"), 1.5);
}

#[test]
fn a_batch_begins_when_it_is_full_or_has_waited() {
    let model = queued("[1s, 1.1s, 1.2s, 1.3s]", "", "concurrency: 2, batch: { size: 3, every: 500ms }");
    let ran = ran(&model, plan(10));
    // Three begin at 1.2 s, the last one at 1.8 s.
    same(ran.value("q.w.batch.mean"), 2.0);
    same(ran.value("q.w.wait.mean"), (0.2 + 0.1 + 0.0 + 0.5) / 4.0);
}

/// A database with a primary and a replica that lags by one second; a user writes, others read.
fn replicated(replicas: &str) -> String {
    format!(
        "clients:\n  writer: {{ arrivals: {{ at: [1s] }}, call: d.write, keys: {{ population: 1 }} }}\n  \
         readers: {{ arrivals: {{ at: [0.5s, 1.5s, 2.5s] }}, call: d.read, keys: {{ population: 1 }} }}\n\
         databases:\n  d:\n    replicas: {{ count: 1, lag: 1s, {replicas} }}\n    \
         operations: {{ read: [ wait: 1ms ], write: [ {{ wait: 1ms }}, {{ write: {{}} }} ] }}\n"
    )
}

#[test]
fn a_replica_is_stale_for_its_lag_and_the_primary_never() {
    let replica = ran(&replicated("reads: replicas"), plan(10));
    same(replica.value("d.stale"), 1.0 / 3.0);
    same(replica.value("d.lag.mean"), 1.0);
    same(replica.value("writer.latency.mean"), 0.001);
    let primary = ran(&replicated("reads: primary"), plan(10));
    same(primary.value("d.stale"), 0.0);
    let synchronous = ran(&replicated("reads: replicas, replication: sync"), plan(10));
    same(synchronous.value("d.stale"), 0.0);
    same(synchronous.value("writer.latency.mean"), 1.001);
}

#[test]
fn a_row_lock_makes_the_second_writer_wait_and_see_the_first() {
    let model = "clients: { users: { arrivals: { at: [1s, 1s] }, call: d.edit, keys: { population: 1 } } }\n\
                 databases: { d: { operations: { edit: [ { wait: 1s }, { write: { LOCK } } ] } } }\n";
    let locked = ran(&model.replace("LOCK", "lock: row"), plan(10));
    same(locked.value("users.latency.mean"), 1.5);
    same(locked.value("d.lost_updates"), 0.0);
    let open = ran(&model.replace("LOCK", ""), plan(10));
    same(open.value("users.latency.mean"), 1.0);
    same(open.value("d.lost_updates"), 0.1);
}

#[test]
fn a_database_that_outgrows_its_nodes_is_noted() {
    let model = "clients: { users: { arrivals: { poisson: 1/s }, call: d.read, keys: { population: 9 } } }\n\
                 databases: { d: { shards: 2, data: { items: 3000000, item: 1MB, node: 1TB }, operations: { read: [ wait: 1ms ] } } }\n";
    let file: scalelab::spec::model_file::ModelFile = serde_json::from_value(serde_json::json!({
        "clients": { "users": { "arrivals": { "poisson": "1/s" }, "call": "d.read", "keys": { "population": 9 } } },
        "databases": { "d": {
            "shards": 2,
            "data": { "items": 3_000_000, "item": "1MB", "node": "1TB" },
            "operations": { "read": [ { "wait": "1ms" } ] },
        } },
    }))
    .expect("it is a model");
    let resolved =
        scalelab::spec::resolve::resolve(&file, &scalelab::model::distribution::NoFiles).expect("it makes sense");
    assert!(resolved.assumptions.iter().any(|note| note.contains("3 shards are needed")), "{:?}", resolved.assumptions);
    same(ran(model, Plan { warm_up: SECOND, ..plan(5) }).value("d.shard.hottest"), 5.0 / 3.0);
}

/// Four shards become five at 1 s; a batch takes 0.1 s at the old shard and 0.2 s at the new one.
fn growing(more: &str) -> String {
    format!(
        "clients:\n  users: {{ arrivals: {{ poisson: 500/s }}, call: d.read, keys: {{ population: 10000 }} }}\n  \
         writers: {{ arrivals: {{ poisson: 500/s }}, call: d.write, keys: {{ population: 10000 }} }}\n\
         databases:\n  d:\n    shards: 4\n    sharding: {{ ring: {{ virtual_nodes: 200 }} }}\n    \
         reshard: {{ at: 1s, shards: 5, items: 10000, batch: 100, give: [ wait: 100ms ], take: [ wait: 200ms ] {more} }}\n    \
         operations: {{ read: [ wait: 1ms ], write: [ {{ wait: 1ms }}, {{ write: {{}} }} ] }}\n"
    )
}

#[test]
fn a_shard_that_is_added_gets_its_items_batch_by_batch_and_nothing_is_lost_or_stale() {
    let one = ran(&growing(""), plan(20));
    let moved = one.value("d.moved");
    // A fifth of 10 000 items, with a coefficient of variation of 7 %; bound at four.
    assert!((moved / 2000.0 - 1.0).abs() < 0.28, "{moved}");
    let batches = one.value("d.take.throughput") * 20.0;
    assert!(batches >= (moved / 100.0).ceil() && batches < moved / 100.0 + 4.0, "{batches}");
    // One batch after the other from 1 s on, 0.3 s each.
    same(one.value("d.settled"), 1.0 + 0.3 * batches);
    same(one.value("d.stale"), 0.0);
    same(one.value("users.failures"), 0.0);
    assert!(one.value("d.lost_updates") < 2.0, "only writes that meet within their millisecond");
    let three = ran(&growing(", movers: 3"), plan(20));
    same(three.value("d.settled"), 1.0 + 0.3 * (batches / 3.0).ceil());
    let slow = ran(&growing(", pause: 100ms"), plan(20));
    same(slow.value("d.settled"), 1.0 + 0.4 * batches - 0.1);
}

#[test]
fn requests_for_items_that_have_moved_go_to_their_new_shard() {
    let before = ran(&growing("").replace("at: 1s", "at: 1000s"), plan(20));
    // The fifth shard is idle: the hottest of five has about a quarter.
    assert!(before.value("d.shard.hottest") > 1.2, "{}", before.value("d.shard.hottest"));
    same(before.value("d.moved"), 0.0);
    assert_eq!(before.get("d.settled"), None);
    let mut late = plan(20);
    late.warm_up = 10 * SECOND;
    let after = ran(&growing(""), late);
    let share = after.value("d.shard.hottest") / 5.0;
    assert!(share < 0.24, "the hottest shard has {share} of the requests");
}

#[test]
fn a_batch_whose_shard_is_down_is_tried_again() {
    let model = format!("{}faults: [ {{ at: 1.1s, crash: d/0, for: 3s }} ]\n", growing(""));
    let ran = ran(&model, plan(20));
    assert!(ran.value("d.settled") > 4.1);
    assert!(ran.value("d.reshard.failures") > 0.0);
}

#[test]
fn a_connection_that_is_not_kept_costs_every_statement() {
    let model = "clients: { users: { arrivals: { at: [1s, 3s] }, call: d.read, keys: { population: 1 } } }\n\
                 databases: { d: { MORE operations: { read: [ wait: 1s ] } } }\n";
    same(ran(&model.replace("MORE", ""), plan(10)).value("users.latency.mean"), 1.0);
    same(ran(&model.replace("MORE", "connect: [ wait: 500ms ],"), plan(10)).value("users.latency.mean"), 1.5);
}

/// A cache of one item that writes behind after 2 s; item 0 and item 1 are changed in turns.
fn behind(arrivals: &str, more: &str) -> String {
    format!(
        "clients: {{ users: {{ arrivals: {{ batch: {{ items: {arrivals}, workers: 1 }} }}, call: shop.change }} }}\n\
         services:\n  shop: {{ operations: {{ change: [ {{ put: c, write: behind, delay: 2s, origin: [ call: origin.write ] }}, \
         wait: 100ms ] }} }}\n  origin: {{ operations: {{ write: [ wait: 1ms ] }} }}\n\
         caches: {{ c: {{ local: true, items: 1 }} }}\n{more}"
    )
}

#[test]
fn what_is_written_behind_survives_its_eviction_and_not_a_crash() {
    // Five items, one at a time in the cache: each is written to the origin all the same.
    let kept = ran(&behind("5", ""), plan(10));
    same(kept.value("origin.write.throughput"), 0.5);
    same(kept.value("c.behind.lost"), 0.0);
    let lost = ran(&behind("5", "faults: [ { at: 1s, crash: shop/0, for: 1s } ]\n"), plan(10));
    same(lost.value("origin.write.throughput"), 0.0);
    same(lost.value("c.behind.lost"), 5.0);
}

#[test]
fn a_replica_that_is_full_of_reads_still_applies_what_is_written() {
    // One worker, no room in the queue, always busy reading.
    let model = "clients:\n  writer: { arrivals: { at: [1s] }, call: d.write, keys: { population: 1 } }\n  \
                 readers: { arrivals: { constant: 10/s }, call: d.read, keys: { population: 1 } }\n\
                 databases:\n  d:\n    replicas: { count: 1, lag: 10ms, reads: replicas }\n    runtime: { workers: 1 }\n    \
                 queue: { limit: 0 }\n    operations: { read: [ wait: 350ms ], write: [ write: {} ] }\n";
    let ran = ran(model, plan(10));
    assert!(ran.value("readers.failures") > 0.7);
    same(ran.value("d.stale"), 0.0);
}

#[test]
fn nodes_are_in_step_when_their_partition_is_over() {
    let model = "clients:\n  writer: { arrivals: { at: [1s] }, call: d.write, keys: { population: 1 } }\n  \
                 readers: { arrivals: { at: [1.5s, 2.5s, 3.5s] }, call: d.read, keys: { population: 1 } }\n\
                 databases:\n  d:\n    replicas: { count: 1, lag: 10ms, reads: replicas }\n    \
                 partition: { at: 0s, for: 3s, nodes: 1 }\n    operations: { read: [ wait: 1ms ], write: [ write: {} ] }\n";
    same(ran(model, plan(10)).value("d.stale"), 2.0 / 3.0);
}
