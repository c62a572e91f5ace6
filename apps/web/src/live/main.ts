import { isEmpty } from './conversation.js';
import { Credentials } from './credentials.js';
import { byId, setText } from './element.js';
import { download, EXPORT_FORMATS, plainText } from './exports.js';
import { KeyDialog } from './key-dialog.js';
import { LagView } from './lag-view.js';
import { LevelView } from './level-view.js';
import { WEB_LIMITS } from './limits.js';
import { awaitListener, isListener, type Listener, type LoadingModel } from './listener.js';
import { listenerLine } from './listener-line.js';
import { LivePage } from './live-page.js';
import { type MessageKey, type MessageValues, preferredLanguage } from './messages.js';
import { Notice } from './notice.js';
import { Playback } from './playback.js';
import { point, RecordKeeper } from './record-keeper.js';
import { Recordings } from './recordings.js';
import { SessionStore } from './session-store.js';
import { SessionsDialog } from './sessions-dialog.js';
import { ShareControl } from './share-control.js';
import { listenToShortcut } from './shortcut.js';
import { SourcePicker } from './source-picker.js';
import { speakerState, stateLine } from './state-line.js';
import { listenToTextSize } from './text-size.js';
import { TranscriptView } from './transcript-view.js';
import { rememberedLanguage, Wording } from './wording.js';

/** How long the button says that it has copied. */
const COPIED_MS = 2_000;

const wording = new Wording(rememberedLanguage() ?? preferredLanguage(navigator.languages));
let listener: Listener | undefined;
/** What the server said the last time; undefined: nothing. */
let answer: Listener | LoadingModel | undefined;
let isAnswerAsked = false;
const credentials = new Credentials(() => listener?.needsKey ?? false);
const notice = new Notice(byId('notice', HTMLElement), wording, byId('record', HTMLButtonElement));
const store = new SessionStore();
const keeper = new RecordKeeper(store, () => notice.show('errorStorage'));
const program = byId('program', HTMLScriptElement);

/** What the model hears, in words: for the sentence that something does not sound like it. */
function heardLanguages(): string {
  return wording.languages(listener?.languages ?? []) || wording.say('someLanguage');
}

const keyDialog = new KeyDialog(wording, credentials);
const share = new ShareControl(wording, credentials, () => keyDialog.hasKey());
const page = new LivePage({
  files: { workletUrl: program.dataset['worklet'] ?? '', workerUrl: program.dataset['worker'] ?? '' },
  credentials,
  keyDialog,
  picker: new SourcePicker(byId('source', HTMLSelectElement), wording),
  keeper,
  share,
  notice,
  transcript: new TranscriptView(
    {
      list: byId('transcript', HTMLOListElement),
      announcer: byId('announcer', HTMLElement),
      toNow: byId('to-now', HTMLButtonElement),
    },
    wording,
  ),
  lag: new LagView({
    box: byId('lag', HTMLElement),
    number: byId('lag-number', HTMLElement),
    plot: byId('lag-plot', SVGSVGElement),
  }),
  level: new LevelView(byId('level', HTMLCanvasElement)),
  playback: new Playback(),
  model: () => listener?.models[0] ?? '',
  channel: (n) => wording.say('channelNamed', { n }),
  languages: heardLanguages,
  onState: () => draw(),
});

const sessions = new SessionsDialog(store, wording, {
  open: (record) => {
    point(record.id);
    page.show(record);
  },
  delete: (id) => {
    keeper.forget(id);
    if (id !== undefined && page.record?.id !== id) return;
    deletedId = page.record?.id;
    page.show(undefined);
  },
  restore: (records) => {
    keeper.remember(records.map(({ id }) => id));
    const record = records.find(({ id }) => id === deletedId);
    if (record !== undefined && page.record === undefined) page.show(record);
  },
});
/** What was shown when it was deleted. */
let deletedId: string | undefined;

const recordings = new Recordings(page, notice);

/** Brings every control in line with the state. Cheap: it changes only what differs. */
function draw(): void {
  const { state, isBusy } = page;
  // Whatever is hidden below may lose it at once.
  const focused = document.activeElement;
  const hasWords = page.record !== undefined && !isEmpty(page.record);
  // Of a session in which nothing was said nothing is left to be seen.
  const record = isBusy || hasWords ? page.record : undefined;
  document.body.dataset['phase'] = state.phase;
  document.body.dataset['live'] = String(state.phase === 'recording' && state.capture === 'live');
  const [key, values] = stateLine(state);
  setText(byId('state', HTMLElement), wording.say(key, values));
  share.tell(speakerState(state));
  tell(key, values);
  const canStop = ['recording', 'reading', 'decoding'].includes(state.phase);
  const button = byId('record', HTMLButtonElement);
  // Not `disabled`, which would take the focus away from whoever has pressed it by a key.
  button.setAttribute('aria-disabled', String(isBusy && !canStop));
  setText(byId('record-text', HTMLElement), wording.say(isBusy ? 'stop' : 'start'));
  const mute = byId('mute', HTMLButtonElement);
  mute.disabled = !page.canMute;
  mute.setAttribute('aria-pressed', String(state.isMuted));
  setText(mute, wording.say(state.isMuted ? 'unmute' : 'mute'));
  byId('source', HTMLSelectElement).disabled = isBusy;
  byId('intro', HTMLElement).hidden = isBusy || record !== undefined;
  recordings.draw({ isIntro: !isBusy && record === undefined });
  const anew = byId('new', HTMLButtonElement);
  anew.hidden = !isBusy && record === undefined;
  anew.disabled = isBusy;
  byId('spoken', HTMLElement).hidden = record === undefined;
  byId('export', HTMLFieldSetElement).disabled = !hasWords;
  byId('file-progress', HTMLElement).hidden = state.phase !== 'reading';
  byId('progress', HTMLProgressElement).value = Math.round(page.progress * 1000);
  if (record !== undefined) {
    setText(byId('session-name', HTMLElement), `${wording.time(record.startedAtMs)} · ${record.name}`);
  }
  drawListener();
  keepFocus(focused);
}

