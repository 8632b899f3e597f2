// Values and their form on the wire: JSON as text, all other values as bytes with a word that names their kind.
import type { Json, Received, Sendable, TypedArray } from "../mqtt-rtc.js";
import { tagOf } from "./errors.js";
import { inertType, withSaidType } from "./media-types.js";

/** A value in its form on the wire. */
export type Packed = { json: string } | { kind: string; bytes: Uint8Array };

type ViewConstructor = new (buffer: ArrayBuffer) => TypedArray;

/** The words for typed arrays. They are part of the protocol. */
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

/** Packs a value. Only a `Blob` has to be read first. */
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

/**
 * Unpacks a value. Bytes of an unknown kind, from a newer program, become an `ArrayBuffer`. A `Blob` keeps its type
 * only if nothing of that type can run.
 */
export function unpack(json: string | undefined, kind = "", bytes = new Uint8Array()): Received {
  if (json !== undefined) return JSON.parse(json) as Json;
  const buffer = bytes.buffer;
  if (kind === DATA_VIEW) return new DataView(buffer);
  if (kind.startsWith(BLOB)) {
    const saidType = kind.slice(BLOB.length);
    return withSaidType(new Blob([buffer], { type: inertType(saidType) }), saidType);
  }
  const View = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined;
  const fits = View && bytes.byteLength % new View(new ArrayBuffer(0)).BYTES_PER_ELEMENT === 0;
  return fits ? new View(buffer) : buffer;
}

/** Converts a value to JSON. Throws a `TypeError` where JSON would silently leave something out. */
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

// Not `instanceof`, because a value may come from a frame, which has its own classes.
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
