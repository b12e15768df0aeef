//! What every policy promises, on random calls and answers.

use std::collections::VecDeque;

use serde_json::json;

use super::*;
use crate::engine::random::{below, unit};

/// Every policy with its defaults; a new one must be added here.
fn all() -> Vec<Policy> {
    let words = ["random", "round_robin", "weighted_round_robin", "least_in_flight", "weighted_least_in_flight"];
    let more = ["join_idle_queue", "least_work_left", "skip_by_weight"];
    let with = ["power_of_choices", "least_request", "peak_ewma", "prequal", "ring_hash", "bounded_load", "maglev"];
    let with_more = ["rendezvous", "modulo", "sticky", "shuffle_shard", "zone_aware"];
    let mut specs: Vec<_> = words.iter().chain(&more).map(|name| json!(name)).collect();
    specs.extend(with.iter().chain(&with_more).map(|name| json!({ *name: {} })));
    specs.push(json!({"power_of_choices": {"choices": 3, "replacement": true}}));
    specs.push(json!({"sticky": {"first": "least_in_flight"}}));
    specs.push(json!({"subset": {"size": 4, "then": "least_in_flight"}}));
    specs.push(json!({"zone_aware": {"then": {"peak_ewma": {}}}}));
    specs.into_iter().map(|spec| serde_json::from_value(spec).unwrap()).collect()
}

/// Whether the policy gives equal instances equal numbers of calls when calls have evenly spread keys.
fn fair(policy: &Policy) -> bool {
    !matches!(policy, Policy::Subset(_) | Policy::RingHash(_) | Policy::BoundedLoad(_))
}

/// How long an instance works at a call [ns].
const WORK: Nanos = 1_000_000;

/// Instances that serve one call after the other, all equally long, and are busy half of the time.
struct Game {
    balancer: Box<dyn Balancer>,
    members: Members,
    in_flight: Vec<u32>,
    chosen: Vec<u32>,
    latencies: Latencies,
    /// Per instance: when its calls came, and when the first of them ends.
    calls: Vec<VecDeque<Nanos>>,
    ends: Vec<Nanos>,
    /// When the next call comes.
    next: Nanos,
    random: Stream,
    own: Stream,
}

impl Game {
    fn new(policy: &Policy, members: Members) -> Self {
        let mut balancer = policy.build();
        balancer.members(&members);
        let instances = members.instances();
        let [random, own] = [1, 2].map(Stream::new);
        Game {
            balancer,
            members,
            in_flight: vec![0; instances],
            chosen: vec![0; instances],
            latencies: Latencies::new(instances),
            calls: vec![VecDeque::new(); instances],
            ends: vec![Nanos::MAX; instances],
            next: 0,
            random,
            own,
        }
    }

    /// The next call or answer, whatever comes first.
    fn step(&mut self) {
        let first = (0..self.ends.len()).min_by_key(|instance| self.ends[*instance]).unwrap();
        if self.ends[first] <= self.next {
            self.answer(first);
        } else {
            self.call();
        }
    }

    fn answer(&mut self, number: usize) {
        let (now, instance) = (self.ends[number], number as u32);
        let latency = now - self.calls[number].pop_front().unwrap();
        self.ends[number] = if self.calls[number].is_empty() { Nanos::MAX } else { now + WORK };
        self.latencies.answered(instance, now, latency, true);
        let present = self.in_flight[number];
        self.balancer.answered(&Reply { now, instance, latency, success: true, present });
        self.in_flight[number] -= 1;
        self.balancer.changed(instance, present - 1, now);
        if present == 1 {
            self.balancer.idle(instance);
        }
    }

    fn call(&mut self) {
        let now = self.next;
        let gap = -(1.0 - unit(&mut self.random)).ln() * WORK as f64 / (0.5 * self.members.eligible.len() as f64);
        self.next = now + gap as Nanos;
        let [key, session] = [1 << 30, 5000].map(|bound| below(&mut self.random, bound) as u32);
        let call = Call { key, session, zone: 0, work: WORK, now };
        let (in_flight, latencies) = (&self.in_flight, Some(&self.latencies));
        let view = View { members: &self.members, in_flight, present: in_flight, latencies };
        let instance = self.balancer.choose(&call, &view, &mut self.own);
        assert!(self.members.eligible.contains(&instance), "{:?} chose {instance}", self.balancer);
        let number = instance as usize;
        self.latencies.sent(instance, now, self.in_flight[number]);
        if self.calls[number].is_empty() {
            self.ends[number] = now + WORK;
        }
        self.calls[number].push_back(now);
        self.chosen[number] += 1;
        self.in_flight[number] += 1;
        self.balancer.changed(instance, self.in_flight[number], now);
    }

    fn play(&mut self, steps: u32) {
        (0..steps).for_each(|_| self.step());
    }
}

