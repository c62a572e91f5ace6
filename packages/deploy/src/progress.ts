/** What happens while something is being made or removed. The command shows it; libraries never print. */
export interface Progress {
  /** What it belongs to: a step of the plan, such as `image`, `artefacts` or `stack`. */
  readonly step: string;
  /** `begin` and `done` frame a step; `skip` is a step that found nothing to do; `note` says something in between. */
  readonly kind: 'begin' | 'note' | 'done' | 'skip';
  /** One line for people, without a trailing full stop. Never a key or a token. */
  readonly text: string;
  /** How far a long transfer is: bytes, or layers. */
  readonly fraction?: { readonly done: number; readonly total: number; readonly unit: 'bytes' | 'parts' };
}

/** Takes progress. Must not throw and not wait. */
export type OnProgress = (progress: Progress) => void;

/** What everything works with that takes its time: it can be called off, and says what happens. */
export interface LifecycleOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}
