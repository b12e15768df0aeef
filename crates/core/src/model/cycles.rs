//! Calls that never end: operations that call each other in a circle.

use super::blueprint::{Blueprint, Operation};
use super::program::Instruction;

/// Finds calls that can never end: operations that call themselves on every path, through others or not.
///
/// Every cycle of calls is refused: the language has no condition that a cycle could end by, only chance.
pub fn check_cycles(blueprint: &Blueprint) -> Option<Vec<&Operation>> {
    let calls = |operation: u32| {
        let entry = blueprint.operations[operation as usize].entry;
        let end = blueprint.program.end_of(entry);
        blueprint.program.code[entry as usize..end as usize].iter().filter_map(|instruction| match instruction {
            Instruction::Call { site } => Some(blueprint.program.sites[*site as usize].operation),
            _ => None,
        })
    };
    // Depth-first search: 0 unseen, 1 on the way, 2 done.
    let mut state = vec![0u8; blueprint.operations.len()];
    for start in 0..blueprint.operations.len() as u32 {
        let mut way: Vec<(u32, Vec<u32>)> = Vec::new();
        if state[start as usize] == 0 {
            state[start as usize] = 1;
            way.push((start, calls(start).collect()));
        }
        while let Some((operation, rest)) = way.last_mut() {
            match rest.pop() {
                None => {
                    state[*operation as usize] = 2;
                    way.pop();
                }
                Some(next) if state[next as usize] == 1 => {
                    let begin = way.iter().position(|(operation, _)| *operation == next).unwrap_or(0);
                    return Some(way[begin..].iter().map(|(step, _)| &blueprint.operations[*step as usize]).collect());
                }
                Some(next) if state[next as usize] == 0 => {
                    state[next as usize] = 1;
                    way.push((next, calls(next).collect()));
                }
                Some(_) => {}
            }
        }
    }
    None
}
