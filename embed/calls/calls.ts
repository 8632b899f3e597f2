// What is loaded when a call, a camera or a screen is first used. The program decides who is in which call and who may send what;
// this holds tracks and devices, and draws.

import { element } from "../assist/elements.ts";
import { Connections } from "./adapter.ts";
import styles from "./calls.css";
import type { Calls, Host, Observer, View } from "./contract.ts";
import { Devices, Refused } from "./devices.ts";
import { Own } from "./own.ts";
import type { Context } from "./parts.ts";
import { preview } from "./preview.ts";
import { Rings } from "./rings.ts";
import { Self } from "./self.ts";
import { Stage } from "./stage.ts";

export type { Adapter, Calls, Command, Host, Limit, Observer, OwnCall, Person, Sent, Tracks, View, Wish } from "./contract.ts";

/** Begins the media of one chat. */
export function open(host: Host, observer: Observer = {}): Calls {
  return new Opened(host, observer);
}

class Opened implements Calls {
  readonly #root = element("div", { class: "calls" });
  readonly #context: Context;
  readonly #stage: Stage;
  readonly #rings: Rings;
  readonly #resized = new ResizeObserver(([entry]) => entry && this.#stage.fit(entry.contentRect.height));
  #view: View | undefined;
  #known = new Set<string>();
  /** Whether something is being opened, so that a second press does nothing. */
  #isBusy = false;
  #isClosed = false;

  constructor(host: Host, observer: Observer) {
    const own = new Own();
    const devices = new Devices();
    const connections = new Connections(own, {
      stream: (peer, kind, stream) => {
        observer.stream?.(peer, kind, stream);
        this.#stage.again();
      },
    });
    const self = new Self(own, devices, host);
    this.#context = { host, connections, devices, own, self };
    this.#stage = new Stage(this.#context);
    this.#rings = new Rings(this.#context, (call, video) => this.answer(call, video));
    self.onchange = () => this.#stage.again();
    this.#root.append(this.#stage.root, this.#rings.root);
  }

  mount(root: HTMLElement): void {
    const { activeElement } = root.ownerDocument;
    root.append(this.#root);
    dress(root.getRootNode() as Document | ShadowRoot);
    this.#resized.disconnect();
    this.#resized.observe(root.closest(".rt") ?? root.ownerDocument.documentElement);
    // Elements that were moved do not play on by themselves, and have lost the focus.
    this.#stage.again();
    this.#stage.play();
    if (activeElement instanceof HTMLElement && this.#root.contains(activeElement)) activeElement.focus();
  }

  show(view: View): void {
    const { connections, self } = this.#context;
    this.#view = view;
    const known = new Set<string>();
    for (const { peer, sends } of [...(view.call?.peers ?? []), ...view.shares]) {
      known.add(peer);
      connections.sends(peer, sends);
    }
    for (const peer of this.#known) if (!known.has(peer)) connections.sends(peer, undefined);
    this.#known = known;
    self.shown(view.call !== undefined, view.share !== undefined);
    this.#rings.show(view);
    this.#stage.show(view);
  }

  begin({ conversation, title, video }: { conversation: string; title: string; video: boolean }): void {
    const heading = title ? `Call ${title}` : "Call";
    void this.#once(async () => {
      const opened = await this.#preview({ title: heading, go: "Call", video });
      if (opened) this.#context.host.command({ do: "start", conversation, sends: this.#context.self.begin("call", opened) });
    });
  }

  answer(call: string, video: boolean): void {
    void this.#once(async () => {
      const { devices, host, self } = this.#context;
      let opened: Parameters<Self["begin"]>[1] | undefined;
      if (video) opened = await this.#preview({ title: "Answer with video", go: "Answer", video });
      else {
        try {
          opened = { microphone: await devices.open("microphone"), camera: undefined };
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          // Whoever cannot speak can still listen.
          host.notice(error.message);
          opened = { microphone: undefined, camera: undefined };
        }
      }
      // It may have ended meanwhile.
      const isThere = this.#view?.rings.some((ring) => ring.call === call) || this.#view?.running.some((running) => running.call === call);
      if (opened && isThere && !this.#isClosed) host.command({ do: "answer", call, sends: self.begin("call", opened) });
      else if (opened) {
        for (const track of [opened.microphone, opened.camera]) track?.stop();
        if (!this.#isClosed) host.notice("The call has ended meanwhile.");
      }
    });
  }

  share(): void {
    void this.#once(async () => {
      const { host, self } = this.#context;
      const opened = await this.#preview({ title: "Show your camera", go: "Show", video: true, terms: self.terms });
      if (!opened) return;
      const terms = opened.terms ?? self.terms;
      host.command({ do: "share", sends: self.begin("share", opened, terms), ...terms });
    });
  }

  async #preview(wanted: Omit<Parameters<typeof preview>[2], "allowed">): ReturnType<typeof preview> {
    const allowed = this.#view?.allowed ?? "video";
    const place = this.#root.closest<HTMLElement>(".rt") ?? this.#root;
    const opener = (this.#root.getRootNode() as Document | ShadowRoot).activeElement;
    const opened = await preview(this.#context, place, { ...wanted, video: wanted.video && allowed === "video", allowed });
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    if (!opened || !this.#isClosed) return opened;
    for (const track of [opened.microphone, opened.camera]) track?.stop();
    return undefined;
  }

  async #once(act: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await act();
    } finally {
      this.#isBusy = false;
    }
  }

  link(...link: Parameters<Calls["link"]>): void {
    this.#context.connections.link(...link);
  }

  unlink(connection: number): void {
    this.#context.connections.unlink(connection);
  }

  settle(pc: RTCPeerConnection): void {
    this.#context.connections.settle(pc);
  }

  sends(...sends: Parameters<Calls["sends"]>): void {
    this.#context.connections.sends(...sends);
  }

  close(): void {
    this.#isClosed = true;
    const { connections, devices, self } = this.#context;
    this.#resized.disconnect();
    this.#rings.close();
    this.#stage.end();
    self.onchange = undefined;
    self.close();
    connections.close();
    devices.close();
    this.#root.remove();
  }
}

const dressed = new WeakSet<Document | ShadowRoot>();

/** Gives a tree the styles. The page's policy forbids others than its own files, but not sheets that its scripts make. */
function dress(tree: Document | ShadowRoot): void {
  if (dressed.has(tree)) return;
  dressed.add(tree);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  tree.adoptedStyleSheets = [...tree.adoptedStyleSheets, sheet];
}
