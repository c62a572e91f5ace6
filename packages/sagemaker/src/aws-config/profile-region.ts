/**
 * The region of the profile (`AWS_PROFILE`, else `default`) in `~/.aws/config` or `~/.aws/credentials`, or in the files that `AWS_CONFIG_FILE` and
 * `AWS_SHARED_CREDENTIALS_FILE` name; undefined where it has none. Read by AWS's own code, which is loaded here.
 */
export async function profileRegion(): Promise<string | undefined> {
  const { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, REGION_INI_NAME } = await import(
    '@smithy/core/config'
  );
  const region = await loadConfig<string | undefined>(
    {
      environmentVariableSelector: () => undefined,
      configFileSelector: (profile) => profile[REGION_INI_NAME],
      // AWS's own default asks the metadata service of its machines.
      default: undefined,
    },
    NODE_REGION_CONFIG_FILE_OPTIONS,
  )();
  return region === '' ? undefined : region;
}
