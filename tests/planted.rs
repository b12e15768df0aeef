//! More systems with a planted bottleneck, in which things other than a pool or a CPU bind; `explain` must name each, and call a bigger
//! CPU useless where it is. Those with a CPU, a pool, a quota, garbage, an event loop and a slow dependency are in `insight.rs`.

use scalelab::study::insight::{Change, Class, Insight, Judgement, LeverKind, Topic};

use crate::insight::{diagnosed, doubled, explained, explained_for};

/// That doubling something changes nothing, and that the verdict says so.
#[track_caller]
fn useless(insight: &Insight, key: &str) {
    let effect = doubled(insight, key);
    assert_eq!(effect.judgement, Judgement::NoDifference, "{effect:?}");
    let told = |name: &str| {
        let mut useless = insight.verdict.sentences.iter().filter(|sentence| sentence.topic == Topic::Useless);
        useless.any(|sentence| sentence.text.contains(name))
    };
    assert!(told(&effect.lever.name), "{:?}", insight.verdict);
}

fn why(insight: &Insight) -> String {
    let why = insight.verdict.sentences.iter().find(|sentence| sentence.topic == Topic::Why);
    why.unwrap_or_else(|| panic!("no reason is given: {:?}", insight.verdict)).text.clone()
}

#[test]
fn a_lock_is_named_and_neither_its_threads_nor_its_cores() {
    // One at a time for 1.25 ms: 800 per second.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 900/s }, call: web.page, timeout: 1s } }
services:
  web:
    machine: { cores: 4 }
    locks: { map: {} }
    runtime: { workers: 100 }
    queue: { limit: 50 }
    operations: { page: [ cpu: { exponential: 0.5ms }, lock: { name: map, steps: [ wait: 1.25ms ] } ] }",
    );
    diagnosed(&insight, Class::Lock, "web.map");
    useless(&insight, "services.web.machine.cores");
    useless(&insight, "services.web.runtime.workers");
    assert!(why(&insight).contains("1 / 1.25 ms = 800/s"), "{}", why(&insight));
}

#[test]
fn a_disk_is_named_behind_the_full_pools_in_front_of_it() {
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 400/s }, call: web.page, timeout: 1s } }
services:
  web:
    machine: { cores: 4 }
    runtime: { workers: 100 }
    operations: { page: [ cpu: { exponential: 1ms }, call: db.read ] }
  db:
    machine: { cores: 4, disk: { iops: 300 } }
    runtime: { workers: 50 }
    queue: { limit: 50 }
    operations: { read: [ cpu: { exponential: 1ms }, disk: { reads: 1 } ] }",
    );
    diagnosed(&insight, Class::Disk, "db.disk");
    useless(&insight, "services.db.machine.cores");
    useless(&insight, "services.web.machine.cores");
    assert!(why(&insight).contains("= 300/s"), "{}", why(&insight));
}

#[test]
fn a_network_card_is_named_though_next_to_nothing_succeeds() {
    // 500 × 50 kB are 200 Mbps.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 500/s }, call: web.page, timeout: 1s } }
services:
  web:
    machine: { cores: 4, network: 100Mbps }
    runtime: { workers: 100 }
    operations: { page: [ cpu: { exponential: 1ms }, reply: 50KB ] }",
    );
    diagnosed(&insight, Class::Network, "web.network");
    assert_eq!(insight.metric, "users.failures");
    assert_eq!(doubled(&insight, "services.web.machine.network").to, "200Mbps");
    useless(&insight, "services.web.machine.cores");
    assert!(why(&insight).contains("web.network_out is 100 % busy"), "{}", why(&insight));
}

