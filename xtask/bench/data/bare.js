// A data channel between two pages, with nothing but a queue in front of it. They find each other by a BroadcastChannel.
const HIGH = 1 << 20;

const peer = new RTCPeerConnection();
const channel = peer.createDataChannel("data", { negotiated: true, id: 0 });
channel.binaryType = "arraybuffer";
channel.bufferedAmountLowThreshold = HIGH / 4;

const queue = [];
const pump = () => {
  while (queue.length > 0 && channel.bufferedAmount < HIGH) {
    const { data, taken } = queue.shift();
    channel.send(data);
    taken();
  }
};
channel.addEventListener("bufferedamountlow", pump);
const push = (data) =>
  new Promise((taken) => {
    queue.push({ data, taken });
    pump();
  });

const questions = [];
const link = {
  send: (value) => push(value instanceof ArrayBuffer ? value : JSON.stringify({ value })),
  ask: (question) =>
    new Promise((resolve) => {
      questions.push(resolve);
      push(JSON.stringify({ question }));
    }),
};
channel.addEventListener("message", ({ data }) => {
  if (data instanceof ArrayBuffer) {
    link.onvalue?.(data);
    return;
  }
  const said = JSON.parse(data);
  if ("question" in said) {
    push(JSON.stringify({ answer: said.question }));
  } else if ("answer" in said) {
    questions.shift()(said.answer);
  } else {
    link.onvalue?.(said.value);
  }
});
channel.addEventListener("open", () => bench.links(link));

const room = new BroadcastChannel(new URLSearchParams(location.search).get("room"));
const tell = async () => {
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => peer.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  room.postMessage(peer.localDescription.toJSON());
};
room.addEventListener("message", async ({ data }) => {
  if (data === "here") {
    await tell();
    return;
  }
  await peer.setRemoteDescription(data);
  if (data.type === "offer") {
    await tell();
  }
});
room.postMessage("here");
