//! `cargo bench --bench cache`: what an operation of a cache costs, and how much memory an item takes.
//!
//! An operation asks for an item and puts it in if it is not there. Items are drawn beforehand, with a frequency that falls as
//! 1 ÷ rank (Zipf, exponent 1) over ten times as many items as there is room for. Policies take turns; the least time of each
//! counts.

use std::time::Instant;

use scalelab::engine::Stream;
use scalelab::engine::random::unit;
use scalelab::model::cache::eviction::Policy;
use scalelab::model::cache::store::{Found, Store};

/// Turns; the least time counts.
const TURNS: usize = 5;
/// Operations per turn.
const OPERATIONS: usize = 2_000_000;
/// How many items there is room for.
const CAPACITIES: [u64; 2] = [1_000, 100_000];

/// Asks for all items in turn; returns how many were there.
fn work(store: &mut Store, items: &[u32]) -> usize {
    let mut hits = 0;
    for (now, &item) in items.iter().enumerate() {
        match store.ask(item, now as u64, 0, None) {
            Found::Nothing => store.put(item, 1, 0, u64::MAX, |_| {}),
            _ => hits += 1,
        }
    }
    hits
}

fn main() {
    println!("| policy | room for | ns per operation | hits | bytes per item |\n|---|---|---|---|---|");
    for capacity in CAPACITIES {
        let mut random = Stream::new(capacity);
        let population = (10 * capacity) as f64;
        let items: Vec<u32> = (0..OPERATIONS).map(|_| libm::pow(population, unit(&mut random)) as u32).collect();
        let store = |policy| Store::new(policy, capacity, capacity, Stream::new(1));
        let mut rows: Vec<(Policy, Store, f64, usize)> =
            Policy::ALL.map(|policy| (policy, store(policy), f64::INFINITY, 0)).into();
        // The first turn warms up.
        for turn in 0..=TURNS {
            for (_, store, least, hits) in &mut rows {
                let start = Instant::now();
                *hits = work(store, &items);
                let nanos = start.elapsed().as_nanos() as f64 / items.len() as f64;
                *least = if turn > 0 { least.min(nanos) } else { *least };
            }
        }
        for (policy, store, least, hits) in &rows {
            let share = 100.0 * *hits as f64 / items.len() as f64;
            let bytes = store.memory() as f64 / store.len() as f64;
            let name = serde_json::to_value(policy).expect("a policy has a name");
            println!("| {} | {capacity} | {least:.0} | {share:.0} % | {bytes:.0} |", name.as_str().unwrap_or_default());
        }
    }
}
