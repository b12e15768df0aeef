//! The metrics of caches, databases and queues: one declaration each.

use super::books::{CacheBook, DatabaseBook, QueueBook};
use crate::measure::{Histogram, Metric};
use crate::model::queue::GroupBook;
use crate::quantity::Unit;

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

fn quantile(times: &Histogram, p: f64) -> Option<f64> {
    let enough = times.count() as f64 * (1.0 - p) >= super::super::metrics::BEYOND - 1e-9;
    if enough { times.quantile(p).map(|nanos| nanos / 1e9) } else { None }
}

/// The metrics of a cache (all its instances together).
pub const CACHE: &[Metric<CacheBook>] = &[
    Metric {
        name: "hit_ratio",
        unit: Unit::Share,
        about: "Share of the requests that found their item.",
        read: |book, _| share(book.hits, book.hits + book.misses),
    },
    Metric {
        name: "asked",
        unit: Unit::PerSecond,
        about: "Requests for items per second of the window.",
        read: |book, window| Some((book.hits + book.misses) as f64 / window),
    },
    Metric {
        name: "misses",
        unit: Unit::PerSecond,
        about: "Requests that did not find their item, per second of the window.",
        read: |book, window| Some(book.misses as f64 / window),
    },
    Metric {
        name: "joined",
        unit: Unit::PerSecond,
        about: "Misses that waited for another's fetch of the same item, per second of the window.",
        read: |book, window| Some(book.joined as f64 / window),
    },
    Metric {
        name: "refreshed",
        unit: Unit::PerSecond,
        about: "Items fetched anew beside, while the old copy was given, per second of the window.",
        read: |book, window| Some(book.refreshed as f64 / window),
    },
    Metric {
        name: "stale",
        unit: Unit::Share,
        about: "Share of the hits whose copy was outdated: a newer version had been acknowledged.",
        read: |book, _| share(book.stale, book.hits),
    },
    Metric {
        name: "stale.age.mean",
        unit: Unit::Seconds,
        about: "How long ago that newer version had been acknowledged, on average over these hits.",
        read: |book, _| book.age.mean(),
    },
    Metric {
        name: "stale.age.p99",
        unit: Unit::Seconds,
        about: "The 99th percentile of it.",
        read: |book, _| quantile(&book.ages, 0.99),
    },
    Metric {
        name: "stale.window.mean",
        unit: Unit::Seconds,
        about: "How long outdated copies were held until they were dropped by an invalidation, on average.",
        read: |book, _| book.window.mean(),
    },
    Metric {
        name: "stale.window.max",
        unit: Unit::Seconds,
        about: "The longest of these times.",
        read: |book, _| book.window.greatest(),
    },
    Metric {
        name: "told",
        unit: Unit::PerSecond,
        about: "Invalidation messages to other instances per second of the window.",
        read: |book, window| Some(book.told as f64 / window),
    },
    Metric {
        name: "evictions",
        unit: Unit::PerSecond,
        about: "Items evicted to make room, per second of the window.",
        read: |book, window| Some(book.evictions as f64 / window),
    },
    Metric {
        name: "dropped",
        unit: Unit::PerSecond,
        about: "Items dropped by an invalidation, per second of the window.",
        read: |book, window| Some(book.dropped as f64 / window),
    },
    Metric {
        name: "items",
        unit: Unit::Count,
        about: "Items held at the end of the run, expired ones that nobody asked for included.",
        read: |book, _| Some(book.items as f64),
    },
    Metric {
        name: "behind",
        unit: Unit::PerSecond,
        about: "Changes taken in to be written behind, per second of the window.",
        read: |book, window| Some(book.written[0] as f64 / window),
    },
    Metric {
        name: "behind.combined",
        unit: Unit::Share,
        about: "Share of these that joined a change of the same item that still waited.",
        read: |book, _| share(book.written[1], book.written[0]),
    },
    Metric {
        name: "behind.lost",
        unit: Unit::Count,
        about: "Changed items that were lost with an instance before they were written, since the start of the run.",
        read: |book, _| Some(book.lost as f64),
    },
    Metric {
        name: "hit_ratio.best",
        unit: Unit::Share,
        about: "Share of the requests since the start that Belady's optimum would have found (with `bound: true`).",
        read: |book, _| book.best.map(|(all, misses)| 1.0 - misses as f64 / all as f64),
    },
    Metric {
        name: "hit_ratio.whole",
        unit: Unit::Share,
        about: "Share of the requests since the start that found their item; what `hit_ratio.best` is compared with.",
        read: |book, _| share(book.running[1], book.running[0]),
    },
];

