import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectVideo } from '../../src/index.ts';
import { wordsOf } from './code-blocks.ts';
import { Scratch, SERVERS } from './documents.ts';

/** Servers of the documentation are started, asked as their readers ask them, asked wrongly, and ended. */
const SERVER_MS = 120_000;
const scratch = new Scratch('servers');
const running = new Set<ChildProcess>();

beforeAll(() => scratch.write(SERVERS.map(({ block }) => block)));
afterAll(() => {
  for (const program of running) program.kill('SIGKILL');
  scratch.remove();
});

test('there are servers', () => {
  expect(SERVERS.length).toBeGreaterThanOrEqual(3);
});

test.each(SERVERS)(
  '$title answers as its commands of curl expect',
  async ({ block, requests }) => {
    const folder = scratch.folderOf(block.document);
    const port = await freePort();
    const server = start(scratch.programOf(block), folder, port);
    for (const request of requests) {
      const { address, json, output } = requestOf(request, port);
      await listening(server, address);
      const wrong = await post(address, '{}');
      expect(wrong.status).toBe(400);
      expect(await wrong.json()).toMatchObject({ code: 'ERR_ARGUMENT' });
      const right = await post(address, json);
      expect(right.status).toBe(200);
      if (output === undefined) {
        expect(await right.text()).toMatch(/"type":"plan".+"type":"done","percent":100/s);
      } else {
        writeFileSync(join(folder, output), Buffer.from(await right.arrayBuffer()));
        const { prompt } = JSON.parse(json) as { prompt: string };
        expect(await inspectVideo(join(folder, output))).toMatchObject({ prompt });
      }
    }
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
  },
  SERVER_MS,
);

/** What a command of curl asks for, at another port. */
function requestOf(command: string, port: number) {
  const { values, positionals } = parseArgs({
    args: wordsOf(command).slice(1),
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      output: { type: 'string' },
      'no-buffer': { type: 'boolean' },
    },
  });
  const address = new URL(positionals[0]!);
  address.port = String(port);
  return { address, json: values.json!, output: values.output };
}

function post(address: URL, body: string): Promise<Response> {
  return fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

function start(program: string, cwd: string, port: number): ChildProcess {
  const command = [`PORT=${port}`, process.execPath, program];
  const child = spawn('env', command, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** A port that nobody used a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(server: ChildProcess, address: URL): Promise<void> {
  while (server.exitCode === null) {
    try {
      await fetch(address);
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`the server ended with ${server.exitCode}`);
}
