/** What CloudFormation makes of a template and its parameters: conditions decided, functions worked out. */

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly Condition?: string;
  readonly DependsOn?: readonly string[];
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

export interface Document {
  readonly Parameters: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Default?: string | number;
        readonly AllowedValues?: readonly string[];
        readonly AllowedPattern?: string;
        readonly MinValue?: number;
        readonly MaxValue?: number;
      }
    >
  >;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Rules?: Readonly<
    Record<
      string,
      { RuleCondition?: unknown; Assertions: readonly { Assert: unknown; AssertDescription: string }[] }
    >
  >;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Place {
  readonly region: string;
  readonly account: string;
  readonly stackName: string;
}

/** What a resource is known by once it is made: its `Ref`, and its attributes. */
export type Identity = (logicalId: string, attribute: string | undefined) => unknown;

const GONE = Symbol('AWS::NoValue');

/** Works out one template for one set of parameters. Throws with CloudFormation's own words where it would refuse. */
export class Resolver {
  readonly #document: Document;
  readonly #parameters: Readonly<Record<string, string | number>>;
  readonly #place: Place;
  readonly #identity: Identity;
  #resourceIds: readonly string[] | undefined;

  constructor(document: Document, given: Readonly<Record<string, string>>, place: Place, identity: Identity) {
    this.#document = document;
    this.#place = place;
    this.#identity = identity;
    this.#parameters = checkParameters(document, given);
    for (const { RuleCondition, Assertions } of Object.values(document.Rules ?? {})) {
      if (RuleCondition !== undefined && this.value(RuleCondition) !== true) continue;
      for (const { Assert, AssertDescription } of Assertions) {
        if (this.value(Assert) !== true) throw new Error(`Template error: ${AssertDescription}`);
      }
    }
  }

  /** Logical ids of the resources whose condition holds. */
  resourceIds(): readonly string[] {
    this.#resourceIds ??= Object.entries(this.#document.Resources)
      .filter(([, { Condition }]) => Condition === undefined || this.condition(Condition))
      .map(([id]) => id);
    return this.#resourceIds;
  }

  /** Logical ids that must be there before this one. Throws where one of them is not made, or is nowhere. */
  dependencies(id: string): string[] {
    const resource = this.#document.Resources[id];
    const named = new Set(resource?.DependsOn ?? []);
    collectReferences(this.#withoutUntaken([resource?.Properties, resource?.Metadata]), named);
    return this.#madeOf(named, 'Resources');
  }

  /** Which of these names are resources. */
  #madeOf(named: ReadonlySet<string>, block: string): string[] {
    const ids = [...named].filter((one) => !(one in this.#parameters || one.startsWith('AWS::')));
    const made = new Set(this.resourceIds());
    const unresolved = ids.filter((one) => !made.has(one));
    if (unresolved.length === 0) return ids;
    throw new Error(
      `Template format error: Unresolved resource dependencies [${unresolved.join(', ')}] in the ${block} block of the template`,
    );
  }

  condition(name: string): boolean {
    return this.value(this.#document.Conditions[name]) === true;
  }

  properties(id: string): Record<string, unknown> {
    // Properties are an object in every template.
    return this.value(this.#document.Resources[id]?.Properties ?? {}) as Record<string, unknown>;
  }

  outputs(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.#document.Outputs ?? {}).map(([name, { Value }]) => [
        name,
        String(this.value(Value)),
      ]),
    );
  }

  /** A value with its functions worked out; `AWS::NoValue` takes its key or entry with it. */
  value(value: unknown): unknown {
    const found = this.#resolve(value);
    return found === GONE ? undefined : found;
  }

  #resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#resolve(one)).filter((one) => one !== GONE);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first !== undefined) {
      const [name, argument] = first;
      if (name === 'Ref') return this.#reference(String(argument));
      if (name.startsWith('Fn::')) return this.#call(name, argument);
    }
    return Object.fromEntries(
      entries
        .map(([key, child]) => [key, this.#resolve(child)] as const)
        .filter(([, child]) => child !== GONE),
    );
  }

  #call(name: string, argument: unknown): unknown {
    // Arguments of functions are lists; CloudFormation refuses others before it gets here.
    const list = (Array.isArray(argument) ? argument : [argument]) as unknown[];
    switch (name) {
      case 'Fn::If':
        return this.#resolve(this.condition(String(list[0])) ? list[1] : list[2]);
      case 'Fn::Equals':
        return String(this.#resolve(list[0])) === String(this.#resolve(list[1]));
      case 'Fn::Not':
        return this.#resolve(list[0]) !== true;
      case 'Fn::Join':
        return (this.#resolve(list[1]) as unknown[]).map(String).join(String(list[0]));
      case 'Fn::GetAtt':
        return this.#identity(String(list[0]), String(list[1]));
      case 'Fn::Sub': {
        const names = (list[1] ?? {}) as Record<string, unknown>;
        return String(list[0]).replace(/\$\{([^}!]+)\}/g, (_all, key: string) =>
          String(key in names ? this.#resolve(names[key]) : this.#reference(key)),
        );
      }
      default:
        throw new Error(`Template error: ${name} is not known to this stand-in`);
    }
  }

  #reference(name: string): unknown {
    const { region, account, stackName } = this.#place;
    const pseudo: Record<string, unknown> = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::StackName': stackName,
      'AWS::NoValue': GONE,
    };
    if (name in pseudo) return pseudo[name];
    if (name in this.#parameters) return this.#parameters[name];
    return this.#identity(name, undefined);
  }

  /** Branches that are not taken need nothing. */
  #withoutUntaken(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#withoutUntaken(one));
    if (typeof value !== 'object' || value === null) return value;
    const taken = (value as { 'Fn::If'?: [string, unknown, unknown] })['Fn::If'];
    if (taken !== undefined) return this.#withoutUntaken(this.condition(taken[0]) ? taken[1] : taken[2]);
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, this.#withoutUntaken(child)]),
    );
  }
}

