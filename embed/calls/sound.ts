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

/** A source that tells nothing new for so long, in milliseconds, is silent: browsers list it for a while. */
const STALE = 1_000;

/** How loud sounds are that arrive. */
export class Levels {
  readonly #seen = new WeakMap<RTCRtpReceiver, { timestamp: number; at: number }>();

  /** The level now, of at most 1. */
  of(receiver: RTCRtpReceiver | undefined): number {
    const [source] = receiver?.getSynchronizationSources() ?? [];
    if (!receiver || !source) return 0;
    // The clock of sources differs from that of pages after the machine has slept; so only changes count.
    const now = performance.now();
    const seen = this.#seen.get(receiver);
    if (seen?.timestamp !== source.timestamp) this.#seen.set(receiver, { timestamp: source.timestamp, at: now });
    else if (now - seen.at > STALE) return 0;
    return source.audioLevel ?? 0;
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
