// Starts the program. A file of its own, because the Content-Security-Policy forbids inline scripts;
// the two links are written by Trunk (see Trunk.toml), with the hashes of this build in their names.
const address = (selector) => document.querySelector(selector).href;

try {
  const { default: start, mount } = await import(address('link[rel="modulepreload"]'));
  await start({ module_or_path: address('link[rel="preload"][as="fetch"]') });
  mount(document.body);
} catch (error) {
  console.error(error);
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  note.textContent = `rtchat could not start: ${error?.message ?? error}. Reload the page, or try a current browser.`;
  document.body.prepend(note);
}
