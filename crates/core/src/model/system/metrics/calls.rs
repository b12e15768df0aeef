//! The metrics of guarded calls and of balancing.

use crate::measure::Metric;
use crate::model::system::record::{GuardBook, ServiceBook};
use crate::quantity::Unit;

fn per_call(book: &GuardBook, count: u64) -> Option<f64> {
    (book.calls > 0).then(|| count as f64 / book.calls as f64)
}

/// The metrics of a guarded call (all instances of the caller together), called `caller -> service.operation`.
pub const GUARD: &[Metric<GuardBook>] = &[
    Metric {
        name: "calls",
        unit: Unit::PerSecond,
        about: "Calls begun per second of the window, retries and hedges not counted.",
        read: |book, window| Some(book.calls as f64 / window),
    },
    Metric {
        name: "attempts",
        unit: Unit::PerSecond,
        about: "Attempts sent per second of the window, retries and hedges counted.",
        read: |book, window| Some(book.attempts as f64 / window),
    },
    Metric {
        name: "amplification",
        unit: Unit::Count,
        about: "Attempts per call.",
        read: |book, _| per_call(book, book.attempts),
    },
    Metric {
        name: "failures",
        unit: Unit::Share,
        about: "Share of the calls that failed after all tries.",
        read: |book, _| per_call(book, book.failed),
    },
    Metric {
        name: "retries",
        unit: Unit::PerSecond,
        about: "Tries after the first per second of the window.",
        read: |book, window| Some(book.retries as f64 / window),
    },
    Metric {
        name: "unpaid",
        unit: Unit::PerSecond,
        about: "Retries that the budget did not pay for, per second of the window.",
        read: |book, window| Some(book.unpaid as f64 / window),
    },
    Metric {
        name: "broken",
        unit: Unit::Share,
        about: "Tries that the open breaker refused, of all tries.",
        read: |book, _| {
            let tries = book.calls + book.retries;
            (tries > 0).then(|| book.broken as f64 / tries as f64)
        },
    },
    Metric {
        name: "opened",
        unit: Unit::Count,
        about: "How often a breaker opened within the window.",
        read: |book, _| Some(book.opened as f64),
    },
    Metric {
        name: "throttled",
        unit: Unit::PerSecond,
        about: "Tries that the client's own throttle refused, per second of the window.",
        read: |book, window| Some(book.throttled as f64 / window),
    },
    Metric {
        name: "hedges",
        unit: Unit::Count,
        about: "Hedges sent per call.",
        read: |book, _| per_call(book, book.hedges),
    },
    Metric {
        name: "fallbacks",
        unit: Unit::Share,
        about: "Share of the calls whose fallback took over.",
        read: |book, _| per_call(book, book.fallbacks),
    },
];

/// The metrics of the balancing of a service with several instances.
pub const BALANCING: &[Metric<ServiceBook>] = &[
    Metric {
        name: "calls.most",
        unit: Unit::Share,
        about: "Share of the service's calls that went to the instance that got most.",
        read: |book, _| share_of(book, book.sent.iter().max()),
    },
    Metric {
        name: "calls.least",
        unit: Unit::Share,
        about: "Share of the service's calls that went to the instance that got fewest.",
        read: |book, _| share_of(book, book.sent.iter().min()),
    },
    Metric {
        name: "calls.imbalance",
        unit: Unit::Count,
        about: "How many times as many calls as the average instance the one with most got; 1 is even.",
        read: |book, _| share_of(book, book.sent.iter().max()).map(|most| most * book.sent.len() as f64),
    },
    Metric {
        name: "calls.moved",
        unit: Unit::Count,
        about: "Calls that went to another instance than the one before of the same key or user (`balancing.follow`).",
        read: |book, _| book.followed.map(|(_, elsewhere)| elsewhere as f64),
    },
    Metric {
        name: "calls.elsewhere",
        unit: Unit::Share,
        about: "Their share of the calls that were not the first.",
        read: |book, _| {
            let (again, elsewhere) = book.followed?;
            (again > 0).then(|| elsewhere as f64 / again as f64)
        },
    },
    Metric {
        name: "calls.spilled",
        unit: Unit::Share,
        about: "Share of the service's calls that went to another level than the first (`balancing.levels`).",
        read: |book, _| share_of(book, book.spilled.as_ref()),
    },
];

fn share_of(book: &ServiceBook, sent: Option<&u64>) -> Option<f64> {
    let all: u64 = book.sent.iter().sum();
    sent.filter(|_| all > 0).map(|sent| *sent as f64 / all as f64)
}
