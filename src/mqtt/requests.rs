//! The bounded queue between the client's handles and the event loop.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mqttbytes::v4::{Publish, Subscribe, Unsubscribe};

use super::error::ClientError;

/// How many bytes may wait in the queue, whatever the number of requests.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// The longest topic or filter, in bytes (MQTT 3.1.1 section 1.5.3).
const MAX_TOPIC: usize = 65_535;

/// What a client asks of the broker.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Publish a message. Its packet identifier is chosen by the session.
    Publish(Publish),
    /// Subscribe to topics. Its packet identifier is chosen by the session.
    Subscribe(Subscribe),
    /// Undo subscriptions. Its packet identifier is chosen by the session.
    Unsubscribe(Unsubscribe),
    /// Say farewell and close.
    Disconnect,
}

impl Request {
    /// The packet's size in bytes, without the fixed header.
    fn size(&self) -> usize {
        match self {
            Request::Publish(publish) => 2 + publish.topic.len() + 2 + publish.payload.len(),
            Request::Subscribe(subscribe) => subscribe.len(),
            Request::Unsubscribe(unsubscribe) => {
                2 + unsubscribe
                    .topics
                    .iter()
                    .map(|topic| 2 + topic.len())
                    .sum::<usize>()
            }
            Request::Disconnect => 0,
        }
    }

    /// Whether MQTT can say it, within `limit` bytes.
    fn check(&self, limit: usize) -> Result<(), ClientError> {
        match self {
            Request::Publish(publish) if !is_topic(&publish.topic) => {
                return Err(ClientError::InvalidTopic);
            }
            Request::Subscribe(subscribe)
                if subscribe.filters.is_empty()
                    || !subscribe
                        .filters
                        .iter()
                        .all(|filter| is_filter(&filter.path)) =>
            {
                return Err(ClientError::InvalidFilter);
            }
            Request::Unsubscribe(unsubscribe)
                if unsubscribe.topics.is_empty()
                    || !unsubscribe.topics.iter().all(|topic| is_filter(topic)) =>
            {
                return Err(ClientError::InvalidFilter);
            }
            _ => {}
        }
        let size = self.size();
        if size > limit {
            Err(ClientError::TooLarge { size, limit })
        } else {
            Ok(())
        }
    }
}

/// Whether `topic` can be published to: neither empty nor too long, no wildcard, no zero (MQTT 3.1.1 section 4.7).
pub(super) fn is_topic(topic: &str) -> bool {
    (1..=MAX_TOPIC).contains(&topic.len()) && !topic.contains(['+', '#', '\0'])
}

/// Whether `filter` can be subscribed to: wildcards fill a level, and `#` only the last (MQTT 3.1.1 section 4.7.1).
fn is_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let wildcard_alone = |level: &str| level == "+" || !level.contains(['+', '#']);
    (1..=MAX_TOPIC).contains(&filter.len())
        && !filter.contains('\0')
        && (last == "#" || wildcard_alone(last))
        && levels.all(wildcard_alone)
}

/// The queue, shared by all handles and one event loop.
#[derive(Debug)]
pub(super) struct Requests {
    capacity: usize,
    max_size: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Request>,
    bytes: usize,
    retry_now: bool,
    closed: bool,
    /// The event loop.
    consumer: Option<Waker>,
    /// Handles that wait for room.
    producers: Vec<Waker>,
}

