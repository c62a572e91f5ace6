import type { FakeAccount } from './account.js';
import { generatedName } from './generated-name.js';
import { HANDLERS, type Made, ResourceFault } from './resource-handlers.js';
import { type Document, Resolver } from './template-resolver.js';

export interface FakeEvent {
  readonly EventId: string;
  readonly Timestamp: Date;
  readonly LogicalResourceId: string;
  readonly ResourceType: string;
  readonly ResourceStatus: string;
  readonly ResourceStatusReason: string | undefined;
}

interface Holding {
  readonly made: Made;
  readonly type: string;
  readonly properties: Record<string, unknown>;
  readonly isRetained: boolean;
  status: string;
}

/** What a stack is, or is to become. */
export interface Version {
  readonly document: Document;
  readonly body: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** One stack: what it holds, and the generator that changes it. */
export class FakeStack {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  status = 'REVIEW_IN_PROGRESS';
  reason: string | undefined;
  version: Version | undefined;
  readonly events: FakeEvent[] = [];
  readonly held = new Map<string, Holding>();
  /** Somebody wants the present work to end. */
  cancelled = false;
  readonly #account: FakeAccount;

  constructor(account: FakeAccount, name: string) {
    this.#account = account;
    this.name = name;
    this.id = account.arn('cloudformation', `stack/${name}/${this.#suffix()}`);
    this.createdAt = new Date(account.time.nowMs());
  }

  get isBusy(): boolean {
    return this.status.endsWith('_IN_PROGRESS') && this.status !== 'REVIEW_IN_PROGRESS';
  }

  move(status: string, reason?: string): void {
    this.status = status;
    this.reason = reason;
    this.tell(this.name, 'AWS::CloudFormation::Stack', status, reason);
  }

