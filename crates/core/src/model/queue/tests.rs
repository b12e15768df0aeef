//! Groups transition by transition, and under random treatment with the law of conservation checked at every step.

use super::*;
use crate::engine::Stream;
use crate::engine::random::below;
use crate::model::frame::NONE;

fn message(now: u64, item: u32) -> Message {
    Message { id: 0, published: now, origin: now, waiter: None, item, tries: 0, priority: 0 }
}

fn put(group: &mut Group, now: u64, item: u32) {
    group.put(now, message(now, item));
}

fn items(group: &Group, slot: u32) -> Vec<u32> {
    group.batch(slot).iter().map(|message| message.item).collect()
}

#[test]
fn a_work_queue_gives_each_message_to_one_free_member_in_turn() {
    let mut group = Group::new(GroupPlan::plain(2, 1));
    (0..3).for_each(|item| put(&mut group, 0, item));
    let (Start::Slot(first), Start::Slot(second)) = (group.start(0, 0), group.start(0, 0)) else {
        panic!("both begin")
    };
    assert_ne!(group.slot(first).0, group.slot(second).0);
    assert_eq!(group.start(0, 0), Start::Nothing);
    group.done(5, first, true);
    assert_eq!(group.start(5, 0), Start::Slot(first));
    assert_eq!(items(&group, first), [2]);
    assert_eq!((group.book.delivered, group.waiting()), (1, 0));
    group.check().unwrap();
}

#[test]
fn a_batch_begins_when_it_is_full_or_its_first_message_has_waited() {
    let mut group = Group::new(GroupPlan { batch: 3, linger: 100, ..GroupPlan::plain(1, 2) });
    put(&mut group, 10, 0);
    assert_eq!(group.start(10, 0), Start::Later(0, 110));
    put(&mut group, 20, 1);
    put(&mut group, 30, 2);
    let Start::Slot(slot) = group.start(30, 0) else { panic!("three are a batch") };
    assert_eq!(items(&group, slot), [0, 1, 2]);
    put(&mut group, 40, 3);
    assert_eq!(group.start(139, 0), Start::Later(0, 140));
    assert!(matches!(group.start(140, 0), Start::Slot(_)));
}

#[test]
fn a_batch_on_ticks_takes_all_that_waits_and_nothing_between() {
    let mut group = Group::new(GroupPlan { batch: 2, linger: 100, ticks: true, ..GroupPlan::plain(1, 1) });
    (0..5).for_each(|item| put(&mut group, 30, item));
    assert_eq!(group.start(30, 0), Start::Later(0, 100));
    let Start::Slot(slot) = group.start(100, 0) else { panic!("it is a tick") };
    assert_eq!(group.batch(slot).len(), 5);
}

#[test]
fn a_failed_message_is_tried_again_until_it_is_dead() {
    let mut group = Group::new(GroupPlan { tries: 3, hold: 50, ..GroupPlan::plain(1, 1) });
    put(&mut group, 0, 7);
    for round in 0..3 {
        let now = round * 50;
        group.release_held(now);
        let Start::Slot(slot) = group.start(now, 0) else { panic!("round {round}") };
        group.done(now, slot, false);
        group.check().unwrap();
    }
    assert_eq!((group.book.redelivered, group.book.dead), (2, 1));
}

#[test]
fn what_is_acknowledged_early_is_lost_if_it_fails() {
    let mut group = Group::new(GroupPlan { early: true, ..GroupPlan::plain(1, 1) });
    put(&mut group, 0, 1);
    let Start::Slot(slot) = group.start(0, 0) else { panic!("it begins") };
    group.done(1, slot, false);
    assert_eq!((group.book.lost, group.book.dead), (1, 0));
    group.check().unwrap();
}

#[test]
fn a_slow_message_is_processed_twice_and_counted_once() {
    let mut group = Group::new(GroupPlan { visibility: Some(100), ..GroupPlan::plain(2, 1) });
    put(&mut group, 0, 1);
    let Start::Slot(first) = group.start(0, 0) else { panic!("it begins") };
    group.overdue(100, first, group.slot(first).1);
    let Start::Slot(second) = group.start(100, 0) else { panic!("it is given to another") };
    group.done(150, first, true);
    group.check().unwrap();
    group.done(200, second, true);
    assert_eq!((group.book.delivered, group.book.duplicates, group.book.redelivered), (1, 1, 1));
    group.check().unwrap();
}

