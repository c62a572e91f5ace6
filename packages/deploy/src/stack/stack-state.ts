/** What a stack's status means for whoever wants to go on. */
export type StackState =
  /** Nothing is there. */
  | 'absent'
  /** A change set was made for a stack that was never created. */
  | 'announced'
  /** CloudFormation is at it. */
  | 'busy'
  /** Its creation failed: it can only be removed. */
  | 'broken'
  /** It is whole, and can be changed. */
  | 'settled'
  /** An update failed, and going back failed as well: a person must decide. */
  | 'stuck'
  /** Removing it failed: it can be tried again. */
  | 'undeletable';

const SETTLED: ReadonlySet<string> = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
]);
const BROKEN: ReadonlySet<string> = new Set(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED']);
const STUCK: ReadonlySet<string> = new Set([
  'UPDATE_ROLLBACK_FAILED',
  'UPDATE_FAILED',
  'IMPORT_ROLLBACK_FAILED',
]);

/** Reads CloudFormation's `StackStatus`; undefined is no stack. A status that is new to us counts as busy. */
export function stateOf(status: string | undefined): StackState {
  if (status === undefined || status === 'DELETE_COMPLETE') return 'absent';
  if (status === 'REVIEW_IN_PROGRESS') return 'announced';
  if (status === 'DELETE_FAILED') return 'undeletable';
  if (SETTLED.has(status)) return 'settled';
  if (BROKEN.has(status)) return 'broken';
  if (STUCK.has(status)) return 'stuck';
  return 'busy';
}

/** Whether what was wanted came about: made or changed, not put back. */
export function isSuccess(status: string | undefined): boolean {
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE';
}
