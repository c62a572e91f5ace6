import { recall, remember } from '../shared/storage.js';

/** Both secrets of a share, so that its link is the same the next time. */
export interface KeptShare {
  readonly publisherSecret: string;
  readonly readerSecret: string;
}

const STORED_AT = 'kikitori.share';
/** This tab has shared: it goes on after a reload, while another tab that is opened takes nothing away from it. */
const TAB_AT = 'kikitori.sharing';
const SECRET = /^[\w-]{43}$/;

/** The share that was not ended, of this browser. */
export function keptShare(): KeptShare | undefined {
  const [publisherSecret = '', readerSecret = ''] = (recall(STORED_AT) ?? '').split(' ');
  return SECRET.test(publisherSecret) && SECRET.test(readerSecret)
    ? { publisherSecret, readerSecret }
    : undefined;
}

/** Keeps it until it is ended; undefined: it was. */
export function keepShare(share: KeptShare | undefined): void {
  remember(STORED_AT, share && `${share.publisherSecret} ${share.readerSecret}`);
  remember(TAB_AT, share && '1', 'tab');
}

/** This tab shared before it was loaded again. */
export function hasTabShared(): boolean {
  return recall(TAB_AT, 'tab') !== undefined;
}
