//! The ledger: where the time of a request went.
//!
//! Every running attempt owns a list of entries (account, nanoseconds): the first few lie in its ledger, where they cost no
//! look at other memory, further ones in one shared pool. When a call returns, the callee's list is put onto its caller's; in a `parallel`, only the list of the branch that decided. So at the end
//! a request's list holds its critical path, and its sum is its response time, to the nanosecond. Entries without time
//! are not made.
//!
//! An [`Attribution`] adds the finished ledgers up by size of the response time, so that the split of the slowest few
//! percent can be read afterwards without having known the threshold before.
//!
//! Limits: a list longer than [`COMPACT_EVERY`] entries is folded to one entry per account when it grows.

use super::Binned;
use crate::engine::time::Nanos;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// A ledger is folded whenever its length reaches a multiple of this.
pub const COMPACT_EVERY: u32 = 48;

/// What kind of time an account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Queued, or slowed down by others who share the same capacity.
    Waiting,
    /// Being served at full speed.
    Service,
    /// Letting time pass that nobody else can stretch: a `wait` step.
    Delay,
    /// On the way between two parts.
    Network,
    /// Holding off before trying again.
    Backoff,
}

impl Kind {
    /// The word for tables and CSV files.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Waiting => "waiting",
            Kind::Service => "service",
            Kind::Delay => "delay",
            Kind::Network => "network",
            Kind::Backoff => "backoff",
        }
    }
}

/// How many entries a ledger holds itself; more lie in the pool.
const INLINE: usize = 4;

/// The ledger of one attempt: its first entries here, the others as a list in a [`Pool`].
#[derive(Debug, Clone, Copy)]
pub struct Ledger {
    nanos: [Nanos; INLINE],
    accounts: [u32; INLINE],
    /// The list of further entries.
    head: u32,
    tail: u32,
    length: u32,
}

impl Ledger {
    /// A ledger without entries.
    pub const EMPTY: Ledger = Ledger { nanos: [0; INLINE], accounts: [0; INLINE], head: NONE, tail: NONE, length: 0 };

    /// Forgets the entries; those in the pool must have been released or moved.
    #[inline]
    pub fn clear(&mut self) {
        (self.head, self.tail, self.length) = (NONE, NONE, 0);
    }

    /// Whether it has no entries.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The entries that the ledger holds itself.
    #[inline]
    fn own(&self) -> impl Iterator<Item = (u32, Nanos)> {
        let length = INLINE.min(self.length as usize);
        self.accounts[..length].iter().copied().zip(self.nanos[..length].iter().copied())
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    account: u32,
    next: u32,
    nanos: Nanos,
}

/// The entries of all running attempts that have more than a few.
#[derive(Debug, Clone)]
pub struct Pool {
    entries: Vec<Entry>,
    free: u32,
    /// Per account, for folding; all zero between uses.
    scratch: Vec<Nanos>,
    /// The entries being folded; empty between uses.
    folding: Vec<(u32, Nanos)>,
}

impl Pool {
    /// A pool for ledgers over so many accounts.
    pub fn new(accounts: usize) -> Self {
        Pool { entries: Vec::new(), free: NONE, scratch: vec![0; accounts], folding: Vec::new() }
    }

    /// Adds time to an account; nothing happens for a time of 0.
    #[inline(always)]
    pub fn add(&mut self, ledger: &mut Ledger, account: u32, nanos: Nanos) {
        if nanos == 0 {
            return;
        }
        let length = ledger.length as usize;
        if length <= INLINE {
            if length > 0 && ledger.accounts[length - 1] == account {
                ledger.nanos[length - 1] += nanos;
                return;
            }
            if length < INLINE {
                (ledger.accounts[length], ledger.nanos[length]) = (account, nanos);
                ledger.length += 1;
                return;
            }
        }
        self.add_here(ledger, account, nanos);
    }

    /// Adds time to an account of a ledger whose own places are taken.
    #[cold]
    fn add_here(&mut self, ledger: &mut Ledger, account: u32, nanos: Nanos) {
        if ledger.tail != NONE {
            let last = &mut self.entries[ledger.tail as usize];
            if last.account == account {
                last.nanos += nanos;
                return;
            }
        }
        self.append(ledger, account, nanos);
        if ledger.length.is_multiple_of(COMPACT_EVERY) {
            self.fold(ledger);
        }
    }

    /// Adds an entry to a ledger, wherever there is a place.
    fn append(&mut self, ledger: &mut Ledger, account: u32, nanos: Nanos) {
        let length = ledger.length as usize;
        ledger.length += 1;
        if length < INLINE {
            (ledger.accounts[length], ledger.nanos[length]) = (account, nanos);
            return;
        }
        let place = self.take(Entry { account, next: NONE, nanos });
        match ledger.tail {
            NONE => ledger.head = place,
            tail => self.entries[tail as usize].next = place,
        }
        ledger.tail = place;
    }

