import { describe, expect, it } from 'vitest';
import { machineShare } from '../src/machine-share.js';

const GIB = 1024 ** 3;
const shareOf = (files: Readonly<Record<string, string>>) =>
  machineShare({
    cores: 8,
    memoryBytes: 32 * GIB,
    read: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      return text;
    },
  });

describe('what this process may use', () => {
  it('is all of the machine where no group bounds it', () => {
    expect(shareOf({})).toEqual({ cores: 8, memoryBytes: 32 * GIB });
    expect(
      shareOf({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/memory.max': 'max\n',
      }),
    ).toEqual({ cores: 8, memoryBytes: 32 * GIB });
  });

  it('is the quota of a container, v2', () => {
    expect(
      shareOf({
        '/proc/self/cgroup': '0::/\n',
        '/sys/fs/cgroup/cpu.max': '150000 100000\n',
        '/sys/fs/cgroup/memory.max': `${GIB}\n`,
      }),
    ).toEqual({ cores: 1.5, memoryBytes: GIB });
  });

  it('is the quota of a container, v1, also where its path is that of the host', () => {
    expect(
      shareOf({
        '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 * GIB}\n`,
      }),
    ).toEqual({ cores: 2, memoryBytes: 2 * GIB });
    expect(
      shareOf({
        '/proc/self/cgroup': '4:memory:/job/one\n1:cpu:/job/one\n',
        '/sys/fs/cgroup/cpu/job/one/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/job/one/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/memory/job/one/memory.limit_in_bytes': '9223372036854771712\n',
      }),
    ).toEqual({ cores: 8, memoryBytes: 32 * GIB });
  });

  it('is that quota, too, where v1 names its controllers in another order than their folder', () => {
    expect(
      shareOf({
        '/proc/self/cgroup': '3:cpuacct,cpu:/docker/abc\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      }),
    ).toEqual({ cores: 1.5, memoryBytes: 32 * GIB });
  });

  it.each([
    ['v2', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '25000 100000\n' }],
    [
      'v2 under a short period',
      { '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/cpu.max': '2500 10000\n' },
    ],
    [
      'v1',
      {
        '/proc/self/cgroup': '1:cpu:/a\n',
        '/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '25000\n',
        '/sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
      },
    ],
  ])('may be a part of one processor: %s', (_version, files) => {
    expect(shareOf(files).cores).toBe(0.25);
  });

  it('is the least of its group and those above it', () => {
    expect(
      shareOf({
        '/proc/self/cgroup': '0::/kube/pod/one\n',
        '/sys/fs/cgroup/kube/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/kube/pod/cpu.max': '50000 100000\n',
        '/sys/fs/cgroup/kube/pod/one/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/kube/memory.max': `${3 * GIB}\n`,
        '/sys/fs/cgroup/kube/pod/one/memory.max': `${4 * GIB}\n`,
      }),
    ).toEqual({ cores: 0.5, memoryBytes: 3 * GIB });
  });
});
