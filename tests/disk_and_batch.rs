//! Disks and batch jobs: hand-counted times.

use crate::support::{Folder, plan, ran, same};

/// One request at 1 s with these steps on a machine with this disk.
fn disk(disk: &str, steps: &str) -> String {
    format!(
        "
clients: {{ users: {{ arrivals: {{ at: [1s] }}, call: s.o }} }}
services: {{ s: {{ machine: {{ disk: {disk} }}, operations: {{ o: {steps} }} }} }}"
    )
}

#[test]
fn an_operation_takes_depth_over_iops_and_its_bytes_over_the_bandwidth() {
    // 3 operations of 1 ms each, and 16 kB at 16 MB/s: 1 ms each.
    let model = disk("{ iops: 3000, bandwidth: 16MB/s }", "[ disk: { reads: 1, writes: 2, size: 16KB } ]");
    let ran = ran(&model, plan(10));
    same(ran.value("users.latency.mean"), 0.006);
    same(ran.value("s.disk.utilization"), 3.0 / 3.0 * 1e-3 / 10.0);
    same(ran.value("s.disk_bandwidth.utilization"), 3e-3 / 10.0);
}

#[test]
fn sequential_accesses_are_merged() {
    let of = |order: &str| {
        let steps = format!("[ disk: {{ reads: 64, size: 16KiB, order: {order} }} ]");
        ran(&disk("{ iops: 1000, queue_depth: 1 }", &steps), plan(10)).value("users.latency.mean")
    };
    same(of("random"), 0.064);
    same(of("sequential"), 0.004);
}

#[test]
fn operations_beyond_the_iops_wait() {
    let model = disk("{ iops: 2000 }", "[ disk: { reads: 1 } ]").replace("at: [1s]", "constant: 4000/s");
    let ran = ran(&model, plan(10));
    assert!((ran.value("users.goodput") - 2000.0).abs() < 1.0, "{}", ran.value("users.goodput"));
    assert!((ran.value("s.disk.utilization") - 1.0).abs() < 1e-3);
}

#[test]
fn reads_that_find_their_page_need_no_disk() {
    let of = |read: &str, cache: &str| {
        let model = disk(&format!("{{ iops: 10000{cache} }}"), &format!("[ disk: {{ reads: 4, {read} }} ]"));
        ran(&model.replace("at: [1s]", "constant: 1000/s"), plan(20)).value("s.disk.utilization")
    };
    for (read, cache) in [("hit: 75%", ""), ("working_set: 32GiB", ", cache: 24GiB")] {
        assert!((of(read, cache) - 0.1).abs() < 0.002, "{}", of(read, cache));
    }
    same(of("working_set: 1GiB", ", cache: 24GiB"), 0.0);
}

#[test]
fn a_step_without_its_disk_is_refused() {
    let folder = Folder::new("no_disk");
    folder.write("m.yaml", disk("{ queue_depth: 4 }", "[ disk: { reads: 1, hit: 5%, working_set: 1GiB } ]"));
    let ended = folder.scalelab(&["check", "m.yaml"]).with(2);
    assert!(ended.err.contains("a queue depth needs operations per second"), "{}", ended.err);
    assert!(ended.err.contains("give either `hit` or `working_set`"), "{}", ended.err);
    folder.write("n.yaml", disk("{}", "[ disk: { reads: 1 } ]").replace("machine: { disk: {} },", ""));
    assert!(folder.scalelab(&["check", "n.yaml"]).with(2).err.contains("the machine has no disk"));
}

/// A batch of items that take these seconds each, in turn.
fn batch(schedule: &str, items: u32, workers: u32) -> f64 {
    let model = format!(
        "
clients: {{ job: {{ arrivals: {{ batch: {{ items: {items}, workers: {workers}, schedule: {schedule} }} }}, call: s.o }} }}
services: {{ s: {{ operations: {{ o: [ wait: 1s ] }} }} }}"
    );
    ran(&model, plan(1000)).value("job.makespan")
}

#[test]
fn the_last_chunk_decides_and_thieves_share_the_remainder() {
    same(batch("chunks", 1003, 10), 103.0);
    same(batch("stealing", 1003, 10), 101.0);
    same(batch("queue", 1003, 10), 101.0);
    same(batch("chunks", 7, 10), 7.0);
    same(batch("stealing", 7, 10), 1.0);
}

#[test]
fn the_same_items_take_as_long_whoever_does_them() {
    let model = |schedule: &str| {
        format!(
            "
clients: {{ job: {{ arrivals: {{ batch: {{ items: 500, workers: 7, schedule: {schedule} }} }}, call: s.o }} }}
services: {{ s: {{ operations: {{ o: [ wait: {{ exponential: 1s }} ] }} }} }}"
        )
    };
    let [chunks, stealing] = ["chunks", "stealing"].map(|schedule| ran(&model(schedule), plan(1000)));
    same(chunks.value("job.latency.mean"), stealing.value("job.latency.mean"));
    assert!(chunks.value("job.makespan") > stealing.value("job.makespan"));
}

#[test]
fn a_job_that_does_not_end_in_time_has_no_makespan() {
    let model = "
clients: { job: { arrivals: { batch: { items: 100, workers: 1 } }, call: s.o } }
services: { s: { operations: { o: [ wait: 1s ] } } }";
    assert_eq!(ran(model, plan(10)).get("job.makespan"), None);
}
