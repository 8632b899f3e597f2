use proptest::prelude::*;

use super::*;
use crate::room::channel::window::MAX_WINDOW;
use crate::wire::frame::MAX_FRAME;
use crate::wire::{Purpose, Value};

/// A message in flight.
#[derive(Debug, Clone)]
enum Message {
    Chunk(Chunk),
    Ack(u64, Option<StreamIds>),
}

/// One end of a stream, with a record of what happened there.
struct End {
    stream: Stream,
    /// Messages in flight to the other end.
    outgoing: VecDeque<Message>,
    sent_tokens: Vec<u32>,
    unfinished: Vec<u32>,
    received: Vec<Value>,
    /// The most bytes that were ever in flight.
    max_in_flight: usize,
    steps: usize,
}

impl End {
    fn new(own: u32) -> End {
        End {
            stream: Stream::new(own),
            outgoing: VecDeque::new(),
            sent_tokens: Vec::new(),
            unfinished: Vec::new(),
            received: Vec::new(),
            max_in_flight: 0,
            steps: 0,
        }
    }

    fn send(&mut self, value: Value, token: u32) {
        let outbound = OutboundMessage::value(Purpose::Data, value).unwrap();
        self.stream.push(outbound, Some(token));
        self.pump();
    }

    fn pump(&mut self) {
        while let Some((chunk, sent_tokens)) = self.stream.next(Millis(0)) {
            self.steps += 1;
            self.outgoing.push_back(Message::Chunk(chunk));
            self.sent_tokens.extend(sent_tokens);
        }
        self.max_in_flight = self.max_in_flight.max(self.stream.sending.in_flight);
    }

    fn begin(&mut self) {
        self.outgoing.clear();
        let greeting = self.stream.begin();
        self.push_ack(Some(greeting));
    }

    fn push_ack(&mut self, frame: Option<Ack>) {
        if let Some(Ack { count, streams }) = frame {
            self.outgoing.push_back(Message::Ack(count, streams));
        }
    }

    fn acknowledge(&mut self) {
        let frame = self.stream.acknowledge();
        self.push_ack(frame);
    }

    fn store(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Value(_, value) => self.received.push(value),
            other => panic!("{other:?}"),
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Ack(count, streams) => {
                if let Begun::Anew(unfinished) =
                    self.stream.on_ack(count, streams, Millis(0)).unwrap()
                {
                    self.unfinished.extend(unfinished);
                }
                self.pump();
            }
            Message::Chunk(chunk) => {
                assert!(self.stream.is_ready());
                self.stream.count(chunk.size());
                let arrived = match chunk {
                    Chunk::Bytes(bytes) => self.stream.read(&bytes).unwrap(),
                    Chunk::Text(text) => panic!("{text}"),
                };
                match arrived {
                    Some(Arrived::Several(all)) => all.into_iter().for_each(|one| self.store(one)),
                    arrived => arrived.into_iter().for_each(|one| self.store(one)),
                }
                if self.stream.should_acknowledge() {
                    self.acknowledge();
                }
            }
        }
    }
}

fn connect(ends: &mut [End; 2]) {
    ends.iter_mut().for_each(End::begin);
}

/// Delivers up to `most` messages that `from` sent.
fn deliver(ends: &mut [End; 2], from: usize, most: usize) {
    for _ in 0..most {
        let Some(message) = ends[from].outgoing.pop_front() else {
            return;
        };
        ends[1 - from].receive(message);
    }
}

fn settle(ends: &mut [End; 2]) {
    for _ in 0..100_000 {
        deliver(ends, 0, 1);
        deliver(ends, 1, 1);
        if ends.iter().all(|end| end.outgoing.is_empty()) {
            ends.iter_mut().for_each(End::acknowledge);
            if ends.iter().all(|end| end.outgoing.is_empty()) {
                return;
            }
        }
    }
    panic!("the streams do not settle");
}

fn value(number: u32) -> Value {
    match number % 7 {
        0 => Value::Bytes {
            kind: "u8".into(),
            bytes: vec![number as u8; (number as usize * 997) % 70_000],
        },
        1 => Value::Json(format!("\"{}\"", "x".repeat(number as usize % 40_000))),
        _ => Value::Json(number.to_string()),
    }
}

#[test]
fn values_arrive_in_order_and_each_is_reported_as_sent_once() {
    let mut ends = [End::new(1), End::new(2)];
    ends[0].send(value(0), 0);
    connect(&mut ends);
    (1..500).for_each(|number| ends[0].send(value(number), number));
    settle(&mut ends);
    assert_eq!(ends[1].received, (0..500).map(value).collect::<Vec<_>>());
    assert_eq!(ends[0].sent_tokens, (0..500).collect::<Vec<_>>());
    assert!(ends[0].stream.sending.sent.is_empty());
    assert_eq!(ends[0].stream.sending.in_flight, 0);
}

#[test]
fn many_sends_cost_linear_work_and_stay_within_the_window() {
    let text = format!("\"{}\"", "x".repeat(98));
    for count in [20_000, 40_000] {
        let mut ends = [End::new(1), End::new(2)];
        connect(&mut ends);
        settle(&mut ends);
        for token in 0..count {
            ends[0].send(Value::Json(text.clone()), token);
        }
        assert!(ends[0].max_in_flight <= MAX_WINDOW);
        assert!(!ends[0].stream.sending.waiting.is_empty());
        settle(&mut ends);
        assert_eq!(ends[1].received.len(), count as usize);
        let most = BUSY + count as usize / FLUSH_THRESHOLD + 1;
        assert!(
            ends[0].steps <= most,
            "most values share a chunk, and each is sent once"
        );
        assert!(ends[0].max_in_flight <= MAX_WINDOW);
    }
}

