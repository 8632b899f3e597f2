// Peers that wait for the program's decision.
import type { Engine, PeerView } from "./engine.js";
import type { Handlers } from "./events.js";
import type { Member } from "./peer.js";

/** What is lent to the requests. */
interface Lent {
  handlers: Handlers;
  engine: () => Engine | undefined;
  member: (view: PeerView) => Member;
}

export class Requests {
  readonly #lent: Lent;
  readonly #waiting = new Map<string, Member>();

  constructor(lent: Lent) {
    this.#lent = lent;
  }

  get members(): Member[] {
    return [...this.#waiting.values()];
  }

  /** With a handler for requests, the program decides about everybody; without one, the settings do. */
  askAboutAll(): void {
    this.#lent.engine()?.askAboutAll(this.#lent.handlers.has("connectionrequest"));
  }

  /** Somebody wants to connect, or something about them has changed. */
  add(view: PeerView): void {
    const member = this.#waiting.get(view.id) ?? this.#lent.member(view);
    member.update(view);
    this.#waiting.set(view.id, member);
    this.askProgram();
  }

  /** Takes somebody out who need not wait any more. */
  take(id: string): Member | undefined {
    const member = this.#waiting.get(id);
    this.#waiting.delete(id);
    return member;
  }

  withdraw(id: string): void {
    const member = this.take(id);
    if (member) member.isGone = true;
  }

  forget(): void {
    for (const id of [...this.#waiting.keys()]) this.withdraw(id);
  }

  /** Asks the program about all peers that it has not been asked about yet, if it has a handler for that. */
  askProgram(): void {
    if (!this.#lent.handlers.has("connectionrequest")) return;
    for (const member of this.#waiting.values()) {
      if (!member.isAnnounced) void this.#ask(member);
    }
  }

  async #ask(member: Member): Promise<void> {
    const { handlers, engine } = this.#lent;
    member.isAnnounced = true;
    // The answer is about the name that the program was asked about.
    const { id, key, name } = member.view;
    let accept = true;
    const results = handlers.results("connectionrequest", member.user, member.userInfo, member.peer);
    for (const result of results) {
      try {
        if (!(await result)) accept = false;
      } catch (error) {
        accept = false;
        handlers.report(error);
      }
    }
    this.askAboutAll();
    if (engine()?.decide(id, key, name, accept) !== undefined) {
      // The peer has changed its name meanwhile, so the program is asked about the new name.
      member.isAnnounced = false;
      this.askProgram();
    } else if (!accept) {
      this.#waiting.delete(id);
    }
  }
}
