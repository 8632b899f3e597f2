// Watches rtchat's page from outside: people count as connected when it shows them as verified.
{
  // The page knows a name and joins with it, unless it should ask for one, as on a first visit.
  if (!new URLSearchParams(location.search).has("join")) {
    localStorage.removeItem("rtchat/1/name");
  }
  const find = (selector) => document.querySelector(selector);
  const JOIN = "[data-testid=join]";
  const READY = "[data-testid=status]:is([data-state=looking], [data-state=connected])";
  let watched = new Map();
  const changed = () => {
    bench.arrived(document.querySelectorAll("[data-testid=peer][data-state=verified]").length);
    for (const [selector, resolve] of watched) {
      if (find(selector)) {
        watched.delete(selector);
        resolve();
      }
    }
  };
  const appeared = (selector) =>
    new Promise((resolve) => {
      watched.set(selector, resolve);
      changed();
    });
  new MutationObserver(changed).observe(document, { subtree: true, childList: true, attributeFilter: ["data-state"] });
  addEventListener("click", ({ target }) => target.matches?.(JOIN) && bench.started(), true);
  // The page asks for a name.
  bench.joinable = () => appeared(JOIN);
  bench.join = async (name) => {
    const field = find("[data-testid=name]");
    await bench.typing(name, (typed) => {
      field.value = typed;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    find(JOIN).click();
  };
  // The page has subscribed at the broker.
  bench.ready = () => appeared(READY);
}
