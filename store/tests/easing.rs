//! Those who write more than the disk takes, all at once.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use store::{Op, Options, Store};

fn meta(key: &str, value: &str) -> Op {
    Op::MetaPut {
        key: key.into(),
        value: value.into(),
    }
}

/// Who does as he is told is never refused and never forgotten, also while others fill the queue with what nobody waits for.
#[test]
fn whoever_waits_goes_on() {
    const EACH: usize = 2_000;
    let (store, _) = Store::open_in_memory(Options {
        queue: 64,
        ..Options::default()
    })
    .unwrap();
    let waited: usize = thread::scope(|scope| {
        let polite = (0..6).map(|_| {
            scope.spawn(|| {
                let mut waited = 0;
                for _ in 0..EACH {
                    let done = Box::new(|done: Result<(), _>| done.unwrap());
                    store.submit(vec![meta("hard", "kept")], done).unwrap();
                    if store.is_pressed() {
                        waited += 1;
                        let (eased, when) = mpsc::channel();
                        store.when_eased(Box::new(move || eased.send(()).unwrap()));
                        when.recv_timeout(Duration::from_secs(60)).unwrap();
                    }
                }
                waited
            })
        });
        let polite: Vec<_> = polite.collect();
        while polite.iter().any(|p| !p.is_finished()) {
            store.submit_soft(vec![meta("soft", "kept")]);
            thread::yield_now();
        }
        polite.into_iter().map(|p| p.join().unwrap()).sum()
    });
    assert!(waited > 0);
    store.barrier();
    assert_eq!(store.queue_depth(), 0);
    assert!(!store.is_pressed());
}