function checkParameters(
  document: Document,
  given: Readonly<Record<string, string>>,
): Record<string, string | number> {
  for (const name of Object.keys(given)) {
    if (!(name in document.Parameters)) throw new Error(`Parameters: [${name}] do not exist in the template`);
  }
  const missing = Object.entries(document.Parameters).filter(
    ([name, { Default }]) => given[name] === undefined && Default === undefined,
  );
  if (missing.length > 0)
    throw new Error(`Parameters: [${missing.map(([name]) => name).join(', ')}] must have values`);
  return Object.fromEntries(
    Object.entries(document.Parameters).map(([name, rule]) => {
      const text = String(given[name] ?? rule.Default);
      if (rule.AllowedValues !== undefined && !rule.AllowedValues.map(String).includes(text)) {
        throw new Error(`Parameter '${name}' must be one of AllowedValues`);
      }
      if (rule.AllowedPattern !== undefined && !new RegExp(rule.AllowedPattern).test(text)) {
        throw new Error(
          `Parameter ${name} failed to satisfy constraint: must match pattern ${rule.AllowedPattern}`,
        );
      }
      if (rule.Type !== 'Number') return [name, text];
      const value = Number(text);
      if (Number.isNaN(value)) throw new Error(`Parameter '${name}' must be a number`);
      if (value < (rule.MinValue ?? -Infinity))
        throw new Error(`Parameter '${name}' must be a number not less than ${rule.MinValue}`);
      if (value > (rule.MaxValue ?? Infinity))
        throw new Error(`Parameter '${name}' must be a number not greater than ${rule.MaxValue}`);
      return [name, value];
    }),
  );
}

function collectReferences(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const one of value) collectReferences(one, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      if (key === 'Ref') into.add(String(child));
      else if (key === 'Fn::GetAtt') into.add(String((child as unknown[])[0]));
      else collectReferences(child, into);
    }
  }
}

/** All resources of a template with names for what is not made yet: for looking at, not for making. */
export function resolveTemplate(
  document: Document,
  parameters: Readonly<Record<string, string>>,
  place: Place,
): Record<string, Resource> {
  const resolver = new Resolver(
    document,
    parameters,
    place,
    (id, attribute) => `<${[id, attribute].filter(Boolean).join('.')}>`,
  );
  return Object.fromEntries(
    resolver.resourceIds().map((id) => {
      const { Type } = document.Resources[id] ?? { Type: '' };
      return [id, { Type, Properties: resolver.properties(id) }];
    }),
  );
}
