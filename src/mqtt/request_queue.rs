//! The bounded queue between client handles and event loop.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mqttbytes::v4::{Publish, Subscribe, Unsubscribe};

use super::error::ClientError;

/// At most this many bytes wait in the queue, except for a single larger request.
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// The length limit of a topic or filter in bytes (MQTT 3.1.1 section 1.5.3).
const MAX_TOPIC: usize = 65_535;

/// A request of the client to the broker.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Publish a message. The session chooses the packet identifier.
    Publish(Publish),
    /// Subscribe to topics. The session chooses the packet identifier.
    Subscribe(Subscribe),
    /// Unsubscribe from topics. The session chooses the packet identifier.
    Unsubscribe(Unsubscribe),
    /// Send DISCONNECT and close the connection.
    Disconnect,
}

impl Request {
    /// The size of the packet in bytes, without the fixed header.
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

    /// Checks that the request is valid, and that its packet has at most `limit` bytes.
    fn check(&self, limit: usize) -> Result<(), ClientError> {
        match self {
            Request::Publish(publish) if !is_valid_topic(&publish.topic) => {
                return Err(ClientError::InvalidTopic);
            }
            Request::Subscribe(subscribe)
                if subscribe.filters.is_empty()
                    || !subscribe
                        .filters
                        .iter()
                        .all(|filter| is_valid_filter(&filter.path)) =>
            {
                return Err(ClientError::InvalidFilter);
            }
            Request::Unsubscribe(unsubscribe)
                if unsubscribe.topics.is_empty()
                    || !unsubscribe
                        .topics
                        .iter()
                        .all(|topic| is_valid_filter(topic)) =>
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

/// Whether `topic` is valid: neither empty nor too long, without wildcards and null characters (MQTT 3.1.1 section 4.7).
pub(super) fn is_valid_topic(topic: &str) -> bool {
    (1..=MAX_TOPIC).contains(&topic.len()) && !topic.contains(['+', '#', '\0'])
}

/// Whether `filter` is valid: a wildcard must be a level of its own, and `#` the last level (MQTT 3.1.1 section 4.7.1).
fn is_valid_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let wildcard_alone = |level: &str| level == "+" || !level.contains(['+', '#']);
    (1..=MAX_TOPIC).contains(&filter.len())
        && !filter.contains('\0')
        && (last == "#" || wildcard_alone(last))
        && levels.all(wildcard_alone)
}

/// The queue, shared by all client handles and one event loop.
#[derive(Debug)]
pub(super) struct RequestQueue {
    capacity: usize,
    max_size: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Request>,
    bytes: usize,
    retry_now: bool,
    test: bool,
    closed: bool,
    /// Wakes the event loop.
    consumer: Option<Waker>,
    /// Wake the handles that wait for room.
    producers: Vec<Waker>,
}

impl RequestQueue {
    /// A queue of at most `capacity` requests (at least one), each with at most `max_size` bytes.
    pub(super) fn new(capacity: usize, max_size: usize) -> RequestQueue {
        RequestQueue {
            capacity: capacity.max(1),
            max_size,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock. If it did, the queue would still be consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `request` if there is room.
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
        // A single request always fits. Otherwise one above the limit would wait for ever.
        let too_much = bytes > MAX_QUEUED_BYTES && !inner.waiting.is_empty();
        if inner.waiting.len() >= self.capacity || too_much {
            return Err((request, ClientError::Full));
        }
        inner.bytes = bytes;
        inner.waiting.push_back(request);
        Ok(())
    }

    /// Removes and returns the oldest request.
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

    /// Removes all requests.
    pub(super) fn clear(&self) {
        let producers = {
            let mut inner = self.lock();
            inner.waiting.clear();
            inner.bytes = 0;
            core::mem::take(&mut inner.producers)
        };
        producers.into_iter().for_each(Waker::wake);
    }

    /// Whether the queue contains a DISCONNECT request.
    pub(super) fn has_disconnect(&self) -> bool {
        self.lock().waiting.contains(&Request::Disconnect)
    }

    /// Asks the event loop to end its pause.
    pub(super) fn retry_now(&self) {
        let consumer = {
            let mut inner = self.lock();
            inner.retry_now = true;
            inner.consumer.take()
        };
        wake(consumer);
    }

    /// Asks the event loop to test its connection.
    pub(super) fn test(&self) {
        let consumer = {
            let mut inner = self.lock();
            inner.test = true;
            inner.consumer.take()
        };
        wake(consumer);
    }

    /// Whether [`test`](RequestQueue::test) was called since the last call of this method.
    pub(super) fn take_test(&self) -> bool {
        core::mem::take(&mut self.lock().test)
    }

    /// Whether [`retry_now`](RequestQueue::retry_now) was called since the last call of this method.
    pub(super) fn take_retry_now(&self) -> bool {
        core::mem::take(&mut self.lock().retry_now)
    }

    /// Registers the event loop to be woken by the next request.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.lock().consumer = Some(cx.waker().clone());
    }

    /// Refuses further requests, because the event loop has been dropped.
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
    fn queue_is_bounded_in_requests_and_bytes() {
        let requests = RequestQueue::new(3, 2 * MAX_QUEUED_BYTES);
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
    fn topics_and_filters_are_validated() {
        assert!(is_valid_topic("a/b") && is_valid_topic("/") && is_valid_topic("é"));
        assert!(
            !is_valid_topic("")
                && !is_valid_topic("a/+")
                && !is_valid_topic("#")
                && !is_valid_topic("a\0")
                && !is_valid_topic(&"x".repeat(65_536))
        );
        assert!(
            is_valid_filter("#")
                && is_valid_filter("+")
                && is_valid_filter("a/+/b/#")
                && is_valid_filter("/")
                && is_valid_filter("a")
        );
        assert!(
            !is_valid_filter("")
                && !is_valid_filter("a#")
                && !is_valid_filter("#/a")
                && !is_valid_filter("a+/b")
                && !is_valid_filter("\0")
        );
    }
}