    /// Moves all entries of `from` to the end of `to`.
    #[inline(always)]
    pub fn splice(&mut self, to: &mut Ledger, from: &Ledger) {
        let (before, more) = (to.length as usize, from.length as usize);
        // Neighbors in a ledger are of different accounts; only where both meet can they be of one.
        let meets = before > 0 && before <= INLINE && more > 0 && to.accounts[before - 1] == from.accounts[0];
        if before + more <= INLINE && !meets {
            for entry in 0..more {
                to.accounts[before + entry] = from.accounts[entry];
                to.nanos[before + entry] = from.nanos[entry];
            }
            to.length += from.length;
            return;
        }
        self.splice_slowly(to, from);
    }

    /// The same for any ledgers.
    #[inline(never)]
    fn splice_slowly(&mut self, to: &mut Ledger, from: &Ledger) {
        for (account, nanos) in from.own() {
            self.add(to, account, nanos);
        }
        if from.head != NONE {
            self.copy_list(to, from.head);
            self.release(from);
        }
    }

    /// Adds a copy of the entries of `from` to `to`.
    pub fn copy(&mut self, to: &mut Ledger, from: &Ledger) {
        for (account, nanos) in from.own() {
            self.add(to, account, nanos);
        }
        self.copy_list(to, from.head);
    }

    /// Adds a copy of a list of entries to `to`.
    #[cold]
    fn copy_list(&mut self, to: &mut Ledger, head: u32) {
        let mut place = head;
        while place != NONE {
            let Entry { account, next, nanos } = self.entries[place as usize];
            self.add(to, account, nanos);
            place = next;
        }
    }

    /// Gives the entries of a ledger back to the pool.
    #[inline]
    pub fn release(&mut self, ledger: &Ledger) {
        if ledger.head != NONE {
            self.entries[ledger.tail as usize].next = self.free;
            self.free = ledger.head;
        }
    }

    /// The entries of a ledger: account and nanoseconds.
    #[inline]
    pub fn entries<'l>(&'l self, ledger: &'l Ledger) -> impl Iterator<Item = (u32, Nanos)> + 'l {
        ledger.own().chain(self.list(ledger.head))
    }

    /// The entries of a list.
    fn list(&self, head: u32) -> impl Iterator<Item = (u32, Nanos)> {
        let mut place = head;
        std::iter::from_fn(move || {
            (place != NONE).then(|| {
                let entry = &self.entries[place as usize];
                place = entry.next;
                (entry.account, entry.nanos)
            })
        })
    }

    /// The sum of a ledger [ns].
    pub fn sum(&self, ledger: &Ledger) -> Nanos {
        self.entries(ledger).map(|(_, nanos)| nanos).sum()
    }

    /// How many entries are in use or were at the worst moment; 16 bytes each.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    fn take(&mut self, entry: Entry) -> u32 {
        match self.free {
            NONE => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
            place => {
                self.free = self.entries[place as usize].next;
                self.entries[place as usize] = entry;
                place
            }
        }
    }

    /// Folds a long ledger to one entry per account, accounts in order of their first entry.
    #[cold]
    fn fold(&mut self, ledger: &mut Ledger) {
        let old = std::mem::replace(ledger, Ledger::EMPTY);
        let mut folding = std::mem::take(&mut self.folding);
        folding.extend(self.entries(&old));
        self.release(&old);
        for &(account, nanos) in &folding {
            self.scratch[account as usize] += nanos;
        }
        for (account, _) in folding.drain(..) {
            let nanos = std::mem::take(&mut self.scratch[account as usize]);
            if nanos > 0 {
                self.append(ledger, account, nanos);
            }
        }
        self.folding = folding;
    }
}

/// Finished ledgers, added up by the size of the response time ([`Binned::class`], 16 classes in every octave).
#[derive(Debug, Clone)]
pub struct Attribution {
    accounts: usize,
    /// The size class that `sums` begins with.
    first: usize,
    /// Per size class one row: how many requests, and per account their time [ns].
    sums: Vec<u64>,
}

/// The split of the mean response time of some requests over the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// How many requests (a part of one at the threshold).
    pub count: f64,
    /// Mean time per request in each account [s].
    pub seconds: Vec<f64>,
}

impl Attribution {
    /// Nothing yet, over so many accounts.
    pub fn new(accounts: usize) -> Self {
        Attribution { accounts, first: 0, sums: Vec::new() }
    }