#[test]
fn partitions_keep_their_order_and_move_to_those_who_are_left() {
    let plan = GroupPlan { lanes: Lanes::Partitions(4), pause: 30, ..GroupPlan::plain(2, 4) };
    let mut group = Group::new(plan);
    let lanes: Vec<u32> = (0..8).map(|_| group.put(0, message(0, 5)).start).collect();
    assert!(lanes.iter().all(|lane| *lane == lanes[0]), "one key, one partition");
    let Start::Slot(slot) = group.start(0, lanes[0]) else { panic!("it begins") };
    assert_eq!(group.start(0, lanes[0]), Start::Nothing, "one at a time");
    let owner = group.slot(slot).0;
    assert_eq!(group.set_up(10, owner, false), Some(40));
    group.done(10, slot, false);
    assert_eq!(group.start(39, lanes[0]), Start::Nothing, "the group pauses");
    let Start::Slot(slot) = group.start(40, lanes[0]) else { panic!("it goes on") };
    assert_ne!(group.slot(slot).0, owner);
    assert_eq!(group.batch(slot)[0].id, 0, "what was not acknowledged comes first");
    group.check().unwrap();
}

#[test]
fn every_member_gets_its_own_copy_unless_it_is_down() {
    let mut group = Group::new(GroupPlan { lanes: Lanes::Each, ..GroupPlan::plain(3, 1) });
    group.set_up(0, 2, false);
    let lanes = group.put(0, message(0, NONE));
    let begun = lanes.filter(|lane| matches!(group.start(0, *lane), Start::Slot(_))).count();
    assert_eq!((begun, group.book.accepted, group.book.lost), (2, 3, 1));
    group.check().unwrap();
}

#[test]
fn a_member_stops_fetching_at_the_high_mark_and_goes_on_at_the_low_one() {
    let buffer = Buffer { fetch: 3, every: 10, pause_at: 5, resume_at: 2, room: 8, restart: 0 };
    let mut group = Group::new(GroupPlan { buffer: Some(buffer), ..GroupPlan::plain(1, 1) });
    (0..20).for_each(|item| put(&mut group, 0, item));
    (0..3).for_each(|_| assert!(!group.fetch(0, 0)));
    assert_eq!(group.book.buffered.value(), 6, "two fetches: the second one passes the mark");
    for _ in 0..4 {
        let Start::Slot(slot) = group.start(0, 0) else { panic!("it begins") };
        group.unbuffered(0, slot);
        group.done(0, slot, true);
    }
    group.fetch(0, 0);
    assert_eq!(group.book.buffered.value(), 5, "at two it fetches again");
    let none = Buffer { pause_at: u32::MAX, room: 4, ..buffer };
    let mut group = Group::new(GroupPlan { buffer: Some(none), ..GroupPlan::plain(1, 1) });
    (0..20).for_each(|item| put(&mut group, 0, item));
    assert!(!group.fetch(0, 0));
    assert!(group.fetch(7, 0), "six do not fit into four");
    assert_eq!(group.book.first_overflow, Some(7));
}

#[test]
fn the_books_add_up_whatever_happens() {
    let kinds = [Lanes::Shared, Lanes::Partitions(5), Lanes::Each];
    for seed in 0..12u64 {
        let mut random = Stream::new(seed);
        let mut plan = GroupPlan::plain(3, 2);
        plan.lanes = kinds[seed as usize % 3];
        plan.batch = 1 + (seed % 4) as u32;
        plan.levels = 2;
        plan.tries = [0, 3][seed as usize % 2];
        plan.early = seed == 5;
        plan.hold = [0, 7][seed as usize / 2 % 2];
        plan.retention = (seed > 6).then_some(40);
        let mut group = Group::new(plan);
        let mut running: Vec<(u32, u32)> = Vec::new();
        for now in 0..5_000u64 {
            match below(&mut random, 12) {
                0..4 => {
                    let priority = below(&mut random, 2) as u8;
                    group.put(now, Message { priority, ..message(now, below(&mut random, 20) as u32) });
                }
                4..7 if !running.is_empty() => {
                    let (slot, _) = running.swap_remove(below(&mut random, running.len() as u64) as usize);
                    group.done(now, slot, below(&mut random, 3) > 0);
                }
                7 if !running.is_empty() => {
                    let (slot, generation) = running[below(&mut random, running.len() as u64) as usize];
                    group.overdue(now, slot, generation);
                }
                8 => {
                    let member = below(&mut random, 3) as u32;
                    let up = below(&mut random, 2) == 0;
                    group.set_up(now, member, up);
                    if !up {
                        let (gone, left): (Vec<_>, Vec<_>) =
                            running.iter().partition(|(slot, _)| group.slot(*slot).0 == member);
                        running = left;
                        gone.iter().for_each(|(slot, _)| group.done(now, *slot, false));
                    }
                }
                9 => group.push_out(now),
                _ => group.release_held(now),
            }
            for lane in 0..group.sizes()[0] {
                while let Start::Slot(slot) = group.start(now, lane) {
                    running.push((slot, group.slot(slot).1));
                }
            }
            group.check().unwrap_or_else(|what| panic!("seed {seed} at {now}: {what}"));
        }
        assert!(group.book.delivered > 100, "seed {seed}: {}", group.book.delivered);
    }
}
