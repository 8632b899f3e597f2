// The media types that content from other people may have here. A page may open such content under an object URL, which
// belongs to the page's own origin. So content that can run there (HTML, SVG, XML, scripts), or that a browser may take
// for such content (without a type, browsers guess it from the bytes), could act as the page.

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
 * Returns the type to give to content whose sender states this type. Parameters are dropped, because browsers read a
 * type with a comma in it as a list and use the last one.
 */
export function inertType(said: string): string {
  const essence = (said.split(";", 1)[0] ?? "").trim().toLowerCase();
  return INERT.has(essence) ? essence : OPAQUE;
}

/** Adds the type that the sender stated to received content. */
export function withSaidType<B extends Blob>(content: B, saidType: string): B & { readonly saidType: string } {
  return Object.defineProperty(content, "saidType", { value: saidType, enumerable: true }) as B & { saidType: string };
}
