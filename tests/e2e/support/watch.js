// Records every change of the list of people, and the time of it.
window.watched = [];
const tree = document.querySelector("rt-chat")?.shadowRoot ?? document.body;
const record = () => {
  const people = [...tree.querySelectorAll("[data-testid=peer]")]
    .map(({ dataset }) => `${dataset.user} ${dataset.state}`).sort().join(", ");
  if (people !== window.watched.at(-1)?.people) window.watched.push({ at: Date.now(), people });
};
new MutationObserver(record).observe(tree, { subtree: true, childList: true, attributes: true });
record();
