// What mqtt-rtc.js exports. mqtt-rtc.d.ts says the same in types.
export { MQTTRTCClient } from "./client.js";
export { RTChatError } from "./errors.js";