    /// Adds one finished ledger, whose accounts must exist, and returns its sum [ns].
    #[inline(always)]
    pub fn record(&mut self, response: Binned, ledger: &Ledger, pool: &Pool) -> Nanos {
        // That of a class before the first one lies far behind the end.
        let mut start = response.class().wrapping_sub(self.first).wrapping_mul(self.accounts + 1);
        if start >= self.sums.len() {
            start = self.open(response.class());
        }
        self.sums[start] += 1;
        let mut sum = 0;
        for (account, nanos) in ledger.own() {
            debug_assert!((account as usize) < self.accounts, "an account that exists");
            self.sums[start + 1 + account as usize] += nanos;
            sum += nanos;
        }
        if ledger.head != NONE { sum + self.record_list(start, ledger.head, pool) } else { sum }
    }

    /// Adds a list of further entries to the row that begins at `start`; returns their sum [ns].
    #[inline(never)]
    fn record_list(&mut self, start: usize, head: u32, pool: &Pool) -> Nanos {
        let mut sum = 0;
        for (account, nanos) in pool.list(head) {
            self.sums[start + 1 + account as usize] += nanos;
            sum += nanos;
        }
        sum
    }

    /// The row of a size class.
    fn row(&mut self, class: usize) -> &mut [u64] {
        let start = self.open(class);
        &mut self.sums[start..=start + self.accounts]
    }

    /// Makes room for a size class, if there is none; returns where its row begins.
    #[cold]
    fn open(&mut self, class: usize) -> usize {
        let width = self.accounts + 1;
        if self.sums.is_empty() {
            self.first = class;
        }
        if class < self.first {
            self.sums.splice(0..0, std::iter::repeat_n(0, (self.first - class) * width));
            self.first = class;
        }
        let start = (class - self.first) * width;
        let length = self.sums.len().max(start + width);
        self.sums.resize(length, 0);
        start
    }

    /// The rows, by ascending size: how many requests, and per account their time [ns].
    fn rows(&self) -> impl DoubleEndedIterator<Item = (u64, &[u64])> {
        self.sums.chunks_exact(self.accounts + 1).map(|row| (row[0], &row[1..]))
    }

