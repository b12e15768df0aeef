//! A lane: messages that wait, by priority and in order.

use std::collections::VecDeque;

use crate::engine::Nanos;

/// Who waits for a message to be processed: a frame and its generation.
pub type Waiter = Option<(u32, u32)>;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Its number within its group.
    pub id: u64,
    /// When it was published [ns].
    pub published: Nanos,
    /// When the request began that it goes back to [ns].
    pub origin: Nanos,
    /// Who waits for it.
    pub waiter: Waiter,
    /// The item that it is about.
    pub item: u32,
    /// How often it was tried.
    pub tries: u16,
    /// Its priority; 0 is the most important.
    pub priority: u8,
}

/// Messages that wait.
#[derive(Debug, Clone)]
pub struct Lane {
    levels: Vec<VecDeque<Message>>,
    size: usize,
    /// Whether a batch of it is being processed, where that excludes others.
    pub busy: bool,
    /// When it was last asked to be looked at again [ns].
    pub alarm: Nanos,
}

impl Lane {
    /// An empty lane with so many levels of priority.
    pub fn new(levels: u8) -> Self {
        Lane { levels: vec![VecDeque::new(); usize::from(levels.max(1))], size: 0, busy: false, alarm: 0 }
    }

    fn level(&mut self, message: &Message) -> &mut VecDeque<Message> {
        let last = self.levels.len() - 1;
        &mut self.levels[usize::from(message.priority).min(last)]
    }

    /// Adds a message behind those of its priority.
    pub fn push(&mut self, message: Message) {
        self.size += 1;
        self.level(&message).push_back(message);
    }

    /// Puts a message back in front of those of its priority.
    pub fn push_front(&mut self, message: Message) {
        self.size += 1;
        self.level(&message).push_front(message);
    }

    /// Takes the first message of the highest priority.
    pub fn pop(&mut self) -> Option<Message> {
        let message = self.levels.iter_mut().find_map(VecDeque::pop_front)?;
        self.size -= 1;
        Some(message)
    }

    /// The message that waits longest, as far as the first of every priority tell.
    pub fn oldest(&self) -> Option<Nanos> {
        self.levels.iter().filter_map(|level| level.front()).map(|message| message.published).min()
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.size
    }

    /// All messages that wait.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.levels.iter().flatten()
    }
}
