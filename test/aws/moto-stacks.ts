/** What CloudFormation does and moto's does not: it works out what a change changes, and makes resources of types that moto's does not know. */
import { parse } from 'yaml';
import { type Document, Resolver } from '../../packages/deploy/test/fake-aws/template-resolver.js';
import { ACCOUNT, type Moto, REGION } from './moto.js';

/** What a stack is to be. */
interface Pending {
  readonly stackName: string;
  readonly document: Document;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Version extends Pending {
  /** By resource: which change it was changed in. */
  readonly rounds: Readonly<Record<string, number>>;
}

type Properties = Readonly<Record<string, unknown>>;

/** Changed, these are made anew: what names them is changed with them. */
const REPLACED = ['AWS::SageMaker::Model', 'AWS::SageMaker::EndpointConfig'];

export class MotoStacks {
  /** Name of an endpoint → what moto calls it. */
  readonly endpointNames = new Map<string, string>();
  readonly #moto: Moto;
  /** By change set: what a stack is to be. */
  readonly #proposed = new Map<string, Version>();
  /** By stack: what it is. */
  readonly #current = new Map<string, Version>();
  readonly #signal = new AbortController().signal;
  #round = 0;

  constructor(moto: Moto) {
    this.#moto = moto;
  }

  /** Nothing is there any more. */
  forget(): void {
    for (const all of [this.endpointNames, this.#proposed, this.#current]) all.clear();
  }

  /** Writes into a `CreateChangeSet` what moto must hear to do it. @returns Why CloudFormation refuses it; undefined: it does not */
  async propose(asks: URLSearchParams): Promise<string | undefined> {
    const stackName = asks.get('StackName') ?? '';
    const before = asks.get('ChangeSetType') === 'UPDATE' ? this.#current.get(stackName) : undefined;
    const parameters = parametersOf(asks, before);
    const given = asks.get('TemplateBody');
    // A template is one document of CloudFormation's.
    const document = given === null ? before?.document : (parse(given) as Document);
    if (document === undefined) return 'Either Template URL or Template Body must be specified.';
    const version = { stackName, document, parameters, rounds: before?.rounds ?? {} };
    try {
      const resolver = this.#resolver(version);
      // It says why CloudFormation refuses what waits for something that is not made.
      for (const id of resolver.resourceIds()) resolver.dependencies(id);
      const rounds = before === undefined ? {} : this.#rounds(version, before);
      this.#proposed.set(asks.get('ChangeSetName') ?? '', { ...version, rounds });
      asks.delete('UsePreviousTemplate');
      asks.set('TemplateBody', this.#written({ ...version, rounds }));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** What moto has left out of a stack is made, or changed. `changeSet` is a name or an ARN. */
  async executed(changeSet: string): Promise<void> {
    const name = /:changeSet\/([^/]+)\//.exec(changeSet)?.[1] ?? changeSet;
    const version = this.#proposed.get(name);
    if (version === undefined) throw new Error(`no change set ${changeSet}`);
    const before = this.#current.get(version.stackName);
    this.#current.set(version.stackName, version);
    const { Endpoints = [] } = await this.#moto.aws.ask(
      'sageMaker',
      (sdk) => new sdk.ListEndpointsCommand({}),
      this.#signal,
    );
    // moto's own name: of the stack, of the resource, and something at random.
    const own = Endpoints.find(({ EndpointName }) =>
      EndpointName?.startsWith(`${version.stackName}-Endpoint-`),
    );
    this.endpointNames.set(version.parameters['EndpointName'] ?? '', own?.EndpointName ?? '');
    const now = this.#unknownTo(version);
    for (const [id, { type, properties }] of now) {
      await this.#put(type, { AlarmName: `${version.stackName}-${id}-0123456789AB`, ...properties });
    }
    if (before === undefined) return;
    for (const [id, gone] of this.#unknownTo(before)) if (!now.has(id)) await this.#remove(before, id, gone);
  }

  /** What moto does not know goes before the rest. `nameOrId` is a stack's. */
  async deleting(nameOrId: string): Promise<void> {
    const stackName = /:stack\/([^/]+)\//.exec(nameOrId)?.[1] ?? nameOrId;
    const version = this.#current.get(stackName);
    if (version === undefined) return;
    this.#current.delete(stackName);
    for (const [id, gone] of [...this.#unknownTo(version)].reverse()) await this.#remove(version, id, gone);
    this.endpointNames.delete(version.parameters['EndpointName'] ?? '');
  }

  /** The template as moto takes it: a mark on each resource that changes, and nothing in a list that a condition takes away. */
  #written({ rounds, ...version }: Version): string {
    const resolver = this.#resolver(version);
    const resources = Object.entries(version.document.Resources).map(([id, resource]) => {
      const Properties = withoutNothing(resource.Properties, resolver);
      return [id, { ...resource, Properties, Round: rounds[id] ?? 0 }];
    });
    return JSON.stringify({ ...version.document, Resources: Object.fromEntries(resources) });
  }

  #rounds(version: Pending, before: Version): Readonly<Record<string, number>> {
    this.#round += 1;
    const changed = [...this.#changed(version, before)].map((id) => [id, this.#round]);
    return { ...before.rounds, ...Object.fromEntries(changed) };
  }

  #changed(version: Pending, before: Version): ReadonlySet<string> {
    const replaced = new Set<string>();
    const was = this.#resolver(before);
    const is = this.#resolver(version, (id) => (replaced.has(id) ? `<new ${id}>` : undefined));
    const { Resources } = version.document;
    const there = new Set(was.resourceIds());
    const changed = new Set<string>();
    // In the template, each comes after what it needs.
    for (const id of is.resourceIds()) {
      const isSame =
        there.has(id) && JSON.stringify(was.properties(id)) === JSON.stringify(is.properties(id));
      if (isSame) continue;
      changed.add(id);
      if (REPLACED.includes(Resources[id]?.Type ?? '')) replaced.add(id);
    }
    return changed;
  }

  #resolver(
    { stackName, document, parameters }: Pending,
    identity?: (id: string) => string | undefined,
  ): Resolver {
    const place = { region: REGION, account: ACCOUNT, stackName };
    return new Resolver(document, parameters, place, (id, attribute) => {
      if (id === 'Endpoint' && attribute === 'EndpointName') return parameters['EndpointName'];
      return identity?.(id) ?? `<${id}>`;
    });
  }

  #unknownTo(
    version: Version,
  ): ReadonlyMap<string, { readonly type: string; readonly properties: Properties }> {
    const resolver = this.#resolver(version);
    const { Resources } = version.document;
    return new Map(
      resolver.resourceIds().flatMap((id) => {
        const type = Resources[id]?.Type ?? '';
        if (!/::(CloudWatch::Alarm|ApplicationAutoScaling::\w+)$/.test(type)) return [];
        const isPolicy = type.endsWith('ScalingPolicy');
        const { ScalingTargetId: _, ...own } = resolver.properties(id);
        const { ResourceId, ScalableDimension, ServiceNamespace } = resolver.properties('ScalableTarget');
        const target = isPolicy ? { ResourceId, ScalableDimension, ServiceNamespace } : {};
        return [[id, { type, properties: { ...own, ...target } }] as const];
      }),
    );
  }

  async #put(type: string, properties: Properties): Promise<void> {
    if (type === 'AWS::CloudWatch::Alarm') await this.#alarms('PutMetricAlarm', properties);
    else {
      const { AlarmName: _, ...own } = properties;
      await this.#scaling(type.endsWith('Policy') ? 'PutScalingPolicy' : 'RegisterScalableTarget', own);
    }
  }

  async #remove(
    { stackName }: Version,
    id: string,
    { type, properties }: { readonly type: string; readonly properties: Properties },
  ): Promise<void> {
    if (type === 'AWS::CloudWatch::Alarm') {
      await this.#alarms('DeleteAlarms', { AlarmNames: [`${stackName}-${id}-0123456789AB`] });
      return;
    }
    const { PolicyName, ResourceId, ScalableDimension, ServiceNamespace } = properties;
    const target = { ResourceId, ScalableDimension, ServiceNamespace };
    if (type.endsWith('Policy')) await this.#scaling('DeleteScalingPolicy', { PolicyName, ...target });
    else await this.#scaling('DeregisterScalableTarget', target);
  }

  #alarms(operation: string, input: Properties): Promise<unknown> {
    return this.#moto.json('monitoring', `GraniteServiceVersion20100801.${operation}`, input);
  }

