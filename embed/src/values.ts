// What can be sent, and how it travels: JSON as text, everything else as bytes with a word that says what they are.
import type { Json, Sendable, TypedArray } from "../mqtt-rtc.js";
import { tagOf } from "./errors.js";

/** A value on its way. */
export type Packed = { json: string } | { kind: string; bytes: Uint8Array };

type ViewConstructor = new (buffer: ArrayBuffer) => TypedArray;

/** The words for arrays are part of the protocol. */
const VIEWS: Record<string, ViewConstructor> = {
  i8: Int8Array,
  u8: Uint8Array,
  u8c: Uint8ClampedArray,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
};
const DATA_VIEW = "dv";
const BLOB = "blob:";
const MAX_KIND = 100;

/** Only reading a `Blob` takes time. */
export function pack(value: Sendable): Packed | Promise<Packed> {
  if (typeof value !== "object") return { json: toJson(value) };
  if (isBuffer(value)) return { kind: "", bytes: new Uint8Array(value) };
  if (ArrayBuffer.isView(value)) return { kind: kindOf(value), bytes: bytesOf(value) };
  if (isBlob(value)) return read(value);
  return { json: toJson(value) };
}

async function read(blob: Blob): Promise<Packed> {
  const kind = BLOB + blob.type;
  return { kind: kind.length > MAX_KIND ? BLOB : kind, bytes: new Uint8Array(await blob.arrayBuffer()) };
}

/** The value that was sent. What is of an unknown kind, from a newer program, is given as plain bytes. */
export function unpack(json: string | undefined, kind = "", bytes = new Uint8Array()): Sendable {
  if (json !== undefined) return JSON.parse(json) as Json;
  const buffer = bytes.buffer;
  if (kind === DATA_VIEW) return new DataView(buffer);
  if (kind.startsWith(BLOB)) return new Blob([buffer], { type: kind.slice(BLOB.length) });
  const View = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined;
  const fits = View && bytes.byteLength % new View(new ArrayBuffer(0)).BYTES_PER_ELEMENT === 0;
  return fits ? new View(buffer) : buffer;
}

/** JSON, or a `TypeError` where JSON would leave something out without a word. */
export function toJson(value: unknown): string {
  const isObject = typeof value === "object";
  if (isObject && isBytes(value)) throw new TypeError(`A ${tagOf(value)} cannot be sent here: only JSON can.`);
  const json = isObject ? JSON.stringify(value, refuse) : JSON.stringify(value);
  if (json === undefined) throw new TypeError(`A ${typeof value} cannot be sent: JSON has none.`);
  return json;
}

function refuse(key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isBytes(value)) {
    throw new TypeError(`"${key}" holds bytes. They can be sent by themselves, and not inside something else.`);
  }
  if (["Map", "Set"].includes(tagOf(value))) {
    throw new TypeError(`"${key}" is a Map or a Set, which JSON cannot hold.`);
  }
  return value;
}

function isBytes(value: unknown): value is ArrayBuffer | ArrayBufferView | Blob {
  return isBuffer(value) || ArrayBuffer.isView(value) || isBlob(value);
}

// Not `instanceof`: a value may come from a frame, which has classes of its own.
function isBuffer(value: unknown): value is ArrayBuffer {
  return tagOf(value) === "ArrayBuffer";
}

export function isBlob(value: unknown): value is Blob {
  return tagOf(value) === "Blob" || tagOf(value) === "File";
}

function kindOf(view: ArrayBufferView): string {
  return Object.keys(VIEWS).find((kind) => VIEWS[kind]?.name === tagOf(view)) ?? DATA_VIEW;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
