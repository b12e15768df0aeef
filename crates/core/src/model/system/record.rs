//! The books: what is counted while the system runs, and the record that a run leaves.
//!
//! A request is *measured* if it began within the window; its response time counts however late it ends, so that slow
//! requests are not censored. Rates and levels are taken over the window itself. Stations and operations count what
//! happens within the window.
//!
//! Invariant: for every client and operation, begun = ended by outcome + in flight.

use serde::{Deserialize, Serialize};

use super::data::{CacheBook, DatabaseBook, QueueBook};
use super::detail::Detail;
pub use super::fleet::{FleetBook, PoolBook, RolloutBook, SizeBook};
pub use super::memory_book::MemoryBook;
pub use super::network::LinkBook;
use super::series::{Interval, Series};
use super::spots::{Areas, ChannelState};
use super::{Plan, fleet};
use crate::engine::time::Nanos;
use crate::measure::ledger::{Ledger, Pool};
use crate::measure::{Attribution, Binned, Histogram, Level, Tally};
use crate::model::blueprint::{Blueprint, Client, Traffic};
use crate::model::frame::Outcome;
use crate::model::queue::GroupBook;
use crate::model::slo::SloBook;

/// Counts per outcome.
pub type Outcomes = [u64; Outcome::ALL.len()];

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As planned.
    Completed,
    /// More frames were in flight than allowed: work comes in faster than it goes out.
    TooManyInFlight,
    /// More events than allowed.
    EventLimit,
    /// Asked to stop.
    Interrupted,
}

/// What is known of a client after a run.
#[derive(Debug, Clone)]
pub struct ClientBook {
    /// Requests begun since the start of the run.
    pub begun: u64,
    /// Requests ended since the start of the run, by outcome.
    pub ended: Outcomes,
    /// Requests in flight.
    pub in_flight: Level,
    /// Sum of the response times of all requests that ended [ns]; for Little's law.
    pub time_in_flight: u128,
    /// Measured requests: begun within the window; known once it has ended.
    pub measured: u64,
    /// Measured requests that ended, by outcome.
    pub outcomes: Outcomes,
    /// Requests that ended within the window, by outcome, whenever they began; known once it has ended.
    pub window_outcomes: Outcomes,
    /// Response times of measured successful requests.
    pub latency: Tally,
    /// Sum of their squares [ns²].
    pub latency_squares: u128,
    /// Their distribution.
    pub latencies: Histogram,
    /// Where the time of measured successful requests went.
    pub attribution: Attribution,
    /// Areas under `in_flight` at the window's beginning and end [requests·ns].
    pub areas: [u128; 2],
    /// Requests in flight at the window's beginning and end.
    pub backlog: [u32; 2],
    /// How it was period by period, if it has an SLO.
    pub slo: Option<Box<SloBook>>,
    /// The items of a batch; none if it is not one.
    pub items: Option<u32>,
    /// When the last request ended [ns].
    pub last_end: Nanos,
    /// What happened in the present interval of the series.
    pub(super) interval: Interval,
}

/// What is known of an operation after a run. What every attempt touches lies in the first two cache lines.
#[derive(Debug, Clone, Default)]
#[repr(C, align(64))]
pub struct OperationBook {
    /// Response times of the successful ones.
    pub latencies: Histogram,
    /// Their tally.
    pub latency: Tally,
    /// Attempts begun since the start of the run.
    pub begun: u64,
    /// Attempts begun within the window, once it has ended, and client requests begun within it.
    pub attempts: u64,
    /// Attempts answered since the start of the run, by outcome.
    pub ended: Outcomes,
    /// Attempts answered within the window, by outcome, once it has ended.
    pub window_outcomes: Outcomes,
    /// Of these, how many were answered to nobody: the caller was gone.
    pub unheard: u64,
    /// Bytes sent in replies within the window.
    pub sent: u64,
    /// See `attempts`.
    pub requests: u64,
    /// `parallel` steps that went on without all results within the window.
    pub partial: u64,
    /// Work that was done for nobody: service time of the attempts whose caller was gone [ns].
    pub wasted: u64,
}

/// What is known of a guarded call over the window, all instances together.
#[derive(Debug, Clone, Default)]
pub struct GuardBook {
    /// Calls begun.
    pub calls: u64,
    /// Tries that were sent.
    pub attempts: u64,
    /// Calls that failed after all tries.
    pub failed: u64,
    /// Tries after the first.
    pub retries: u64,
    /// Retries that the budget did not pay for.
    pub unpaid: u64,
    /// Tries that the breaker refused.
    pub broken: u64,
    /// Tries that the throttle refused.
    pub throttled: u64,
    /// How often a breaker opened.
    pub opened: u64,
    /// Hedges sent.
    pub hedges: u64,
    /// Failed calls whose fallback took over.
    pub fallbacks: u64,
}

