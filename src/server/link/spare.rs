//! Buffers to write from: they go from link to link, so that none stays with a connection that says nothing.

use std::cell::RefCell;

/// How many each thread keeps.
const KEPT: usize = 64;
/// Larger ones are not kept.
const LARGEST: usize = 4 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer, with room if one is spare.
pub(super) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Gives a buffer back; what is in it is thrown away.
pub(super) fn give(mut buffer: Vec<u8>) {
    if !(1..=LARGEST).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_go_round() {
        assert_eq!(take().capacity(), 0);
        give(b"something".to_vec());
        give(Vec::new());
        give(Vec::with_capacity(LARGEST + 1));
        let taken = take();
        assert!(taken.is_empty() && taken.capacity() >= 9);
        assert_eq!(take().capacity(), 0);
        for _ in 0..2 * KEPT {
            give(Vec::with_capacity(8));
        }
        assert_eq!(SPARE.with_borrow(Vec::len), KEPT);
    }
}
