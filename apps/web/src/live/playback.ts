/** Lets a recording be heard while it is read at the pace of speech. What the browser cannot or may not play is read in silence. */
export class Playback {
  #audio: HTMLAudioElement | undefined;
  #isMuted = false;

  get isPlaying(): boolean {
    return this.#audio !== undefined;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /** Holds for what is played later as well. */
  set isMuted(isMuted: boolean) {
    this.#isMuted = isMuted;
    if (this.#audio !== undefined) this.#audio.muted = isMuted;
  }

  /** From its beginning on, in place of what was played before. */
  play(recording: Blob): void {
    this.stop();
    const audio = new Audio(URL.createObjectURL(recording));
    this.#audio = audio;
    audio.muted = this.#isMuted;
    // A browser that wants a gesture first, or that reads the file in no other way than to decode it.
    audio.play().catch(() => {
      if (this.#audio === audio) this.stop();
    });
  }

  stop(): void {
    const audio = this.#audio;
    this.#audio = undefined;
    if (audio === undefined) return;
    audio.pause();
    URL.revokeObjectURL(audio.src);
  }
}
