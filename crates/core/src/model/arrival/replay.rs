//! Recorded arrivals, played again: from measured instants, from counts per interval, or from an access log.
//!
//! A recording is read as it is played, never as a whole. This floor knows no files; it is given a [`Recording`] that can be
//! opened any number of times.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Nanos;
use crate::engine::time::round;
use crate::model::frame::NONE;
use crate::quantity::{Duration, Share};

/// Recorded arrivals, as written in a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaySpec {
    /// The file, seen from the file that names it.
    pub file: String,
    /// What its lines say.
    pub format: Format,
    /// Which requests of an access log are played: `/cart`, `/api/*`, `POST /orders`; all if left out. The others keep their
    /// place in time, so that several clients, each with an operation of its own, play one log together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// How many times faster it is played; 1 if left out. 2 makes twice the rate in half the time.
    #[serde(default = "one")]
    #[schemars(range(min = 0.000001, max = 1000000.0))]
    pub scale: f64,
    /// Whether it begins again when it is over; no if left out.
    #[serde(rename = "loop", default)]
    pub again: bool,
    /// The share of its lines that may be unreadable; they are skipped and counted. 1% if left out.
    #[serde(default = "hundredth")]
    pub bad: Share,
}

fn one() -> f64 {
    1.0
}

fn hundredth() -> Share {
    Share::from_fraction(0.01).unwrap_or_default()
}

/// What the lines of a recording say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One arrival per line: its time in seconds (from any origin) in the first column, ascending. A header may stand first.
    Timestamps,
    /// One interval per line, of this length: the number of arrivals in it in the first column. They are spread evenly over the
    /// interval. A header may stand first.
    Counts(Duration),
    /// An access log in Common or Combined Log Format. Its times have whole seconds; the requests of a second are spread evenly
    /// over it. The client's address becomes the request's key, numbered by first appearance; the bytes sent are what
    /// `reply: recorded` sends.
    AccessLog,
}

/// What was recorded of a request beside its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// What it was about; [`NONE`] if that was not recorded.
    pub key: u32,
    /// The size of its answer, at most 4 GiB; 0 if that was not recorded [B].
    pub bytes: u32,
}

impl Recorded {
    /// Nothing but the time.
    pub const NOTHING: Recorded = Recorded { key: NONE, bytes: 0 };
}

/// A recorded arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// When, from the first one on [ns].
    pub at: Nanos,
    /// What else was recorded.
    pub what: Recorded,
}

/// Something that was recorded.
pub trait Recording: std::fmt::Debug + Send + Sync {
    /// The arrivals from the beginning, ascending.
    fn open(&self) -> Box<dyn Iterator<Item = Arrived> + Send>;

    /// How long it is, until it could begin again [ns].
    fn length(&self) -> Nanos;
}

/// A recording and how it is played.
#[derive(Debug, Clone)]
pub struct Replay {
    /// What is played.
    pub recording: Arc<dyn Recording>,
    /// How many times faster.
    pub scale: f64,
    /// Whether it begins again.
    pub again: bool,
}

/// A recording being played.
pub struct Player {
    replay: Replay,
    arrivals: Box<dyn Iterator<Item = Arrived> + Send>,
    /// When the present round began [ns].
    begun: f64,
    /// What was recorded of the last arrival.
    last: Recorded,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Player").field("replay", &self.replay).field("begun", &self.begun).finish()
    }
}

impl Player {
    /// Begins to play.
    pub fn new(replay: &Replay) -> Self {
        Player { arrivals: replay.recording.open(), replay: replay.clone(), begun: 0.0, last: Recorded::NOTHING }
    }

    /// The next arrival [ns]; `None` when it is over.
    pub fn next_arrival(&mut self) -> Option<Nanos> {
        let mut arrived = self.arrivals.next();
        if arrived.is_none() && self.replay.again && self.replay.recording.length() > 0 {
            self.begun += self.replay.recording.length() as f64 / self.replay.scale;
            self.arrivals = self.replay.recording.open();
            arrived = self.arrivals.next();
        }
        let Arrived { at, what } = arrived?;
        self.last = what;
        Some(round(self.begun + at as f64 / self.replay.scale))
    }

    /// What was recorded of the last arrival.
    pub fn last(&self) -> Recorded {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Three;

    impl Recording for Three {
        fn open(&self) -> Box<dyn Iterator<Item = Arrived> + Send> {
            Box::new([0, 10, 30].into_iter().map(|at| Arrived { at, what: Recorded::NOTHING }))
        }

        fn length(&self) -> Nanos {
            40
        }
    }

    #[test]
    fn a_recording_is_played_faster_and_again() {
        let play = |scale, again| {
            let mut player = Player::new(&Replay { recording: Arc::new(Three), scale, again });
            (0..5).map(|_| player.next_arrival()).collect::<Vec<_>>()
        };
        assert_eq!(play(1.0, false), [Some(0), Some(10), Some(30), None, None]);
        assert_eq!(play(2.0, true), [Some(0), Some(5), Some(15), Some(20), Some(25)]);
    }
}
