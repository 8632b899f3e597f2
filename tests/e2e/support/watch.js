// Notes every change of the list of people, and when it was seen.
window.watched = [];
const tree = document.querySelector("rt-chat")?.shadowRoot ?? document.body;
const note = () => {
  const people = [...tree.querySelectorAll("[data-testid=peer]")]
    .map(({ dataset }) => `${dataset.user} ${dataset.state}`).sort().join(", ");
  if (people !== window.watched.at(-1)?.people) window.watched.push({ at: Date.now(), people });
};
new MutationObserver(note).observe(tree, { subtree: true, childList: true, attributes: true });
note();
