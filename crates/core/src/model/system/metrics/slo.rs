//! The metrics of clients with an SLO.

use crate::measure::Metric;
use crate::model::slo::SloBook;
use crate::quantity::Unit;

/// The metrics of a client with an SLO.
pub const SLO: &[Metric<SloBook>] = &[
    Metric {
        name: "slo.bad",
        unit: Unit::Share,
        about: "Share of the periods of the window in which the SLO was not met.",
        read: |book, _| (book.periods > 0).then(|| book.bad as f64 / book.periods as f64),
    },
    Metric {
        name: "slo.bad_time",
        unit: Unit::Seconds,
        about: "How long the periods were altogether in which it was not met.",
        read: |book, _| Some(book.total()),
    },
    Metric {
        name: "slo.longest",
        unit: Unit::Seconds,
        about: "The longest time without a period in which it was met: the time to recover.",
        read: |book, _| Some(book.longest()),
    },
    Metric {
        name: "slo.noticed",
        unit: Unit::Seconds,
        about: "When the first period was over in which it was not met, from the beginning of the window; missing if there was none.",
        read: |book, _| book.noticed(),
    },
];
