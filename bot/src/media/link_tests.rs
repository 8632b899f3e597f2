//! Two links in one process, over a network in memory and with a time of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtchat::room::PictureLimit;
use str0m::change::SdpAnswer;
use str0m::channel::ChannelConfig;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, RtcConfig};

use super::*;
use rtchat::room::MediaWish;
use str0m::Rtc;

const ALL: MediaWish = MediaWish {
    microphone: true,
    camera: Some(PictureLimit {
        height: 180,
        frame_rate: 30,
        bitrate: 200_000,
    }),
    screen: None,
    receive: true,
    pictures: true,
};

struct Side {
    rtc: Rtc,
    link: Link,
    address: SocketAddr,
    inbox: Vec<Vec<u8>>,
    received: Vec<Received>,
}

impl Side {
    fn new(number: u8, now: Instant) -> Side {
        let configuration = RtcConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true);
        let mut rtc = configuration.build(now);
        let address = SocketAddr::from(([192, 0, 2, number], 4000));
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let own = Own::new(Calls::test(CallKinds::Video).unwrap(), [number; 32]);
        Side {
            rtc,
            link: Link::new(Rc::new(own), now),
            address,
            inbox: Vec::new(),
            received: Vec::new(),
        }
    }

    fn wish(&mut self, wish: MediaWish) {
        self.link.wish(PeerId([9; 16]), wish);
    }

    fn advance(&mut self, input: Input<'_>, now: Instant) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        self.rtc.handle_input(input).unwrap();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return sent,
                Output::Transmit(datagram) => sent.push(datagram.contents.to_vec()),
                Output::Event(Event::MediaData(data)) => {
                    self.link.receive(&data, &mut self.rtc, now)
                }
                Output::Event(Event::KeyframeRequest(request)) => self.link.refresh(request.mid),
                Output::Event(_) => {}
            }
        }
    }

    /// Does what is due, and returns what is sent.
    fn work(&mut self, other: SocketAddr, now: Instant) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        for datagram in std::mem::take(&mut self.inbox) {
            let receive = Receive::new(Protocol::Udp, other, self.address, &datagram).unwrap();
            sent.extend(self.advance(Input::Receive(now, receive), now));
        }
        sent.extend(self.advance(Input::Timeout(now), now));
        self.link.look(now);
        while self.link.play(&mut self.rtc, now) {
            sent.extend(self.advance(Input::Timeout(now), now));
        }
        self.received.extend(self.link.take_received());
        sent
    }

    /// The sections that have begun or stopped arriving since the last call, sound first.
    fn news(&mut self) -> Vec<(MediaKind, bool)> {
        let received = std::mem::take(&mut self.received);
        let mut news: Vec<_> = received.iter().map(|it| (it.kind, it.arrives)).collect();
        news.sort_by_key(|(kind, _)| *kind == MediaKind::Picture);
        news
    }
}

struct World {
    sides: [Side; 2],
    now: Instant,
}

impl World {
    /// Two sides that are connected.
    fn connected() -> World {
        let now = Instant::now();
        let mut world = World {
            sides: [Side::new(1, now), Side::new(2, now)],
            now,
        };
        let [first, second] = &mut world.sides;
        let mut change = first.rtc.sdp_api();
        change.add_channel_with_config(ChannelConfig::default());
        let (offer, pending) = change.apply().unwrap();
        let answer = second.rtc.sdp_api().accept_offer(offer).unwrap();
        first.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        world.pass(Duration::from_secs(2));
        assert!(world.sides.iter().all(|side| side.rtc.is_connected()));
        world
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(5);
            let [first, second] = &mut self.sides;
            let sent = first.work(second.address, self.now);
            second.inbox.extend(sent);
            let sent = second.work(first.address, self.now);
            first.inbox.extend(sent);
        }
    }

    /// One side offers, if it has to.
    fn negotiate(&mut self, from: usize) -> bool {
        let Side { rtc, link, .. } = &mut self.sides[from];
        let needs_offer = link.needs_offer(rtc);
        if needs_offer {
            self.exchange(from);
        }
        needs_offer
    }

    /// One side offers something that never arrives.
    fn withdraw(&mut self, from: usize) {
        let Side { rtc, link, .. } = &mut self.sides[from];
        assert!(link.needs_offer(rtc));
        let plan = link.plan(rtc);
        let mut change = rtc.sdp_api();
        link.offer(plan, &mut change);
        change.apply().unwrap();
        link.withdrawn();
    }

    /// One side offers, and the other one answers.
    fn exchange(&mut self, from: usize) {
        let [first, second] = &mut self.sides;
        let (offers, answers) = if from == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let plan = offers.link.plan(&offers.rtc);
        let mut change = offers.rtc.sdp_api();
        offers.link.offer(plan, &mut change);
        let (offer, pending) = change.apply().unwrap();
        let offer = answers.link.settle(&offer.to_sdp_string());
        let offer = str0m::change::SdpOffer::from_sdp_string(&offer).unwrap();
        let answer = answers.rtc.sdp_api().accept_offer(offer).unwrap();
        let answer = answer.to_sdp_string();
        let read = SdpAnswer::from_sdp_string(&answer).unwrap();
        offers.rtc.sdp_api().accept_answer(pending, read).unwrap();
        offers.link.answered(&answer);
    }

    /// Both sides offer in turn until neither has to.
    fn agree(&mut self) {
        for _ in 0..4 {
            if !(self.negotiate(0) | self.negotiate(1)) {
                return;
            }
        }
        panic!("they do not agree");
    }
}

