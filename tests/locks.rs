//! Locks and channels: hand-counted traces, what is given back on every path, what a crash loses.

use scalelab::model::Plan;

use crate::support::{SECOND, plan, ran, ran_with, same};

/// Runs a model, with a crash of its first instance if one is given; returns the values of some metrics.
fn values(model: &str, crash: Option<(u64, Option<u64>)>, plan: Plan, wanted: &[&str]) -> Vec<f64> {
    let crashes: Vec<_> = crash.into_iter().map(|(at, lasting)| (0, at, lasting)).collect();
    ran_with(model, &crashes, plan).values(wanted)
}

#[test]
fn a_mutex_serves_in_order_and_its_wait_is_in_the_ledger() {
    // Arrivals at 0, 1 and 2 s; 10 s in the section: they wait 0, 9 and 18 s.
    let model = "
clients: { users: { arrivals: { at: [0s, 1s, 2s] }, call: s.o } }
services:
  s:
    locks: { map: {} }
    operations: { o: [ lock: { name: map, steps: [ wait: 10s ] } ] }
";
    let ran = ran(model, plan(40));
    same(ran.value("s.map.wait.mean"), 9.0);
    same(ran.value("users.latency.max"), 28.0);
    same(ran.value("s.map.utilization"), 30.0 / 40.0);
    same(ran.split(0)["s.map waiting"], 27.0 / 3.0);
}

#[test]
fn readers_share_a_lock_and_a_writer_waits_for_all_of_them() {
    // Readers come at 0 and 1 s and read for 10 s; a writer comes at 2 s and waits for both, a reader at 3 s for the writer.
    let model = "
clients:
  readers: { arrivals: { at: [0s, 1s, 3s] }, call: s.get }
  writers: { arrivals: { at: [2s] }, call: s.put }
services:
  s:
    locks: { map: { kind: rwlock } }
    operations:
      get: [ lock: { name: map, mode: read, steps: [ wait: 10s ] } ]
      put: [ lock: { name: map, steps: [ wait: 10s ] } ]
";
    let ran = ran(model, plan(60));
    same(ran.value("writers.latency.max"), 19.0);
    same(ran.value("readers.latency.max"), 28.0);
}

#[test]
fn a_section_that_fails_or_dies_gives_its_lock_back() {
    let model = "
clients: { users: { arrivals: { constant: 10/s }, call: s.o } }
services:
  s:
    locks: { map: { shards: 2 } }
    operations: { o: [ lock: { name: map, shard: random, steps: [ repeat: { times: 3, steps: [ wait: 1ms, fail: 20% ] } ] } ] }
";
    let found = values(model, None, plan(100), &["users.failures", "s.map.queue"]);
    assert!((found[0] - 0.488).abs() < 0.05, "{found:?}");
    same(found[1], 0.0);
    // 3 s in the section: a crash at 2.5 s takes all who hold it or wait; those who come later find it free.
    let slow = model.replace("wait: 1ms, fail: 20%", "wait: 1s").replace("constant: 10/s", "at: [0s, 1s, 2s, 5s, 6s]");
    let found =
        values(&slow, Some((2 * SECOND + SECOND / 2, Some(SECOND))), plan(60), &["users.crashed", "users.requests"]);
    assert_eq!(found, [0.6, 5.0]);
}

#[test]
fn a_semaphore_lets_so_many_in() {
    let model = "
clients: { users: { arrivals: { at: [0s, 0s, 0s, 0s] }, call: s.o } }
services:
  s:
    locks: { gate: { kind: { semaphore: 3 } } }
    operations: { o: [ lock: { name: gate, steps: [ wait: 1s ] } ] }
";
    same(ran(model, plan(10)).value("users.latency.mean"), 1.25);
}

/// A channel and senders that come at these times; the receiver takes 10 s for each item.
fn channel(channel: &str, at: &str) -> String {
    format!(
        "
clients: {{ users: {{ arrivals: {{ at: [{at}] }}, call: s.o }} }}
services: {{ s: {{ channels: {{ log: {channel} }}, operations: {{ o: [ send: log ] }} }} }}"
    )
}

#[test]
fn a_sender_waits_only_for_room() {
    let steps = "steps: [ wait: 10s ]";
    // Without a buffer the second sender waits until the receiver is done with the first item, the third for the second.
    let rendezvous = ran(&channel(&format!("{{ {steps} }}"), "0s, 1s, 2s"), plan(100));
    same(rendezvous.value("s.log.wait.mean"), 9.0);
    same(rendezvous.value("users.latency.max"), 18.0);
    same(rendezvous.value("s.log.utilization"), 0.3);
    // With room for one only the third waits.
    let buffered = ran(&channel(&format!("{{ buffer: 1, {steps} }}"), "0s, 1s, 2s"), plan(100));
    same(buffered.value("s.log.wait.mean"), 8.0 / 3.0);
    same(buffered.value("s.log.age.mean"), 19.0 / 3.0);
    same(buffered.value("s.log.sent"), 3.0);
}

#[test]
fn a_full_channel_may_reject_or_drop() {
    let of = |when: &str, receivers: u32| {
        let log = format!("{{ buffer: 16, when_full: {when}, receivers: {receivers} }}");
        let at = vec!["1s"; 20].join(", ");
        ran(&channel(&log.replace(" }", ", steps: [ wait: 100s ] }"), &at), plan(10))
    };
    for (receivers, room) in [(0, 16.0), (1, 17.0)] {
        let rejecting = of("reject", receivers);
        same(rejecting.value("users.rejected"), (20.0 - room) / 20.0);
        let dropping = of("drop", receivers);
        same(dropping.value("s.log.dropped"), 20.0 - room);
        same(dropping.value("users.failures"), 0.0);
        let blocking = of("block", receivers);
        same(blocking.value("users.unfinished"), 20.0 - room);
    }
}

#[test]
fn a_crash_loses_the_buffer_and_frees_the_receivers() {
    let log = "{ buffer: 16, steps: [ wait: 10s ] }";
    let at = "1s, 1s, 1s, 1s, 20s, 21s";
    let wanted = ["s.log.lost", "s.log.sent", "s.log.received", "users.failures"];
    // At 5 s one item is with the receiver and three lie in the buffer.
    let found = values(&channel(log, at), Some((5 * SECOND, Some(SECOND))), plan(100), &wanted);
    assert_eq!(found, [3.0, 6.0, 3.0, 0.0]);
}

#[test]
fn an_unknown_lock_or_channel_is_refused_with_the_nearest_name() {
    let model = "
clients: { users: { arrivals: { at: [0s] }, call: s.o } }
services:
  s:
    locks: { table: {} }
    channels: { journal: {} }
    operations: { o: [ send: jurnal, lock: { name: tabel, mode: read, steps: [] } ] }
";
    let folder = crate::support::Folder::new("unknown_lock");
    folder.write("m.yaml", model);
    let ended = folder.scalelab(&["check", "m.yaml"]).with(2);
    for words in
        ["there is no channel `jurnal`", "did you mean `journal`", "there is no lock `tabel`", "did you mean `table`"]
    {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
}
