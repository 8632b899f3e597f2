// Starts the program. This is a separate file, because the Content-Security-Policy forbids inline scripts. Trunk writes the
// two links (see Trunk.toml), whose file names contain the hashes of this build.
const address = (selector) => document.querySelector(selector).href;

try {
  const { default: start, mount } = await import(address('link[rel="modulepreload"]'));
  await start({ module_or_path: address('link[rel="preload"][as="fetch"]') });
  mount(document.body);
} catch (error) {
  console.error(error);
  const problem = document.createElement("p");
  problem.setAttribute("role", "alert");
  problem.textContent = `rtchat could not start: ${error?.message ?? error}. Reload the page, or try a current browser.`;
  document.body.prepend(problem);
}
