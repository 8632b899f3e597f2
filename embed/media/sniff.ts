// What a file is, by its first bytes. Sizes of pictures are read from their headers, so that nothing has to be decoded.

export interface Format {
  kind: "picture" | "audio" | "video";
  type: string;
  /** Zero if it has none, or they cannot be read. */
  width: number;
  height: number;
  /** Whether a picture moves. */
  moves: boolean;
}

/** The most points of a picture that is decoded: more would take hundreds of megabytes of memory. */
const MAX_POINTS = 50_000_000;

/** Whether this picture is small enough to be decoded. */
export const fits = ({ width, height }: Format): boolean => width > 0 && height > 0 && width * height <= MAX_POINTS;

/** So much of a file is looked at. The size of a JPEG stands behind what the camera wrote, which can be long. */
const HEAD = 512 * 1024;

/** Returns the format of a file, if it is one that can be shown and contains no script. */
export async function sniff(blob: Blob): Promise<Format | undefined> {
  const bytes = new DataView(await blob.slice(0, HEAD).arrayBuffer());
  try {
    return picture(bytes) ?? sound(bytes);
  } catch {
    // A header that ends too early.
    return undefined;
  }
}

function text(bytes: DataView, at: number, length: number): string {
  let text = "";
  for (let offset = at; offset < at + length && offset < bytes.byteLength; offset++) text += String.fromCharCode(bytes.getUint8(offset));
  return text;
}

const format = (type: string, width: number, height: number, moves = false): Format => ({ kind: "picture", type, width, height, moves });

function picture(bytes: DataView): Format | undefined {
  if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n" && text(bytes, 12, 4) === "IHDR") {
    return format("image/png", bytes.getUint32(16), bytes.getUint32(20), has(bytes, "acTL"));
  }
  if (/^GIF8[79]a$/.test(text(bytes, 0, 6))) return format("image/gif", bytes.getUint16(6, true), bytes.getUint16(8, true), true);
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") return webp(bytes);
  if (bytes.byteLength > 3 && bytes.getUint16(0) === 0xffd8 && bytes.getUint8(2) === 0xff) return jpeg(bytes);
  if (text(bytes, 4, 4) === "ftyp" && /avi[fs]/.test(brands(bytes))) return avif(bytes);
  return undefined;
}

/** Whether this word is among the first kilobytes. */
function has(bytes: DataView, word: string): boolean {
  return text(bytes, 0, 4_096).includes(word);
}

function webp(bytes: DataView): Format | undefined {
  const three = (at: number) => bytes.getUint16(at, true) | (bytes.getUint8(at + 2) << 16);
  switch (text(bytes, 12, 4)) {
    case "VP8X":
      return format("image/webp", three(24) + 1, three(27) + 1, (bytes.getUint8(20) & 2) !== 0);
    case "VP8L": {
      const bits = bytes.getUint32(21, true);
      return format("image/webp", (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
    }
    case "VP8 ":
      return format("image/webp", bytes.getUint16(26, true) & 0x3fff, bytes.getUint16(28, true) & 0x3fff);
  }
  return undefined;
}

function jpeg(bytes: DataView): Format | undefined {
  let at = 2;
  while (at + 9 < bytes.byteLength) {
    if (bytes.getUint8(at) !== 0xff) return undefined;
    const marker = bytes.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // A frame, whatever its coding; what else begins with C is no frame.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return format("image/jpeg", bytes.getUint16(at + 7), bytes.getUint16(at + 5));
    at += 2 + bytes.getUint16(at + 2);
  }
  return undefined;
}

/** The kinds of a file that consists of boxes. */
const brands = (bytes: DataView): string => text(bytes, 8, Math.min(bytes.getUint32(0), 256) - 8);

/** The size of an AVIF is that of its largest part. */
function avif(bytes: DataView): Format | undefined {
  let [width, height] = [0, 0];
  const head = text(bytes, 0, 65_536);
  for (let at = head.indexOf("ispe"); at >= 0; at = head.indexOf("ispe", at + 4)) {
    width = Math.max(width, bytes.getUint32(at + 8));
    height = Math.max(height, bytes.getUint32(at + 12));
  }
  return format("image/avif", width, height, brands(bytes).includes("avis"));
}

/** What browsers play. Whether they can play this one, they say themselves. */
function sound(bytes: DataView): Format | undefined {
  const media = (kind: "audio" | "video", type: string): Format => ({ kind, type, width: 0, height: 0, moves: false });
  const begin = text(bytes, 0, 4);
  if (begin === "OggS") return has(bytes, "theora") ? media("video", "video/ogg") : media("audio", "audio/ogg");
  if (begin === "fLaC") return media("audio", "audio/flac");
  if (begin === "RIFF" && text(bytes, 8, 4) === "WAVE") return media("audio", "audio/wav");
  if (begin === "\x1a\x45\xdf\xa3" && has(bytes, "webm")) return has(bytes, "V_") ? media("video", "video/webm") : media("audio", "audio/webm");
  if (begin.startsWith("ID3") || /^\xff[\xfb\xf3\xf2]/.test(begin)) return media("audio", "audio/mpeg");
  if (text(bytes, 4, 4) !== "ftyp") return undefined;
  return /^M4[AB]/.test(brands(bytes)) ? media("audio", "audio/mp4") : media("video", "video/mp4");
}