    /// The size classes that hold requests, ascending: number, how many requests, and per account their time [ns].
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &[u64])> {
        let rows = self.sums.chunks_exact(self.accounts + 1).enumerate();
        rows.filter(|(_, row)| row[0] > 0).map(|(place, row)| (self.first + place, row))
    }

    /// The attribution over so many accounts with these size classes; `None` if one does not exist or has another number of
    /// accounts.
    pub fn from_numbered<'r>(accounts: usize, rows: impl Iterator<Item = (usize, &'r [u64])>) -> Option<Self> {
        let mut attribution = Attribution::new(accounts);
        for (number, row) in rows {
            if number > Binned::new(Nanos::MAX).class() || row.len() != accounts + 1 {
                return None;
            }
            attribution.row(number).copy_from_slice(row);
        }
        Some(attribution)
    }

    /// Adds another attribution over the same accounts.
    pub fn merge(&mut self, other: &Attribution) {
        for (number, row) in other.sums.chunks_exact(other.accounts + 1).enumerate().filter(|(_, row)| row[0] > 0) {
            let sums = self.row(other.first + number);
            sums.iter_mut().zip(row).for_each(|(sum, other)| *sum += other);
        }
    }

    /// The split of the slowest `share` (0..=1) of the requests. At the threshold a size class (6 % wide) counts in
    /// proportion. `None` if nothing was recorded.
    pub fn slowest(&self, share: f64) -> Option<Split> {
        let total: u64 = self.rows().map(|(count, _)| count).sum();
        if total == 0 {
            return None;
        }
        let wanted = share * total as f64;
        let mut left = wanted;
        let mut seconds = vec![0.0; self.accounts];
        for (count, sums) in self.rows().rev().filter(|(count, _)| *count > 0) {
            let part = (left / count as f64).min(1.0);
            seconds.iter_mut().zip(sums).for_each(|(sum, &nanos)| *sum += part * nanos as f64 / 1e9);
            left -= count as f64;
            if left <= 0.0 {
                break;
            }
        }
        seconds.iter_mut().for_each(|sum| *sum /= wanted);
        Some(Split { count: wanted, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, below};

    fn read(pool: &Pool, ledger: Ledger) -> Vec<(u32, Nanos)> {
        pool.entries(&ledger).collect()
    }

    #[test]
    fn time_goes_to_its_account_and_consecutive_times_of_one_account_are_one_entry() {
        let mut pool = Pool::new(3);
        let mut ledger = Ledger::EMPTY;
        for (account, nanos) in [(0, 5), (1, 7), (1, 3), (2, 0), (0, 1)] {
            pool.add(&mut ledger, account, nanos);
        }
        assert_eq!(read(&pool, ledger), [(0, 5), (1, 10), (0, 1)]);
    }

    #[test]
    fn splicing_moves_and_copying_keeps() {
        let mut pool = Pool::new(3);
        let (mut caller, mut callee) = (Ledger::EMPTY, Ledger::EMPTY);
        pool.add(&mut caller, 0, 1);
        pool.add(&mut callee, 1, 2);
        pool.copy(&mut caller, &callee);
        assert_eq!(read(&pool, callee), [(1, 2)]);
        pool.splice(&mut caller, &callee);
        pool.splice(&mut caller, &Ledger::EMPTY);
        assert_eq!(read(&pool, caller), [(0, 1), (1, 4)]);
    }

    #[test]
    fn a_pool_reuses_what_was_released() {
        let mut pool = Pool::new(2);
        for _ in 0..1000 {
            let mut ledger = Ledger::EMPTY;
            for _ in 0..3 {
                pool.add(&mut ledger, 0, 1);
                pool.add(&mut ledger, 1, 1);
            }
            pool.release(&ledger);
        }
        assert_eq!(pool.capacity(), 6 - INLINE);
    }

    #[test]
    fn long_ledgers_fold_without_losing_a_nanosecond() {
        let mut random = Stream::new(8);
        let mut pool = Pool::new(20);
        let mut ledger = Ledger::EMPTY;
        let mut expected = vec![0; 20];
        for _ in 0..10_000 {
            let (account, nanos) = (below(&mut random, 20) as u32, below(&mut random, 100));
            pool.add(&mut ledger, account, nanos);
            expected[account as usize] += nanos;
        }
        let mut sums = vec![0; 20];
        read(&pool, ledger).into_iter().for_each(|(account, nanos)| sums[account as usize] += nanos);
        assert_eq!(sums, expected);
        assert!(pool.capacity() <= 2 * COMPACT_EVERY as usize);
    }

    /// Records a request whose time went to these accounts.
    fn record(attribution: &mut Attribution, entries: &[(u32, Nanos)]) {
        let mut pool = Pool::new(2);
        let mut ledger = Ledger::EMPTY;
        entries.iter().for_each(|(account, nanos)| pool.add(&mut ledger, *account, *nanos));
        let response = entries.iter().map(|(_, nanos)| nanos).sum();
        assert_eq!(attribution.record(Binned::new(response), &ledger, &pool), response);
    }

    #[test]
    fn long_ledgers_are_recorded_whole() {
        let mut attribution = Attribution::new(2);
        let entries: Vec<(u32, Nanos)> = (0..9).map(|entry| (entry % 2, 1 << entry)).collect();
        record(&mut attribution, &entries);
        record(&mut attribution, &[(0, 3)]);
        let rows: Vec<&[u64]> = attribution.numbered().map(|(_, row)| row).collect();
        assert_eq!(rows, [[1, 3, 0], [1, 1 + 4 + 16 + 64 + 256, 2 + 8 + 32 + 128]]);
    }

    #[test]
    fn the_slowest_share_is_split_from_the_slowest_requests_only() {
        let mut attribution = Attribution::new(2);
        for _ in 0..95 {
            record(&mut attribution, &[(0, 1_000_000)]);
        }
        for _ in 0..5 {
            record(&mut attribution, &[(1, 1_000_000_000)]);
        }
        assert_eq!(attribution.slowest(0.05).unwrap().seconds, [0.0, 1.0]);
        let all = attribution.slowest(1.0).unwrap();
        assert!((all.seconds[0] - 0.95e-3).abs() < 1e-12 && (all.seconds[1] - 0.05).abs() < 1e-12);
    }

    #[test]
    fn an_attribution_is_its_numbered_size_classes() {
        let mut random = Stream::new(9);
        let mut attribution = Attribution::new(2);
        for number in 0..1000 {
            let time = below(&mut random, 1 << (number % 50));
            record(&mut attribution, &[(0, time / 2), (1, time - time / 2)]);
        }
        let again = Attribution::from_numbered(2, attribution.numbered()).unwrap();
        assert!(again.numbered().eq(attribution.numbered()));
        assert_eq!(again.slowest(0.05), attribution.slowest(0.05));
        assert!(Attribution::from_numbered(3, attribution.numbered()).is_none());
        assert!(
            Attribution::from_numbered(0, [(Binned::new(u64::MAX).class() + 1, &[1u64][..])].into_iter()).is_none()
        );
    }

    #[test]
    fn size_classes_grow_with_the_response_time() {
        let classes: Vec<usize> = (0..64).map(|power| Binned::new(1 << power).class()).collect();
        assert!(classes.is_sorted());
        assert!(Binned::new(u64::MAX).class() < 1024);
    }
}
