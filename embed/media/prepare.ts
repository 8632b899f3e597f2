// Prepares a file to be sent. Pictures are drawn anew, so that nothing but the picture leaves: not where it was taken, nor
// when, nor with what.

import { type Format, fits, sniff } from "./sniff.ts";

export interface Prepared {
  blob: Blob;
  name: string;
  /** The picture's size in pixels; zero if it is none. */
  width: number;
  height: number;
  /** A preview: so many columns, and the colours row by row. */
  columns: number;
  colours: Uint8Array;
  /** Whether it is a picture that is sent as it is, with whatever stands in it beside the picture. */
  asItIs: boolean;
}

/** A picture that is sent has at most so many pixels on its longer side. */
const MAX_SIDE = 2_560;
const QUALITY = 0.86;
/** A preview has at most so many points, which is a kilobyte. */
const PREVIEW = 340;
/** The number of columns has one byte. */
const MAX_COLUMNS = 255;

/** Returns what is to be sent in place of this file. */
export async function prepare(file: File, original: boolean): Promise<Prepared> {
  const unchanged: Prepared = { blob: file, name: file.name, width: 0, height: 0, columns: 0, colours: new Uint8Array(), asItIs: false };
  const format = await sniff(file);
  if (format?.kind !== "picture" || !fits(format)) return unchanged;
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    // It only looks like a picture.
    return unchanged;
  }
  try {
    const preview = previewOf(picture);
    if (original || format.moves) return { ...unchanged, ...preview, width: picture.width, height: picture.height, asItIs: true };
    return { ...unchanged, ...preview, ...(await redrawn(picture, file, format)) };
  } finally {
    picture.close();
  }
}

async function redrawn(picture: ImageBitmap, file: File, format: Format): Promise<Pick<Prepared, "blob" | "name" | "width" | "height">> {
  const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const { canvas } = draw(picture, width, height);
  const wanted = format.type === "image/avif" ? "image/webp" : format.type;
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, wanted, QUALITY));
  if (!blob) throw new Error("The picture could not be prepared. It can be sent as the original.");
  return { blob, name: named(file.name, blob.type), width, height };
}

/** Draws a picture in another size. */
function draw(picture: ImageBitmap, width: number, height: number): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser has no memory left for the picture. It can be sent as the original.");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return context;
}

function previewOf(picture: ImageBitmap): Pick<Prepared, "columns" | "colours"> {
  const shape = picture.width / picture.height;
  const columns = Math.max(1, Math.min(MAX_COLUMNS, Math.floor(Math.sqrt(PREVIEW * shape))));
  const rows = Math.max(1, Math.min(Math.floor(PREVIEW / columns), Math.round(columns / shape)));
  const { data } = draw(picture, columns, rows).getImageData(0, 0, columns, rows);
  const colours = new Uint8Array(columns * rows * 3);
  for (let point = 0; point < columns * rows; point++) {
    // Transparent pixels are shown on a light ground.
    const opacity = data[point * 4 + 3]! / 255;
    for (let colour = 0; colour < 3; colour++) {
      colours[point * 3 + colour] = data[point * 4 + colour]! * opacity + 255 * (1 - opacity);
    }
  }
  return { columns, colours };
}

/** The name with the end that belongs to this type. */
function named(name: string, type: string): string {
  const ends: Record<string, RegExp> = { "image/jpeg": /\.jpe?g$/i, "image/png": /\.png$/i, "image/webp": /\.webp$/i };
  if (ends[type]?.test(name) ?? true) return name;
  return `${name.replace(/\.[^.]*$/, "")}.${type.slice("image/".length).replace("jpeg", "jpg")}`;
}
