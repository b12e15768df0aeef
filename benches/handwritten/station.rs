//! A station: `SERVERS` parallel servers with one first-come-first-served queue, its free servers in a bit mask.

use std::collections::VecDeque;

/// Customers of type `T` in service and waiting. `SERVERS` is 1 to 31.
pub struct Station<T, const SERVERS: usize> {
    free: u32,
    serving: [T; SERVERS],
    waiting: VecDeque<T>,
}

impl<T: Copy + Default, const SERVERS: usize> Default for Station<T, SERVERS> {
    fn default() -> Self {
        const { assert!(SERVERS >= 1 && SERVERS <= 31, "the mask of free servers has 31 usable bits") };
        Self { free: (1 << SERVERS) - 1, serving: [T::default(); SERVERS], waiting: VecDeque::new() }
    }
}

impl<T: Copy, const SERVERS: usize> Station<T, SERVERS> {
    /// Takes `customer` in: the server that starts it now, or `None` if it waits.
    #[inline]
    pub fn arrive(&mut self, customer: T) -> Option<u8> {
        if self.free == 0 {
            self.waiting.push_back(customer);
            return None;
        }
        let server = self.free.trailing_zeros();
        self.free &= self.free - 1;
        self.serving[server as usize] = customer;
        Some(server as u8)
    }

    /// The customer that `server` serves (or served last).
    #[inline]
    pub fn customer(&self, server: u8) -> T {
        self.serving[usize::from(server)]
    }

    /// Ends the service at `server`; true if the next waiting customer starts there now.
    #[inline]
    pub fn release(&mut self, server: u8) -> bool {
        match self.waiting.pop_front() {
            Some(customer) => {
                self.serving[usize::from(server)] = customer;
                true
            }
            None => {
                self.free |= 1 << server;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_wait_is_the_first_to_start() {
        let mut station = Station::<char, 2>::default();
        let starts = ['a', 'b', 'c', 'd'].map(|customer| station.arrive(customer));
        assert_eq!(starts, [Some(0), Some(1), None, None]);
        assert!(station.release(1));
        assert_eq!((station.customer(0), station.customer(1)), ('a', 'c'));
        assert!(station.release(0));
        assert_eq!(station.customer(0), 'd');
        assert!(!station.release(1));
        assert_eq!(station.arrive('e'), Some(1));
    }
}
