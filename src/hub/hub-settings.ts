import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { FramePackError } from '../errors.ts';

/** Where the hub is, who asks, and where files land. */
export interface HubSettings {
  /** Origin of the hub, without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own origin and to nothing else; null asks as nobody. */
  readonly token: string | null;
  /** Opens no socket. */
  readonly isOffline: boolean;
  /** Root of the Hugging Face cache: the folder of the `models--*` folders. */
  readonly cacheFolder: string;
}

/** What a caller decides in place of the environment. */
export interface HubOverrides {
  readonly endpoint?: string | undefined;
  readonly token?: string | undefined;
  readonly offline?: boolean | undefined;
  readonly cacheFolder?: string | undefined;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const YES: ReadonlySet<string> = new Set(['1', 'on', 'yes', 'true']);

/**
 * Reads the variables that Hugging Face's own programs read, so that all of them share one cache and one login:
 * `HF_ENDPOINT`, `HF_TOKEN` or the file `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, and for the cache `HF_HUB_CACHE`,
 * `HUGGINGFACE_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME` in this order.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` for an endpoint that is not an http(s) address; over plain http only
 *   this machine is asked.
 * @see huggingface_hub, constants.py
 */
export function hubSettings(
  overrides: HubOverrides = {},
  env: NodeJS.ProcessEnv = process.env,
): HubSettings {
  return {
    endpoint: checkEndpoint(overrides.endpoint ?? env.HF_ENDPOINT ?? DEFAULT_ENDPOINT),
    token: overrides.token ?? tokenOf(env),
    isOffline: overrides.offline ?? YES.has((env.HF_HUB_OFFLINE ?? '').toLowerCase()),
    cacheFolder: path.resolve(overrides.cacheFolder ?? hubCacheFolder(env)),
  };
}

/** Whether an address is one of this machine's own. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (!isSafe || url.username !== '' || url.search !== '') {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `pull: HF_ENDPOINT expected an https address, got "${text}"`,
      { endpoint: text },
    );
  }
  return text.replace(/\/+$/, '');
}

/** The folder for what this user's programs may lose: `XDG_CACHE_HOME`, else `~/.cache`. */
export function userCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'));
}

/** The Hugging Face cache: the folder of the `models--*` folders, as {@link hubSettings} finds it. */
export function hubCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  return path.resolve(folder || path.join(homeOf(env), 'hub'));
}

function homeOf(env: NodeJS.ProcessEnv): string {
  return env.HF_HOME || path.join(userCacheFolder(env), 'huggingface');
}

function tokenOf(env: NodeJS.ProcessEnv): string | null {
  const token = env.HF_TOKEN?.trim();
  if (token) return token;
  const file = env.HF_TOKEN_PATH || path.join(homeOf(env), 'token');
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
