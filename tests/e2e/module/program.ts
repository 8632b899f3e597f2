import { MQTTRTCClient } from "./mqtt-rtc.js";

const client = new MQTTRTCClient();
client.on("connectionrequest", (user, userInfo) => {
    console.log("connectionrequest", user, userInfo);
    if (confirm("Let " + user + " in?")){
        return Promise.resolve(true);
    }else{
        return Promise.resolve(false);
    }
});
client.on("connectedtopeer", (user, userInfo) => {
    console.log("connectedtopeer", user, userInfo);
    const peer = client.getPeer(user);
    peer?.ask("how many moons has Mars?").then(console.log);
});
client.on("question", (question, sender) => {
    if (question == "how many moons has Mars?"){
        return 2;
    }
    return "look it up";
});
client.on("answer", (answer, sender) => {
    console.log("answer", answer, sender);
});
