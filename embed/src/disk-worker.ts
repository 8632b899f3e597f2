// The worker that writes received files into the origin's private file system. It is a file of its own,
// mqtt-rtc-worker.js, so that a page's policy need not allow workers from `blob:` addresses.

/** The part of a file handle that only workers have, and that TypeScript's types for pages lack. */
interface SyncAccessHandle {
  write(bytes: Uint8Array<ArrayBuffer>): number;
  close(): void;
}
type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

/** Opens a file in a folder, appends bytes to it, or closes it. */
export type DiskRequest = { folder: string; name: string } | { bytes: Uint8Array<ArrayBuffer> } | "close";
/** Either the error that was thrown, or the buffer of the written bytes, so that it can be used again. */
export type DiskResponse = { thrown: unknown } | { written: ArrayBuffer | undefined };

let file: SyncAccessHandle | undefined;

async function handle(request: DiskRequest): Promise<ArrayBuffer | undefined> {
  if (request === "close") {
    file?.close();
  } else if ("bytes" in request) {
    const { bytes } = request;
    if (file?.write(bytes) !== bytes.length) throw new DOMException("", "QuotaExceededError");
    return bytes.buffer;
  } else {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(request.folder);
    const handle = await folder.getFileHandle(request.name, { create: true });
    file = await (handle as WorkerFileHandle).createSyncAccessHandle();
  }
  return undefined;
}

onmessage = ({ data }: MessageEvent<DiskRequest>): void => {
  handle(data).then(
    (written) => postMessage({ written } satisfies DiskResponse, { transfer: written ? [written] : [] }),
    (thrown: unknown) => postMessage({ thrown } satisfies DiskResponse),
  );
};