  tell(logicalId: string, type: string, status: string, reason?: string): void {
    this.events.push({
      EventId: `${logicalId}-${status}-${this.events.length}-${this.id}`,
      Timestamp: new Date(this.#account.time.nowMs()),
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceStatus: status,
      ResourceStatusReason: reason,
    });
  }

  resolver(version: Version, identity?: (id: string, attribute: string | undefined) => unknown): Resolver {
    const { region, id: account } = this.#account;
    return new Resolver(
      version.document,
      version.parameters,
      { region, account, stackName: this.name },
      (id, attribute) => identity?.(id, attribute) ?? this.#identityOf(id, attribute),
    );
  }

  /** What would change: a line each. */
  changes(version: Version): { Action: string; LogicalResourceId: string; Replacement?: string }[] {
    const replaced = new Set<string>();
    const resolver = this.resolver(version, (id) =>
      replaced.has(id) || !this.held.has(id) ? `<new ${id}>` : undefined,
    );
    const found: { Action: string; LogicalResourceId: string; Replacement?: string }[] = [];
    for (const id of this.#order(resolver)) {
      const before = this.held.get(id);
      const type = version.document.Resources[id]?.Type ?? '';
      const properties = resolver.properties(id);
      if (before === undefined) found.push({ Action: 'Add', LogicalResourceId: id });
      else if (JSON.stringify(before.properties) !== JSON.stringify(properties)) {
        const isReplaced = this.#isReplaced(type, before.properties, properties);
        if (isReplaced) replaced.add(id);
        found.push({ Action: 'Modify', LogicalResourceId: id, Replacement: isReplaced ? 'True' : 'False' });
      }
    }
    const wanted = new Set(resolver.resourceIds());
    for (const id of this.held.keys())
      if (!wanted.has(id)) found.push({ Action: 'Remove', LogicalResourceId: id });
    return found;
  }

  /** Makes everything, or puts everything back. */
  *create(version: Version): Generator<number, void, void> {
    this.version = version;
    this.move('CREATE_IN_PROGRESS', 'User Initiated');
    const resolver = this.resolver(version);
    for (const id of this.#order(resolver)) {
      if (this.cancelled) return;
      try {
        yield* this.#make(id, version, resolver);
      } catch (error) {
        if (this.cancelled) return;
        yield* this.#putBack('ROLLBACK', wordsOf(error));
        return;
      }
    }
    if (!this.cancelled) this.move('CREATE_COMPLETE');
  }

  /** Changes what differs, or goes back to what was. */
  *update(version: Version): Generator<number, void, void> {
    const before = new Map(this.held);
    this.move('UPDATE_IN_PROGRESS', 'User Initiated');
    const gone: { id: string; holding: Holding }[] = [];
    try {
      yield* this.#towards(version, gone);
    } catch (error) {
      this.move('UPDATE_ROLLBACK_IN_PROGRESS', wordsOf(error));
      yield 5_000;
      const made = yield* this.#backTo(before);
      this.move('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
      yield* this.#cleanUp(made);
      this.move('UPDATE_ROLLBACK_COMPLETE');
      this.cancelled = false;
      return;
    }
    this.version = version;
    this.move('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    yield* this.#cleanUp(gone);
    this.move('UPDATE_COMPLETE');
    this.cancelled = false;
  }

  /** What was replaced is taken again, what was changed is changed back. Gives what was made meanwhile. */
  *#backTo(
    before: ReadonlyMap<string, Holding>,
  ): Generator<number, { id: string; holding: Holding }[], void> {
    const made: { id: string; holding: Holding }[] = [];
    for (const [id, holding] of [...this.held].reverse()) {
      const old = before.get(id);
      if (old === holding) continue;
      if (old?.made.physicalId === holding.made.physicalId) {
        yield* handlerOf(holding.type).update(this.#account, old.made, old.properties);
      } else made.unshift({ id, holding });
    }
    this.held.clear();
    for (const [id, holding] of before) this.held.set(id, holding);
    return made;
  }

  /** Removes everything but what is to be kept. */
  *remove(): Generator<number, void, void> {
    this.move('DELETE_IN_PROGRESS', 'User Initiated');
    for (const [id, holding] of this.#lastFirst()) {
      try {
        yield* this.#letGo(id, holding);
      } catch (error) {
        this.tell(id, holding.type, 'DELETE_FAILED', wordsOf(error));
        this.move('DELETE_FAILED', `The following resource(s) failed to delete: [${id}].`);
        return;
      }
    }
    this.move('DELETE_COMPLETE');
  }

  *#towards(version: Version, gone: { id: string; holding: Holding }[]): Generator<number, void, void> {
    const resolver = this.resolver(version);
    for (const id of this.#order(resolver)) {
      if (this.cancelled && version !== this.version) throw new ResourceFault('Resource update cancelled');
      const before = this.held.get(id);
      const type = version.document.Resources[id]?.Type ?? '';
      const properties = resolver.properties(id);
      if (before === undefined) yield* this.#make(id, version, resolver);
      else if (JSON.stringify(before.properties) === JSON.stringify(properties)) continue;
      else if (this.#isReplaced(type, before.properties, properties)) {
        gone.push({ id, holding: before });
        yield* this.#make(id, version, resolver);
      } else {
        this.tell(id, type, 'UPDATE_IN_PROGRESS');
        try {
          yield* handlerOf(type).update(this.#account, before.made, properties);
        } catch (error) {
          this.tell(id, type, 'UPDATE_FAILED', wordsOf(error));
          throw error;
        }
        this.held.set(id, { ...before, properties });
        this.tell(id, type, 'UPDATE_COMPLETE');
      }
    }
    const wanted = new Set(resolver.resourceIds());
    for (const [id, holding] of [...this.held]) {
      if (wanted.has(id)) continue;
      this.held.delete(id);
      gone.push({ id, holding });
    }
  }

  *#make(id: string, version: Version, resolver: Resolver): Generator<number, void, void> {
    const type = version.document.Resources[id]?.Type ?? '';
    this.tell(id, type, 'CREATE_IN_PROGRESS');
    const properties = resolver.properties(id);
    try {
      const made = yield* handlerOf(type).create(this.#account, properties, this.#nameOf(id, type));
      const isRetained = version.document.Resources[id]?.DeletionPolicy === 'Retain';
      this.held.set(id, { made, type, properties, isRetained, status: 'CREATE_COMPLETE' });
      this.tell(id, type, 'CREATE_COMPLETE');
    } catch (error) {
      this.tell(id, type, 'CREATE_FAILED', wordsOf(error));
      throw error;
    }
  }

  *#putBack(kind: 'ROLLBACK', reason: string): Generator<number, void, void> {
    this.move(`${kind}_IN_PROGRESS`, reason);
    for (const [id, holding] of this.#lastFirst()) yield* this.#letGo(id, holding);
    this.move(`${kind}_COMPLETE`);
  }

  *#letGo(id: string, holding: Holding): Generator<number, void, void> {
    if (holding.isRetained) {
      this.tell(id, holding.type, 'DELETE_SKIPPED');
    } else {
      this.tell(id, holding.type, 'DELETE_IN_PROGRESS');
      yield* handlerOf(holding.type).remove(this.#account, holding.made);
      this.tell(id, holding.type, 'DELETE_COMPLETE');
    }
    this.held.delete(id);
  }

  *#cleanUp(gone: { id: string; holding: Holding }[]): Generator<number, void, void> {
    for (const { id, holding } of gone.reverse()) {
      const isNow = this.held.get(id)?.made.physicalId === holding.made.physicalId;
      if (isNow || holding.isRetained) continue;
      yield* handlerOf(holding.type).remove(this.#account, holding.made);
      this.tell(id, holding.type, 'DELETE_COMPLETE');
    }
  }

  #identityOf(id: string, attribute: string | undefined): unknown {
    const made = this.held.get(id)?.made;
    return attribute === undefined ? made?.physicalId : made?.attributes[attribute];
  }

  #isReplaced(type: string, before: Record<string, unknown>, after: Record<string, unknown>): boolean {
    const { fixed } = handlerOf(type);
    return (
      fixed === 'all' || fixed.some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    );
  }

  /** Logical ids so that each comes after what it needs. */
  #order(resolver: Resolver): string[] {
    const sorted: string[] = [];
    const visit = (id: string, path: readonly string[]): void => {
      if (path.includes(id)) throw new Error(`Circular dependency between resources: [${path.join(', ')}]`);
      if (sorted.includes(id)) return;
      for (const needed of resolver.dependencies(id)) visit(needed, [...path, id]);
      sorted.push(id);
    };
    for (const id of resolver.resourceIds()) visit(id, []);
    return sorted;
  }

  /** What is held, so that each goes before what it needs. */
  #lastFirst(): (readonly [string, Holding])[] {
    const order = this.version === undefined ? [] : this.#order(this.resolver(this.version));
    return [...this.held].sort(([a], [b]) => order.indexOf(b) - order.indexOf(a));
  }

  #nameOf(id: string, type: string): string {
    const suffix = this.#suffix();
    if (type.startsWith('AWS::SageMaker')) return `${id}-${suffix}`;
    return generatedName(this.name, id, type === 'AWS::IAM::Role' ? 64 : 255, suffix);
  }

  #suffix(): string {
    return this.#account.random().toString(36).slice(2, 14);
  }
}

function handlerOf(type: string) {
  const handler = HANDLERS[type];
  if (handler === undefined) throw new ResourceFault(`Unrecognized resource type: ${type}`);
  return handler;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
