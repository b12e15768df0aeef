//! Node pools at work: where pods are, which of them wait for a node, and an agent that orders nodes and gives them back.
//!
//! Invariants: a pod that has a node is counted in what is used of it until its place is absent again; a node goes when no pod is left on
//! it. Pods wait in the order in which they came; whenever something becomes free, all that wait are tried in that order.

use super::{Phase, System};
use crate::engine::random::{Draw, key, named};
use crate::engine::time::{NEVER, Nanos, round};
use crate::measure::Level;
use crate::model::blueprint::Blueprint;
use crate::model::frame::NONE;
use crate::model::life::FleetPlan;
use crate::model::nodes::{Amounts, NodePoolPlan, fits, new_nodes, plus, share};
use crate::model::system::agent::Agent;

/// Where a node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Absent,
    /// Ordered.
    Coming,
    Ready,
    /// It gets no more pods, and goes with its last one.
    Leaving,
}

/// A place for a node.
#[derive(Debug, Clone, Copy)]
struct Node {
    stage: Stage,
    /// When it is there, if it is coming [ns].
    until: Nanos,
    used: Amounts,
    pods: u32,
    /// Since when it is unneeded [ns].
    unneeded: Option<Nanos>,
}

const ABSENT: Node = Node { stage: Stage::Absent, until: NEVER, used: [0.0; 2], pods: 0, unneeded: None };

/// A pod: its service, its place, its life.
type Pod = (u32, u32, u64);

/// A pool at work.
#[derive(Debug)]
pub(in super::super) struct Pool {
    plan: NodePoolPlan,
    nodes: Vec<Node>,
    /// Pods without a node, in the order in which they came.
    waiting: Vec<Pod>,
    key: u64,
    ordered: u64,
    /// When a node was ordered last [ns].
    added: Option<Nanos>,
    /// Nodes that exist and are paid for, and pods that wait.
    exist: Level,
    pending: Level,
    /// Cores that pods ask for, on nodes [cores], and their integral [core·ns].
    asked: super::book::Amount,
}

/// What is known of a pool at an instant: areas of existing nodes [node·ns], waiting pods [pod·ns], requested cores [core·ns].
pub(in super::super) type PoolState = [f64; 3];

/// What is known of a pool over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolBook {
    /// Nodes that exist, integrated [node·ns].
    pub existed: f64,
    /// The most that existed at once, since the start of the run.
    pub most: u32,
    /// Pods that wait for a node, integrated [pod·ns].
    pub pending: f64,
    /// Cores that pods on nodes ask for, integrated [core·ns].
    pub requested: f64,
    /// Work done by the cores of all pods [core·ns].
    pub busy: f64,
    /// Cores of a node, and what it costs [currency units/h].
    pub node: (f64, Option<f64>),
}

impl Pool {
    /// A pool with its first nodes, without pods; `root` is the key of the run.
    pub(in super::super) fn new(plan: &NodePoolPlan, root: u64) -> Self {
        let ready =
            |number: u32| Node { stage: if number < plan.start { Stage::Ready } else { Stage::Absent }, ..ABSENT };
        let mut exist = Level::default();
        (0..plan.start).for_each(|_| exist.up(0));
        Pool {
            nodes: (0..plan.bounds[1]).map(ready).collect(),
            waiting: Vec::new(),
            key: named(named(root, &plan.name), "nodes"),
            ordered: 0,
            added: None,
            exist,
            pending: Level::default(),
            asked: super::book::Amount::default(),
            plan: plan.clone(),
        }
    }

    fn count(&self) -> u32 {
        self.exist.value()
    }

    /// The nodes that take pods, with what is used of them.
    fn ready(&self) -> impl Iterator<Item = (usize, Amounts)> {
        let ready = self.nodes.iter().enumerate().filter(|(_, node)| node.stage == Stage::Ready);
        ready.map(|(number, node)| (number, node.used))
    }

    /// Puts a pod on a node that has room for it.
    fn place(&mut self, now: Nanos, asks: &Amounts) -> Option<u32> {
        let number = self.plan.placement.choose(&self.plan.room, self.ready(), asks)?;
        Some(self.put(now, number, asks))
    }

    /// Puts a pod on the first node that has room for it.
    fn place_first(&mut self, asks: &Amounts) -> Option<u32> {
        let (number, _) = self.ready().find(|(_, used)| fits(&self.plan.room, used, asks))?;
        Some(self.put(0, number, asks))
    }

    fn put(&mut self, now: Nanos, number: usize, asks: &Amounts) -> u32 {
        let node = &mut self.nodes[number];
        (node.used, node.pods) = (plus(&node.used, asks), node.pods + 1);
        self.asked.add(now, asks[0]);
        number as u32
    }

