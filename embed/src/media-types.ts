// Which media types content from other people may have here. A page may open such content under an object URL, which
// belongs to the page's own origin: whatever can run there (HTML, SVG, XML, scripts) or be taken for something that can
// (no type at all, which browsers guess from the bytes) could act as the page.

/** The type of everything else. Browsers save it, and never show it. */
const OPAQUE = "application/octet-stream";

/** Types that browsers only display or play. Documents that can contain scripts or links, such as PDF, are not here. */
const INERT = new Set([
  "audio/aac",
  "audio/flac",
  "audio/mp4",
  "audio/mpeg",
  "audio/ogg",
  "audio/wav",
  "audio/webm",
  "image/apng",
  "image/avif",
  "image/bmp",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
  "text/plain",
  "video/mp4",
  "video/ogg",
  "video/webm",
]);

/**
 * The type to give to content that its sender says to be of this type. Parameters are dropped: browsers read a type with
 * a comma in it as a list, and take the last one.
 */
export function inertType(said: string): string {
  const essence = (said.split(";", 1)[0] ?? "").trim().toLowerCase();
  return INERT.has(essence) ? essence : OPAQUE;
}

/** Adds to received content what its sender said about its type. */
export function withSaidType<B extends Blob>(content: B, saidType: string): B & { readonly saidType: string } {
  return Object.defineProperty(content, "saidType", { value: saidType, enumerable: true }) as B & { saidType: string };
}
