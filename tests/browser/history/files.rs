//! The bytes of files beside messages.

use js_sys::Uint8Array;
use rtchat::history::StoredFile;
use rtchat::identity::PublicKey;
use rtchat::time::Millis;
use rtchat::wire::{FileHash, FileKey};
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

fn file(number: u8, size: u64) -> StoredFile {
    StoredFile {
        key: FileKey {
            hash: FileHash([number; 32]),
            size,
        },
        author: PublicKey([2; 33]),
        at: Millis(number.into()),
    }
}

async fn put(store: &Store, room: &RoomId, file: &StoredFile) {
    let bytes = Uint8Array::new_with_length(file.key.size as u32);
    bytes.fill(file.key.hash.0[0], 0, bytes.length());
    store.put_file(room, file, &bytes).await.unwrap();
}

async fn length(store: &Store, file: &StoredFile) -> Option<u32> {
    let bytes = store.get_file(&ROOM, &file.key).await.unwrap()?;
    let all = bytes.to_vec();
    assert!(all.iter().all(|byte| *byte == file.key.hash.0[0]));
    Some(bytes.length())
}

#[wasm_bindgen_test]
async fn files_are_kept_listed_and_deleted_by_room() {
    let store = empty().await;
    let (small, large) = (file(1, 3), file(2, 8 << 20));
    for file in [&small, &large] {
        put(&store, &ROOM, file).await;
    }
    put(&store, &OTHER_ROOM, &small).await;
    // As after a reload.
    let store = kept().await;
    assert_eq!(store.files(&ROOM).await.unwrap(), [small, large]);
    assert_eq!(length(&store, &small).await, Some(3));
    assert_eq!(length(&store, &large).await, Some(8 << 20));
    let wrong_size = file(1, 4);
    assert_eq!(length(&store, &wrong_size).await, None);
    store.delete_file(&ROOM, &small.key).await.unwrap();
    store.delete_file(&ROOM, &small.key).await.unwrap();
    assert_eq!(length(&store, &small).await, None);
    assert_eq!(store.files(&ROOM).await.unwrap(), [large]);
    store.delete_room(&ROOM).await.unwrap();
    assert_eq!(store.files(&ROOM).await.unwrap(), []);
    assert_eq!(length(&store, &large).await, None);
    assert_eq!(store.files(&OTHER_ROOM).await.unwrap(), [small]);
}

#[wasm_bindgen_test]
async fn what_an_earlier_version_kept_stays() {
    fresh().await;
    js("const request = indexedDB.open('rtchat/1/history', 1);
        request.onupgradeneeded = () => {
            for (const name of ['records', 'heads', 'states']) request.result.createObjectStore(name);
            request.transaction.objectStore('states').put(new Uint8Array([5]), new Uint8Array([...bytes([7, 32]), 97]));
        };
        (await result(request)).close();")
    .await;
    let store = kept().await;
    assert_eq!(store.get_state(&ROOM, "a").await.unwrap(), Some(vec![5]));
    put(&store, &ROOM, &file(1, 3)).await;
    assert_eq!(length(&store, &file(1, 3)).await, Some(3));
}

#[wasm_bindgen_test]
async fn damaged_entries_are_passed_over() {
    let store = empty().await;
    put(&store, &ROOM, &file(1, 3)).await;
    js("const database = await result(indexedDB.open('rtchat/1/history', 2));
        const transaction = database.transaction(['files', 'file heads'], 'readwrite');
        transaction.objectStore('file heads').put('nonsense', new Uint8Array(bytes([7, 32], [3, 40])));
        transaction.objectStore('file heads').put(new Uint8Array(3), new Uint8Array(bytes([7, 32], [4, 1])));
        transaction.objectStore('files').put({}, new Uint8Array(bytes([7, 32], [1, 32], [0, 7], [3, 1])));
        await new Promise((done) => { transaction.oncomplete = done; });
        database.close();")
    .await;
    assert_eq!(store.files(&ROOM).await.unwrap(), [file(1, 3)]);
    assert_eq!(length(&store, &file(1, 3)).await, None);
}