/// The metrics of a queue.
pub const QUEUE: &[Metric<QueueBook>] = &[
    Metric {
        name: "published",
        unit: Unit::PerSecond,
        about: "Messages taken in per second of the window.",
        read: |book, window| Some(book.published as f64 / window),
    },
    Metric {
        name: "turned_away",
        unit: Unit::PerSecond,
        about: "Messages refused because the queue was full, per second of the window.",
        read: |book, window| Some(book.rejected as f64 / window),
    },
    Metric {
        name: "dropped",
        unit: Unit::PerSecond,
        about: "Messages thrown away because the queue was full, per second of the window.",
        read: |book, window| Some(book.dropped as f64 / window),
    },
    Metric {
        name: "dropped.share",
        unit: Unit::Share,
        about: "Share of the messages that came which was refused or thrown away because the queue was full.",
        read: |book, _| {
            // A message that pushes an old one out is taken in itself.
            let came = book.published + book.rejected + book.dropped - book.pushed_out;
            share(book.rejected + book.dropped, came)
        },
    },
    Metric {
        name: "blocked",
        unit: Unit::PerSecond,
        about: "Publishers that had to wait for room, per second of the window.",
        read: |book, window| Some(book.blocked as f64 / window),
    },
];

/// The metrics of a group of consumers, beside those of a client that it is.
pub const GROUP: &[Metric<GroupBook>] = &[
    Metric {
        name: "delivered",
        unit: Unit::PerSecond,
        about: "Messages processed with success, each counted once, per second of the window.",
        read: |book, window| Some(book.window[1] as f64 / window),
    },
    Metric {
        name: "accepted",
        unit: Unit::PerSecond,
        about: "Messages taken in per second of the window.",
        read: |book, window| Some(book.window[0] as f64 / window),
    },
    Metric {
        name: "dead",
        unit: Unit::PerSecond,
        about: "Messages given up after too many tries, per second of the window.",
        read: |book, window| Some(book.window[2] as f64 / window),
    },
    Metric {
        name: "expired",
        unit: Unit::PerSecond,
        about: "Messages thrown away because they waited too long, per second of the window.",
        read: |book, window| Some(book.window[3] as f64 / window),
    },
    Metric {
        name: "lost",
        unit: Unit::PerSecond,
        about: "Messages acknowledged and then not processed, pushed out, or sent to a member that was down, per second of the window.",
        read: |book, window| Some(book.window[4] as f64 / window),
    },
    Metric {
        name: "duplicates",
        unit: Unit::PerSecond,
        about: "Messages processed with success once more, per second of the window.",
        read: |book, window| Some(book.window[5] as f64 / window),
    },
    Metric {
        name: "redelivered",
        unit: Unit::PerSecond,
        about: "Messages given out again after a failure or a timeout, per second of the window.",
        read: |book, window| Some(book.window[6] as f64 / window),
    },
    Metric {
        name: "lost.total",
        unit: Unit::Count,
        about: "Messages lost since the start of the run.",
        read: |book, _| Some(book.lost as f64),
    },
    Metric {
        name: "duplicates.total",
        unit: Unit::Count,
        about: "Messages processed with success once more since the start of the run.",
        read: |book, _| Some(book.duplicates as f64),
    },
    Metric {
        name: "waiting",
        unit: Unit::Count,
        about: "Messages that wait (the lag in messages), averaged over the time of the window.",
        read: |book, window| Some(book.areas[0] as f64 / 1e9 / window),
    },
    Metric {
        name: "waiting.end",
        unit: Unit::Count,
        about: "Messages that wait when the window closes.",
        read: |book, _| Some(f64::from(book.end.0)),
    },
    Metric {
        name: "waiting.growth",
        unit: Unit::PerSecond,
        about: "By how many the messages that wait grew, per second of the window; below 0 if they became fewer.",
        read: |book, window| Some((f64::from(book.end.0) - f64::from(book.begin)) / window),
    },
    Metric {
        name: "waiting.peak",
        unit: Unit::Count,
        about: "The most messages that ever waited.",
        read: |book, _| Some(f64::from(book.waiting.peak())),
    },
    Metric {
        name: "lag.end",
        unit: Unit::Seconds,
        about: "For how long the oldest waiting message has waited when the window closes (the lag in time).",
        read: |book, _| Some(book.end.1 as f64 / 1e9),
    },
    Metric {
        name: "buffered",
        unit: Unit::Count,
        about: "Messages fetched into the members' memory and not begun, averaged over the time of the window.",
        read: |book, window| Some(book.areas[1] as f64 / 1e9 / window),
    },
    Metric {
        name: "buffered.peak",
        unit: Unit::Count,
        about: "The most messages that were ever fetched and not begun.",
        read: |book, _| Some(f64::from(book.buffered.peak())),
    },
    Metric {
        name: "overflows",
        unit: Unit::Count,
        about: "How often a member died because fetched messages filled its memory, since the start of the run.",
        read: |book, _| Some(book.overflows as f64),
    },
    Metric {
        name: "overflow.first",
        unit: Unit::Seconds,
        about: "When that happened first, from the start of the run.",
        read: |book, _| book.first_overflow.map(|time| time as f64 / 1e9),
    },
    Metric {
        name: "pauses",
        unit: Unit::PerSecond,
        about: "How often members began to pause fetching because their memory was full enough, per second of the window.",
        read: |book, window| Some(book.pauses as f64 / window),
    },
    Metric {
        name: "pause.first",
        unit: Unit::Seconds,
        about: "When that happened first, from the start of the run.",
        read: |book, _| book.first_pause.map(|time| time as f64 / 1e9),
    },
    Metric {
        name: "pause.mean",
        unit: Unit::Seconds,
        about: "Time paused within the window per pause that began in it.",
        read: |book, _| (book.pauses > 0).then(|| book.areas[2] as f64 / 1e9 / book.pauses as f64),
    },
    Metric {
        name: "batch.mean",
        unit: Unit::Count,
        about: "Messages per batch, on average.",
        read: |book, _| (book.batches[0] > 0).then(|| book.batches[1] as f64 / book.batches[0] as f64),
    },
    Metric {
        name: "wait.mean",
        unit: Unit::Seconds,
        about: "From publishing a message to the first begin of its processing, on average.",
        read: |book, _| book.wait.mean(),
    },
    Metric {
        name: "wait.p95",
        unit: Unit::Seconds,
        about: "The 95th percentile of it.",
        read: |book, _| quantile(&book.waits, 0.95),
    },
    Metric {
        name: "wait.max",
        unit: Unit::Seconds,
        about: "The longest of these times.",
        read: |book, _| book.wait.greatest(),
    },
    Metric {
        name: "delay.mean",
        unit: Unit::Seconds,
        about: "From publishing a message to the end of its successful processing, on average.",
        read: |book, _| book.delay.mean(),
    },
    Metric {
        name: "delay.p95",
        unit: Unit::Seconds,
        about: "The 95th percentile of it.",
        read: |book, _| quantile(&book.delays, 0.95),
    },
    Metric {
        name: "delay.p99",
        unit: Unit::Seconds,
        about: "The 99th percentile of it.",
        read: |book, _| quantile(&book.delays, 0.99),
    },
    Metric {
        name: "age.mean",
        unit: Unit::Seconds,
        about: "From the beginning of the client's request that a message goes back to, to the end of its processing, on average.",
        read: |book, _| book.age.mean(),
    },
    Metric {
        name: "age.p95",
        unit: Unit::Seconds,
        about: "The 95th percentile of it.",
        read: |book, _| quantile(&book.ages, 0.95),
    },
];