#[test]
fn impossible_ack_counts_are_refused_and_change_nothing() {
    let mut ends = [End::new(1), End::new(2)];
    let stream = &mut ends[0].stream;
    assert_eq!(
        stream.on_ack(0, None, Millis(0)),
        Err(Broken),
        "before the first greeting"
    );
    connect(&mut ends);
    settle(&mut ends);
    ends[0].send(value(2), 2);
    ends[0].send(value(3), 3);
    let stream = &mut ends[0].stream;
    for count in [3, 64, u64::MAX] {
        assert_eq!(stream.on_ack(count, None, Millis(0)), Err(Broken));
    }
    let again = StreamIds {
        own: 2,
        yours: None,
    };
    assert_eq!(
        stream.on_ack(0, Some(again), Millis(0)),
        Err(Broken),
        "a second greeting"
    );
    assert_eq!(stream.on_ack(1, None, Millis(0)), Ok(Begun::GoesOn));
    assert_eq!(
        stream.on_ack(0, None, Millis(0)),
        Err(Broken),
        "a lower count than before"
    );
    assert_eq!(stream.sending.sent.len(), 1);
    settle(&mut ends);
    assert_eq!(ends[1].received, [value(2), value(3)]);
}

#[test]
fn an_ack_is_due_after_a_number_of_chunks_or_bytes() {
    let mut stream = Stream::new(1);
    for round in 1..4 {
        (0..63).for_each(|_| stream.count(1));
        assert!(!stream.should_acknowledge());
        stream.count(1);
        assert!(stream.should_acknowledge());
        let ack = Ack {
            count: round * 64,
            streams: None,
        };
        assert_eq!(stream.acknowledge(), Some(ack));
        assert_eq!(stream.acknowledge(), None);
    }
    (0..3).for_each(|_| stream.count(MAX_FRAME));
    assert!(!stream.should_acknowledge());
    stream.count(MAX_FRAME);
    assert!(stream.should_acknowledge());
}

#[test]
fn a_forgotten_peer_starts_a_new_stream() {
    let mut ends = [End::new(1), End::new(2)];
    connect(&mut ends);
    settle(&mut ends);
    for number in 0..20 {
        ends[0].send(value(number), number);
        ends[1].send(value(number), number);
    }
    settle(&mut ends);
    ends[0].send(value(2), 90);
    // The other end gives up and forgets the stream while a value of two megabytes is half sent.
    let large = Value::Bytes {
        kind: String::new(),
        bytes: vec![7; 2 * MAX_WINDOW],
    };
    ends[0].send(large, 91);
    ends[0].send(value(3), 92);
    ends[1] = End::new(3);
    connect(&mut ends);
    settle(&mut ends);
    assert_eq!(ends[0].unfinished, [91, 92]);
    assert!(ends[1].unfinished.is_empty());
    ends[0].send(value(4), 93);
    ends[1].send(value(5), 94);
    // Both ends know the other's new stream, and keep counting after the next break.
    connect(&mut ends);
    settle(&mut ends);
    assert_eq!(ends[1].received, [value(4)]);
    assert_eq!(ends[0].received.last(), Some(&value(5)));
    assert_eq!(ends[0].received.len(), 21);
}

#[test]
fn a_lost_greeting_does_not_confuse_the_streams() {
    // The first greeting of one end is lost with the connection several times.
    let mut ends = [End::new(1), End::new(2)];
    for round in 0..3 {
        connect(&mut ends);
        deliver(&mut ends, 0, 1);
        ends[1].send(value(round), round);
        assert!(!ends[0].stream.is_ready());
    }
    connect(&mut ends);
    settle(&mut ends);
    assert_eq!(ends[0].received, (0..3).map(value).collect::<Vec<_>>());

    // One end starts anew, and the greeting of the other end is lost once more.
    ends[1] = End::new(3);
    connect(&mut ends);
    deliver(&mut ends, 0, 1);
    connect(&mut ends);
    ends[0].received.clear();
    ends[1].send(value(8), 8);
    ends[0].send(value(9), 9);
    settle(&mut ends);
    assert_eq!(ends[0].received, [value(8)]);
    assert_eq!(ends[0].unfinished, [9]);
}

#[derive(Debug, Clone)]
enum Step {
    Send(usize, u32),
    Deliver(usize, usize),
    Acknowledge(usize),
    Break,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2usize, any::<u32>()).prop_map(|(end, value)| Step::Send(end, value % 100_000)),
        6 => (0..2usize, 0..40usize).prop_map(|(end, most)| Step::Deliver(end, most)),
        1 => (0..2usize).prop_map(Step::Acknowledge),
        1 => Just(Step::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_arrive_once_and_in_order_wherever_the_connection_breaks(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut ends = [End::new(1), End::new(2)];
        let mut values_sent = [Vec::new(), Vec::new()];
        connect(&mut ends);
        for step in steps {
            match step {
                Step::Send(end, number) => {
                    let token = values_sent[end].len() as u32;
                    values_sent[end].push(value(number));
                    ends[end].send(value(number), token);
                }
                Step::Deliver(from, most) => deliver(&mut ends, from, most),
                Step::Acknowledge(end) => if ends[end].stream.is_ready() { ends[end].acknowledge() },
                Step::Break => connect(&mut ends),
            }
        }
        connect(&mut ends);
        settle(&mut ends);
        for (end, values_sent) in values_sent.iter().enumerate() {
            prop_assert_eq!(&ends[1 - end].received, values_sent);
            prop_assert_eq!(&ends[end].sent_tokens, &(0..values_sent.len() as u32).collect::<Vec<_>>());
            prop_assert_eq!(&ends[end].unfinished, &Vec::<u32>::new());
            prop_assert!(ends[end].max_in_flight <= MAX_WINDOW);
        }
    }
}
