import { setTimeout as sleep } from 'node:timers/promises';
import { FramePackError } from '../errors.ts';
import { type HubSettings, isLoopback } from './hub-settings.ts';

/** How patient requests are; what is not named has its default. */
export interface Patience {
  /** Silence after which a connection counts as dead. */
  readonly stallMs: number;
  /** Failures in a row, without a byte between them, that are forgiven. */
  readonly retries: number;
  /** First wait; it doubles with every failure. A server's `Retry-After` is obeyed instead. */
  readonly retryMs: number;
}

export const DEFAULT_PATIENCE: Patience = { stallMs: 30_000, retries: 6, retryMs: 1000 };

/** A failure that may pass: a dead connection, an overloaded server, a body that ends early. */
export class TransientError extends Error {
  /** What the server asked for, or null. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null, cause?: unknown) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** A response, and what the hub itself said about the file before it sent us elsewhere. */
export interface HubResponse {
  readonly response: Response;
  /** Entity tag of the file: the hub's, when it gave one, else the answering host's; without quotes. */
  readonly etag: string | null;
}

const MAX_REDIRECTS = 10;
const MAX_WAIT_MS = 120_000;
const TRUSTED_HOSTS = ['huggingface.co', 'hf.co'];
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Talks to one hub. */
export class HubClient {
  readonly settings: HubSettings;
  private readonly patience: Patience;

  constructor(settings: HubSettings, patience: Patience) {
    this.settings = settings;
    this.patience = patience;
  }

  /**
   * Asks for an address of the hub and follows redirects, each checked: https to hosts of the hub only, and the token
   * goes to the hub's own origin alone. Aborts when nothing arrives for `stallMs`; whoever reads the body calls
   * `onBytes` of {@link Stall} through {@link readBody}.
   *
   * @throws {@link TransientError} for what may pass; {@link FramePackError} `ERR_DOWNLOAD` for what will not.
   */
  async get(
    address: string,
    headers: Readonly<Record<string, string>>,
    stall: Stall,
  ): Promise<HubResponse> {
    const origin = new URL(this.settings.endpoint);
    let url = new URL(address);
    let etag: string | null = null;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.ask(url, { ...headers, ...this.login(url, origin) }, stall);
      etag ??= bareTag(response.headers.get('x-linked-etag'));
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { response, etag: etag ?? bareTag(response.headers.get('etag')) };
      }
      await response.body?.cancel();
      url = checkRedirect(new URL(location, url), origin);
    }
    throw new FramePackError(
      'ERR_DOWNLOAD',
      `pull: ${address}: more than ${MAX_REDIRECTS} redirects`,
    );
  }

  /**
   * Repeats a piece of work after transient failures, with waits that double.
   *
   * @param work - `onProgress` is called when something was gained, which forgives earlier failures.
   */
  async persist<T>(
    work: (onProgress: () => void) => Promise<T>,
    { signal, onRetry }: { signal: AbortSignal; onRetry: (reason: string, waitMs: number) => void },
  ): Promise<T> {
    const { retries, retryMs } = this.patience;
    let failures = 0;
    for (;;) {
      try {
        return await work(() => {
          failures = 0;
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TransientError)) throw error;
        failures += 1;
        if (failures > retries) {
          const message = `pull: ${error.message}; gave up after ${failures} attempts, what has arrived is kept`;
          throw new FramePackError('ERR_DOWNLOAD', message, { attempts: failures }, error);
        }
        const backOff = retryMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
        const waitMs = Math.round(Math.min(error.retryAfterMs ?? backOff, MAX_WAIT_MS));
        onRetry(error.message, waitMs);
        await sleep(waitMs, undefined, { signal });
      }
    }
  }

  /** A stall timer tied to a signal. */
  stall(signal: AbortSignal): Stall {
    return new Stall(this.patience.stallMs, signal);
  }

  private login(url: URL, origin: URL): Record<string, string> {
    const { token } = this.settings;
    return token !== null && url.origin === origin.origin
      ? { authorization: `Bearer ${token}` }
      : {};
  }

  private async ask(url: URL, headers: Record<string, string>, stall: Stall): Promise<Response> {
    stall.restart();
    const response = await fetch(url, {
      headers: { 'user-agent': 'framepack-node', ...headers },
      redirect: 'manual',
      signal: stall.signal,
    }).catch((error: unknown) => {
      throw stall.explain(error, url);
    });
    if (response.status < 400 || response.status === 416) return response;
    await response.body?.cancel();
    throw this.refusal(response, url);
  }

  private refusal({ status, headers }: Response, url: URL): Error {
    const where = `${url.origin}${url.pathname}`;
    if (TRANSIENT_STATUS.has(status)) {
      return new TransientError(
        `${where} answered ${status}`,
        retryAfterMs(headers.get('retry-after')),
      );
    }
    const advice: Readonly<Record<number, string>> = {
      401: 'the repository is private or gated, or does not exist; accept its terms on the hub and set HF_TOKEN',
      403: 'the token has no access; accept the terms of the repository on the hub',
      404: 'no such repository, revision or file',
    };
    const said = advice[status] ?? headers.get('x-error-message') ?? 'the hub refused';
    return new FramePackError('ERR_DOWNLOAD', `pull: ${where} answered ${status}: ${said}`, {
      status,
    });
  }
}

/** Ends a request that has gone silent. */
export class Stall implements Disposable {
  readonly signal: AbortSignal;
  private readonly stallMs: number;
  private readonly silence = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(stallMs: number, outer: AbortSignal) {
    this.stallMs = stallMs;
    this.signal = AbortSignal.any([outer, this.silence.signal]);
  }

  /** Something arrived: the silence begins anew. */
  restart(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.silence.abort(), this.stallMs);
  }

  /** The failure of a request as one of ours. */
  explain(error: unknown, url: URL | string): unknown {
    if (this.silence.signal.aborted) {
      return new TransientError(
        `${originOf(url)} was silent for ${this.stallMs / 1000} s`,
        null,
        error,
      );
    }
    if (this.signal.aborted) return error;
    const { cause } = error as { cause?: { code?: string; message?: string } };
    const reason = cause?.code ?? cause?.message ?? String(error);
    return new TransientError(
      `${originOf(url)} cannot be reached or broke off (${reason})`,
      null,
      error,
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
  }
}

/** The chunks of a body, with silence and broken connections told as {@link TransientError}. */
export async function* readBody(
  response: Response,
  stall: Stall,
): AsyncGenerator<Uint8Array, void> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) {
      stall.restart();
      yield chunk;
    }
  } catch (error) {
    throw error instanceof FramePackError ? error : stall.explain(error, response.url);
  }
}

function originOf(url: URL | string): string {
  return new URL(url).origin;
}

function checkRedirect(url: URL, origin: URL): URL {
  const isOwn = url.origin === origin.origin;
  const isTrusted =
    url.protocol === 'https:' &&
    [...TRUSTED_HOSTS, origin.hostname].some(
      (host) => url.hostname === host || url.hostname.endsWith(`.${host}`),
    );
  const isLocalTest = isLoopback(origin) && isLoopback(url);
  if (isOwn || isTrusted || isLocalTest) return url;
  throw new FramePackError(
    'ERR_DOWNLOAD',
    `pull: ${origin.origin} redirects to ${url.origin}, which is not a host of the hub`,
    { host: url.host },
  );
}

function bareTag(etag: string | null): string | null {
  return etag === null ? null : etag.replace(/^W\//, '').replaceAll('"', '');
}

function retryAfterMs(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
