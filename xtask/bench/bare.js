// Two RTCPeerConnections in one page, which need no signalling server: the time that the browser itself takes.
const start = performance.now();
const pair = [new RTCPeerConnection(), new RTCPeerConnection()];
const channels = pair.map((peer) => peer.createDataChannel("text", { negotiated: true, id: 0 }));
const open = channels.map((channel) => new Promise((resolve) => channel.addEventListener("open", resolve)));
const [offerer, answerer] = pair;
for (const [peer, other] of [pair, pair.toReversed()]) {
  peer.addEventListener("icecandidate", ({ candidate }) => candidate && other.addIceCandidate(candidate));
}
await offerer.setLocalDescription();
await answerer.setRemoteDescription(offerer.localDescription);
await answerer.setLocalDescription();
await offerer.setRemoteDescription(answerer.localDescription);
await Promise.all(open);
const millis = performance.now() - start;
pair.forEach((peer) => peer.close());
return millis;