  #scaling(operation: string, input: Properties): Promise<unknown> {
    return this.#moto.json('application-autoscaling', `AnyScaleFrontendService.${operation}`, input);
  }
}

/** The parameters of a request, which are written as moto takes them. */
function parametersOf(asks: URLSearchParams, before: Version | undefined): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [field, name] of [...asks]) {
    const at = /^(Parameters\.member\.\d+)\.ParameterKey$/.exec(field)?.[1];
    if (at === undefined) continue;
    const value = asks.get(`${at}.ParameterValue`) ?? before?.parameters[name] ?? '';
    parameters[name] = value;
    asks.delete(`${at}.UsePreviousValue`);
    asks.set(`${at}.ParameterValue`, value.replace('ml.g6.', 'ml.g4dn.'));
  }
  return parameters;
}

/** A value whose lists have no entry that is `AWS::NoValue`. */
function withoutNothing(value: unknown, resolver: Resolver): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((entry: { readonly 'Fn::If'?: readonly [string, unknown, unknown] }) => {
        const [condition, yes, no] = entry?.['Fn::If'] ?? [];
        if (condition === undefined) return true;
        return JSON.stringify(resolver.condition(condition) ? yes : no) !== '{"Ref":"AWS::NoValue"}';
      })
      .map((one) => withoutNothing(one, resolver));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      key === 'Fn::If' ? child : withoutNothing(child, resolver),
    ]),
  );
}
