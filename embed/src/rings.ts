// Calls that ring here, and the promises of calls (`CallPromises`).
import type { View } from "../calls/contract.ts";
import type * as api from "../mqtt-rtc.js";
import type { CallHost } from "./call-host.ts";
import type { Member } from "./peer.js";

type Ring = View["rings"][number];

/** Why a call is over, for whoever waits that it begins. */
const WHY: Record<api.CallOutcome, [api.ErrorCode, string]> = {
  ended: ["gone", "The call is over."],
  missed: ["timeout", "Nobody answered the call."],
  unanswered: ["timeout", "Nobody answered the call."],
  declined: ["refused", "The call was declined."],
  unable: ["refused", "There are no calls at the other end."],
};

/** The two ends of a call. */
export class Talk implements api.CallPromises {
  readonly start: Promise<api.CallStreams>;
  readonly end: Promise<void>;
  readonly #host: CallHost;
  began!: (streams: api.CallStreams) => void;
  failed!: (error: unknown) => void;
  #ended!: () => void;

  constructor(host: CallHost) {
    this.#host = host;
    this.start = new Promise((resolve, reject) => {
      this.began = resolve;
      this.failed = reject;
    });
    this.end = new Promise((resolve) => (this.#ended = resolve));
    // Most programs wait for one of the two, if at all.
    this.start.catch(() => {});
  }

  over(outcome: api.CallOutcome): void {
    this.failed(this.#host.error(...WHY[outcome]));
    this.#ended();
  }
}

/** A call that the program was told of. */
interface Known {
  from: Member;
  talk: Talk;
}

/** What rings are for. */
interface Answers {
  answer(ring: Ring, source: api.CallSource, talk: Talk): Promise<void>;
  ended(member: Member, outcome: api.CallOutcome): void;
}

/** Calls that ring here. Two of one conversation are one call. */
export class Rings {
  readonly #host: CallHost;
  readonly #answers: Answers;
  readonly #known = new Map<string, Known>();
  #rings: Ring[] = [];

  constructor(host: CallHost, answers: Answers) {
    this.#host = host;
    this.#answers = answers;
  }

  /** These ring now, and this is the conversation of the call that we are in. */
  changed(rings: Ring[], current: string | undefined, outcome: (conversation: string) => api.CallOutcome): void {
    this.#rings = rings;
    for (const [conversation, { from, talk }] of [...this.#known]) {
      if (this.#of(conversation)) continue;
      this.#known.delete(conversation);
      if (conversation === current) continue;
      talk.over(outcome(conversation));
      this.#answers.ended(from, outcome(conversation));
    }
    this.look();
  }

  /** Tells the program of the calls that it has not been told of, if it has a handler for them. */
  look(): void {
    if (!this.#host.handlers.has("call")) return;
    for (const ring of this.#rings) {
      const from = this.#host.member(ring.from);
      if (!from || this.#known.has(ring.conversation)) continue;
      const talk = new Talk(this.#host);
      this.#known.set(ring.conversation, { from, talk });
      void this.#ask(ring, from, talk);
    }
  }

  /** The call of somebody that rings here. */
  from(member: Member): Ring | undefined {
    return this.#rings.find((ring) => this.#host.member(ring.from)?.view.key === member.view.key);
  }

  #of(conversation: string): Ring | undefined {
    return this.#rings.find((ring) => ring.conversation === conversation);
  }

  async #ask({ call: id, conversation, video, silent }: Ring, from: Member, talk: Talk): Promise<void> {
    const { start, end } = talk;
    const info = { id, conversation, audio: true, video, silent };
    const results = this.#host.handlers.results("call", from.user, info, { start, end }, from.peer);
    let accepted: unknown;
    for (const result of results) {
      try {
        const value = await result;
        if (value !== undefined && value !== false) accepted ??= value;
      } catch (error) {
        this.#host.handlers.report(error);
      }
    }
    // It may have ended meanwhile, or go on under another id.
    const ring = this.#of(conversation);
    if (!ring || this.#known.get(conversation)?.talk !== talk) return;
    if (accepted === undefined) return this.#host.command({ do: "decline", call: ring.call });
    const isSource = typeof accepted === "object" && accepted !== null && ("getTracks" in accepted || "audio" in accepted || "video" in accepted);
    try {
      await this.#answers.answer(ring, isSource ? (accepted as api.CallSource) : { audio: true, video: ring.video }, talk);
    } catch (error) {
      talk.failed(error);
      this.#host.handlers.report(error);
    }
  }
}
