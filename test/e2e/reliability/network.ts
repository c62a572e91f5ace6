/**
 * A network of its own for a server, whose cable can be pulled: packets vanish, and nobody says an end. Making it and taking it
 * away is a change of this machine's network to every browser on it.
 */
import { execFileSync } from 'node:child_process';

export class Network implements AsyncDisposable {
  readonly address: string;
  readonly #name: string;
  readonly #outside: string;
  readonly #inside: string;

  private constructor(id: number) {
    // Names of interfaces have at most 15 characters; addresses are of the range for tests between networks.
    this.#name = `kiki-${id}`;
    this.#outside = `kiki-o-${id}`;
    this.#inside = `kiki-i-${id}`;
    this.address = `198.18.${id % 250}.2`;
  }

  /** Made of a pair of virtual interfaces; needs root. */
  static async open(): Promise<Network> {
    const id = process.pid % 100_000;
    const network = new Network(id);
    const name = network.#name;
    const inside = network.#inside;
    ip('netns', 'add', name);
    ip('link', 'add', network.#outside, 'type', 'veth', 'peer', 'name', inside);
    ip('link', 'set', inside, 'netns', name);
    ip('addr', 'add', `198.18.${id % 250}.1/24`, 'dev', network.#outside);
    ip('link', 'set', network.#outside, 'up');
    ip('-n', name, 'addr', 'add', `${network.address}/24`, 'dev', inside);
    network.up();
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return network;
  }

  /** What runs a command inside. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Pulls the cable at the far end: at the near one the way there would go too, and another might be taken. */
  down(): void {
    ip('-n', this.#name, 'link', 'set', this.#inside, 'down');
  }

  up(): void {
    ip('-n', this.#name, 'link', 'set', this.#inside, 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    ip('link', 'del', this.#outside);
    ip('netns', 'del', this.#name);
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}
