import { isListener, type Listener, type LoadingModel } from './listener.js';
import type { PageState } from './state-line.js';
import type { Wording } from './wording.js';

/** Words are understood at this moment, as far as the page can know. */
function isListening({ phase, capture, line, isMuted }: PageState): boolean {
  if (line !== 'open') return false;
  const isHeard = capture === 'live' || capture === 'silent';
  return phase === 'reading' || (phase === 'recording' && isHeard && !isMuted);
}

/** Who listens, or would; or why nobody does. `answer`: the server's last; undefined where it gave none. */
export function listenerLine(
  wording: Wording,
  answer: Listener | LoadingModel | undefined,
  state: PageState,
): string {
  if (answer === undefined || state.line === 'away') return wording.say('noServer');
  if (!isListener(answer)) {
    const { fetchedShare, isAway } = answer;
    if (isAway) return wording.say('modelAway');
    return fetchedShare === undefined
      ? wording.say('loadingModel')
      : wording.say('fetchingModel', { n: Math.floor(100 * fetchedShare) });
  }
  const { models, languages: tags, relay = '' } = answer;
  const languages = wording.languages(tags);
  const values = { model: models[0] ?? wording.say('someModel'), relay, languages };
  if (relay !== '') return wording.say('listeningRelay', values);
  if (isListening(state)) return wording.say(languages === '' ? 'listening' : 'listeningTo', values);
  return wording.say(languages === '' ? 'ready' : 'readyFor', values);
}