/// What is known of the balancing of a service over the window.
#[derive(Debug, Clone, Default)]
pub struct ServiceBook {
    /// Calls sent to each instance.
    pub sent: Vec<u64>,
    /// Calls that were not the first of their key or user, and those of them that went to another instance than the one
    /// before; if they were followed.
    pub followed: Option<(u64, u64)>,
    /// Calls sent to instances of another level than the first, if there are levels.
    pub spilled: Option<u64>,
}

/// What is known of an account (a station's waiting, a step's service) after a run, over the window.
#[derive(Debug, Clone, Default)]
#[repr(C, align(64))]
pub struct AccountBook {
    /// The times that were booked and were not 0.
    pub tally: Tally,
    /// Their distribution (waiting only; those of 0 are in it once the run has ended).
    pub times: Histogram,
    /// How many times of 0 were booked.
    pub zeros: u64,
    /// Attempts that were turned away.
    pub refused: u64,
}

/// What is known of a station of a service over the window, all instances together.
#[derive(Debug, Clone)]
pub struct StationBook {
    /// The service's number.
    pub service: u32,
    /// The station's name.
    pub name: String,
    /// Slots or lanes of one instance.
    pub capacity: f64,
    /// Instances that serve, on average over the window.
    pub instances: f64,
    /// Busy slots or lanes, integrated over the window, summed over the instances [slot·ns].
    pub busy: f64,
    /// The same of the busiest instance.
    pub busy_worst: f64,
    /// Attempts waiting (at a sharing station: present beyond what is served), integrated and summed [attempt·ns].
    pub waiting: f64,
    /// Time in which attempts were present and nothing moved, summed over the instances [ns].
    pub stopped: f64,
    /// The waiting times of single attempts.
    pub waits: Option<AccountBook>,
}

/// What an instance's memory has counted: area in use [B·ns], kills, refused, collections, pages read.
pub(super) type MemoryMarks = [f64; 5];

/// What something costs, and what it did for it.
#[derive(Debug, Clone, Copy)]
pub struct CostBook {
    /// Price of it, or of all services [currency units/h].
    pub price: f64,
    /// Successful requests within the window; `None` for a service.
    pub successes: Option<u64>,
}

/// What is known of the items of a channel over the window, all instances together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelBook {
    /// Items put in.
    pub sent: u64,
    /// Items taken by receivers.
    pub received: u64,
    /// Items lost in the buffer, with their instance.
    pub lost: u64,
    /// Items thrown away because the channel was full.
    pub dropped: u64,
    /// Items in the buffer, integrated [item·ns].
    pub stored: f64,
}

/// All that a run leaves.
#[derive(Debug, Clone)]
pub struct Record {
    /// Identifies the trajectory.
    pub fingerprint: u64,
    /// Why it ended.
    pub ending: Ending,
    /// Events that happened.
    pub events: u64,
    /// The most frames in flight at once.
    pub peak_in_flight: usize,
    /// Beginning and end of the window, as far as it was simulated [ns].
    pub window: [Nanos; 2],
    /// The clients, in the order of the blueprint.
    pub clients: Vec<ClientBook>,
    /// The operations, in the order of the blueprint.
    pub operations: Vec<OperationBook>,
    /// The balancing of the services, in the order of the blueprint.
    pub services: Vec<ServiceBook>,
    /// The accounts of the ledger, in the order of the blueprint.
    pub accounts: Vec<AccountBook>,
    /// The stations, service by service: servers, sharing, locks, channels.
    pub stations: Vec<StationBook>,
    /// The memories, service by service, of those that have it.
    pub memories: Vec<MemoryBook>,
    /// Costs: of every client if anything has a price, then of the services that have one.
    pub costs: Vec<CostBook>,
    /// The fleets, in the order of their services.
    pub fleets: Vec<FleetBook>,
    /// The node pools, in the order of the blueprint.
    pub pools: Vec<PoolBook>,
    /// The guarded calls, in the order of the blueprint.
    pub guards: Vec<GuardBook>,
    /// The caches, in the order of the blueprint.
    pub caches: Vec<CacheBook>,
    /// The databases, in the order of the blueprint.
    pub databases: Vec<DatabaseBook>,
    /// The queues, in the order of the blueprint.
    pub queues: Vec<QueueBook>,
    /// The groups of consumers, queue by queue.
    pub groups: Vec<GroupBook>,
    /// What else is known of the channels, service by service.
    pub channels: Vec<ChannelBook>,
    /// The links, in the order of the blueprint.
    pub links: Vec<LinkBook>,
    /// Levels and rates over simulated time.
    pub series: Series,
    /// Ledgers per operation and over time, if the plan asked for them.
    pub detail: Option<Box<Detail>>,
}

