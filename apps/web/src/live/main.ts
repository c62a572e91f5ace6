import { isEmpty } from './conversation.js';
import { Credentials } from './credentials.js';
import { byId, setText } from './element.js';
import { download, EXPORT_FORMATS, plainText } from './exports.js';
import { KeyDialog } from './key-dialog.js';
import { LagView } from './lag-view.js';
import { LevelView } from './level-view.js';
import { WEB_LIMITS } from './limits.js';
import { awaitListener, type Listener } from './listener.js';
import { LivePage } from './live-page.js';
import { type MessageKey, type MessageValues, preferredLanguage } from './messages.js';
import { Notice } from './notice.js';
import { point, RecordKeeper } from './record-keeper.js';
import { SessionStore } from './session-store.js';
import { SessionsDialog } from './sessions-dialog.js';
import { ShareControl } from './share-control.js';
import { SourcePicker } from './source-picker.js';
import { speakerState, stateLine } from './state-line.js';
import { TranscriptView } from './transcript-view.js';
import { rememberedLanguage, Wording } from './wording.js';

/** How long the button says that it has copied. */
const COPIED_MS = 2_000;

const wording = new Wording(rememberedLanguage() ?? preferredLanguage(navigator.languages));
let listener: Listener | undefined;
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
  model: () => listener?.models[0] ?? '',
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
    if (id === undefined || page.record?.id === id) page.show(undefined);
  },
});

/** Brings every control in line with the state. Cheap: it changes only what differs. */
function draw(): void {
  const { state, isBusy } = page;
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
  mute.disabled = state.phase !== 'recording';
  mute.setAttribute('aria-pressed', String(state.isMuted));
  setText(mute, wording.say(state.isMuted ? 'unmute' : 'mute'));
  byId('source', HTMLSelectElement).disabled = isBusy;
  byId('intro', HTMLElement).hidden = isBusy || record !== undefined;
  byId('spoken', HTMLElement).hidden = record === undefined;
  byId('export', HTMLFieldSetElement).disabled = !hasWords;
  byId('file-progress', HTMLElement).hidden = state.phase !== 'reading';
  byId('progress', HTMLProgressElement).value = Math.round(page.progress * 1000);
  if (record !== undefined) {
    setText(byId('session-name', HTMLElement), `${wording.time(record.startedAtMs)} · ${record.name}`);
  }
  drawListener();
  keepFocus();
}

let told: MessageKey = 'stateIdle';

/** Screen readers hear a state when it comes, and not every second how much sound is kept. */
function tell(key: MessageKey, values: MessageValues): void {
  if (key === told) return;
  told = key;
  setText(byId('state-told', HTMLElement), wording.say(key, values));
}

/** What had the focus is not there any more: keys go on from the one button. */
function keepFocus(): void {
  if (document.activeElement?.closest('[hidden]') == null) return;
  byId('record', HTMLButtonElement).focus({ preventScroll: true });
}

function drawListener(): void {
  const place = byId('listener', HTMLElement);
  if (listener === undefined) {
    setText(place, isListenerAsked ? wording.say('noServer') : '');
    return;
  }
  const model = listener.models[0] ?? wording.say('someModel');
  const { relay = '' } = listener;
  const languages = wording.languages(listener.languages);
  setText(byId('hears', HTMLElement), wording.say('hears', { languages }));
  byId('hears', HTMLElement).hidden = languages === '';
  const known = languages === '' ? 'listening' : 'listeningTo';
  setText(place, wording.say(relay === '' ? known : 'listeningRelay', { model, relay, languages }));
}

/** Before anything else: where the microphone cannot work, and how it can. */
function drawSecurity(): void {
  if (isSecureContext) return;
  const port = location.port === '' ? '' : `:${location.port}`;
  byId('no-microphone', HTMLElement).hidden = false;
  byId('intro-title', HTMLElement).dataset['text'] = 'introTitleFile' satisfies MessageKey;
  const here = `http://localhost${port}`;
  setText(byId('no-microphone-way', HTMLElement), wording.say('insecureWay', { here }));
}

let isListenerAsked = false;
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
  const onAnswer = (answer: Listener | undefined): void => {
    listener = answer;
    isListenerAsked = true;
    if (answer !== undefined) onAnswered();
    draw();
  };
  void awaitListener({ signal: asking.signal, onAnswer });
}

function rate(): 'realtime' | 'max' {
  const chosen = document.querySelector<HTMLInputElement>('input[name="rate"]:checked');
  return chosen?.value === 'max' ? 'max' : 'realtime';
}

async function readSample(name: string): Promise<void> {
  try {
    const response = await fetch(`samples/${name}.flac`, {
      signal: AbortSignal.timeout(WEB_LIMITS.sampleTimeoutMs),
    });
    if (!response.ok) throw new TypeError('The sample is not there.');
    await page.read(await response.blob(), `${name}.flac`, rate());
  } catch {
    notice.show('errorLoad');
  }
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

function listenToFiles(): void {
  const input = byId('file', HTMLInputElement);
  byId('pick-file', HTMLButtonElement).addEventListener('click', () => input.click());
  const read = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file !== undefined) void page.read(file, file.name, rate());
  };
  input.addEventListener('change', () => {
    read(input.files);
    input.value = '';
  });
  // Without this the browser would leave the page and show the file.
  addEventListener('dragover', (event) => {
    event.preventDefault();
    const hasFile = event.dataTransfer?.types.includes('Files') ?? false;
    document.body.toggleAttribute('data-dropping', hasFile && !page.isBusy);
  });
  addEventListener('dragleave', ({ relatedTarget }) => {
    // Null: out of the window, not from one part of the page to the next.
    if (relatedTarget === null) document.body.removeAttribute('data-dropping');
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.removeAttribute('data-dropping');
    read(event.dataTransfer?.files);
  });
  for (const button of document.querySelectorAll<HTMLElement>('[data-sample]')) {
    button.addEventListener('click', () => void readSample(button.dataset['sample'] ?? ''));
  }
}

function listenToButtons(): void {
  byId('record', HTMLButtonElement).addEventListener('click', () => {
    if (listener === undefined) askListener();
    void page.toggle();
  });
  byId('mute', HTMLButtonElement).addEventListener('click', () => page.mute());
  byId('copy', HTMLButtonElement).addEventListener('click', () => void copyText());
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
listenToFiles();
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
