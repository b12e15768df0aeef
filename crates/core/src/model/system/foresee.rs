//! Foresight: how much work a call will be at its instance, before it is done.
//!
//! Draws are keyed by frame, step and visit, so they can be made beforehand without changing anything. Counted is all the
//! time of `cpu` and `wait` steps of the operation itself at full speed; not what it calls, waits or queues for, and
//! not its branches. Only oracles use this: the least work left, and the disciplines that go by size.

use super::System;
use crate::engine::random::{Draw, unit};
use crate::engine::time::{Nanos, round};
use crate::model::frame::LOOP_DEPTH;
use crate::model::program::{Instruction, Place};

/// The most instructions that are looked at; an endless loop is found elsewhere.
const MOST: u32 = 100_000;

impl System<'_> {
    /// The work of the attempt with this key whose code begins at `entry` [ns].
    pub(super) fn foresee(&self, entry: Place, key: u64) -> Nanos {
        let program = &self.blueprint.program;
        let mut rounds = [0u16; LOOP_DEPTH];
        let (mut place, mut work) = (entry, 0);
        for _ in 0..MOST {
            let [a, b, c, d] = rounds.map(u64::from);
            let visit = a | b << 16 | c << 32 | d << 48;
            let draw = |demand: u32| round(self.demands[demand as usize].draw_at(key, visit));
            let at = place;
            place += 1;
            match program.code[at as usize] {
                Instruction::Delay { demand, .. } | Instruction::Share { demand, .. } => work += draw(demand),
                Instruction::Choose { choice } => {
                    let choice = &program.choices[choice as usize];
                    let point = unit(&mut Draw::new(key, choice.salt, visit));
                    place = choice.way(point).unwrap_or(place);
                }
                // What is paged depends on the memory that will be there then.
                Instruction::Jump { to } | Instruction::PageFaults { past: to, .. } => place = to,
                Instruction::Repeat { demand, depth, past } => {
                    let count = draw(demand).min(u64::from(u16::MAX)) as u16;
                    rounds[depth as usize % LOOP_DEPTH] = count;
                    if count == 0 {
                        place = past;
                    }
                }
                Instruction::Again { depth, body } => {
                    let left = &mut rounds[depth as usize % LOOP_DEPTH];
                    *left -= 1;
                    if *left > 0 {
                        place = body;
                    }
                }
                Instruction::Fail => place = program.unwind[at as usize],
                Instruction::Finish | Instruction::Reply { .. } => break,
                _ => {}
            }
        }
        work
    }
}
