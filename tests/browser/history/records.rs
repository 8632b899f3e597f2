//! What is put, found, and deleted.

use futures_util::future::join;
use rtchat::history::web::{MAX_PAGE, Store};
use rtchat::history::{Change, Key, Mode, Record};
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

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
    let none = store.newest(&ROOM, BEN, None, 0).await.unwrap();
    assert_eq!((none.items, none.next), (vec![], None));

    for limit in [1, 2, 7, 99] {
        let all = scanned(&store, &ROOM, limit).await.unwrap();
        assert_eq!(clocks(&all), [8, 9, 1, 2, 3, 256, 65_536]);
    }
    let heads = store.scan_heads(&ROOM, Some(key(ALICE, 9)), 2).await;
    let heads = heads.unwrap();
    let expected = [1, 2].map(|clock| record(BEN, clock).head());
    assert_eq!(heads.items, expected);
    assert_eq!(heads.next, Some(key(BEN, 2)));

    let conversations = store.conversations(&ROOM).await.unwrap();
    assert_eq!(conversations, [(ALICE, 2), (BEN, 5)]);
    store
        .put_state(&RoomId([255; 32]), "draft", b"x")
        .await
        .unwrap();
    let rooms = store.rooms().await.unwrap();
    assert_eq!(rooms, [ROOM, OTHER_ROOM, RoomId([255; 32])]);
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
    assert_eq!(scanned(&store, &room, 2).await.unwrap().len(), 3);
    let conversations = store.conversations(&room).await.unwrap();
    assert_eq!(conversations, [(conversation, 3)]);
    store.delete_room(&room).await.unwrap();
    assert_eq!(store.rooms().await.unwrap(), []);
}

#[wasm_bindgen_test]
async fn a_page_has_a_limit_of_its_own() {
    let store = empty().await;
    let many = u64::from(MAX_PAGE) + 5;
    store.put(&ROOM, &records(ALICE, 0..many)).await.unwrap();
    let page = store.scan(&ROOM, None, u32::MAX).await.unwrap();
    assert_eq!(page.items.len(), MAX_PAGE as usize);
    let rest = store.scan(&ROOM, page.next, u32::MAX).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (5, None));
}

#[wasm_bindgen_test]
async fn what_is_put_twice_or_by_two_tabs_is_there_once() {
    let (one, other) = (empty().await, kept().await);
    let put = records(ALICE, 0..100);
    let (first, second) = join(one.put(&ROOM, &put), other.put(&ROOM, &put)).await;
    first.and(second).unwrap();
    one.put(&ROOM, &put).await.unwrap();
    assert_eq!(one.conversations(&ROOM).await.unwrap(), [(ALICE, 100)]);
    // The body of an entry may go while the rest stays.
    let shorter = Record {
        bytes: vec![1],
        ..record(ALICE, 50)
    };
    other
        .put(&ROOM, std::slice::from_ref(&shorter))
        .await
        .unwrap();
    assert_eq!(other.conversations(&ROOM).await.unwrap(), [(ALICE, 100)]);
    let page = one.newest(&ROOM, ALICE, Some(position(51)), 1).await;
    assert_eq!(page.unwrap().items, [shorter]);
    let heads = one.scan_heads(&ROOM, Some(key(ALICE, 49)), 1).await;
    assert_eq!(heads.unwrap().items[0].size, 1);
}

#[wasm_bindgen_test]
async fn what_was_put_is_there_when_the_page_ends_at_once() {
    let store = empty().await;
    store.put(&ROOM, &records(ALICE, 0..50)).await.unwrap();
    drop(store);
    assert_eq!(scanned(&kept().await, &ROOM, 99).await.unwrap().len(), 50);
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
    let left = scanned(&store, &ROOM, 9).await.unwrap();
    assert_eq!(clocks(&left), [1, 2, 0, 1]);
    assert_eq!(
        store.conversations(&ROOM).await.unwrap(),
        [(ALICE, 2), (BEN, 2)]
    );
    store.delete_conversation(&ROOM, ALICE).await.unwrap();
    assert_eq!(store.conversations(&ROOM).await.unwrap(), [(BEN, 2)]);
    store.delete_room(&ROOM).await.unwrap();
    assert_eq!(store.conversations(&ROOM).await.unwrap(), []);
    assert_eq!(store.get_state(&ROOM, "draft").await.unwrap(), None);
    assert_eq!(store.rooms().await.unwrap(), [OTHER_ROOM]);
    assert_eq!(scanned(&store, &OTHER_ROOM, 9).await.unwrap(), everything);
    let draft = store.get_state(&OTHER_ROOM, "draft").await.unwrap();
    assert_eq!(draft.as_deref(), Some(&b"Hello"[..]));
}

