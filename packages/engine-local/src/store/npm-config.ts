import { dirname, join } from 'node:path';
import { homeFolder } from './location.js';

/** A home folder that holds nothing and takes nothing, whoever asks. */
const NO_HOME = '/dev/null';

/** Options as npm's libraries take them: `registry`, `cache`, `httpsProxy`, `ca`, `//host/:_authToken` … */
export type NpmOptions = Readonly<Record<string, unknown>>;

/**
 * The user's npm configuration, read by npm's own reader: the `.npmrc` of the project, the user and the
 * installation, and `npm_config_*` of the environment. So registry (also per scope), credentials, proxy,
 * certificates, cache, retries and `offline` are what `npm install` would use here. Prints nothing, and does not
 * change `env`.
 */
export async function readNpmOptions(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string = process.cwd(),
): Promise<NpmOptions> {
  // Loaded here and not above: only a pull needs it, and it takes longer to load than a server takes to start.
  const [{ default: Config }, { default: definitions }] = await Promise.all([
    import('@npmcli/config'),
    import('@npmcli/config/lib/definitions/index.js'),
  ]);
  const { execPath, platform } = process;
  const prefix = platform === 'win32' ? dirname(execPath) : join(dirname(dirname(execPath)), 'lib');
  const config = new Config({
    npmPath: join(prefix, 'node_modules', 'npm'),
    ...definitions,
    argv: [execPath, 'npm'],
    // A copy: the reader writes what it found back into it. It would ask the system for the home of a user whom that does not know.
    env: { ...env, HOME: homeFolder(env) ?? NO_HOME },
    cwd,
    execPath,
    platform,
  });
  await config.load();
  const { npm_config_user_agent: before } = process.env;
  const options = config.flat;
  // Making the options leaves npm's own user agent in the process's environment.
  const agent = 'npm_config_user_agent';
  if (before === undefined) delete process.env[agent];
  else process.env[agent] = before;
  return options;
}
