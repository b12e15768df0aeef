//! The metrics of channels and links.

use crate::measure::Metric;
use crate::model::system::record::{ChannelBook, LinkBook};
use crate::quantity::Unit;

/// The metrics of a channel beside those of a station (all instances of a service together).
pub const CHANNEL: &[Metric<ChannelBook>] = &[
    Metric {
        name: "sent",
        unit: Unit::Count,
        about: "Items that were put in within the window.",
        read: |book, _| Some(book.sent as f64),
    },
    Metric {
        name: "received",
        unit: Unit::Count,
        about: "Items that receivers took within the window.",
        read: |book, _| Some(book.received as f64),
    },
    Metric {
        name: "buffered",
        unit: Unit::Count,
        about: "Items in the buffers, averaged over time.",
        read: |book, window| Some(book.stored / 1e9 / window),
    },
    Metric {
        name: "age.mean",
        unit: Unit::Seconds,
        about: "Mean time from sending to receiving (by Little's law: items in the buffers / items received per second).",
        read: |book, _| (book.received > 0).then(|| book.stored / 1e9 / book.received as f64),
    },
    Metric {
        name: "dropped",
        unit: Unit::Count,
        about: "Items that were thrown away because there was no room.",
        read: |book, _| Some(book.dropped as f64),
    },
    Metric {
        name: "lost",
        unit: Unit::Count,
        about: "Items that died in the buffer with their instance.",
        read: |book, _| Some(book.lost as f64),
    },
];

/// The metrics of a link.
pub const LINK: &[Metric<LinkBook>] = &[
    Metric {
        name: "messages",
        unit: Unit::PerSecond,
        about: "Requests and replies that arrived per second of the window.",
        read: |book, window| Some(book.messages as f64 / window),
    },
    Metric {
        name: "traffic",
        unit: Unit::BytesPerSecond,
        about: "Their bytes per second of the window.",
        read: |book, window| Some(book.bytes as f64 / window),
    },
    Metric {
        name: "lost",
        unit: Unit::Share,
        about: "Share of the messages sent that were lost and had to be sent again.",
        read: |book, _| {
            let sent = book.messages + book.lost;
            (sent > 0).then(|| book.lost as f64 / sent as f64)
        },
    },
    Metric {
        name: "utilization",
        unit: Unit::Share,
        about: "Share of the time in which data passed, in the busier direction; 0 where bandwidth is not limited.",
        read: |book, window| Some(book.busy / 1e9 / window),
    },
];