const BEGUN: [(MediaKind, bool); 2] = [(MediaKind::Sound, true), (MediaKind::Picture, true)];
const STOPPED: [(MediaKind, bool); 2] = [(MediaKind::Sound, false), (MediaKind::Picture, false)];

#[test]
fn both_hear_and_see_each_other_as_long_as_that_is_wished() {
    let mut world = World::connected();
    for _ in 0..3 {
        for side in &mut world.sides {
            side.wish(ALL);
        }
        world.agree();
        world.pass(Duration::from_secs(2));
        for side in &mut world.sides {
            assert_eq!(side.news(), BEGUN);
            side.wish(MediaWish::default());
            assert_eq!(side.link.take_received().len(), 2);
        }
        world.agree();
        world.pass(Duration::from_secs(2));
        for side in &mut world.sides {
            assert_eq!(side.news(), []);
        }
    }
}

#[test]
fn offers_that_cross_are_made_again() {
    let mut world = World::connected();
    for _ in 0..3 {
        for wish in [ALL, MediaWish::default()] {
            for side in &mut world.sides {
                side.wish(wish);
            }
            world.withdraw(0);
            assert!(world.negotiate(1));
            // The room wants the offer that was withdrawn, also if there is nothing to say any more.
            world.exchange(0);
            world.agree();
            world.pass(Duration::from_secs(2));
            let news = if wish.receive { BEGUN } else { STOPPED };
            for side in &mut world.sides {
                assert_eq!(side.news(), news);
            }
        }
    }
}

#[test]
fn nothing_is_sent_that_is_not_wished() {
    let mut world = World::connected();
    world.sides[0].wish(ALL);
    world.agree();
    world.pass(Duration::from_secs(2));
    // The second side sends nothing, and takes nothing.
    assert_eq!(world.sides[0].news(), []);
    assert_eq!(world.sides[1].news(), []);
    // It takes what was offered to it in vain before.
    world.sides[1].wish(MediaWish {
        receive: true,
        pictures: true,
        ..MediaWish::default()
    });
    world.agree();
    world.pass(Duration::from_secs(2));
    assert_eq!(world.sides[0].news(), []);
    assert_eq!(world.sides[1].news(), BEGUN);
    // A picture that is hidden is not sent, and it stops without a negotiation.
    let mut hidden = ALL;
    hidden.microphone = false;
    hidden.camera = ALL.camera.map(|limit| PictureLimit { height: 0, ..limit });
    world.sides[0].wish(hidden);
    assert!(!world.negotiate(0));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.sides[1].news(), STOPPED);
    world.sides[0].wish(ALL);
    assert!(!world.negotiate(0));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.sides[1].news(), BEGUN);
}

#[test]
fn offers_with_numbers_that_collide_do_not_end_the_program() {
    let mut world = World::connected();
    world.sides[0].wish(ALL);
    let side = &mut world.sides[0];
    assert!(side.link.needs_offer(&side.rtc));
    let plan = side.link.plan(&side.rtc);
    let mut change = side.rtc.sdp_api();
    side.link.offer(plan, &mut change);
    let (offer, _) = change.apply().unwrap();
    let offer = offer
        .to_sdp_string()
        .replace("96", "111")
        .replace("97", "111");
    world.sides[1].wish(ALL);
    let offer = world.sides[1].link.settle(&offer);
    if let Ok(offer) = str0m::change::SdpOffer::from_sdp_string(&offer) {
        let _ = world.sides[1].rtc.sdp_api().accept_offer(offer);
    }
    world.pass(Duration::from_secs(1));
}
