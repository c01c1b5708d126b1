//! Two layers on a network that loses, delays, reorders and repeats datagrams.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::transaction::{ClientId, random::Random};

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// Datagrams of a hundred that are lost, and that come twice.
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// The longest way, in milliseconds; less than T4.
    pub(super) delay: u64,
}

/// What a server does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    /// Answers after some milliseconds.
    After(u64),
    Never,
}

/// What goes on at a time.
enum Happening {
    Arrival { to_server: bool, octets: Bytes },
    Answer(ServerId, Response),
}

pub(super) struct Net {
    now: u64,
    client: Layer,
    server: Layer,
    random: Random,
    weather: Weather,
    happenings: BTreeMap<(u64, u64), Happening>,
    count: u64,
    habits: Vec<Habit>,
    /// When the server was told of a request, by Call-ID.
    pub(super) told: HashMap<String, Vec<u64>>,
    /// Final outcomes by transaction; a status, or 0 for a failure.
    pub(super) outcomes: HashMap<ClientId, Vec<u16>>,
}

fn to_server() -> Flow {
    "udp:192.0.2.9:5060/192.0.2.1:5060".parse().unwrap()
}

impl Net {
    pub(super) fn new(weather: Weather, habits: Vec<Habit>, seed: u8) -> Self {
        let host = Host::parse("client.example").unwrap();
        let config = Config::default().with_sent_by(Transport::Udp, host, None);
        Self {
            now: 0,
            client: Layer::new(config, [seed; 32]),
            server: layer(),
            random: Random::new(&[seed.wrapping_add(1); 32]),
            weather,
            happenings: BTreeMap::new(),
            count: 0,
            habits,
            told: HashMap::new(),
            outcomes: HashMap::new(),
        }
    }

    /// Sends a request for each habit, then lets time pass until nothing is left.
    pub(super) fn play(&mut self) {
        for number in 0..self.habits.len() {
            let mut request = outgoing(Method::Subscribe);
            request.headers.set(HeaderName::CallId, number.to_string());
            let id = self
                .client
                .request(Timestamp(self.now), request, to_server());
            self.outcomes.insert(id, Vec::new());
        }
        loop {
            self.drain();
            let arrival = self.happenings.keys().next().map(|(time, _)| *time);
            let timers = [self.client.poll_timeout(), self.server.poll_timeout()];
            let times = timers.into_iter().flatten().map(|time| time.0);
            let Some(next) = times.chain(arrival).min() else {
                break;
            };
            self.now = self.now.max(next);
            let now = Timestamp(self.now);
            self.client.handle_timeout(now);
            self.server.handle_timeout(now);
            while let Some(entry) = self.happenings.first_entry().filter(|e| e.key().0 <= now.0) {
                let happening = entry.remove();
                self.happen(now, happening);
            }
        }
        assert_clean(&mut self.client);
        assert_clean(&mut self.server);
    }

    fn happen(&mut self, now: Timestamp, happening: Happening) {
        match happening {
            Happening::Arrival {
                to_server: true,
                octets,
            } => {
                self.server.handle_datagram(now, &udp(), &octets);
            }
            Happening::Arrival { octets, .. } => {
                self.client.handle_datagram(now, &to_server(), &octets);
            }
            Happening::Answer(id, response) => self.server.respond(now, id, response),
        }
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.carry(true, &transmit.octets);
        }
        while let Some(transmit) = self.server.poll_transmit() {
            self.carry(false, &transmit.octets);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Response { response, .. } if response.is_provisional() => {}
                Event::Response { id, response } => self.end(id, response.status),
                Event::Failed { id, .. } => self.end(id, 0),
                other => panic!("{other:?}"),
            }
        }
        while let Some(event) = self.server.poll_event() {
            let Event::Request { id, request, .. } = event else {
                panic!("{event:?}");
            };
            let call_id = request.headers.call_id().unwrap().to_owned();
            let habit = self.habits[call_id.parse::<usize>().unwrap()];
            self.told.entry(call_id).or_default().push(self.now);
            if let Habit::After(delay) = habit {
                let response = Response::for_request(&request, 200);
                self.plan(delay, Happening::Answer(id, response));
            }
        }
    }

    fn end(&mut self, id: ClientId, status: u16) {
        self.outcomes.get_mut(&id).unwrap().push(status);
    }

    fn plan(&mut self, delay: u64, happening: Happening) {
        self.count += 1;
        self.happenings
            .insert((self.now + delay, self.count), happening);
    }

    fn carry(&mut self, to_server: bool, octets: &Bytes) {
        let copies = if self.random.next() % 100 < self.weather.doubled {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if self.random.next() % 100 >= self.weather.lost {
                let delay = self.random.next() % (self.weather.delay + 1);
                let octets = octets.clone();
                self.plan(delay, Happening::Arrival { to_server, octets });
            }
        }
    }
}