/// The metrics of a database.
pub const DATABASE: &[Metric<DatabaseBook>] = &[
    Metric {
        name: "reads",
        unit: Unit::PerSecond,
        about: "Reads answered per second of the window.",
        read: |book, window| Some(book.reads as f64 / window),
    },
    Metric {
        name: "writes",
        unit: Unit::PerSecond,
        about: "Writes per second of the window.",
        read: |book, window| Some(book.writes as f64 / window),
    },
    Metric {
        name: "stale",
        unit: Unit::Share,
        about: "Share of the reads that gave an older version than had been acknowledged when they began.",
        read: |book, _| share(book.stale, book.reads),
    },
    Metric {
        name: "stale.age.mean",
        unit: Unit::Seconds,
        about: "How long ago that newer version had been acknowledged when they ended, on average over these reads.",
        read: |book, _| book.age.mean(),
    },
    Metric {
        name: "backwards",
        unit: Unit::Share,
        about: "Share of the reads by users that gave an older version than the same user had read before (not monotonic).",
        read: |book, _| share(book.backwards, book.of_users),
    },
    Metric {
        name: "own_stale",
        unit: Unit::Share,
        about: "Share of the reads by users that gave an older version than the same user had written.",
        read: |book, _| share(book.own_stale, book.of_users),
    },
    Metric {
        name: "lost_updates",
        unit: Unit::PerSecond,
        about: "Writes that overwrote a version they had not seen, per second of the window.",
        read: |book, window| Some(book.overwritten as f64 / window),
    },
    Metric {
        name: "merged",
        unit: Unit::PerSecond,
        about: "Writes that were merged with a version they had not seen, per second of the window.",
        read: |book, window| Some(book.merged as f64 / window),
    },
    Metric {
        name: "lag.mean",
        unit: Unit::Seconds,
        about: "From a write's version to its arrival at another node, on average.",
        read: |book, _| book.lag.mean(),
    },
    Metric {
        name: "lag.p99",
        unit: Unit::Seconds,
        about: "The 99th percentile of it.",
        read: |book, _| quantile(&book.lags, 0.99),
    },
    Metric {
        name: "unavailable",
        unit: Unit::PerSecond,
        about: "Requests whose node was down, per second of the window.",
        read: |book, window| Some(book.unavailable as f64 / window),
    },
    Metric {
        name: "locked",
        unit: Unit::PerSecond,
        about: "Operations that had to wait for a lock, per second of the window.",
        read: |book, window| Some(book.locked as f64 / window),
    },
    Metric {
        name: "failovers",
        unit: Unit::Count,
        about: "Primaries replaced since the start of the run.",
        read: |book, _| Some(book.failovers as f64),
    },
    Metric {
        name: "lost_writes",
        unit: Unit::Count,
        about: "Writes that the old primary had and the new one had not, since the start of the run.",
        read: |book, _| Some(book.lost_writes as f64),
    },
    Metric {
        name: "moved",
        unit: Unit::Count,
        about: "Items that have moved to another shard (`reshard`), since the start of the run.",
        read: |book, _| Some(book.moved as f64),
    },
    Metric {
        name: "settled",
        unit: Unit::Seconds,
        about: "When the last item that was to move had moved, from the start of the run.",
        read: |book, _| book.settled.map(|time| time as f64 / 1e9),
    },
    Metric {
        name: "shard.hottest",
        unit: Unit::Ratio,
        about: "Requests for the busiest shard, compared with the mean of all shards.",
        read: |book, _| {
            let all: u64 = book.shards.iter().sum();
            let most = book.shards.iter().max()?;
            (all > 0).then(|| *most as f64 * book.shards.len() as f64 / all as f64)
        },
    },
];
