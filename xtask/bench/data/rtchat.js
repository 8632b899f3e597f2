// rtchat's module, as a program uses it.
import { MQTTRTCClient } from "./mqtt-rtc.js";

const client = new MQTTRTCClient({ room: new URLSearchParams(location.search).get("room") });
client.on("connectedtopeer", (user) => {
  const peer = client.getPeer(user);
  const link = { send: (value) => peer.send(value), ask: (value) => peer.ask(value) };
  client.on("data", (value) => link.onvalue?.(value));
  bench.links(link);
});
client.on("question", (question) => question);
