import { parse } from 'yaml';
import { DEPLOY_LIMITS } from '../../src/limits.js';
import type { FakeAccount } from './account.js';
import { FakeStack, type Version } from './stack-engine.js';
import type { Document } from './template-resolver.js';
import { ServiceFault } from './wire.js';

type Input = Record<string, unknown>;

interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly stack: FakeStack;
  readonly version: Version;
  readonly type: string;
  readonly changes: readonly unknown[];
  readonly failure: string | undefined;
  readonly readyAtMs: number;
  isExecuted: boolean;
}

const DELAY_MS = 3_000;

/** The service: change sets, stacks, events. What it starts goes on in virtual time. */
export class FakeCloudFormation {
  readonly #account: FakeAccount;
  readonly stacks: FakeStack[] = [];
  readonly changeSets: ChangeSet[] = [];
  /** Where nothing would change it mostly says that the change set failed, and sometimes that it is complete and empty. */
  saysEmpty: 'failed' | 'complete' = 'failed';
  /** Why the next change sets are refused once they are worked out. */
  refusal: string | undefined;

  constructor(account: FakeAccount) {
    this.#account = account;
  }

  readonly operations: Readonly<Record<string, (input: Input) => Record<string, unknown>>> = {
    CreateChangeSet: (input) => this.#createChangeSet(input),
    DescribeChangeSet: (input) => this.#describeChangeSet(input),
    ExecuteChangeSet: (input) => this.#execute(input),
    DeleteChangeSet: (input) => this.#deleteChangeSet(input),
    DescribeStacks: (input) => ({ Stacks: [this.#describe(this.#stack(input, 'DescribeStacks'))] }),
    DescribeStackEvents: (input) => ({
      StackEvents: [...this.#stack(input, 'DescribeStackEvents').events].reverse(),
    }),
    DescribeStackResources: (input) => this.#resources(input),
    CancelUpdateStack: (input) => this.#cancel(input),
    DeleteStack: (input) => this.#delete(input),
  };

  /** Living stacks by name; dead ones answer to their id. */
  find(nameOrId: string): FakeStack | undefined {
    return this.stacks.find(
      ({ name, id, status }) => id === nameOrId || (name === nameOrId && status !== 'DELETE_COMPLETE'),
    );
  }

  #stack(input: Input, action: string): FakeStack {
    const named = String(input['StackName']);
    const found = this.find(named);
    const name = found?.name ?? named;
    this.#account.authorize(
      `cloudformation:${action}`,
      this.#account.arn('cloudformation', `stack/${name}/x`),
    );
    if (found === undefined)
      throw new ServiceFault('ValidationError', `Stack with id ${named} does not exist`);
    return found;
  }

  #describe(stack: FakeStack): Record<string, unknown> {
    const { version } = stack;
    const entries = (record: Readonly<Record<string, string>>, key: string, value: string) =>
      Object.entries(record).map(([name, text]) => ({ [key]: name, [value]: text }));
    const isWhole = stack.status.endsWith('_COMPLETE') && stack.held.size > 0 && version !== undefined;
    const parameters = Object.fromEntries(
      Object.entries(version?.document.Parameters ?? {}).map(([name, { Default }]) => [
        name,
        version?.parameters[name] ?? String(Default),
      ]),
    );
    return {
      StackId: stack.id,
      StackName: stack.name,
      StackStatus: stack.status,
      StackStatusReason: stack.reason,
      CreationTime: stack.createdAt,
      Parameters: entries(parameters, 'ParameterKey', 'ParameterValue'),
      // A stack that was only announced has neither template nor tags.
      Tags: entries(version?.tags ?? {}, 'Key', 'Value'),
      Outputs: isWhole ? entries(stack.resolver(version).outputs(), 'OutputKey', 'OutputValue') : [],
    };
  }

  #createChangeSet(input: Input): Record<string, unknown> {
    const name = String(input['StackName']);
    const account = this.#account;
    const arn = account.arn('cloudformation', `stack/${name}/x`);
    account.authorize('cloudformation:CreateChangeSet', arn);
    account.authorize('cloudformation:TagResource', arn);
    const type = String(input['ChangeSetType']);
    let stack = this.find(name);
    if (type === 'CREATE') {
      if (stack !== undefined && stack.status !== 'REVIEW_IN_PROGRESS') {
        throw new ServiceFault(
          'ValidationError',
          `Stack [${name}] already exists and cannot be created again with the changeSet`,
        );
      }
      if (stack === undefined) {
        stack = new FakeStack(account, name);
        stack.move('REVIEW_IN_PROGRESS');
        this.stacks.push(stack);
      }
    } else if (stack === undefined)
      throw new ServiceFault('ValidationError', `Stack [${name}] does not exist`);
    else if (!/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(stack.status)) {
      throw new ServiceFault(
        'ValidationError',
        `Stack:${stack.id} is in ${stack.status} state and can not be updated.`,
      );
    }
    const changeSetName = String(input['ChangeSetName']);
    if (this.changeSets.some((one) => one.stack === stack && one.name === changeSetName)) {
      throw new ServiceFault('AlreadyExistsException', `ChangeSet ${changeSetName} already exists`);
    }
    const made = this.#work(stack, input, type, changeSetName);
    this.changeSets.push(made);
    return { Id: made.id, StackId: stack.id };
  }

