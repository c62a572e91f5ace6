import { type CaptionView, EMPTY_VIEW, followCaptions } from '@kikitori/client/shared-captions';
import { serverAddress } from '../shared/server-address.js';
import { type CaptionOptions, readCaptionOptions } from './caption-options.js';
import { sampleCaptions } from './caption-sample.js';
import { CaptionStage } from './caption-stage.js';
import { type CaptionStanding, standingOf } from './caption-standing.js';
import { CaptionTiming } from './caption-timing.js';
import { WORDINGS, type Wording } from './caption-wording.js';
import { dressPage, type PageTools, wireTools } from './page-dress.js';

/** The secret of a link: `#k=…`. It stays behind the `#`, so that a reload and a bookmark keep it. */
const LINK = /^#k=([A-Za-z0-9_-]{43})$/;

function find(selector: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(selector);
  if (element === null) throw new Error(`The page lacks ${selector}.`);
  return element;
}

/** Puts the page together and follows the link that it was opened with. */
function begin(): void {
  const options = readCaptionOptions(location.search);
  const language = options.language ?? (navigator.language.startsWith('ja') ? 'ja' : 'en');
  const wording = WORDINGS[language];
  document.documentElement.lang = language;
  dressPage(options);
  const tools = wireTools(options, wording);
  const show = shower(options, tools, wording);
  addEventListener('hashchange', () => location.reload());
  if (options.isSample) {
    sampleCaptions((view) => show(view, 'sample'), language);
    return;
  }
  const [, secret] = LINK.exec(location.hash) ?? [];
  if (secret === undefined) {
    tellStanding('incomplete', wording);
    find('.empty').textContent = wording.incomplete;
    return;
  }
  const { signal } = new AbortController();
  void followCaptions({
    url: serverAddress(),
    secret,
    signal,
    onChange: (view, status) => show(view, standingOf(view, status)),
  });
}

/** Shows states and the status, each at its time. */
function shower(
  options: CaptionOptions,
  tools: PageTools,
  wording: Wording,
): (view: CaptionView, standing: CaptionStanding) => void {
  const isOverlay = options.view === 'overlay';
  const stage = new CaptionStage({
    said: find('.said'),
    live: find('.live'),
    stable: find('.stable'),
    unstable: find('.unstable'),
    // A line each at least: more cannot be seen in an overlay.
    keptMax: isOverlay ? options.lines : Number.POSITIVE_INFINITY,
    showsUnstable: options.showsUnstable,
    announces: options.announces,
  });
  const empty = find('.empty');
  empty.textContent = wording.empty;
  const timing = new CaptionTiming({
    delayMs: options.delayMs,
    clearMs: options.clearMs,
    onShow: (view) => {
      if (view.language !== undefined) find('.scroller').lang = view.language;
      let isChanged = false;
      tools.keepingPlace(() => {
        isChanged = stage.show(view);
        empty.hidden = !stage.isEmpty;
      });
      return isChanged;
    },
    onPause: () => stage.clear(),
  });
  let last = EMPTY_VIEW;
  return (view, standing) => {
    tellStanding(standing, wording);
    // A change of the status alone is no word.
    if (view === last) return;
    last = view;
    timing.add(view);
  };
}

function tellStanding(standing: CaptionStanding, wording: Wording): void {
  document.body.dataset['status'] = standing;
  const text = find('.state-text');
  if (text.textContent !== wording.status[standing]) text.textContent = wording.status[standing];
}

begin();