    /// A pod has left its node; whether that can be of use to others.
    fn release(&mut self, now: Nanos, number: u32, asks: &Amounts) -> bool {
        let node = &mut self.nodes[number as usize];
        node.pods -= 1;
        // What rounding has left of an empty node is nothing.
        node.used = if node.pods == 0 { [0.0; 2] } else { plus(&node.used, &asks.map(|asks| -asks)) };
        self.asked.add(now, -asks[0]);
        if node.stage == Stage::Leaving && node.pods == 0 {
            self.remove(now, number as usize);
        }
        self.nodes[number as usize].stage == Stage::Ready
    }

    fn remove(&mut self, now: Nanos, number: usize) {
        self.nodes[number] = ABSENT;
        self.exist.down(now);
    }

    /// Orders as many nodes as those that wait take; those on their way count.
    fn order(&mut self, now: Nanos, asks: &[Amounts]) {
        let coming = self.nodes.iter().filter(|node| node.stage == Stage::Coming).count();
        let most = self.plan.bounds[1] - self.count();
        // A node on its way is empty. Those that are ready have no room, or nobody would wait.
        let needed = new_nodes(&self.plan.room, &vec![[0.0; 2]; coming], asks, most);
        let needed = needed.max(self.plan.bounds[0].saturating_sub(self.count()).min(most));
        for _ in 0..needed {
            let Some(number) = self.nodes.iter().position(|node| node.stage == Stage::Absent) else { return };
            let delay = self.plan.provisioning.as_ref().map_or(0, |demand| {
                let mut draw = Draw::new(key(self.key, self.ordered), demand.salt, 0);
                round(demand.distribution.sample(&mut draw))
            });
            self.ordered += 1;
            self.nodes[number] = Node { stage: Stage::Coming, until: now.saturating_add(delay), ..ABSENT };
            self.exist.up(now);
            self.added = Some(now);
        }
    }

    /// Nodes that have come.
    fn come(&mut self, now: Nanos) -> bool {
        let mut any = false;
        for node in self.nodes.iter_mut().filter(|node| node.stage == Stage::Coming && node.until <= now) {
            (node.stage, node.until) = (Stage::Ready, NEVER);
            any = true;
        }
        any
    }

    /// Whether a node is empty enough, and all its pods fit on the others.
    fn is_unneeded(&self, number: usize, pods: &[Amounts]) -> bool {
        let share = (0..2).map(|what| self.nodes[number].used[what] / self.plan.room[what]).fold(0.0, f64::max);
        if share >= self.plan.threshold {
            return false;
        }
        let others = self.ready().filter(|(other, _)| *other != number && self.nodes[*other].unneeded.is_none());
        let mut others: Vec<Amounts> = others.map(|(_, used)| used).collect();
        pods.iter().all(|pod| match others.iter_mut().find(|used| fits(&self.plan.room, used, pod)) {
            Some(used) => {
                *used = plus(used, pod);
                true
            }
            None => false,
        })
    }

    fn state(&self, now: Nanos) -> PoolState {
        [self.exist.area(now) as f64, self.pending.area(now) as f64, self.asked.area(now)]
    }
}

/// Orders nodes of a pool, and gives them back.
#[derive(Debug)]
pub(in super::super) struct Provisioner {
    pool: usize,
    scan: Nanos,
    next_scan: Nanos,
}

impl Provisioner {
    /// The scaler of a pool.
    pub(in super::super) fn new(blueprint: &Blueprint, pool: u32) -> Option<Self> {
        let scan = blueprint.pools.get(pool as usize)?.scan;
        Some(Provisioner { pool: pool as usize, scan, next_scan: scan })
    }

    /// Gives back what is no longer needed.
    fn shrink(&self, system: &mut System<'_>, now: Nanos) {
        let delayed = |pool: &Pool| pool.added.is_some_and(|added| now - added < pool.plan.after_add);
        let mut draining = system.pools[self.pool].nodes.iter().any(|node| node.stage == Stage::Leaving);
        for number in 0..system.pools[self.pool].nodes.len() {
            if system.pools[self.pool].nodes[number].stage != Stage::Ready {
                continue;
            }
            let pods = system.pods_on(self.pool, number);
            let asks: Vec<Amounts> = pods.iter().map(|pod| system.asks(*pod)).collect();
            let pool = &mut system.pools[self.pool];
            // Judged without its own mark, and marked at once: two nodes do not count on each other.
            let since = pool.nodes[number].unneeded.take();
            if !pool.is_unneeded(number, &asks) {
                continue;
            }
            let since = *pool.nodes[number].unneeded.insert(since.unwrap_or(now));
            let goes = now - since >= pool.plan.unneeded && !delayed(pool) && pool.count() > pool.plan.bounds[0];
            let empty = pool.nodes[number].pods == 0;
            if !goes || (draining && !empty) {
                continue;
            }
            if empty {
                pool.remove(now, number);
            } else {
                draining = true;
                pool.nodes[number].stage = Stage::Leaving;
                for (service, place, _) in pods {
                    system.begin_leaving(service as usize, place as usize);
                    system.fill_up(service as usize);
                    system.wake_steward(service as usize);
                }
            }
        }
    }
}

