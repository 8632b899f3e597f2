//! What is put, found, and deleted.

use futures_util::future::join;
use rtchat::history::{Key, Record};
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

/// `MAX_PAGE` of `embed/store/records.ts`.
const MAX_PAGE: u32 = 256;

#[wasm_bindgen_test]
async fn records_are_found_in_order_and_in_pages() {
    let store = empty().await;
    let mut put = records(BEN, [3, 256, 1, 65_536, 2]);
    put.extend(records(ALICE, [9, 8]));
    store.put(&ROOM, &put).await.unwrap();
    store.put(&OTHER_ROOM, &records(ALICE, [4])).await.unwrap();

    let first = store.newest(&ROOM, BEN, None, 2).await.unwrap();
    assert_eq!(clocks(&first.items), [65_536, 256]);
    assert_eq!(first.items[1], record(BEN, 256));
    let before = first.next.map(|key| key.position);
    assert_eq!(before, Some(position(256)));
    let second = store.newest(&ROOM, BEN, before, 2).await.unwrap();
    assert_eq!(clocks(&second.items), [3, 2]);
    let before = second.next.map(|key| key.position);
    let last = store.newest(&ROOM, BEN, before, 2).await.unwrap();
    assert_eq!((clocks(&last.items), last.next), (vec![1], None));
    let all = store.newest(&ROOM, BEN, None, 99).await.unwrap();
    assert_eq!(
        (clocks(&all.items), all.next),
        (vec![65_536, 256, 3, 2, 1], None)
    );
    let one = store.newest(&ROOM, BEN, None, 1).await.unwrap();
    assert_eq!(clocks(&one.items), [65_536]);
    let none = store.newest(&ROOM, BEN, Some(position(0)), 9).await;
    assert_eq!(none.unwrap().items, []);

    for limit in [1, 2, 7, 99] {
        let all = read_all(&store, &ROOM, limit).await.unwrap();
        assert_eq!(clocks(&all), [8, 9, 1, 2, 3, 256, 65_536]);
    }
    let one = store.get(&ROOM, key(BEN, 256)).await.unwrap();
    assert_eq!(one, Some(record(BEN, 256)));
    assert_eq!(store.get(&ROOM, key(ALICE, 256)).await.unwrap(), None);
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 2), (BEN, 5)]);
    let other = store.conversations(&OTHER_ROOM).await.unwrap();
    assert_eq!(other, [ALICE]);
    let none = store.conversations(&RoomId([255; 32])).await.unwrap();
    assert_eq!(none, []);
}

#[wasm_bindgen_test]
async fn the_last_of_all_keys_are_found_as_well() {
    let store = empty().await;
    let (room, conversation) = (RoomId([255; 32]), ConversationId([255; 16]));
    let put = records(conversation, [u64::MAX, 1, 2]);
    store.put(&room, &put).await.unwrap();
    let newest = store.newest(&room, conversation, None, 2).await.unwrap();
    assert_eq!(clocks(&newest.items), [u64::MAX, 2]);
    let before = newest.next.map(|key| key.position);
    let rest = store.newest(&room, conversation, before, 2).await.unwrap();
    assert_eq!((clocks(&rest.items), rest.next), (vec![1], None));
    assert_eq!(counts(&store, &room).await, [(conversation, 3)]);
    store.delete_room(&room).await.unwrap();
    assert_eq!(store.conversations(&room).await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn a_page_has_a_limit_of_its_own() {
    let store = empty().await;
    let many = u64::from(MAX_PAGE) + 5;
    store.put(&ROOM, &records(ALICE, 0..many)).await.unwrap();
    let page = store.newest(&ROOM, ALICE, None, u32::MAX).await.unwrap();
    assert_eq!(page.items.len(), MAX_PAGE as usize);
    let before = page.next.map(|key| key.position);
    let rest = store.newest(&ROOM, ALICE, before, u32::MAX).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (5, None));
}

#[wasm_bindgen_test]
async fn what_is_put_twice_or_by_two_tabs_is_there_once() {
    let (one, other) = (empty().await, kept().await);
    let put = records(ALICE, 0..100);
    let (first, second) = join(one.put(&ROOM, &put), other.put(&ROOM, &put)).await;
    first.and(second).unwrap();
    one.put(&ROOM, &put).await.unwrap();
    assert_eq!(counts(&one, &ROOM).await, [(ALICE, 100)]);
    // The body of an entry may go while the rest stays.
    let shorter = Record {
        bytes: vec![1],
        ..record(ALICE, 50)
    };
    other
        .put(&ROOM, std::slice::from_ref(&shorter))
        .await
        .unwrap();
    assert_eq!(counts(&other, &ROOM).await, [(ALICE, 100)]);
    let page = one.newest(&ROOM, ALICE, Some(position(51)), 1).await;
    assert_eq!(page.unwrap().items, [shorter]);
    // What is added takes nothing's place, and the others of the same writing are stored.
    let some = records(ALICE, 49..102);
    other.add(&ROOM, &some).await.unwrap();
    let page = one.newest(&ROOM, ALICE, Some(position(51)), 1).await;
    assert_eq!(page.unwrap().items[0].bytes, [1]);
    assert_eq!(counts(&one, &ROOM).await, [(ALICE, 102)]);
}

#[wasm_bindgen_test]
async fn what_was_put_is_there_when_the_page_ends_at_once() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..50)).await.unwrap();
    drop(store);
    assert_eq!(read_all(&kept().await, &ROOM, 99).await.unwrap().len(), 50);
}