  #work(stack: FakeStack, input: Input, type: string, name: string): ChangeSet {
    const version = this.#version(stack, input);
    let changes: readonly unknown[] = [];
    let failure = this.refusal;
    if (!((input['Capabilities'] ?? []) as string[]).includes('CAPABILITY_IAM')) {
      throw new ServiceFault('InsufficientCapabilitiesException', 'Requires capabilities : [CAPABILITY_IAM]');
    }
    try {
      changes = stack.changes(version).map((ResourceChange) => ({ Type: 'Resource', ResourceChange }));
      if (changes.length === 0 && stack.version !== undefined && this.saysEmpty === 'failed') {
        // Parameters that nothing uses are a change to CloudFormation as well, but not to any resource.
        failure =
          "The submitted information didn't contain changes. Submit different information to create a change set.";
      }
    } catch (error) {
      throw new ServiceFault('ValidationError', error instanceof Error ? error.message : '');
    }
    const id = this.#account.arn('cloudformation', `changeSet/${name}/${this.changeSets.length}`);
    const readyAtMs = this.#account.time.nowMs() + 2 * DELAY_MS;
    return { id, name, stack, version, type, changes, failure, readyAtMs, isExecuted: false };
  }

  #version(stack: FakeStack, input: Input): Version {
    const before = stack.version;
    const body =
      input['UsePreviousTemplate'] === 'true' ? (before?.body ?? '') : String(input['TemplateBody']);
    if (Buffer.byteLength(body) > DEPLOY_LIMITS.templateBytesMax) {
      throw new ServiceFault(
        'ValidationError',
        "at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
      );
    }
    const given = (input['Parameters'] ?? []) as {
      ParameterKey: string;
      ParameterValue?: string;
      UsePreviousValue?: string;
    }[];
    const parameters = Object.fromEntries(
      given.map(({ ParameterKey, ParameterValue, UsePreviousValue }) => [
        ParameterKey,
        UsePreviousValue === 'true' ? (before?.parameters[ParameterKey] ?? '') : (ParameterValue ?? ''),
      ]),
    );
    const tags = Object.fromEntries(
      ((input['Tags'] ?? []) as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
    );
    return { document: documentOf(body), body, parameters, tags };
  }

  #changeSet(input: Input, action: string): ChangeSet {
    const wanted = String(input['ChangeSetName']);
    const found = this.changeSets.find(
      ({ id, name, stack }) =>
        id === wanted || (name === wanted && stack === this.find(String(input['StackName']))),
    );
    if (found === undefined)
      throw new ServiceFault('ChangeSetNotFound', `ChangeSet [${wanted}] does not exist`, 404);
    const arn = this.#account.arn('cloudformation', `stack/${found.stack.name}/x`);
    this.#account.authorize(`cloudformation:${action}`, arn);
    return found;
  }

  #describeChangeSet(input: Input): Record<string, unknown> {
    const found = this.#changeSet(input, 'DescribeChangeSet');
    const { id, name, stack, changes, failure, readyAtMs, isExecuted } = found;
    const isReady = this.#account.time.nowMs() >= readyAtMs;
    const done = failure === undefined ? 'CREATE_COMPLETE' : 'FAILED';
    return {
      ChangeSetId: id,
      ChangeSetName: name,
      StackId: stack.id,
      StackName: stack.name,
      ExecutionStatus: isExecuted
        ? 'EXECUTE_IN_PROGRESS'
        : this.#isObsolete(found)
          ? 'OBSOLETE'
          : 'AVAILABLE',
      Status: isReady ? done : 'CREATE_IN_PROGRESS',
      StatusReason: isReady ? failure : undefined,
      Changes: changes,
    };
  }

  #execute(input: Input): Record<string, unknown> {
    const changeSet = this.#changeSet(input, 'ExecuteChangeSet');
    const { stack, version, type, failure, isExecuted } = changeSet;
    if (isExecuted || failure !== undefined || this.#isObsolete(changeSet)) {
      throw new ServiceFault(
        'InvalidChangeSetStatus',
        `ChangeSet [${changeSet.id}] cannot be executed in its current status`,
      );
    }
    if (stack.isBusy)
      throw new ServiceFault(
        'ValidationError',
        `Stack:${stack.id} is in ${stack.status} state and can not be updated.`,
      );
    changeSet.isExecuted = true;
    // The others are about a stack that is no more.
    const others = this.changeSets.filter((one) => one.stack === stack && one !== changeSet);
    for (const other of others) this.changeSets.splice(this.changeSets.indexOf(other), 1);
    // What is described lags behind what was said.
    this.#account.time.later(this.#account.random() * DELAY_MS, () => {
      this.#account.time.run(type === 'CREATE' ? stack.create(version) : stack.update(version));
    });
    return {};
  }

  /** To make a stack that was made meanwhile. */
  #isObsolete({ type, stack }: ChangeSet): boolean {
    return type === 'CREATE' && stack.status !== 'REVIEW_IN_PROGRESS';
  }

  #deleteChangeSet(input: Input): Record<string, unknown> {
    const found = this.#changeSet(input, 'DeleteChangeSet');
    if (found.isExecuted) {
      throw new ServiceFault('InvalidChangeSetStatus', `ChangeSet [${found.id}] is being executed`);
    }
    this.changeSets.splice(this.changeSets.indexOf(found), 1);
    return {};
  }

  #resources(input: Input): Record<string, unknown> {
    const stack = this.#stack(input, 'DescribeStackResources');
    return {
      StackResources: [...stack.held].map(([id, { made, type, status }]) => ({
        LogicalResourceId: id,
        PhysicalResourceId: made.physicalId,
        ResourceType: type,
        ResourceStatus: status,
        Timestamp: new Date(this.#account.time.nowMs()),
      })),
    };
  }

  #cancel(input: Input): Record<string, unknown> {
    const stack = this.#stack(input, 'CancelUpdateStack');
    if (stack.status !== 'UPDATE_IN_PROGRESS') {
      throw new ServiceFault(
        'ValidationError',
        'CancelUpdateStack cannot be called from current stack status',
      );
    }
    stack.cancelled = true;
    return {};
  }

  #delete(input: Input): Record<string, unknown> {
    const named = String(input['StackName']);
    const stack = this.find(named);
    const name = stack?.name ?? named;
    this.#account.authorize(
      'cloudformation:DeleteStack',
      this.#account.arn('cloudformation', `stack/${name}/x`),
    );
    if (stack === undefined || stack.status === 'DELETE_COMPLETE' || stack.status === 'DELETE_IN_PROGRESS')
      return {};
    if (stack.isBusy && stack.status !== 'CREATE_IN_PROGRESS') {
      throw new ServiceFault(
        'ValidationError',
        `Stack [${stack.id}] cannot be deleted while in status ${stack.status}`,
      );
    }
    stack.cancelled = true;
    const begin = (): void => {
      // What is being made is finished first.
      if (stack.status === 'CREATE_IN_PROGRESS' && !this.#isQuiet(stack)) {
        this.#account.time.later(DELAY_MS, begin);
        return;
      }
      stack.cancelled = false;
      this.#account.time.run(stack.remove());
    };
    this.#account.time.later(this.#account.random() * DELAY_MS, begin);
    return {};
  }

  /** Nothing of the stack is being made at this moment. */
  #isQuiet({ events }: FakeStack): boolean {
    const last = new Map(events.map((event) => [event.LogicalResourceId, event]));
    return [...last.values()].every(
      ({ ResourceStatus, ResourceType }) =>
        ResourceType === 'AWS::CloudFormation::Stack' || !ResourceStatus.endsWith('_IN_PROGRESS'),
    );
  }
}

const documents = new Map<string, Document>();

/** Read once: the same template comes again and again. */
function documentOf(body: string): Document {
  let document = documents.get(body);
  if (document === undefined) {
    document = parse(body) as Document;
    documents.set(body, document);
  }
  return document;
}
