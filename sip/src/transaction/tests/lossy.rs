//! What holds on every network.

use proptest::prelude::*;

use super::{
    assert_clean, layer,
    net::{Habit, Net, Weather},
    receive, run, udp, usual,
};
use crate::transaction::Event;

fn habits() -> impl Strategy<Value = Vec<Habit>> {
    let habit = prop_oneof![
        4 => (0_u64..5000).prop_map(Habit::After),
        1 => (5000_u64..40_000).prop_map(Habit::After),
        1 => Just(Habit::Never),
    ];
    prop::collection::vec(habit, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn each_request_comes_once_and_has_one_outcome(
        lost in 0_u64..=100,
        doubled in 0_u64..=50,
        delay in prop_oneof![0_u64..500, 500_u64..4900],
        habits in habits(),
        seed: u8,
    ) {
        let mut net = Net::new(Weather { lost, doubled, delay }, habits.clone(), seed);
        net.play();
        // The last retransmission leaves 63*T1 after the request and Timer J takes 64*T1: what is delayed by
        // more than the request was, and that by T1, finds nothing that knows it.
        for times in net.told.values() {
            prop_assert!(times.len() == 1 || delay >= 500, "{:?}", times);
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 32_000), "{:?}", times);
        }
        prop_assert_eq!(net.outcomes.len(), habits.len());
        for outcome in net.outcomes.values() {
            prop_assert_eq!(outcome.len(), 1, "{:?}", outcome);
        }
        if lost == 0 {
            prop_assert_eq!(net.told.len(), habits.len());
        }
        if lost == 100 {
            prop_assert!(net.outcomes.values().all(|outcome| outcome == &[0]));
        }
    }

    #[test]
    fn a_third_of_the_datagrams_may_be_lost(seed: u8, delay in 0_u64..200) {
        let weather = Weather { lost: 33, doubled: 10, delay };
        let mut net = Net::new(weather, vec![Habit::After(20); 20], seed);
        net.play();
        let answered = net.outcomes.values().filter(|outcome| **outcome == [200]).count();
        prop_assert!(answered >= 18, "{answered} of 20");
    }

    #[test]
    fn rubbish_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        method in prop::sample::select(vec!["SUBSCRIBE", "INVITE", "ACK", "CANCEL", "DANCE"]),
        answered: bool,
    ) {
        let mut octets = usual(method).to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        let octets = bytes::Bytes::from(octets);
        let mut layer = layer();
        for now in 0..2 {
            receive(&mut layer, now, &udp(), &octets);
        }
        let mut told = 0;
        while let Some(event) = layer.poll_event() {
            if let Event::Request { id, request, .. } = event {
                told += 1;
                if answered {
                    let response = crate::Response::for_request(&request, 405);
                    layer.respond(crate::Timestamp(2), id, response);
                }
            }
        }
        prop_assert!(told <= 1);
        super::sent(&mut layer);
        run(&mut layer, 400_000);
        assert_clean(&mut layer);
    }
}