#[wasm_bindgen_test]
async fn deleting_leaves_everything_else() {
    let store = empty().await;
    let everything = [records(ALICE, 0..3), records(BEN, 0..3)].concat();
    for room in [ROOM, OTHER_ROOM] {
        store.put(&room, &everything).await.unwrap();
        store.put_state(&room, "draft", b"Hello").await.unwrap();
    }
    let gone: [Key; 3] = [key(ALICE, 0), key(BEN, 2), key(BEN, 9)];
    store.delete(&ROOM, &gone).await.unwrap();
    let left = read_all(&store, &ROOM, 9).await.unwrap();
    assert_eq!(clocks(&left), [1, 2, 0, 1]);
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 2), (BEN, 2)]);
    store.delete_conversation(&ROOM, ALICE).await.unwrap();
    assert_eq!(counts(&store, &ROOM).await, [(BEN, 2)]);
    store.delete_room(&ROOM).await.unwrap();
    assert_eq!(store.conversations(&ROOM).await.unwrap(), []);
    assert_eq!(store.get_state(&ROOM, "draft").await.unwrap(), None);
    assert_eq!(read_all(&store, &OTHER_ROOM, 9).await.unwrap(), everything);
    let draft = store.get_state(&OTHER_ROOM, "draft").await.unwrap();
    assert_eq!(draft.as_deref(), Some(&b"Hello"[..]));
}

#[wasm_bindgen_test]
async fn small_values_belong_to_a_room_and_a_name() {
    let store = empty().await;
    assert_eq!(store.get_state(&ROOM, "draft").await.unwrap(), None);
    store.put_state(&ROOM, "draft", b"Hell").await.unwrap();
    store.put_state(&ROOM, "draft", b"Hello").await.unwrap();
    store.put_state(&ROOM, "draft of ben", b"").await.unwrap();
    let draft = store.get_state(&ROOM, "draft").await.unwrap();
    assert_eq!(draft.as_deref(), Some(&b"Hello"[..]));
    let nothing = store.get_state(&ROOM, "draft of ben").await.unwrap();
    assert_eq!(nothing.as_deref(), Some(&b""[..]));
    assert_eq!(store.get_state(&OTHER_ROOM, "draft").await.unwrap(), None);
}

#[wasm_bindgen_test]
async fn other_tabs_are_told_what_was_written() {
    let (writer, reader) = (empty().await, kept().await);
    let (own, heard) = (Heard::new(), Heard::new());
    writer.on_change(own.callback());
    reader.on_change(heard.callback());
    let put = [records(ALICE, [1, 2]), records(BEN, [3])].concat();
    writer.put(&ROOM, &put).await.unwrap();
    writer.delete(&ROOM, &[key(ALICE, 2)]).await.unwrap();
    writer.put_state(&ROOM, "read", b"1").await.unwrap();
    writer.delete_conversation(&ROOM, BEN).await.unwrap();
    writer.delete_room(&ROOM).await.unwrap();
    let expected = [
        Change::Put(vec![key(ALICE, 1), key(ALICE, 2)]),
        Change::Put(vec![key(BEN, 3)]),
        Change::Deleted(vec![key(ALICE, 2)]),
        Change::State("read".to_owned()),
        Change::ConversationDeleted(BEN),
        Change::RoomDeleted,
    ];
    assert_eq!(heard.wait(expected.len()).await, expected);
    // Messages of other scripts are skipped, and the writer hears of the others only.
    js(
        "const channel = new BroadcastChannel('rtchat/1/history'); channel.postMessage('hello'); \
        channel.postMessage(new Uint8Array(50)); channel.close();",
    )
    .await;
    reader.put(&ROOM, &records(ALICE, [7])).await.unwrap();
    assert_eq!(own.wait(1).await, [Change::Put(vec![key(ALICE, 7)])]);
    writer.put(&ROOM, &records(ALICE, [8])).await.unwrap();
    assert_eq!(heard.wait(1).await, [Change::Put(vec![key(ALICE, 8)])]);
}

#[wasm_bindgen_test]
async fn without_a_channel_everything_else_works() {
    fresh().await;
    js("window.found = BroadcastChannel; delete window.BroadcastChannel").await;
    let store = kept().await;
    js("window.BroadcastChannel = window.found").await;
    store.on_change(|_| ());
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    assert_eq!(counts(&store, &ROOM).await, [(ALICE, 3)]);
}
