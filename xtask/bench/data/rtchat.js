// rtchat's module, as a program uses it.
import { MQTTRTCClient } from "./mqtt-rtc.js";

const client = new MQTTRTCClient({ room: new URLSearchParams(location.search).get("room") });
client.on("connectedtopeer", (user, userInfo, peer) => {
  const link = {
    send: (value) => peer.send(value),
    ask: (value) => peer.ask(value),
    sendFile: (blob, onprogress) => peer.sendFile(blob, { name: "file", onprogress }),
  };
  client.on("data", (value) => link.onvalue?.(value));
  client.on("file", async (file) => link.onfile(await file.accept()));
  bench.links(link);
});
client.on("question", (question) => question);