impl Record {
    /// The length of the measured window [s].
    pub fn window_seconds(&self) -> f64 {
        (self.window[1] - self.window[0]) as f64 / 1e9
    }
}

/// The books of a running system.
#[derive(Debug)]
pub(super) struct Books {
    /// How many events will have happened when the main loop looks up next, and how many of them have not happened yet.
    look: u64,
    left: u64,
    pub(super) clients: Vec<ClientBook>,
    pub(super) operations: Vec<OperationBook>,
    pub(super) accounts: Vec<AccountBook>,
    pub(super) guards: Vec<GuardBook>,
    pub(super) series: Series,
    /// When the window begins and ends, as planned [ns].
    window: [Nanos; 2],
    /// How long it is, as planned [ns].
    length: Nanos,
    /// Whether the window is open now, and whether it was closed.
    pub(super) open: bool,
    pub(super) closed: bool,
    /// What the run waits for: the end of the window (1), then the measured requests in flight.
    pub(super) awaited: u64,
    /// Busy, waiting and stopped areas of all stations at the window's beginning and end.
    pub(super) marks: [Vec<Areas>; 2],
    pub(super) memory_marks: [Vec<MemoryMarks>; 2],
    /// The fleets at the window's beginning and end.
    pub(super) fleets: [Vec<fleet::State>; 2],
    /// The node pools at the window's beginning and end.
    pub(super) pools: [Vec<fleet::PoolState>; 2],
    /// The channels at the window's beginning and end.
    pub(super) channels: [Vec<ChannelState>; 2],
    pub(super) closed_at: Nanos,
    pub(super) detail: Option<Box<Detail>>,
}

impl Books {
    pub(super) fn new(blueprint: &Blueprint, plan: Plan) -> Self {
        let accounts = blueprint.program.accounts.len();
        let window = [plan.warm_up, plan.warm_up.saturating_add(plan.window)];
        let client = |client: &Client| ClientBook {
            begun: 0,
            ended: Outcomes::default(),
            in_flight: Level::default(),
            time_in_flight: 0,
            measured: 0,
            outcomes: Outcomes::default(),
            window_outcomes: Outcomes::default(),
            latency: Tally::default(),
            latency_squares: 0,
            latencies: Histogram::new(),
            attribution: Attribution::new(accounts),
            areas: [0; 2],
            backlog: [0; 2],
            slo: client.slo.map(|spec| Box::new(SloBook::new(spec, window))),
            items: match client.traffic {
                Traffic::Batch { items, .. } => Some(items),
                _ => None,
            },
            last_end: 0,
            interval: Interval::default(),
        };
        Books {
            look: 0,
            left: 0,
            clients: blueprint.clients.iter().map(client).collect(),
            operations: vec![OperationBook::default(); blueprint.operations.len()],
            accounts: vec![AccountBook::default(); accounts],
            guards: vec![GuardBook::default(); blueprint.program.guards.len()],
            series: Series::new(blueprint, plan.interval),
            window,
            length: window[1] - window[0],
            open: false,
            closed: false,
            awaited: 1,
            marks: [Vec::new(), Vec::new()],
            memory_marks: [Vec::new(), Vec::new()],
            fleets: [Vec::new(), Vec::new()],
            pools: [Vec::new(), Vec::new()],
            channels: [Vec::new(), Vec::new()],
            closed_at: 0,
            detail: plan.detailed.then(|| Box::new(Detail::new(blueprint, plan.interval))),
        }
    }

    /// When the window began [ns]; at its end if the run ended before.
    pub(super) fn opened_at(&self) -> Nanos {
        self.window[0].min(self.closed_at)
    }

    /// When the window ended [ns].
    pub(super) fn closed_at(&self) -> Nanos {
        self.closed_at
    }

    /// Whether the window is open.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the window was closed and no measured request is in flight.
    #[inline]
    pub(super) fn done(&self) -> bool {
        self.awaited == 0
    }

    /// How many events have happened.
    pub(super) fn events(&self) -> u64 {
        self.look - self.left
    }

    /// Counts an event; whether the main loop should look up now: enough have happened, or something wants to be seen.
    #[inline]
    pub(super) fn happened(&mut self) -> bool {
        self.left -= 1;
        self.left == 0
    }

