// Presses the buttons of rtchat's page. Runs after rtchat.js and measure.js.
{
  const find = (hook) => document.querySelector(`[data-testid=${hook}]`);
  const usable = (hook) => bench.until(() => [find(hook)].find((button) => button && !button.disabled));
  const press = async (hook) => (await usable(hook)).click();
  const theirs = () => document.querySelector("[data-testid=tile][data-own=false] video");

  bench.share = async () => {
    await press("share-camera");
    await press("media-go");
  };
  // Opens what somebody shows.
  bench.watch = async () => {
    const button = await bench.until(() => document.querySelector("[data-testid=watch][data-state=off]"));
    return bench.seen(theirs, () => button.click());
  };
  bench.unwatch = async () => {
    await press("stop-watching");
    await bench.until(() => !theirs());
  };
  // Begins a call with pictures, or answers one.
  bench.call = async () => {
    await press("call-video");
    await press("media-go");
  };
  bench.answer = async () => {
    await press("answer-video");
    await press("media-go");
  };
  // Notes when pictures come, from now on.
  bench.note = () => {
    const video = theirs();
    const noted = () => {
      bench.last = Date.now();
      bench.after?.(bench.last);
      video.requestVideoFrameCallback(noted);
    };
    noted();
  };
  // The milliseconds from now until the next picture.
  bench.next = async () => {
    const start = Date.now();
    return (await new Promise((resolve) => (bench.after = resolve))) - start;
  };
}
