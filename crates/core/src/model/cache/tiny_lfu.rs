//! W-TinyLFU: a small LRU window in front of a segmented LRU, and a sketch of past frequency that decides who stays.
//!
//! New items enter the window (1 %). What the window pushes out competes with the main part's victim: the one that was asked
//! for more often, by a count-min sketch of 4-bit counters, stays; at a tie the candidate goes. The counters are halved
//! after ten times as many requests as the cache has items, so that the past fades.
//!
//! Source: G. Einziger, R. Friedman, B. Manes, "TinyLFU: a highly efficient cache admission policy" (ACM ToS 2017); the
//! shares (1 %, 80 %) and the sketch are those of Caffeine, without its adaptive window. The sketch needs a number of items;
//! a cache that counts bytes is taken to hold items of 1 KiB.

use super::eviction::Eviction;
use super::order::{List, Slots};
use super::slru::Slru;
use crate::engine::Stream;
use crate::engine::random::mix;

/// The window's part of the capacity.
pub const WINDOW: f64 = 0.01;
/// The mark of a slot in the window.
const IN_WINDOW: u32 = 2;
/// Rows of the sketch.
const ROWS: u32 = 4;
/// The greatest count.
const MOST: u8 = 15;

/// A count-min sketch whose counters are halved now and then.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    counters: Vec<u8>,
    mask: u64,
    added: u64,
    period: u64,
}

impl Sketch {
    pub(super) fn new(items: u64) -> Self {
        let width = items.clamp(16, 1 << 24).next_power_of_two();
        Sketch { counters: vec![0; (width * u64::from(ROWS)) as usize], mask: width - 1, added: 0, period: items * 10 }
    }

    fn places(&self, item: u32) -> [usize; ROWS as usize] {
        let hash = mix(u64::from(item) ^ 0x5bd1_e995);
        let step = (hash >> 32) | 1;
        std::array::from_fn(|row| {
            let column = hash.wrapping_add(step.wrapping_mul(row as u64)) & self.mask;
            row * (self.mask as usize + 1) + column as usize
        })
    }

    pub(super) fn estimate(&self, item: u32) -> u8 {
        self.places(item).into_iter().map(|place| self.counters[place]).min().unwrap_or(0)
    }

    pub(super) fn add(&mut self, item: u32) {
        for place in self.places(item) {
            self.counters[place] = (self.counters[place] + 1).min(MOST);
        }
        self.added += 1;
        if self.added >= self.period {
            self.counters.iter_mut().for_each(|counter| *counter /= 2);
            self.added /= 2;
        }
    }
}

/// The policy.
#[derive(Debug)]
pub struct TinyLfu {
    window: List,
    room: u64,
    main: Slru,
    main_weight: u64,
    main_room: u64,
    sketch: Sketch,
}

impl TinyLfu {
    /// The policy for a cache of this capacity (items or bytes) that holds about so many items.
    pub fn new(capacity: u64, items: u64) -> Self {
        let room = ((capacity as f64 * WINDOW) as u64).max(1);
        let main_room = capacity - room;
        TinyLfu {
            window: List::new(),
            room,
            main: Slru::new(main_room),
            main_weight: 0,
            main_room,
            sketch: Sketch::new(items),
        }
    }

    fn enter_main(&mut self, slot: u32, slots: &mut Slots) {
        self.main_weight += u64::from(slots[slot].weight);
        self.main.insert(slot, slots);
    }
}

impl Eviction for TinyLfu {
    fn asked(&mut self, item: u32) {
        self.sketch.add(item);
    }

    fn hit(&mut self, slot: u32, slots: &mut Slots) {
        if slots[slot].mark == IN_WINDOW {
            self.window.refresh(slot, slots);
        } else {
            self.main.hit(slot, slots);
        }
    }

    fn insert(&mut self, slot: u32, slots: &mut Slots) {
        slots[slot].mark = IN_WINDOW;
        self.window.push(slot, slots);
        // While the main part has room, what leaves the window goes there unopposed.
        while self.window.weight() > self.room {
            let Some(oldest) = self.window.back() else { break };
            if self.main_weight + u64::from(slots[oldest].weight) > self.main_room {
                break;
            }
            self.window.remove(oldest, slots);
            self.enter_main(oldest, slots);
        }
    }

    fn victim(&mut self, _candidate: u32, slots: &mut Slots, random: &mut Stream) -> Option<u32> {
        let Some(candidate) = self.window.back().filter(|_| self.window.weight() >= self.room) else {
            return match self.main.next() {
                Some(_) => {
                    let victim = self.main.victim(0, slots, random)?;
                    self.main_weight -= u64::from(slots[victim].weight);
                    Some(victim)
                }
                None => self.window.pop(slots),
            };
        };
        let Some(rival) = self.main.next() else { return self.window.pop(slots) };
        let frequency = |slot: u32| self.sketch.estimate(slots[slot].item);
        if frequency(candidate) <= frequency(rival) {
            return self.window.pop(slots);
        }
        let victim = self.main.victim(0, slots, random)?;
        self.main_weight -= u64::from(slots[victim].weight);
        self.window.remove(candidate, slots);
        self.enter_main(candidate, slots);
        Some(victim)
    }

    fn remove(&mut self, slot: u32, slots: &mut Slots) {
        if slots[slot].mark == IN_WINDOW {
            self.window.remove(slot, slots);
        } else {
            self.main_weight -= u64::from(slots[slot].weight);
            self.main.remove(slot, slots);
        }
    }

    fn memory(&self) -> usize {
        self.sketch.counters.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sketch_never_counts_too_little_before_it_fades() {
        let mut sketch = Sketch::new(1000);
        for round in 1..=10u32 {
            (0..200).filter(|item| item % 10 < round).for_each(|item| sketch.add(item));
        }
        for item in 0..200u32 {
            assert!(u32::from(sketch.estimate(item)) >= 10 - item % 10);
        }
        assert_eq!(sketch.estimate(5000), 0);
    }
}
