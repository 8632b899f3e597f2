// One end of a connection on werift, a WebRTC stack in pure TypeScript. It prints its port, and carries out what comes over
// TCP, one command in JSON a line: {"offer": true}, {"answer": sdp} and {"accept": sdp}. It says everything again that comes
// over channel 0.
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { RTCPeerConnection } from "werift";

const peer = new RTCPeerConnection({ iceServers: [] });
const channel = peer.createDataChannel("text", { negotiated: true, id: 0 });
channel.onmessage = ({ data }) => channel.send(data);

async function describe(made) {
  await peer.setLocalDescription(await made);
  if (peer.iceGatheringState !== "complete") await peer.iceGatheringStateChange.watch((state) => state === "complete");
  return peer.localDescription.sdp;
}

async function carryOut({ offer, answer, accept }) {
  if (offer) return describe(peer.createOffer());
  await peer.setRemoteDescription(accept ? { type: "answer", sdp: accept } : { type: "offer", sdp: answer });
  return accept ? "" : describe(peer.createAnswer());
}

const server = createServer(async (socket) => {
  for await (const line of createInterface({ input: socket })) {
    const result = await carryOut(JSON.parse(line)).then((sdp) => ({ sdp }), (error) => ({ error: String(error) }));
    socket.write(`${JSON.stringify(result)}\n`);
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
