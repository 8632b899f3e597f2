// Runs before the page's own scripts, after `before.js`: a screen without the browser's own dialogue, and a browser that lets
// nothing sound before somebody presses the button for it.
navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
  const context = canvas.getContext("2d");
  let at = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(at += 40) % 360} 90% 50%)`;
    context.fillRect(0, 0, 320, 180);
  }, 100);
  return canvas.captureStream(10);
};
/** Whether nothing may sound. */
window.quiet = false;
{
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    if (!quiet || this.muted) return play.call(this);
    this.pause();
    return Promise.reject(new DOMException("", "NotAllowedError"));
  };
  const press = ({ target }) => target.closest?.("[data-testid=turn-on-sound]") && (window.quiet = false);
  document.addEventListener("click", press, true);
}
