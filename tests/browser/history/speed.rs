//! A long history makes nobody wait.

use js_sys::{Date, Reflect};
use rtchat::history::{Head, Limits, surplus};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use super::*;

/// The size of a long history.
const MANY: u64 = 10_000;

/// The longest time for which the page may stand still, in milliseconds.
const LONGEST_TASK: f64 = 50.0;

/// How often a step may take longer because the machine does something else.
const ATTEMPTS: usize = 8;

/// Does something some times until no task of it was too long, and prints how long it took. A step that is too slow is
/// too slow each time.
async fn timed<T>(what: &str, step: impl AsyncFn() -> T) -> T {
    let mut longest = Vec::new();
    for _ in 0..ATTEMPTS {
        js("window.longest = 0; let last = performance.now(); const { port1, port2 } = new MessageChannel(); \
            window.stop = () => port1.close(); \
            port1.onmessage = () => { const now = performance.now(); \
                window.longest = Math.max(window.longest, now - last); last = now; port2.postMessage(0); }; \
            port2.postMessage(0); await new Promise((done) => setTimeout(done));")
        .await;
        let start = Date::now();
        let done = step().await;
        let took = Date::now() - start;
        // The last task is over when another one has begun.
        js("await new Promise((done) => setTimeout(done)); stop()").await;
        let window = web_sys::window().unwrap();
        let task = Reflect::get(&window, &"longest".into()).unwrap();
        let task = task.as_f64().unwrap();
        if task < LONGEST_TASK {
            console_log!("{what}: {took} ms, longest task {task:.0} ms");
            return done;
        }
        longest.push(task);
    }
    panic!("{what} makes the page stand still, for so many ms: {longest:?}");
}

#[wasm_bindgen_test]
async fn ten_thousand_records_make_nobody_wait() {
    let store = empty().await;
    let all: Vec<Record> = (0..MANY)
        .map(|clock| Record {
            position: Position {
                clock: Clock(clock),
                id: StatementId([clock.to_le_bytes()[1]; 32]),
            },
            bytes: vec![b'x'; 300],
            ..record(if clock % 2 == 0 { ALICE } else { BEN }, clock)
        })
        .collect();
    timed("putting 10,000 records, 100 at once", async || {
        for some in all.chunks(100) {
            store.put(&ROOM, some).await.unwrap();
        }
    })
    .await;
    drop(store);
    let newest = timed("opening, and the newest 200", async || {
        kept().await.newest(&ROOM, BEN, None, 200).await.unwrap()
    })
    .await;
    assert_eq!(newest.items.len(), 200);
    assert_eq!(newest.items[199].position.clock.0, MANY - 399);
    let store = kept().await;
    let read = timed("reading all of them, in pages", async || {
        super::read_all(&store, &ROOM, u32::MAX).await.unwrap()
    })
    .await;
    assert_eq!(read.len(), all.len());
    let heads: Vec<Head> = read.iter().map(Record::head).collect();
    let limits = Limits {
        messages: MANY / 2,
        ..Limits::default()
    };
    let gone = timed("finding the surplus", async || {
        surplus(&heads, limits, |_| true)
    })
    .await;
    assert_eq!(gone.len(), all.len() / 2);
    timed("deleting 5,000 records, 100 at once", async || {
        for some in gone.chunks(100) {
            store.delete(&ROOM, some).await.unwrap();
        }
    })
    .await;
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 2_500), (BEN, 2_500)]);
}
