import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { DeployError } from './errors.js';
import { DEPLOY_LIMITS } from './limits.js';

const HEAD = `# Speech to text on a SageMaker endpoint: what "kikitori deploy" hands to CloudFormation. Usable by itself:
#   aws cloudformation deploy --template-file kikitori-endpoint.yaml --stack-name kikitori --capabilities CAPABILITY_IAM \\
#     --parameter-overrides ImageUri=… ImageRepositoryArn=… ModelBucket=… ModelPrefix=…/
# Made from packages/deploy/src/cdk by packages/deploy/build-template.js: change it there.
`;

/** A template as text that people read and CloudFormation takes. */
export function templateText(template: Readonly<Record<string, unknown>>): string {
  return HEAD + stringify(template, { lineWidth: 140, aliasDuplicateObjects: false });
}

/**
 * The template of this package, with `environment` added to what its container gets: for the settings of vLLM that have no
 * parameter. Throws `DeployError` `invalid_setting` where that is more than CloudFormation takes.
 */
export async function loadTemplate(environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const text = await readFile(new URL('../template/kikitori-endpoint.yaml', import.meta.url), 'utf8');
  if (Object.keys(environment).length === 0) return text;
  // Our own file, which a test holds to this shape.
  const template = parse(text) as {
    readonly Resources: {
      readonly Model: {
        readonly Properties: { readonly PrimaryContainer: { readonly Environment: Record<string, unknown> } };
      };
    };
  };
  Object.assign(template.Resources.Model.Properties.PrimaryContainer.Environment, environment);
  const grown = HEAD + stringify(template, { lineWidth: 140, aliasDuplicateObjects: false });
  if (Buffer.byteLength(grown) <= DEPLOY_LIMITS.templateBytesMax) return grown;
  throw new DeployError('invalid_setting', {
    sentence: 'The other settings of vLLM are too long for a template; leave some of them out.',
  });
}
