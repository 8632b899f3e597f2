// Files beside messages, which come from whoever has them when the program asks for them.
import type { AcceptOptions, AttachedFile, FileProgress, ReceivedFile } from "../mqtt-rtc.js";
import type { Engine, EngineFile } from "./engine.js";
import { RTChatError } from "./errors.js";
import { inertType, withSaidType } from "./media-types.js";

/** A call that waits for a file. */
interface Waiting {
  here: () => void;
  failed: (error: unknown) => void;
  onprogress: ((progress: FileProgress) => void) | undefined;
}

const nameOf = ({ hash, size }: { hash: string; size: number }): string => `${hash} ${size}`;
const gone = (): RTChatError => new RTChatError("gone", "The file is not here any more.");

/** Describes a file to the program. */
export const described = (file: EngineFile): AttachedFile => ({ ...file, type: inertType(file.type), saidType: file.type });

/** The files beside messages of one client. */
export class Attachments {
  /** Whether the bytes of the files are here that messages have beside them. */
  readonly #known = new Map<string, boolean>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #report: (thrown: unknown) => void;

  /** `report` receives errors that progress listeners throw. */
  constructor(report: (thrown: unknown) => void) {
    this.#report = report;
  }

  /** A file looks different. */
  changed(hash: string, size: number, here: boolean, bytes: number, why: string | undefined): void {
    const name = nameOf({ hash, size });
    this.#known.set(name, here);
    for (const { here: come, failed, onprogress } of [...(this.#waiting.get(name) ?? [])]) {
      if (here) come();
      else if (why !== undefined) failed(new RTChatError("failed", why));
      else if (bytes > 0) this.#tell(onprogress, { bytes, size });
    }
  }

  #tell(onprogress: Waiting["onprogress"], progress: FileProgress): void {
    try {
      onprogress?.(progress);
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  /** The room was left. */
  forget(): void {
    this.#known.clear();
    for (const calls of this.#waiting.values()) for (const { failed } of [...calls]) failed(new RTChatError("gone", "The room was left."));
  }

  async fetch(engine: Engine, file: AttachedFile, { onprogress, signal }: AcceptOptions): Promise<ReceivedFile> {
    const { hash, size } = file;
    const name = nameOf(file);
    const whole = async (): Promise<ReceivedFile | undefined> => {
      const blob = (await engine.file(hash, size)) as Blob | undefined;
      return blob && withSaidType(new File([blob], file.name, { type: inertType(file.saidType) }), file.saidType);
    };
    signal?.throwIfAborted();
    const found = await whole();
    if (found) return found;
    signal?.throwIfAborted();
    if (this.#known.get(name) !== false) throw gone();
    const calls = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, calls);
    let call: Waiting | undefined;
    let abort = (): void => {};
    const come = new Promise<void>((here, failed) => {
      calls.add((call = { here, failed, onprogress }));
      abort = () => {
        failed(signal?.reason);
        if (calls.size === 1) engine.fetchFile(hash, size, false);
      };
    });
    signal?.addEventListener("abort", abort);
    engine.fetchFile(hash, size, true);
    try {
      await come;
    } finally {
      signal?.removeEventListener("abort", abort);
      calls.delete(call!);
      if (calls.size === 0) this.#waiting.delete(name);
    }
    this.#tell(onprogress, { bytes: size, size });
    const came = await whole();
    if (!came) throw gone();
    return came;
  }
}
