// The browser's synthetic camera opens with small pictures, whatever a page asks for. Runs before the page's own scripts.
{
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  const small = { width: { exact: 320 }, height: { exact: 180 }, frameRate: { exact: 10 } };
  mediaDevices.getUserMedia = ({ audio, video }) => open({ audio, video: video && small });
}
