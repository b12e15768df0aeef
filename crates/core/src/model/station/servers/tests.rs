//! The station against hand-counted traces and an obvious twin.

use super::*;
use crate::engine::random::{Stream, below};
use crate::model::frame::{Bearing, Role, Start};
use std::collections::VecDeque;

fn frames(count: u32) -> Frames {
    let mut frames = Frames::new(usize::MAX);
    (0..count).for_each(|number| {
        frames.start(
            0,
            Start { role: Role::Attempt, owner: 0, instance: 0, key: number.into(), place: 0, bearing: Bearing::PLAIN },
        );
    });
    frames
}

const WAIT: Wait = Wait { account: 0, station: 0 };

/// Who has the slot that was given back, and how long that one waited.
fn leave(station: &mut Servers, now: Nanos, frames: &mut Frames) -> Option<(u32, Nanos)> {
    station.leave(now, frames).map(|(frame, waited, _)| (frame, waited))
}

#[test]
fn slots_are_given_in_order_of_arrival_and_a_full_queue_refuses() {
    let mut frames = frames(4);
    let mut station = Servers::new(1, 2);
    let entries: Vec<Entry> = (0..4).map(|frame| station.enter(frame.into(), frame, WAIT, &mut frames)).collect();
    assert_eq!(entries, [Entry::Served, Entry::Queued, Entry::Queued, Entry::Refused]);
    assert_eq!(leave(&mut station, 10, &mut frames), Some((1, 9)));
    assert_eq!(leave(&mut station, 12, &mut frames), Some((2, 10)));
    assert_eq!(leave(&mut station, 13, &mut frames), None);
    assert_eq!((station.busy().value(), station.waiting().value()), (0, 0));
    assert_eq!(station.check(20, &frames), Ok(()));
}

#[test]
fn the_linked_queue_agrees_with_an_obvious_one_on_random_comings_and_goings() {
    let mut random = Stream::new(11);
    let mut frames = frames(200);
    let mut station = Servers::new(3, 20);
    let (mut queue, mut busy, mut free) = (VecDeque::new(), 0, (0..200).collect::<Vec<u32>>());
    for now in 0..20_000 {
        match below(&mut random, 5) {
            0..3 => {
                let Some(frame) = free.pop() else { continue };
                match station.enter(now, frame, WAIT, &mut frames) {
                    Entry::Served => {
                        busy += 1;
                        free.push(frame);
                    }
                    Entry::Queued => queue.push_back(frame),
                    _ => {
                        assert_eq!((busy, queue.len()), (3, 20));
                        free.push(frame);
                    }
                }
            }
            3 if busy > 0 => match leave(&mut station, now, &mut frames) {
                None => busy -= 1,
                Some((frame, _)) => {
                    assert_eq!(Some(frame), queue.pop_front());
                    free.push(frame);
                }
            },
            _ if !queue.is_empty() => {
                let frame = queue.remove(below(&mut random, queue.len() as u64) as usize).unwrap();
                station.abandon(now, frame, &mut frames);
                free.push(frame);
            }
            _ => {}
        }
        assert_eq!((station.busy().value(), station.waiting().value() as usize), (busy, queue.len()));
        assert_eq!(station.check(now, &frames), Ok(()));
    }
}