impl Agent for Provisioner {
    fn first(&self) -> Option<Nanos> {
        Some(self.next_scan)
    }

    fn act(&mut self, system: &mut System<'_>) -> Option<Nanos> {
        let now = system.calendar.now();
        if system.pools[self.pool].come(now) {
            system.try_waiting(self.pool);
        }
        if now >= self.next_scan {
            self.next_scan = now.saturating_add(self.scan);
            system.forget_gone(self.pool);
            let asks: Vec<Amounts> = system.pools[self.pool].waiting.iter().map(|pod| system.asks(*pod)).collect();
            system.pools[self.pool].order(now, &asks);
            if system.pools[self.pool].come(now) {
                system.try_waiting(self.pool);
            }
            if system.pools[self.pool].waiting.is_empty() {
                self.shrink(system, now);
            }
        }
        let coming = system.pools[self.pool].nodes.iter().map(|node| node.until).min().unwrap_or(NEVER);
        Some(self.next_scan.min(coming))
    }
}

/// What a pod of a fleet asks for: the size of its life where sizes change.
fn asks_of(plan: &FleetPlan, size: f64) -> Amounts {
    let [cores, memory] = plan.lodging.map_or([0.0; 2], |lodging| lodging.asks);
    [if plan.vertical.is_some() { size } else { cores }, memory]
}

