//! Maglev: a table of fixed size that every instance fills in turn in an order of its own; a key belongs to the entry at its
//! hash. Almost perfectly even; when an instance comes or goes, a few more keys move than need to. O(1) per choice.
//!
//! Source: D. Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016, section 3.4; weights
//! as in Envoy: an instance takes a turn when it has earned one (target weight), heaviest first earning 1 per round.
//! The table's size must be prime; 65537 if left out, as in both. A call without a key goes anywhere at random.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, By, Call, Members, View};
use crate::engine::Stream;
use crate::engine::hash::Hash;
use crate::engine::random::below;
use crate::model::frame::NONE;

/// Parameters of Maglev.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaglevSpec {
    /// What of a call is hashed; its `key` if left out.
    #[serde(default)]
    pub by: By,
    /// Entries of the table, a prime number; 65537 if left out.
    #[serde(default = "table")]
    #[schemars(range(min = 2, max = 5_000_011))]
    pub table: u32,
    /// The hash function; `xxhash` if left out.
    #[serde(default)]
    pub hash: Hash,
}

fn table() -> u32 {
    65_537
}

impl MaglevSpec {
    /// Whether the table's size is prime, without which an instance may not reach all entries.
    pub fn is_prime(&self) -> bool {
        let table = self.table;
        table > 1
            && (2..).take_while(|divisor| divisor * divisor <= table).all(|divisor| !table.is_multiple_of(divisor))
    }
}

/// The order in which one instance wants the entries of a table.
#[derive(Debug, Clone, Copy)]
struct Wish {
    instance: u32,
    offset: u64,
    skip: u64,
    weight: f64,
}

/// Fills a table of so many entries.
fn fill(size: u64, wishes: &[Wish]) -> Vec<u32> {
    let mut table = vec![NONE; size as usize];
    let heaviest = wishes.iter().map(|wish| wish.weight).fold(0.0, f64::max);
    let mut next = vec![0u64; wishes.len()];
    let mut target = vec![0.0; wishes.len()];
    let (mut filled, mut round) = (0, 1.0);
    while filled < size {
        for (number, wish) in wishes.iter().enumerate() {
            // Whoever is lighter takes a turn only when it has earned one.
            if round * wish.weight < target[number] {
                continue;
            }
            target[number] += heaviest;
            loop {
                let entry = (wish.offset + next[number] * wish.skip) % size;
                next[number] += 1;
                if table[entry as usize] == NONE {
                    table[entry as usize] = wish.instance;
                    filled += 1;
                    break;
                }
            }
            if filled == size {
                break;
            }
        }
        round += 1.0;
    }
    table
}

/// The policy. State: the table.
#[derive(Debug)]
pub struct Maglev {
    spec: MaglevSpec,
    table: Vec<u32>,
}

impl Maglev {
    /// The policy with these parameters.
    pub fn new(spec: MaglevSpec) -> Self {
        Maglev { spec, table: Vec::new() }
    }
}

impl Balancer for Maglev {
    fn choose(&mut self, call: &Call, view: &View, random: &mut Stream) -> u32 {
        let eligible = &view.members.eligible;
        match call.by(self.spec.by) {
            Some(key) => {
                let hash = self.spec.hash.of_number(key);
                self.table[self.spec.hash.modulo(hash, self.table.len() as u64) as usize]
            }
            None => eligible[below(random, eligible.len() as u64) as usize],
        }
    }

    fn members(&mut self, members: &Members) {
        let size = u64::from(self.spec.table);
        let wish = |&instance: &u32| {
            let name = members.name_of(instance);
            let hash = |seed| self.spec.hash.of(name.as_bytes(), seed);
            let weight = members.weights[instance as usize];
            let modulo = |seed, n| self.spec.hash.modulo(hash(seed), n);
            Wish { instance, offset: modulo(0, size), skip: modulo(1, size - 1) + 1, weight }
        };
        let wishes: Vec<Wish> = members.eligible.iter().map(wish).collect();
        self.table = if wishes.is_empty() { Vec::new() } else { fill(size, &wishes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(instance: u32, offset: u64, skip: u64, weight: f64) -> Wish {
        Wish { instance, offset, skip, weight }
    }

    #[test]
    fn the_example_of_the_paper_comes_out() {
        let wishes = [wish(0, 3, 4, 1.0), wish(1, 0, 2, 1.0), wish(2, 3, 1, 1.0)];
        assert_eq!(fill(7, &wishes), [1, 0, 1, 0, 2, 2, 0]);
        assert_eq!(fill(7, &[wishes[0], wishes[2]]), [0, 0, 0, 0, 2, 2, 2]);
    }

    #[test]
    fn weights_1_and_2_share_the_table_as_documented() {
        let table = fill(65_537, &[wish(0, 11, 3, 1.0), wish(1, 77, 5, 2.0)]);
        let first = table.iter().filter(|instance| **instance == 0).count();
        assert_eq!((first, table.len() - first), (21_846, 43_691));
    }

    #[test]
    fn only_primes_pass() {
        let prime = |table| MaglevSpec { by: By::Key, table, hash: Hash::Xxhash }.is_prime();
        assert!(prime(65_537) && prime(7) && prime(2) && !prime(65_536) && !prime(9) && !prime(1));
    }
}
