//! The metrics of services whose instances come and go.

use crate::engine::time::seconds;
use crate::measure::Metric;
use crate::model::system::record::{FleetBook, PoolBook, RolloutBook, SizeBook};
use crate::quantity::Unit;

/// Nanoseconds of an hour.
const HOUR: f64 = 3.6e12;

/// The metrics of a fleet.
pub const FLEET: &[Metric<FleetBook>] = &[
    Metric {
        name: "instances.mean",
        unit: Unit::Count,
        about: "Instances that exist and are paid for, averaged over the window.",
        read: |book, window| Some(book.existed / 1e9 / window),
    },
    Metric {
        name: "instances.ready",
        unit: Unit::Count,
        about: "Instances that are ready, averaged over the window.",
        read: |book, window| Some(book.ready / 1e9 / window),
    },
    Metric {
        name: "instances.most",
        unit: Unit::Count,
        about: "The most instances that existed at once, since the start of the run.",
        read: |book, _| Some(f64::from(book.most)),
    },
    Metric {
        name: "instance_hours",
        unit: Unit::Count,
        about: "Hours of instances that were paid for within the window.",
        read: |book, _| Some(book.existed / HOUR),
    },
    Metric {
        name: "scale_ups",
        unit: Unit::Count,
        about: "How often the autoscaler wanted more instances.",
        read: |book, _| Some(book.changes[0]),
    },
    Metric {
        name: "scale_downs",
        unit: Unit::Count,
        about: "How often it wanted fewer.",
        read: |book, _| Some(book.changes[1]),
    },
    Metric {
        name: "flaps",
        unit: Unit::Count,
        about: "How often it changed its direction within ten minutes of the change before.",
        read: |book, _| Some(book.flaps),
    },
    Metric {
        name: "over_provisioned",
        unit: Unit::Count,
        about: "Hours of ready instances beyond those that would have carried the calls at the autoscaler's `target`, with hindsight.",
        read: |book, _| book.over_under.map(|[over, _]| over / HOUR),
    },
    Metric {
        name: "under_provisioned",
        unit: Unit::Count,
        about: "Hours of instances that were missing to carry the calls at the autoscaler's `target`, with hindsight.",
        read: |book, _| book.over_under.map(|[_, under]| under / HOUR),
    },
    Metric {
        name: "cost.unused",
        unit: Unit::PerHourPrice,
        about: "What the cores cost that did nothing: the price of the instances times the share of their cores that was not busy.",
        read: |book, window| {
            let ((work, cores), price) = book.work.zip(book.price)?;
            // Where sizes change, as many as there would be of the size that has this price.
            let (existed, cores) =
                book.sizes.map_or((book.existed, cores), |sizes| (sizes.requested / sizes.unit, sizes.unit));
            let instances = existed / 1e9 / window;
            Some(price * (instances - work / 1e9 / window / cores).max(0.0))
        },
    },
];

/// The metrics of a fleet whose instances change their size.
pub const VERTICAL: &[Metric<(SizeBook, f64)>] = &[
    Metric {
        name: "vertical.size",
        unit: Unit::Cores,
        about: "Cores that an instance requests, averaged over the window and the instances that exist.",
        read: |(book, existed), _| (*existed > 0.0).then(|| book.requested / existed),
    },
    Metric {
        name: "vertical.target",
        unit: Unit::Cores,
        about: "What an instance would request that begins at the end of the window.",
        read: |(book, _), _| Some(book.target),
    },
    Metric {
        name: "vertical.changes",
        unit: Unit::Count,
        about: "How often an instance was given another size: replaced by one, or changed in place.",
        read: |(book, _), _| Some(book.resized),
    },
];

/// The metrics of a rollout.
pub const ROLLOUT: &[Metric<RolloutBook>] = &[
    Metric {
        name: "rollout.exposed",
        unit: Unit::Share,
        about: "Share of the calls that went to the new version, from its first call to the end of the run or until it was taken back.",
        read: |book, _| (book.calls[1] > 0).then(|| book.calls[0] as f64 / book.calls[1] as f64),
    },
    Metric {
        name: "rollout.exposed_calls",
        unit: Unit::Count,
        about: "How many calls that were.",
        read: |book, _| Some(book.calls[0] as f64),
    },
    Metric {
        name: "rollout.detected",
        unit: Unit::Seconds,
        about: "How long after its first instance was ready the new version was taken back; missing if it was not.",
        read: |book, _| book.detected.map(seconds),
    },
    Metric {
        name: "rollout.took",
        unit: Unit::Seconds,
        about: "How long the rollout took until the old version was gone; missing if it did not come so far.",
        read: |book, _| book.took.map(seconds),
    },
];

/// The metrics of a node pool.
pub const POOL: &[Metric<PoolBook>] = &[
    Metric {
        name: "nodes.mean",
        unit: Unit::Count,
        about: "Nodes that exist and are paid for, averaged over the window.",
        read: |book, window| Some(book.existed / 1e9 / window),
    },
    Metric {
        name: "nodes.most",
        unit: Unit::Count,
        about: "The most nodes that existed at once, since the start of the run.",
        read: |book, _| Some(f64::from(book.most)),
    },
    Metric {
        name: "nodes.requested",
        unit: Unit::Share,
        about: "Share of the nodes' cores that instances on them ask for.",
        read: |book, _| (book.existed > 0.0).then(|| book.requested / book.existed / book.node.0),
    },
    Metric {
        name: "nodes.busy",
        unit: Unit::Share,
        about: "Share of the nodes' cores that are busy.",
        read: |book, _| (book.existed > 0.0).then(|| book.busy / book.existed / book.node.0),
    },
    Metric {
        name: "pending.mean",
        unit: Unit::Count,
        about: "Instances that wait for a node, averaged over the window.",
        read: |book, window| Some(book.pending / 1e9 / window),
    },
    Metric {
        name: "nodes.cost",
        unit: Unit::PerHourPrice,
        about: "Price of all nodes that exist, averaged over the window.",
        read: |book, window| Some(book.node.1? * book.existed / 1e9 / window),
    },
    Metric {
        name: "cost.unrequested",
        unit: Unit::PerHourPrice,
        about: "What the cores cost that no instance asked for, those that the system takes included.",
        read: |book, window| Some(book.node.1? * (book.existed - book.requested / book.node.0).max(0.0) / 1e9 / window),
    },
    Metric {
        name: "cost.unused",
        unit: Unit::PerHourPrice,
        about: "What the cores cost that did nothing, asked for or not.",
        read: |book, window| Some(book.node.1? * (book.existed - book.busy / book.node.0).max(0.0) / 1e9 / window),
    },
];