#[test]
fn what_twice_of_anything_does_not_mend_is_tried_with_four_times() {
    // 900 per second for a pool of 200 per second: with twice the workers all are late as well.
    let insight = explained(
        "clients: { users: { arrivals: { constant: 900/s }, call: web.page, timeout: 300ms } }
services:
  web:
    machine: { cores: 4 }
    runtime: { workers: 10 }
    operations: { page: [ cpu: 1ms, wait: 49ms ] }",
    );
    diagnosed(&insight, Class::Pool, "web.workers");
    let found =
        insight.effects.iter().find(|effect| effect.change == Change::Fourfold && effect.lever.resource == "workers");
    assert!(found.is_some_and(|effect| effect.to == "40"), "{:?}", insight.verdict);
}

#[test]
fn a_hot_shard_is_told_from_a_small_database() {
    let shop = |keys: &str| {
        format!(
            "clients: {{ users: {{ arrivals: {{ poisson: 600/s }}, call: web.page, timeout: 1s, keys: {{ {keys} }} }} }}
services:
  web: {{ instances: 2, machine: {{ cores: 4 }}, operations: {{ page: [ cpu: {{ exponential: 1ms }}, call: orders.read ] }} }}
databases:
  orders: {{ shards: 4, machine: {{ cores: 1 }}, operations: {{ read: [ cpu: {{ exponential: 3ms }} ] }} }}"
        )
    };
    let insight = explained(&shop("zipf: 1.2, population: 1000"));
    diagnosed(&insight, Class::Policy, "users.keys");
    assert!(why(&insight).contains("its busiest instance 8"), "{}", why(&insight));
    useless(&insight, "services.web.machine.cores");
    // With even keys the same database just computes, and shards are as good as cores.
    let even = explained(&shop("population: 1000"));
    assert_ne!(even.verdict.bottleneck.as_deref(), Some("users.keys"));
}

#[test]
fn one_slow_instance_is_found_among_its_likes() {
    // A quarter of 240 per second goes to an instance that does 50.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 240/s }, call: web.page, timeout: 1s } }
services:
  web:
    instances: 4
    machine: { cores: 1 }
    balancer: round_robin
    speeds: [1, 1, 1, 0.2]
    operations: { page: [ cpu: { exponential: 4ms } ] }",
    );
    diagnosed(&insight, Class::Cpu, "web.speeds");
    assert!(why(&insight).contains("the busiest instance 100 %"), "{}", why(&insight));
}

#[test]
fn a_cold_cache_is_named_and_a_bigger_one_is_called_useless() {
    let insight = explained_for(
        "warm_up: 1s, window: 10s",
        "clients: { users: { arrivals: { poisson: 400/s }, call: web.page, timeout: 1s, keys: { zipf: 0.9, population: 20000 } } }
services:
  web:
    machine: { cores: 4 }
    operations: { page: [ cpu: { exponential: 1ms }, { cache: redis, on_miss: [ call: orders.read ] } ] }
caches: { redis: { items: 20000, get: [ cpu: 20us ], machine: { cores: 2 } } }
databases: { orders: { machine: { cores: 1 }, operations: { read: [ cpu: { exponential: 5ms } ] } } }",
    );
    diagnosed(&insight, Class::Memory, "redis.preload");
    useless(&insight, "caches.redis.items");
    useless(&insight, "services.web.machine.cores");
}

#[test]
fn retries_that_keep_an_overload_alive_are_named() {
    // 100 per second of 143 that the database can do; a stall of three seconds begins a storm of retries that does not end.
    let insight = explained_for(
        "warm_up: 8s, window: 20s",
        "clients: { users: { arrivals: { poisson: 100/s }, call: web.page, timeout: 3s } }
services:
  web:
    machine: { cores: 4 }
    operations:
      page:
        - cpu: { exponential: 1ms }
        - { call: db.read, timeout: 200ms, retry: { attempts: 4, backoff: { exponential: 20ms, max: 100ms } } }
  db: { machine: { cores: 1 }, runtime: { workers: 100 }, operations: { read: [ cpu: { exponential: 7ms } ] } }
faults: [ { at: 2s, for: 3s, slow: { target: db, speed: 10% } } ]",
    );
    diagnosed(&insight, Class::Policy, "web.retry");
    useless(&insight, "services.web.machine.cores");
    let retries = insight.effects.iter().find(|effect| effect.lever.resource == "retry").expect("there are some");
    assert_eq!((retries.lever.kind, retries.change), (LeverKind::Policy, Change::Other));
}