#[wasm_bindgen_test]
async fn everything_can_be_deleted_while_another_tab_uses_it() {
    let (one, other) = (empty().await, kept().await);
    let heard = Heard::new();
    other.on_change(heard.callback());
    one.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    heard.wait(1).await;
    one.delete_all().await.unwrap();
    assert_eq!(heard.wait(1).await, [Change::AllDeleted]);
    assert_eq!(databases().await, [""; 0]);
    assert_eq!(other.rooms().await.unwrap(), []);
    one.put(&ROOM, &records(ALICE, 0..1)).await.unwrap();
    assert_eq!(other.rooms().await.unwrap(), [ROOM]);
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
    store.delete_state(&ROOM, "draft").await.unwrap();
    assert_eq!(store.get_state(&ROOM, "draft").await.unwrap(), None);
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
    let room = ROOM;
    let put = |conversation, positions| Change::Put {
        room,
        conversation,
        positions,
    };
    let expected = [
        put(ALICE, vec![position(1), position(2)]),
        put(BEN, vec![position(3)]),
        Change::Deleted {
            room,
            conversation: ALICE,
            positions: vec![position(2)],
        },
        Change::State {
            room,
            name: "read".to_owned(),
        },
        Change::ConversationDeleted {
            room,
            conversation: BEN,
        },
        Change::RoomDeleted { room },
    ];
    assert_eq!(heard.wait(expected.len()).await, expected);
    // Messages of other scripts are skipped, and the writer hears of the others only.
    js(
        "const channel = new BroadcastChannel('rtchat/1/history'); channel.postMessage('hello'); \
        channel.postMessage(new Uint8Array(50)); channel.close();",
    )
    .await;
    reader.put(&ROOM, &records(ALICE, [7])).await.unwrap();
    assert_eq!(own.wait(1).await, [put(ALICE, vec![position(7)])]);
    writer.put(&ROOM, &records(ALICE, [8])).await.unwrap();
    assert_eq!(heard.wait(1).await, [put(ALICE, vec![position(8)])]);
}

#[wasm_bindgen_test]
async fn without_a_channel_everything_else_works() {
    fresh().await;
    js("window.found = BroadcastChannel; delete window.BroadcastChannel").await;
    let store = kept().await;
    js("window.BroadcastChannel = window.found").await;
    store.on_change(|_| ());
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    assert_eq!(store.conversations(&ROOM).await.unwrap(), [(ALICE, 3)]);
}

#[wasm_bindgen_test]
async fn off_keeps_nothing() {
    fresh().await;
    let store = Store::open(Mode::Off).await.unwrap();
    store.on_change(|change| panic!("{change:?}"));
    store.put(&ROOM, &records(ALICE, 0..3)).await.unwrap();
    store.put_state(&ROOM, "draft", b"x").await.unwrap();
    store.delete(&ROOM, &[key(ALICE, 1)]).await.unwrap();
    store.delete_state(&ROOM, "draft").await.unwrap();
    store.delete_conversation(&ROOM, ALICE).await.unwrap();
    store.delete_room(&ROOM).await.unwrap();
    store.delete_all().await.unwrap();
    assert_eq!(scanned(&store, &ROOM, 9).await.unwrap(), []);
    let page = store.newest(&ROOM, ALICE, None, 9).await.unwrap();
    assert_eq!((page.items, page.damaged, page.next), (vec![], 0, None));
    let heads = store.scan_heads(&ROOM, None, 9).await.unwrap();
    assert_eq!(heads.items, []);
    assert_eq!(store.conversations(&ROOM).await.unwrap(), []);
    assert_eq!(store.rooms().await.unwrap(), []);
    assert_eq!(store.get_state(&ROOM, "draft").await.unwrap(), None);
    assert!(!store.persist().await.unwrap());
    assert_eq!(store.usage().await.unwrap(), None);
    assert_eq!(databases().await, [""; 0]);
}

#[wasm_bindgen_test]
async fn the_browser_says_how_much_space_there_is() {
    let store = empty().await;
    let usage = store.usage().await.unwrap().unwrap();
    assert!(usage.quota > usage.used, "{usage:?}");
    // Firefox would ask the person.
    js(
        "window.asked = 0; StorageManager.prototype.found = StorageManager.prototype.persist; \
        StorageManager.prototype.persist = async () => ++window.asked == 1",
    )
    .await;
    assert!(store.persist().await.unwrap());
    assert!(!store.persist().await.unwrap());
    js("StorageManager.prototype.persist = StorageManager.prototype.found").await;
}
