// Translates the page as Chrome does: puts elements in the place of text nodes, now and whenever there are new ones, unless
// they are not to be translated. The translation of a text is the text in guillemets.
const translate = (node) => {
  const done = node.parentElement?.closest("[translate=no], font, script, style, textarea, title");
  if (done || !node.parentElement || !node.data.trim()) return;
  const [outer, inner] = [document.createElement("font"), document.createElement("font")];
  inner.textContent = `«${node.data}»`;
  outer.append(inner);
  node.replaceWith(outer);
};
const translateAll = () => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  found.forEach(translate);
};
translateAll();
new MutationObserver(translateAll).observe(document.body, { childList: true, characterData: true, subtree: true });
window.thrown = [];
addEventListener("error", ({ message }) => thrown.push(message));
