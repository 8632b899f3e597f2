use proptest::prelude::*;

use super::*;
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
    way: VecDeque<Message>,
    taken: Vec<u32>,
    unfinished: Vec<u32>,
    came: Vec<Value>,
    /// The most bytes that were ever in flight.
    most: usize,
    steps: usize,
}

impl End {
    fn new(own: u32) -> End {
        End {
            stream: Stream::new(own),
            way: VecDeque::new(),
            taken: Vec::new(),
            unfinished: Vec::new(),
            came: Vec::new(),
            most: 0,
            steps: 0,
        }
    }

    fn send(&mut self, value: Value, token: u32) {
        let outbound = OutboundMessage::value(Purpose::Data, value).unwrap();
        self.stream.push(outbound, Some(token));
        self.pump();
    }

    fn pump(&mut self) {
        while let Some((chunk, taken)) = self.stream.next() {
            self.steps += 1;
            self.way.push_back(Message::Chunk(chunk));
            self.taken.extend(taken);
        }
        self.most = self.most.max(self.stream.sending.in_flight);
    }

    fn begin(&mut self) {
        self.way.clear();
        let greeting = self.stream.begin();
        self.say(Some(greeting));
    }

    fn say(&mut self, frame: Option<Ack>) {
        if let Some(Ack { count, streams }) = frame {
            self.way.push_back(Message::Ack(count, streams));
        }
    }

    fn acknowledge(&mut self) {
        let frame = self.stream.acknowledge();
        self.say(frame);
    }

    fn keep(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Value(_, value) => self.came.push(value),
            other => panic!("{other:?}"),
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Ack(count, streams) => {
                if let Begun::Anew(unfinished) = self.stream.on_ack(count, streams).unwrap() {
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
                    Some(Arrived::Several(all)) => all.into_iter().for_each(|one| self.keep(one)),
                    arrived => arrived.into_iter().for_each(|one| self.keep(one)),
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
        let Some(message) = ends[from].way.pop_front() else {
            return;
        };
        ends[1 - from].take(message);
    }
}

fn settle(ends: &mut [End; 2]) {
    for _ in 0..100_000 {
        deliver(ends, 0, 1);
        deliver(ends, 1, 1);
        if ends.iter().all(|end| end.way.is_empty()) {
            ends.iter_mut().for_each(End::acknowledge);
            if ends.iter().all(|end| end.way.is_empty()) {
                return;
            }
        }
    }
    panic!("it does not come to rest");
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
    assert_eq!(ends[1].came, (0..500).map(value).collect::<Vec<_>>());
    assert_eq!(ends[0].taken, (0..500).collect::<Vec<_>>());
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
        assert!(ends[0].most <= WINDOW);
        assert!(!ends[0].stream.sending.waiting.is_empty());
        settle(&mut ends);
        assert_eq!(ends[1].came.len(), count as usize);
        let most = BUSY + count as usize / FLUSH_THRESHOLD + 1;
        assert!(ends[0].steps <= most, "most go with others, and each once");
        assert!(ends[0].most <= WINDOW);
    }
}

#[test]
fn impossible_ack_counts_are_refused_and_change_nothing() {
    let mut ends = [End::new(1), End::new(2)];
    let stream = &mut ends[0].stream;
    assert_eq!(stream.on_ack(0, None), Err(Broken), "before the first");
    connect(&mut ends);
    settle(&mut ends);
    ends[0].send(value(2), 2);
    ends[0].send(value(3), 3);
    let stream = &mut ends[0].stream;
    for count in [3, 64, u64::MAX] {
        assert_eq!(stream.on_ack(count, None), Err(Broken));
    }
    let again = StreamIds {
        own: 2,
        yours: None,
    };
    assert_eq!(stream.on_ack(0, Some(again)), Err(Broken), "a second first");
    assert_eq!(stream.on_ack(1, None), Ok(Begun::GoesOn));
    assert_eq!(stream.on_ack(0, None), Err(Broken), "less than before");
    assert_eq!(stream.sending.sent.len(), 1);
    settle(&mut ends);
    assert_eq!(ends[1].came, [value(2), value(3)]);
}

#[test]
fn an_ack_is_due_after_a_number_of_chunks_or_bytes() {
    let mut stream = Stream::new(1);
    for round in 1..4 {
        (0..63).for_each(|_| stream.count(1));
        assert!(!stream.should_acknowledge());
        stream.count(1);
        assert!(stream.should_acknowledge());
        let told = Ack {
            count: round * 64,
            streams: None,
        };
        assert_eq!(stream.acknowledge(), Some(told));
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
        bytes: vec![7; 2 * WINDOW],
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
    assert_eq!(ends[1].came, [value(4)]);
    assert_eq!(ends[0].came.last(), Some(&value(5)));
    assert_eq!(ends[0].came.len(), 21);
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
    assert_eq!(ends[0].came, (0..3).map(value).collect::<Vec<_>>());

    // One end starts anew, and the greeting of the other end is lost once more.
    ends[1] = End::new(3);
    connect(&mut ends);
    deliver(&mut ends, 0, 1);
    connect(&mut ends);
    ends[0].came.clear();
    ends[1].send(value(8), 8);
    ends[0].send(value(9), 9);
    settle(&mut ends);
    assert_eq!(ends[0].came, [value(8)]);
    assert_eq!(ends[0].unfinished, [9]);
}

#[derive(Debug, Clone)]
enum Happening {
    Send(usize, u32),
    Deliver(usize, usize),
    Tell(usize),
    Break,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..2usize, any::<u32>()).prop_map(|(end, value)| Happening::Send(end, value % 100_000)),
        6 => (0..2usize, 0..40usize).prop_map(|(end, most)| Happening::Deliver(end, most)),
        1 => (0..2usize).prop_map(Happening::Tell),
        1 => Just(Happening::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_arrive_once_and_in_order_wherever_the_connection_breaks(
        happenings in proptest::collection::vec(happening(), 0..120),
    ) {
        let mut ends = [End::new(1), End::new(2)];
        let mut said = [Vec::new(), Vec::new()];
        connect(&mut ends);
        for happening in happenings {
            match happening {
                Happening::Send(end, number) => {
                    let token = said[end].len() as u32;
                    said[end].push(value(number));
                    ends[end].send(value(number), token);
                }
                Happening::Deliver(from, most) => deliver(&mut ends, from, most),
                Happening::Tell(end) => if ends[end].stream.is_ready() { ends[end].acknowledge() },
                Happening::Break => connect(&mut ends),
            }
        }
        connect(&mut ends);
        settle(&mut ends);
        for (end, said) in said.iter().enumerate() {
            prop_assert_eq!(&ends[1 - end].came, said);
            prop_assert_eq!(&ends[end].taken, &(0..said.len() as u32).collect::<Vec<_>>());
            prop_assert_eq!(&ends[end].unfinished, &Vec::<u32>::new());
            prop_assert!(ends[end].most <= WINDOW);
        }
    }
}
