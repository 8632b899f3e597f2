// Every one of these is a mistake that the types should find.
import { MQTTRTCClient } from "./mqtt-rtc.js";

// @ts-expect-error: there is no such option
const client = new MQTTRTCClient({ nick: "ann" });
// @ts-expect-error: nor such a policy
new MQTTRTCClient({ accept: "all" });
// @ts-expect-error: nor such an event
client.on("conected", () => {});
// @ts-expect-error: names are texts
client.on("namechange", (before: number) => before);
// @ts-expect-error: somebody has to decide
client.on("connectionrequest", () => "maybe");
// @ts-expect-error: functions cannot be sent
void client.send(() => {});
// @ts-expect-error: nobody may be there
client.getPeer("ben").chat("hello");
// @ts-expect-error: it cannot be set
client.name = "anna";
// @ts-expect-error: a name may pass to somebody else
client.safetyNumber("ben");
// @ts-expect-error: it is one person for good
client.peers[0]!.key = "another";
