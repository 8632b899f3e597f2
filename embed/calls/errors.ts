// Why there is no picture or sound, in sentences that say what to do.

export type What = "camera" | "microphone" | "screen";

/** What the browser says of a failure: a `DOMException`, in most cases. */
export interface Failure {
  name: string;
  message?: string;
}

const NAMES = { camera: "camera", microphone: "microphone", screen: "screen" };

/** What the browser said, in our words. */
export function sentence(what: What, failure: Failure, isSecure: boolean): string {
  const name = NAMES[what];
  const said = failure.message ?? "";
  if (!isSecure) return `Browsers give the ${name} only to pages that came over https. Open this page with an address that begins with https.`;
  switch (failure.name) {
    case "NotAllowedError":
    case "SecurityError":
      if (/policy/i.test(said)) return `The page around this chat does not let it use the ${name}. Open the chat in a tab of its own.`;
      if (/system/i.test(said)) return `The system does not let this browser use the ${name}. Allow it in the system's settings for privacy.`;
      if (what === "screen") return "No screen was chosen, so nothing is shown. Press the button again to choose one.";
      if (/dismiss/i.test(said)) return `The browser's question was closed, so the ${name} stays off. Press the button again to answer it.`;
      return `This page may not use the ${name}. Allow it with the sign beside the page's address, then press the button again.`;
    case "NotFoundError":
      if (what === "screen") return "There is no screen that could be shown.";
      return `No ${name} was found. Connect one, then press the button again.`;
    case "NotReadableError":
    case "AbortError":
      if (what === "screen") return "The system does not let this browser show the screen. Allow it in the system's settings for privacy.";
      return `The ${name} cannot be opened, because another program may be using it. Close that program, then press the button again.`;
    case "OverconstrainedError":
      return `The ${name} that was chosen is not connected. Choose another one.`;
    case "TypeError":
    case "NotSupportedError":
      return `This browser cannot use a ${name} here. Try a current browser.`;
  }
  return `The ${name} could not be opened (${failure.name}). Press the button again, or choose another one.`;
}

/** How a device went away while it was in use. */
export type Loss = "revoked" | "replaced" | "gone";

/** What is said of a device that went away. */
export function lossSentence(what: "camera" | "microphone", loss: Loss): string {
  switch (loss) {
    case "revoked":
      return `This page may not use the ${what} any more, so it is off. Allow it with the sign beside the page's address to go on.`;
    case "replaced":
      return `The ${what} was disconnected. Another one is used now.`;
    case "gone":
      return `The ${what} was disconnected, so it is off. Connect one and switch it on again.`;
  }
}
