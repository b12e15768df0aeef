//! Priority levels: instances of the first level get all calls while enough of them are healthy; the fewer are, the more calls go
//! on to the next level.
//!
//! The health of a level is the percentage of its instances that may be chosen, times the overprovisioning factor (1.4), at most
//! 100. A level gets its health of the calls, the next one its own of what is left, and so on. If the levels' healths add up to
//! less than 100 in all, they are scaled up; then, and only then, a level below the panic threshold sends its calls to all its
//! instances. If all levels are in panic, calls are dealt out by the number of instances. All of it in whole percents, rounded
//! down; what is missing then goes to the first level that has any health.
//!
//! Source: Envoy, "Priority levels" and "Panic threshold", and `LoadBalancerBase` in `load_balancer_impl.cc`
//! (`recalculatePerPriorityState`, `distributeLoad`, `recalculatePerPriorityPanic`, `recalculateLoadInTotalPanic`). The row
//! 25 % and 100 % of the second page (25 : 75) contradicts the first page (35 : 65), which is what the program does.

/// The instances of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Those that may be chosen.
    pub available: u32,
    /// All of them.
    pub all: u32,
}

/// What a level gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Its part of the calls [%].
    pub percent: u32,
    /// Whether they go to all its instances, whatever is known of them.
    pub panic: bool,
}

/// What each level gets. `factor` is the overprovisioning factor in percent (140), `panic` the share of instances below which a
/// level may panic.
pub fn shares(levels: &[Level], factor: u32, panic: f64) -> Vec<Share> {
    let health = |level: &Level| match level.all {
        0 => 0,
        all => (u64::from(factor) * u64::from(level.available) / u64::from(all)).min(100) as u32,
    };
    let healths: Vec<u32> = levels.iter().map(health).collect();
    let total = healths.iter().sum::<u32>().min(100);
    let below = |level: &Level| level.all == 0 || f64::from(level.available) < panic * f64::from(level.all);
    let panics: Vec<bool> = levels.iter().map(|level| panic > 0.0 && total < 100 && below(level)).collect();
    let by_instances = panics.iter().all(|panic| *panic);
    let all: u32 = levels.iter().map(|level| level.all).sum();
    let mut left = 100;
    let mut part = |(level, health): (&Level, &u32)| {
        let part = match (by_instances, total) {
            (true, _) => 100 * level.all / all.max(1),
            (false, 0) => 0,
            (false, total) => left.min(health * 100 / total),
        };
        left -= part;
        part
    };
    let mut percents: Vec<u32> = levels.iter().zip(&healths).map(&mut part).collect();
    let has_any = |(level, health): (&Level, &u32)| if by_instances { level.all > 0 } else { *health > 0 };
    let first = levels.iter().zip(&healths).position(has_any).unwrap_or(0);
    if let Some(percent) = percents.get_mut(first) {
        *percent += left;
    }
    percents.into_iter().zip(panics).map(|(percent, panic)| Share { percent, panic }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares [%] of levels with so many of 100 instances available, and which of them are in panic below this share.
    fn of(available: &[u32], panic: f64) -> (Vec<u32>, Vec<bool>) {
        let levels: Vec<Level> = available.iter().map(|available| Level { available: *available, all: 100 }).collect();
        let shares = shares(&levels, 140, panic);
        (shares.iter().map(|share| share.percent).collect(), shares.iter().map(|share| share.panic).collect())
    }

    #[test]
    fn the_published_tables_come_out_to_the_percent() {
        // "Priority levels"; the last two rows are printed as 36, 36, 28 and 7, 93: rounded, as the program does not.
        let rows: [(&[u32], &[u32]); 13] = [
            (&[100, 100], &[100, 0]),
            (&[72, 72], &[100, 0]),
            (&[71, 71], &[99, 1]),
            (&[50, 50], &[70, 30]),
            (&[25, 100], &[35, 65]),
            (&[0, 100], &[0, 100]),
            (&[25, 25], &[50, 50]),
            (&[100, 100, 100], &[100, 0, 0]),
            (&[72, 72, 100], &[100, 0, 0]),
            (&[71, 71, 100], &[99, 1, 0]),
            (&[25, 25, 100], &[35, 35, 30]),
            (&[25, 25, 20], &[37, 35, 28]),
            (&[5, 65], &[8, 92]),
        ];
        for (available, wanted) in rows {
            assert_eq!(of(available, 0.0).0, wanted, "{available:?}");
        }
    }

    #[test]
    fn there_is_no_panic_while_the_levels_together_are_healthy() {
        // "Panic threshold".
        assert_eq!(of(&[72, 72], 0.5), (vec![100, 0], vec![false, false]));
        assert_eq!(of(&[71, 71], 0.5), (vec![99, 1], vec![false, false]));
        assert_eq!(of(&[25, 100], 0.5), (vec![35, 65], vec![false, false]));
        assert_eq!(of(&[25, 25], 0.5), (vec![50, 50], vec![true, true]));
        assert_eq!(of(&[5, 65], 0.5), (vec![8, 92], vec![true, false]));
    }

    #[test]
    fn when_all_panic_instances_count_and_not_their_health() {
        let levels = [Level { available: 0, all: 6 }, Level { available: 0, all: 3 }];
        let percents = |panic| shares(&levels, 140, panic).iter().map(|share| share.percent).collect::<Vec<_>>();
        assert_eq!(percents(0.5), [67, 33]);
        assert_eq!(of(&[25, 25, 20], 0.5).0, [34, 33, 33]);
        // Without panic nobody can be chosen, and all calls find that out at the first level.
        assert_eq!(percents(0.0), [100, 0]);
    }

    #[test]
    fn all_calls_are_dealt_out_whatever_the_health() {
        for a in 0..=20 {
            for b in 0..=20 {
                for c in 0..=20 {
                    assert_eq!(of(&[a * 5, b * 5, c * 5], 0.5).0.iter().sum::<u32>(), 100, "{a} {b} {c}");
                }
            }
        }
    }
}
