// Starts the program. This is a separate file, because the Content-Security-Policy forbids inline scripts. Trunk writes the
// two links (see Trunk.toml), whose file names contain the hashes of this build.
const address = (selector) => document.querySelector(selector).href;

/** Covers the page with a notice that the program broke, because it would do nothing any more. */
function showBroken(error) {
  const notice = document.getElementById("broken").content.cloneNode(true);
  // Not every browser's stack begins with the message.
  notice.querySelector("pre").textContent = [...new Set([String(error), ...(error?.stack ?? "").split("\n")])].join("\n");
  const reload = notice.querySelector("button");
  reload.onclick = () => location.reload();
  document.body.append(notice);
  // In a frame, the focus may belong to the page around it.
  if (parent === window || document.hasFocus()) reload.focus();
}

try {
  const { default: start, mount, whenBroken } = await import(address('link[rel="modulepreload"]'));
  await start({ module_or_path: address('link[rel="preload"][as="fetch"]') });
  mount(document.body);
  whenBroken(showBroken);
} catch (error) {
  console.error(error);
  const problem = document.createElement("p");
  problem.setAttribute("role", "alert");
  problem.textContent = `rtchat could not start: ${error?.message ?? error}. Reload the page, or try a current browser.`;
  document.body.prepend(problem);
}