#[test]
fn every_policy_stays_in_range_is_fair_among_equals_and_is_deterministic() {
    for policy in all() {
        for instances in [1, 2, 7, 64] {
            let mut game = Game::new(&policy, Members::alike("a", instances));
            game.play(20_000);
            let (least, most) = (game.chosen.iter().min().unwrap(), game.chosen.iter().max().unwrap());
            // About 10 000 choices; 64 instances get 156 each, with a standard deviation of 12.5 at random.
            assert!(!fair(&policy) || f64::from(*least) > 0.5 * f64::from(*most), "{policy:?} {:?}", game.chosen);
            let mut again = Game::new(&policy, Members::alike("a", instances));
            again.play(20_000);
            assert_eq!(game.chosen, again.chosen, "{policy:?}");
        }
    }
}

#[test]
fn no_policy_ever_chooses_an_instance_that_may_not_be_chosen() {
    for policy in all() {
        let mut game = Game::new(&policy, Members::alike("a", 9));
        for round in 0..60u64 {
            game.play(100);
            let mut lots = Stream::new(round);
            game.members.eligible = (0..9).filter(|_| below(&mut lots, 2) == 0).collect();
            if game.members.eligible.is_empty() {
                game.members.eligible.push((round % 9) as u32);
            }
            let weight = |_| 0.5 + below(&mut lots, 3) as f64;
            game.members.weights = (0..9).map(weight).collect();
            game.balancer.members(&game.members);
        }
    }
}

#[test]
fn weights_are_kept_by_the_policies_that_promise_it() {
    let policies = ["random", "weighted_round_robin"].map(|name| json!(name));
    let with = ["ring_hash", "maglev", "rendezvous"].map(|name| json!({ name: {} }));
    for spec in policies.into_iter().chain(with) {
        let policy: Policy = serde_json::from_value(spec).unwrap();
        let members = Members { weights: vec![1.0, 2.0, 1.0], ..Members::alike("a", 3) };
        let mut game = Game::new(&policy, members);
        game.play(40_000);
        let share = f64::from(game.chosen[1]) / f64::from(game.chosen.iter().sum::<u32>());
        // The ring's share has a standard deviation of 0.035 with 100 and 200 points; bound at three.
        let bound = if matches!(policy, Policy::RingHash(_)) { 0.11 } else { 0.02 };
        assert!((share - 0.5).abs() < bound, "{policy:?} {:?}", game.chosen);
    }
}

/// The share of keys that belong to another instance after one of `n + 1` has come.
fn moved(spec: serde_json::Value, n: usize) -> f64 {
    let policy: Policy = serde_json::from_value(spec).unwrap();
    let owners = |instances| {
        let members = Members::alike("node", instances);
        let mut balancer = policy.build();
        balancer.members(&members);
        let in_flight = vec![0; instances];
        let view = View { members: &members, in_flight: &in_flight, present: &in_flight, latencies: None };
        let mut random = Stream::new(1);
        (0..20_000).map(|key| balancer.choose(&Call { key, ..Call::at(0) }, &view, &mut random)).collect::<Vec<u32>>()
    };
    let (before, after) = (owners(n), owners(n + 1));
    before.iter().zip(&after).filter(|(before, after)| before != after).count() as f64 / 20_000.0
}

#[test]
fn a_new_node_takes_its_share_of_the_keys_and_modulo_moves_nearly_all() {
    for n in [4, 10, 16] {
        let one = 1.0 / (n as f64 + 1.0);
        // A ring of 100 points each moves a Beta-distributed share; three standard deviations.
        let spread = 3.0 * (one * (1.0 - one) / (100.0 * (n as f64 + 1.0))).sqrt();
        let ring = moved(json!({"ring_hash": {}}), n);
        assert!((ring - one).abs() < spread, "{n}: ring {ring}");
        // Binomial over 20 000 keys: standard error below 0.003; bound at five.
        let rendezvous = moved(json!({"rendezvous": {}}), n);
        assert!((rendezvous - one).abs() < 0.015, "{n}: rendezvous {rendezvous}");
        let modulo = moved(json!({"modulo": {}}), n);
        assert!((modulo - n as f64 * one).abs() < 0.015, "{n}: modulo {modulo}");
        // Maglev moves a few more than it must.
        let maglev = moved(json!({"maglev": {}}), n);
        assert!(maglev > one - 0.015 && maglev < one + 0.1, "{n}: maglev {maglev}");
    }
}

#[test]
fn the_same_key_has_the_same_instance() {
    for name in ["ring_hash", "bounded_load", "maglev", "rendezvous", "modulo"] {
        let policy: Policy = serde_json::from_value(json!({ name: {} })).unwrap();
        let members = Members::alike("a", 5);
        let mut balancer = policy.build();
        balancer.members(&members);
        let view = View { members: &members, in_flight: &[0; 5], present: &[0; 5], latencies: None };
        let mut random = Stream::new(1);
        let mut owner = |key| balancer.choose(&Call { key, ..Call::at(0) }, &view, &mut random);
        assert!((0..500).all(|key| owner(key) == owner(key)), "{name}");
    }
}
