// Describes the content of a tab. An embedded chat has a shadow tree of its own.
const tree = document.querySelector("rt-chat")?.shadowRoot ?? document;
const all = (id, root = tree) => [...root.querySelectorAll(`[data-testid="${id}"]`)];
const first = (id, root) => all(id, root)[0];
const text = (element) => element?.textContent ?? "";

const texts = {};
for (const element of tree.querySelectorAll("[data-testid]")) {
  (texts[element.dataset.testid] ??= []).push(text(element));
}
const status = first("status");
return {
  url: location.href,
  status: status?.dataset.state ?? "",
  statusText: text(status?.querySelector(".words") ?? status),
  own: text(first("own-name")),
  peers: all("peer").map((peer) => ({
    user: peer.dataset.user, state: peer.dataset.state, trust: peer.dataset.trust,
  })),
  messages: all("message").map((message) => ({
    sender: message.dataset.sender,
    text: text(first("message-text", message)),
    delivery: first("delivery", message)?.dataset.state ?? null,
    elements: first("message-text", message)?.childElementCount ?? 0,
  })),
  texts,
  composer: first("composer")?.value ?? null,
  pwned: "pwned" in window,
  dropped: [...tree.querySelectorAll("[data-testid=dropped] dd")].map((count) => Number(text(count).replaceAll(",", ""))),
};
