// Sounds that are made here, and how loud a microphone is.

/** How loud a track is. */
export class Meter {
  readonly #context = new AudioContext();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples = new Float32Array(512);
  #source: MediaStreamAudioSourceNode | undefined;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
    // A context that was made without a press may wait for one.
    void this.#context.resume().catch(() => undefined);
  }

  listen(track: MediaStreamTrack | undefined): void {
    this.#source?.disconnect();
    this.#source = track && this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source?.connect(this.#analyser);
  }

  /** The level now, of at most 1. */
  level(): number {
    if (!this.#source) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }

  close(): void {
    this.#source?.disconnect();
    void this.#context.close();
  }
}

/** What was measured last of somebody's sound. */
interface Measured {
  energy: number;
  duration: number;
  level: number;
  isAsking: boolean;
}

/**
 * How loud sounds are that arrive, by their energy since the last look (WebRTC statistics, `totalAudioEnergy`). The level of one
 * moment misses short sounds.
 */
export class Levels {
  readonly #measured = new WeakMap<RTCRtpReceiver, Measured>();

  /** The level since the last look but one, of at most 1. */
  of(receiver: RTCRtpReceiver | undefined): number {
    if (!receiver) return 0;
    let measured = this.#measured.get(receiver);
    if (!measured) this.#measured.set(receiver, (measured = { energy: 0, duration: 0, level: 0, isAsking: false }));
    if (!measured.isAsking) void this.#measure(receiver, measured);
    return measured.level;
  }

  async #measure(receiver: RTCRtpReceiver, measured: Measured): Promise<void> {
    measured.isAsking = true;
    try {
      for (const stats of (await receiver.getStats()).values()) {
        if (stats.type !== "inbound-rtp") continue;
        const { totalAudioEnergy: energy = 0, totalSamplesDuration: duration = 0 } = stats as RTCInboundRtpStreamStats;
        const passed = duration - measured.duration;
        // The first look only begins.
        measured.level = measured.duration > 0 && passed > 0 ? Math.min(1, Math.sqrt(Math.max(0, energy - measured.energy) / passed)) : 0;
        Object.assign(measured, { energy, duration });
      }
    } catch {
      // The connection was closed.
      measured.level = 0;
    } finally {
      measured.isAsking = false;
    }
  }
}

/** How often the ring tone comes, in milliseconds, and its two notes. */
const EVERY = 2_600;
const NOTES = [523.25, 659.25];
const LOUDNESS = 0.09;

/** A soft tone that comes again until it is ended. */
export class Tone {
  #context: AudioContext | undefined;
  #timer: number | undefined;

  begin(): void {
    if (this.#timer !== undefined) return;
    this.#timer = window.setInterval(() => this.#play(), EVERY);
    this.#play();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    void this.#context?.close();
    this.#context = undefined;
  }

  #play(): void {
    // Before somebody has touched the page, browsers let nothing sound.
    if (navigator.userActivation?.hasBeenActive === false) return;
    const context = (this.#context ??= new AudioContext());
    // Notes of a context that waits would come late and in a heap.
    if (context.state !== "running") {
      void context.resume().catch(() => undefined);
      return;
    }
    for (const [index, note] of NOTES.entries()) {
      const begin = context.currentTime + index * 0.22;
      const [tone, gain] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = note;
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.0005, begin + 0.9);
      tone.connect(gain).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + 1);
    }
  }
}
