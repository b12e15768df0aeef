//! Visits: a user comes from outside, makes some requests one after the other with pauses between them, and goes.
//!
//! A visit begins with an arrival of its client and has a place of its own while it lasts; a place is used again by later
//! visits. Its requests are keyed by the number of the visit, not by its place, so that variants meet the same visitors.

use crate::engine::random::{Draw, key};
use crate::engine::time::{Nanos, round};
use crate::model::blueprint::Visit;
use crate::model::frame::NONE;

/// A visit that goes on.
#[derive(Debug, Clone, Copy)]
struct Visitor {
    /// Which visit of its client it is.
    number: u32,
    /// How many of its requests have not begun.
    left: u32,
    /// What the visitor is about if that was recorded; [`NONE`] otherwise.
    item: u32,
}

/// The visits of a client.
#[derive(Debug)]
pub(super) struct Visits {
    visit: Visit,
    /// Keys the visits.
    key: u64,
    /// How many have begun.
    begun: u32,
    places: Vec<Visitor>,
    free: Vec<u32>,
    /// The number of its first visit among all users, and how far the numbers of its visits are apart.
    sessions: [u32; 2],
}

impl Visits {
    /// A client without visitors yet.
    pub(super) fn new(visit: &Visit, key: u64, sessions: [u32; 2]) -> Self {
        Visits { visit: visit.clone(), key, begun: 0, places: Vec::new(), free: Vec::new(), sessions }
    }

    /// Somebody comes; returns the place.
    pub(super) fn begin(&mut self, item: u32) -> u32 {
        let number = self.begun;
        self.begun += 1;
        let requests = &self.visit.requests;
        let drawn = requests.distribution.sample(&mut Draw::new(key(self.key, u64::from(number)), requests.salt, 0));
        let visitor = Visitor { number, left: (drawn.round() as u32).max(1), item };
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = visitor;
            return place;
        }
        self.places.push(visitor);
        self.places.len() as u32 - 1
    }

    /// A request of the visitor at a place begins.
    pub(super) fn asks(&mut self, place: u32) {
        self.places[place as usize].left -= 1;
    }

    /// A request of the visitor at a place has ended, the so manieth: how long it is until the next one [ns]; `None` if it was the
    /// last one, and the visitor is gone.
    pub(super) fn ended(&mut self, place: u32, requests: u32) -> Option<Nanos> {
        let Visitor { number, left, .. } = self.places[place as usize];
        if left == 0 {
            self.free.push(place);
            return None;
        }
        let think = &self.visit.think;
        let draw = &mut Draw::new(key(self.key, u64::from(number)), think.salt, u64::from(requests));
        Some(round(think.distribution.sample(draw)))
    }

    /// Who keys the requests of the visitor at a place.
    pub(super) fn who(&self, place: u32) -> u32 {
        self.places[place as usize].number
    }

    /// What the visitor at a place is about, if that was recorded.
    pub(super) fn item(&self, place: u32) -> u32 {
        self.places.get(place as usize).map_or(NONE, |visitor| visitor.item)
    }

    /// The number of the visit at a place among all users of the model.
    pub(super) fn session(&self, place: u32) -> u32 {
        let [first, apart] = self.sessions;
        first.saturating_add(self.places[place as usize].number.saturating_mul(apart))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::distribution::Distribution;
    use crate::model::program::Demand;

    fn visits(requests: f64) -> Visits {
        let [requests, think] =
            [requests, 5.0].map(|value| Demand { distribution: Distribution::Constant(value), salt: 1 });
        Visits::new(&Visit { requests, think }, 7, [100, 2])
    }

    #[test]
    fn a_visitor_asks_so_often_and_leaves_the_place_to_the_next_one() {
        let mut visits = visits(2.0);
        let places = [visits.begin(NONE), visits.begin(3)];
        assert_eq!((places, visits.item(1)), ([0, 1], 3));
        visits.asks(0);
        assert_eq!(visits.ended(0, 1), Some(5));
        visits.asks(0);
        assert_eq!(visits.ended(0, 2), None);
        assert_eq!(visits.begin(NONE), 0, "the place is free");
        assert_eq!([0, 1].map(|place| visits.session(place)), [104, 102], "but somebody else is there");
    }

    #[test]
    fn nobody_comes_without_asking() {
        let mut visits = visits(0.2);
        visits.begin(NONE);
        visits.asks(0);
        assert_eq!(visits.ended(0, 1), None);
    }
}