#[test]
fn the_time_that_new_instances_take_is_named_where_an_autoscaler_waits_for_them() {
    // Ten times the load comes at 10 s. The autoscaler sees it within a second; its instances come half a minute later.
    let insight = explained_for(
        "warm_up: 5s, window: 60s",
        "clients: { users: { arrivals: { poisson: { step: { from: 50/s, to: 500/s, at: 10s } } }, call: web.page, timeout: 1s } }
services:
  web:
    instances: 1
    machine: { cores: 4, price: 0.05/h }
    runtime: { workers: 10 }
    queue: { limit: 20 }
    balancer: least_in_flight
    life: { provisioning: 20s, start: 10s }
    autoscaler:
      min: 1
      max: 12
      scrape: 1s
      policy: { threshold: { every: 1s, by: 4, up: [ { metric: requests, above: 90/s } ], cooldown: 1s } }
    operations: { page: [ cpu: { exponential: 1ms }, wait: 90ms ] }",
    );
    diagnosed(&insight, Class::Policy, "web.life");
    useless(&insight, "services.web.machine.cores");
    let more = doubled(&insight, "services.web.instances");
    assert_eq!((more.judgement, more.lever.kind), (Judgement::Better, LeverKind::Instances), "{more:?}");
    assert_eq!(more.price, Some(0.1));
    useless(&insight, "services.web.autoscaler.max");
    let scrape = doubled(&insight, "services.web.autoscaler.scrape");
    assert!(scrape.is_of_speed() && scrape.to == "0.5s", "{scrape:?}");
}

#[test]
fn the_quota_of_a_dependency_is_named_and_nothing_of_ones_own() {
    // 200 per second for an API that allows 100.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 200/s }, call: shop.pay, timeout: 1s } }
services:
  shop:
    instances: 2
    machine: { cores: 2 }
    runtime: { workers: 100 }
    operations: { pay: [ cpu: { exponential: 2ms }, call: bank.charge ] }
dependencies: { bank: { latency: { lognormal: { mean: 80ms, cv: 0.5 } }, quota: 100/s } }",
    );
    diagnosed(&insight, Class::Dependency, "bank.quota");
    useless(&insight, "services.shop.machine.cores");
    useless(&insight, "services.shop.runtime.workers");
    assert_eq!(doubled(&insight, "dependencies.bank.quota").to, "200/s");
}

#[test]
fn cores_and_workers_that_compute_are_named_together_where_neither_helps_alone() {
    // 2 cores and 2 workers that compute for 10 ms: 200 per second, and twice of one of them changes nothing.
    let insight = explained(
        "clients: { users: { arrivals: { poisson: 300/s }, call: web.page } }
services:
  web:
    machine: { cores: 2 }
    runtime: { pools: { compute: { size: 2, limit: 50 } } }
    operations: { page: [ { pool: compute, steps: [ cpu: { exponential: 10ms } ] } ] }",
    );
    diagnosed(&insight, Class::Cpu, "web.cpu");
    let told = &insight.verdict.sentences[1].text;
    assert!(
        told.contains("The CPU cores of web and connections in pool compute of web, together, are the bottleneck"),
        "{told}"
    );
    assert!(told.contains("Twice of both (2 and 2 → 4 and 4)"), "{told}");
    for key in ["services.web.machine.cores", "services.web.runtime.pools.compute.size"] {
        assert_eq!(doubled(&insight, key).judgement, Judgement::NoDifference);
    }
    let useless = insight.verdict.sentences.iter().filter(|sentence| sentence.topic == Topic::Useless);
    assert!(useless.clone().all(|sentence| !sentence.text.contains("cores")), "{:?}", insight.verdict);
}
