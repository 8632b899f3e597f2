// Values and their form on the wire: JSON as text, all other values as bytes with a word that names their kind.
import type { Json, Received, Sendable, TypedArray } from "../mqtt-rtc.js";
import { tagOf } from "./errors.js";
import { inertType, withSaidType } from "./media-types.js";

/** A value in its form on the wire. */
export type Packed = { json: string } | { kind: string; bytes: Uint8Array };

type ViewConstructor = new (buffer: ArrayBuffer) => TypedArray;

/** Not every browser has it, and TypeScript's library does not know it. */
const { Float16Array } = globalThis as { Float16Array?: ViewConstructor };

/** The words for typed arrays. They are part of the protocol. */
const VIEWS: Record<string, ViewConstructor> = {
  i8: Int8Array,
  u8: Uint8Array,
  u8c: Uint8ClampedArray,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  ...(Float16Array && { f16: Float16Array }),
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

/** Classes of objects of which JSON would keep nothing. */
const WITHOUT_JSON = new Set([
  "DOMException", "Error", "Map", "Promise", "RegExp", "Set", "SharedArrayBuffer", "WeakMap", "WeakRef", "WeakSet",
]);

/**
 * Converts a value to JSON. Throws a `TypeError` that names the place where JSON would silently leave something out, or
 * replace it by `null`. A property that is `undefined` is left out, as everybody expects.
 */
export function toJson(value: unknown): string {
  /** The place of each object inside of the value. */
  const places = new Map<unknown, string>();
  const json = JSON.stringify(value, function (this: unknown, key: string, item: unknown) {
    const place = placeOf(key, this, places.get(this));
    const loss = lossOf(item, place !== "" && !Array.isArray(this));
    if (loss !== undefined) throw new TypeError(place === "" ? `${loss}.` : `${loss}; it is at ${place}.`);
    if (typeof item === "object") places.set(item, place);
    return item;
  });
  return json;
}

/** The place of an item, such as `a.b[2]`; the value itself has none. */
function placeOf(key: string, holder: unknown, place: string | undefined): string {
  if (place === undefined) return "";
  if (Array.isArray(holder)) return `${place}[${key}]`;
  return place === "" ? key : `${place}.${key}`;
}

/** Says what JSON would lose of an item by itself, or `undefined` if it loses nothing. */
function lossOf(item: unknown, isProperty: boolean): string | undefined {
  switch (typeof item) {
    case "undefined":
      return isProperty ? undefined : "An undefined value cannot be sent: JSON has none";
    case "number":
      return Number.isFinite(item) ? undefined : `${item} cannot be sent: JSON has none`;
    case "bigint":
    case "function":
    case "symbol":
      return `A ${typeof item} cannot be sent: JSON has none`;
    case "object":
      if (isBytes(item)) return `A ${tagOf(item)} cannot be sent here: only JSON can`;
      return WITHOUT_JSON.has(tagOf(item)) ? `The ${tagOf(item)} cannot be sent: JSON would keep nothing of it` : undefined;
    default:
      return undefined;
  }
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
  const kind = Object.keys(VIEWS).find((kind) => VIEWS[kind]?.name === tagOf(view));
  if (kind === undefined && tagOf(view) !== "DataView") {
    throw new TypeError(`A ${tagOf(view)} cannot be sent: this version has no word for it.`);
  }
  return kind ?? DATA_VIEW;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
