// Every line marked below is a mistake that the types should find.
import { MQTTRTCClient } from "./mqtt-rtc.js";

// @ts-expect-error: there is no such option
const client = new MQTTRTCClient({ nick: "ann" });
// @ts-expect-error: there is no such policy
new MQTTRTCClient({ accept: "all" });
// @ts-expect-error: there is no such event
client.on("conected", () => {});
// @ts-expect-error: names are strings
client.on("namechange", (before: number) => before);
// @ts-expect-error: the handler has to decide
client.on("connectionrequest", () => "maybe");
// @ts-expect-error: functions cannot be sent
void client.send(() => {});
// @ts-expect-error: there may be no such peer
client.getPeer("ben").chat("hello");
// @ts-expect-error: the name is read-only
client.name = "anna";
// @ts-expect-error: a name may be taken over by another peer
client.safetyNumber("ben");
// @ts-expect-error: the key is read-only
client.peers[0]!.key = "another";
// @ts-expect-error: a name is no peer
void client.watch("ben");
// @ts-expect-error: what is sent is no text
void client.call("loud");