impl Requests {
    /// Room for `capacity` requests (at least one), each of at most `max_size` bytes.
    pub(super) fn new(capacity: usize, max_size: usize) -> Requests {
        Requests {
            capacity: capacity.max(1),
            max_size,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock; if it did, the queue would still be whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `request`, or says why not.
    pub(super) fn try_push(&self, request: Request) -> Result<(), ClientError> {
        request.check(self.max_size)?;
        let consumer = {
            let mut inner = self.lock();
            self.push_locked(&mut inner, request)
                .map_err(|(_, error)| error)?;
            inner.consumer.take()
        };
        wake(consumer);
        Ok(())
    }

    /// Adds `request` as soon as there is room.
    pub(super) async fn push(&self, request: Request) -> Result<(), ClientError> {
        request.check(self.max_size)?;
        let mut request = Some(request);
        poll_fn(|cx| {
            let Some(next) = request.take() else {
                return Poll::Ready(Ok(()));
            };
            let mut inner = self.lock();
            match self.push_locked(&mut inner, next) {
                Ok(()) => {
                    let consumer = inner.consumer.take();
                    drop(inner);
                    wake(consumer);
                    Poll::Ready(Ok(()))
                }
                Err((refused, ClientError::Full)) => {
                    request = Some(refused);
                    if !inner
                        .producers
                        .iter()
                        .any(|waker| waker.will_wake(cx.waker()))
                    {
                        inner.producers.push(cx.waker().clone());
                    }
                    Poll::Pending
                }
                Err((_, error)) => Poll::Ready(Err(error)),
            }
        })
        .await
    }

    fn push_locked(
        &self,
        inner: &mut Inner,
        request: Request,
    ) -> Result<(), (Request, ClientError)> {
        if inner.closed {
            return Err((request, ClientError::Closed));
        }
        let bytes = inner.bytes + request.size();
        // A single request always fits, or a large limit on packets would make its handle wait for ever.
        let too_much = bytes > MAX_QUEUED_BYTES && !inner.waiting.is_empty();
        if inner.waiting.len() >= self.capacity || too_much {
            return Err((request, ClientError::Full));
        }
        inner.bytes = bytes;
        inner.waiting.push_back(request);
        Ok(())
    }

    /// Takes the oldest request.
    pub(super) fn pop(&self) -> Option<Request> {
        let (request, producers) = {
            let mut inner = self.lock();
            let request = inner.waiting.pop_front()?;
            inner.bytes -= request.size();
            (request, core::mem::take(&mut inner.producers))
        };
        producers.into_iter().for_each(Waker::wake);
        Some(request)
    }

    /// Drops all requests.
    pub(super) fn clear(&self) {
        let producers = {
            let mut inner = self.lock();
            inner.waiting.clear();
            inner.bytes = 0;
            core::mem::take(&mut inner.producers)
        };
        producers.into_iter().for_each(Waker::wake);
    }

    /// Whether a farewell is among the requests.
    pub(super) fn has_disconnect(&self) -> bool {
        self.lock().waiting.contains(&Request::Disconnect)
    }

    /// Asks the event loop to go on at once.
    pub(super) fn retry_now(&self) {
        let consumer = {
            let mut inner = self.lock();
            inner.retry_now = true;
            inner.consumer.take()
        };
        wake(consumer);
    }

    /// Whether the event loop has been asked to go on at once, since this was asked last.
    pub(super) fn take_retry_now(&self) -> bool {
        core::mem::take(&mut self.lock().retry_now)
    }

    /// Has the event loop woken by the next request.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.lock().consumer = Some(cx.waker().clone());
    }

    /// Refuses requests from now on: there is no event loop to take them.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.clear();
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use mqttbytes::QoS;

    use super::*;

    fn message(bytes: usize) -> Request {
        Request::Publish(Publish::new("t", QoS::AtMostOnce, vec![0; bytes]))
    }

    #[test]
    fn the_queue_is_bounded_in_number_and_bytes() {
        let requests = Requests::new(3, 2 * MAX_QUEUED_BYTES);
        for _ in 0..3 {
            requests.try_push(message(1)).unwrap();
        }
        assert_eq!(requests.try_push(message(1)), Err(ClientError::Full));
        requests.clear();
        requests.try_push(message(MAX_QUEUED_BYTES + 1)).unwrap();
        assert_eq!(requests.try_push(message(1)), Err(ClientError::Full));
        assert!(requests.pop().is_some());
        for _ in 0..3 {
            requests.try_push(message(MAX_QUEUED_BYTES / 3)).unwrap();
            requests.try_push(message(MAX_QUEUED_BYTES / 3)).unwrap();
            assert!(requests.pop().is_some() && requests.pop().is_some());
        }
        assert_eq!(
            requests
                .try_push(message(2 * MAX_QUEUED_BYTES))
                .map_err(|error| error.to_string()),
            Err(
                "The message of 2097157 bytes is larger than the 2097152 that may be sent."
                    .to_owned()
            )
        );
        requests.close();
        assert_eq!(requests.try_push(message(1)), Err(ClientError::Closed));
    }

    #[test]
    fn topics_and_filters() {
        assert!(is_topic("a/b") && is_topic("/") && is_topic("é"));
        assert!(
            !is_topic("")
                && !is_topic("a/+")
                && !is_topic("#")
                && !is_topic("a\0")
                && !is_topic(&"x".repeat(65_536))
        );
        assert!(
            is_filter("#")
                && is_filter("+")
                && is_filter("a/+/b/#")
                && is_filter("/")
                && is_filter("a")
        );
        assert!(
            !is_filter("")
                && !is_filter("a#")
                && !is_filter("#/a")
                && !is_filter("a+/b")
                && !is_filter("\0")
        );
    }
}