impl System<'_> {
    /// Puts the pods of the start on the nodes of the start; the resolver has seen to it that there are enough.
    pub(super) fn start_pods(&mut self) {
        let mut pods: Vec<(Pod, u32)> = Vec::new();
        for (service, fleet) in self.fleets.iter().enumerate() {
            let Some((fleet, lodging)) = fleet.as_ref().and_then(|fleet| Some((fleet, fleet.plan.lodging?))) else {
                continue;
            };
            let ready = fleet.places.iter().enumerate().filter(|(_, place)| place.phase == Phase::Ready);
            pods.extend(ready.map(|(number, place)| ((service as u32, number as u32, place.life), lodging.pool)));
        }
        // Packed as they were counted: the first fit, the largest first.
        let size = |(pod, pool): &(Pod, u32)| share(&self.pools[*pool as usize].plan.room, &self.asks(*pod));
        pods.sort_by(|one, other| size(other).total_cmp(&size(one)));
        for (pod, pool) in pods {
            let asks = self.asks(pod);
            let node = self.pools[pool as usize].place_first(&asks).unwrap_or(NONE);
            if let Some(fleet) = &mut self.fleets[pod.0 as usize] {
                fleet.places[pod.1 as usize].node = node;
            }
        }
    }

    /// What a pod asks for.
    fn asks(&self, (service, number, _): Pod) -> Amounts {
        let Some(fleet) = &self.fleets[service as usize] else { return [0.0; 2] };
        asks_of(&fleet.plan, fleet.places[number as usize].size)
    }

    /// Whether a pod is still that of its place, and waits for a node.
    fn is_homeless(&self, (service, number, life): Pod) -> bool {
        let fleet = self.fleets[service as usize].as_ref();
        fleet
            .map(|fleet| fleet.places[number as usize])
            .is_some_and(|place| place.phase == Phase::Pending && place.node == NONE && place.life == life)
    }

    fn forget_gone(&mut self, pool: usize) {
        let now = self.calendar.now();
        let waiting = std::mem::take(&mut self.pools[pool].waiting);
        let (kept, gone): (Vec<Pod>, Vec<Pod>) = waiting.into_iter().partition(|pod| self.is_homeless(*pod));
        gone.iter().for_each(|_| self.pools[pool].pending.down(now));
        self.pools[pool].waiting = kept;
    }

    /// Lets a pod that begins have a node, or wait for one; its image is pulled there.
    pub(super) fn lodge(&mut self, service: usize, number: usize) {
        let now = self.calendar.now();
        let Some(fleet) = &self.fleets[service] else { return };
        let Some(lodging) = fleet.plan.lodging else { return };
        let life = fleet.places[number].life;
        let pod = (service as u32, number as u32, life);
        let asks = self.asks(pod);
        let pool = &mut self.pools[lodging.pool as usize];
        if let Some(node) = pool.place(now, &asks) {
            return self.move_in(pod, node);
        }
        pool.waiting.push(pod);
        pool.pending.up(now);
        if let Some(fleet) = &mut self.fleets[service] {
            fleet.places[number].until = NEVER;
        }
    }

    /// A pod has a node now, and its image is pulled there.
    fn move_in(&mut self, (service, number, life): Pod, node: u32) {
        let now = self.calendar.now();
        let Some(fleet) = &mut self.fleets[service as usize] else { return };
        let pull = fleet.draw(1, life);
        let place = &mut fleet.places[number as usize];
        (place.node, place.until) = (node, now.saturating_add(pull));
    }

    /// A pod is gone: what it had of its node is free again.
    pub(super) fn give_up_lodging(&mut self, service: usize, node: u32, size: f64) {
        let now = self.calendar.now();
        let Some(fleet) = &self.fleets[service] else { return };
        let Some(lodging) = fleet.plan.lodging else { return };
        if node == NONE {
            return self.forget_gone(lodging.pool as usize);
        }
        let asks = asks_of(&fleet.plan, size);
        if self.pools[lodging.pool as usize].release(now, node, &asks) {
            self.try_waiting(lodging.pool as usize);
        }
    }

    /// Tries all that wait for a node, in their order.
    fn try_waiting(&mut self, pool: usize) {
        self.forget_gone(pool);
        let now = self.calendar.now();
        for pod in std::mem::take(&mut self.pools[pool].waiting) {
            let asks = self.asks(pod);
            match self.pools[pool].place(now, &asks) {
                None => self.pools[pool].waiting.push(pod),
                Some(node) => {
                    self.pools[pool].pending.down(now);
                    self.move_in(pod, node);
                    self.wake_steward(pod.0 as usize);
                }
            }
        }
    }

    /// The pods that are on a node and stay.
    fn pods_on(&self, pool: usize, node: usize) -> Vec<Pod> {
        let mut pods = Vec::new();
        for (service, fleet) in self.fleets.iter().enumerate() {
            let Some(fleet) =
                fleet.as_ref().filter(|fleet| fleet.plan.lodging.is_some_and(|lodging| lodging.pool as usize == pool))
            else {
                continue;
            };
            let here = |(_, place): &(usize, &super::Place)| place.node == node as u32 && place.stays();
            let here = fleet.places.iter().enumerate().filter(here);
            pods.extend(here.map(|(number, place)| (service as u32, number as u32, place.life)));
        }
        pods
    }

    /// The states of all pools now.
    pub(in super::super) fn pool_states(&self) -> Vec<PoolState> {
        let now = self.calendar.now();
        self.pools.iter().map(|pool| pool.state(now)).collect()
    }

    /// The books of all pools over the window.
    pub(in super::super) fn pool_books(&self) -> Vec<PoolBook> {
        let [before, after] = &self.books.pools;
        let book = |(number, pool): (usize, &Pool)| {
            let change = |what: usize| after[number][what] - before[number][what];
            let lodges = |service: &usize| {
                let fleet = self.fleets[*service].as_ref();
                fleet.and_then(|fleet| fleet.plan.lodging).is_some_and(|lodging| lodging.pool as usize == number)
            };
            let busy = (0..self.fleets.len()).filter(lodges).map(|service| self.busy_cores(service)).sum();
            PoolBook {
                existed: change(0),
                most: pool.exist.peak(),
                pending: change(1),
                requested: change(2),
                busy,
                node: (pool.plan.cores, pool.plan.price),
            }
        };
        self.pools.iter().enumerate().map(book).collect()
    }

    /// What the nodes of all pools cost, averaged over the window [currency units/h].
    pub(in super::super) fn price_of_nodes(&self) -> f64 {
        let length = (self.books.closed_at() - self.books.opened_at()) as f64;
        let price =
            |book: PoolBook| book.node.1.unwrap_or(0.0) * if length > 0.0 { book.existed / length } else { 0.0 };
        self.pool_books().into_iter().map(price).sum()
    }

    /// Adds the numbers of all pools to a row of the time series: nodes, waiting pods.
    pub(in super::super) fn pool_row(&self, row: &mut Vec<f64>) {
        for pool in &self.pools {
            row.extend([pool.exist.value(), pool.pending.value()].map(f64::from));
        }
    }
}