let told: MessageKey = 'stateIdle';

/** Screen readers hear a state when it comes, and not every second how much sound is kept. */
function tell(key: MessageKey, values: MessageValues): void {
  if (key === told) return;
  told = key;
  setText(byId('state-told', HTMLElement), wording.say(key, values));
}

/** What had the focus is not there any more: keys go on from the one button. */
function keepFocus(focused: Element | null): void {
  if (focused?.closest('[hidden], :disabled, dialog:not([open])') == null) return;
  byId('record', HTMLButtonElement).focus({ preventScroll: true });
}

function drawListener(): void {
  const languages = wording.languages(listener?.languages ?? []);
  setText(byId('hears', HTMLElement), wording.say('hears', { languages }));
  byId('hears', HTMLElement).hidden = languages === '';
  setText(byId('listener', HTMLElement), isAnswerAsked ? listenerLine(wording, answer, page.state) : '');
}

/** Before anything else: where the microphone cannot work, and how it can. */
function drawSecurity(): void {
  if (isSecureContext) return;
  const port = location.port === '' ? '' : `:${location.port}`;
  byId('no-microphone', HTMLElement).hidden = false;
  byId('intro-title', HTMLElement).dataset['text'] = 'introTitleFile' satisfies MessageKey;
  byId('intro-text', HTMLElement).dataset['text'] = 'introTextFile' satisfies MessageKey;
  const here = `http://localhost${port}`;
  setText(byId('no-microphone-way', HTMLElement), wording.say('insecureWay', { here }));
}

let onAnswered = (): void => undefined;
/** Settles when the server has said for the first time who listens. */
const answered = new Promise<void>((resolve) => {
  onAnswered = resolve;
});

let asking = new AbortController();

/** Asks who listens, from the beginning. */
function askListener(): void {
  asking.abort();
  asking = new AbortController();
  const onAnswer = (next: Listener | LoadingModel | undefined): void => {
    answer = next;
    isAnswerAsked = true;
    if (isListener(next)) {
      // While nobody answers what was known before still holds: whether a key is needed.
      listener = next;
      onAnswered();
    }
    draw();
  };
  void awaitListener({ signal: asking.signal, onAnswer });
}

/** Nothing is shown: what was said stays among the kept sessions. */
function beginAnew(): void {
  point(undefined);
  page.show(undefined);
}

async function copyText(): Promise<void> {
  const { record } = page;
  if (record === undefined) return;
  try {
    await navigator.clipboard.writeText(plainText(record));
    const button = byId('copy', HTMLButtonElement);
    setText(button, wording.say('copied'));
    setText(byId('state-told', HTMLElement), wording.say('copied'));
    setTimeout(() => setText(button, wording.say('copy')), COPIED_MS);
  } catch {
    notice.show('notCopied');
  }
}

function toggle(): void {
  if (!isListener(answer)) askListener();
  void page.toggle();
}

function listenToButtons(): void {
  byId('record', HTMLButtonElement).addEventListener('click', toggle);
  listenToShortcut(toggle);
  listenToTextSize();
  byId('mute', HTMLButtonElement).addEventListener('click', () => page.mute());
  byId('copy', HTMLButtonElement).addEventListener('click', () => void copyText());
  byId('new', HTMLButtonElement).addEventListener('click', beginAnew);
  byId('open-sessions', HTMLButtonElement).addEventListener('click', () => void sessions.show());
  for (const format of EXPORT_FORMATS) {
    document.querySelector(`[data-export="${format}"]`)?.addEventListener('click', () => {
      if (page.record !== undefined) download(page.record, format);
    });
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog')?.close());
  }
  const language = byId('language', HTMLSelectElement);
  language.value = wording.language;
  language.addEventListener('change', () => wording.change(language.value === 'ja' ? 'ja' : 'en'));
  for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, () => void page.wake());
}

drawSecurity();
wording.dress();
wording.watch(draw);
wording.watch(drawSecurity);
listenToButtons();
setInterval(() => page.tick(), WEB_LIMITS.lagEveryMs);
askListener();
// A page that comes back out of the browser's memory asks anew; one that goes there asks no more.
addEventListener('pagehide', () => asking.abort());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) askListener();
});
void keeper.last().then(async (record) => {
  page.show(record);
  // Not before it is known whether a key is needed.
  await answered;
  share.resume(record);
});
draw();