    /// Lets the main loop look up after so many events, at least one.
    pub(super) fn look_after(&mut self, events: u64) {
        let happened = self.events();
        self.left = events.max(1);
        self.look = happened + self.left;
    }

    /// Lets the main loop look up after this event.
    pub(super) fn look_now(&mut self) {
        self.look_after(1);
    }

    /// A request began.
    #[inline]
    pub(super) fn began(&mut self, client: u32, now: Nanos) {
        let book = &mut self.clients[client as usize];
        book.begun += 1;
        book.in_flight.up(now);
    }

    /// A request ended that took so long; returns the sum of its ledger [ns].
    #[inline(always)]
    pub(super) fn ended(
        &mut self,
        client: u32,
        now: Nanos,
        response: Binned,
        outcome: Outcome,
        ledger: &Ledger,
        pool: &Pool,
    ) -> Nanos {
        let book = &mut self.clients[client as usize];
        book.ended[outcome as usize] += 1;
        book.in_flight.down(now);
        book.last_end = now;
        book.time_in_flight += u128::from(response.nanos);
        if let Some(slo) = &mut book.slo {
            slo.ended(now, response.nanos, outcome == Outcome::Success);
        }
        let measured = (now - response.nanos).wrapping_sub(self.window[0]) < self.length;
        if measured {
            if self.closed {
                self.awaited -= 1;
                if self.awaited == 0 {
                    // As `look_now`.
                    self.look -= self.left - 1;
                    self.left = 1;
                }
            }
            book.outcomes[outcome as usize] += 1;
        }
        if outcome != Outcome::Success {
            book.interval.failed();
        } else {
            book.interval.succeeded(response, measured);
            if measured {
                // Their number and their sum are known from the outcomes and the intervals.
                book.latency.max = book.latency.max.max(response.nanos);
                book.latency_squares += u128::from(response.nanos) * u128::from(response.nanos);
                return book.attribution.record(response, ledger, pool);
            }
        }
        pool.sum(ledger)
    }

    /// An attempt began.
    #[inline]
    pub(super) fn called(&mut self, operation: u32) {
        let book = &mut self.operations[operation as usize];
        book.begun += 1;
    }

    /// Something happened to a guarded call.
    #[inline]
    pub(super) fn guard(&mut self, guard: u32, note: impl FnOnce(&mut GuardBook)) {
        if self.open {
            note(&mut self.guards[guard as usize]);
        }
    }

    /// A fork of an operation's attempt went on without all results.
    pub(super) fn partial(&mut self, operation: u32, of_client: bool) {
        if self.open && !of_client {
            self.operations[operation as usize].partial += 1;
        }
    }

    /// Work was done for nobody.
    pub(super) fn wasted(&mut self, operation: u32, nanos: Nanos) {
        if self.open {
            self.operations[operation as usize].wasted += nanos;
        }
    }

    /// An attempt was answered; `heard` tells whether its caller still waited.
    #[inline]
    pub(super) fn answered(&mut self, operation: u32, response: Binned, outcome: Outcome, heard: bool) {
        let book = &mut self.operations[operation as usize];
        book.ended[outcome as usize] += 1;
        if self.open {
            if outcome == Outcome::Success {
                book.latencies.record_binned(response);
                book.latency.record(response.nanos);
            }
            if !heard {
                book.unheard += 1;
            }
        }
    }

    /// An attempt sent bytes in its reply.
    pub(super) fn sent(&mut self, operation: u32, bytes: u64) {
        if self.open {
            self.operations[operation as usize].sent += bytes;
        }
    }

    /// An attempt has waited at a station, perhaps for no time at all.
    #[inline]
    pub(super) fn passed(&mut self, account: u32, waited: Nanos) {
        if self.open {
            let book = &mut self.accounts[account as usize];
            if waited == 0 {
                book.zeros += 1;
            } else {
                book.tally.record(waited);
                book.times.record(waited);
            }
        }
    }

    /// An attempt passed a station without waiting.
    #[inline]
    pub(super) fn passed_at_once(&mut self, account: u32) {
        self.accounts[account as usize].zeros += u64::from(self.open);
    }

    /// An attempt was served for some time.
    #[inline]
    pub(super) fn served(&mut self, account: u32, nanos: Nanos) {
        if self.open {
            self.accounts[account as usize].tally.record(nanos);
        }
    }

    /// An attempt was turned away by a full queue.
    #[inline]
    pub(super) fn refused(&mut self, account: u32) {
        if self.open {
            self.accounts[account as usize].refused += 1;
        }
    }
}
