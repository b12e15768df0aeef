//! Belady's optimum: evict the item whose next request is farthest away. No policy can miss less; it needs the future.
//!
//! Computed from the recorded requests after the run, as a bound beside the contenders. What was asked for always comes in,
//! as with all policies here; items without a further request go first.
//!
//! Source: L. Belady, "A study of replacement algorithms for a virtual-storage computer" (IBM Systems Journal 1966).

use std::collections::{BTreeMap, BTreeSet};

/// How many of the requests miss in a cache of `capacity` items that knows the future.
pub fn misses(requests: &[u32], capacity: usize) -> u64 {
    let mut following = vec![usize::MAX; requests.len()];
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    for (place, item) in requests.iter().enumerate().rev() {
        if let Some(next) = seen.insert(*item, place) {
            following[place] = next;
        }
    }
    let mut misses = 0;
    // Items that are present, by their next request.
    let mut present: BTreeSet<(usize, u32)> = BTreeSet::new();
    for (place, item) in requests.iter().enumerate() {
        if !present.remove(&(place, *item)) {
            misses += 1;
            if present.len() == capacity {
                present.pop_last();
            }
        }
        present.insert((following[place], *item));
    }
    misses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};

    #[test]
    fn the_textbook_string_has_nine_misses_with_three_frames() {
        let requests = [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1];
        assert_eq!(misses(&requests, 3), 9);
    }

    #[test]
    fn it_agrees_with_an_obvious_search_for_the_farthest_request() {
        let mut random = Stream::new(8);
        for capacity in [1, 2, 5, 9] {
            let requests: Vec<u32> = (0..400).map(|_| below(&mut random, 15) as u32).collect();
            let (mut present, mut count): (Vec<u32>, u64) = (Vec::new(), 0);
            for (place, item) in requests.iter().enumerate() {
                if present.contains(item) {
                    continue;
                }
                count += 1;
                if present.len() == capacity {
                    let next = |item: &u32| requests[place..].iter().position(|other| other == item);
                    let farthest = (0..capacity).max_by_key(|&k| next(&present[k]).unwrap_or(usize::MAX)).unwrap();
                    present.swap_remove(farthest);
                }
                present.push(*item);
            }
            assert_eq!(misses(&requests, capacity), count);
        }
    }
}
