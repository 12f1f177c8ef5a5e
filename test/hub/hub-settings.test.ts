import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  hubCacheFolder,
  hubSettings,
  isLoopback,
  userCacheFolder,
} from '../../src/hub/hub-settings.ts';

const home = path.join(homedir(), '.cache', 'huggingface');

test.each([
  [{}, path.join(home, 'hub')],
  [{ XDG_CACHE_HOME: '/xdg' }, '/xdg/huggingface/hub'],
  [{ HF_HOME: '/hf', XDG_CACHE_HOME: '/xdg' }, '/hf/hub'],
  [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/hf' }, '/old'],
  [{ HF_HUB_CACHE: '/new', HUGGINGFACE_HUB_CACHE: '/old' }, '/new'],
])('%j puts the cache into %s', (env, cacheFolder) => {
  expect(hubSettings({}, env).cacheFolder).toBe(cacheFolder);
  expect(hubCacheFolder(env)).toBe(cacheFolder);
});

test('other things are cached beside it', () => {
  expect(userCacheFolder({})).toBe(path.join(homedir(), '.cache'));
  expect(userCacheFolder({ XDG_CACHE_HOME: '/xdg', HF_HOME: '/hf' })).toBe('/xdg');
});

test('the caller outranks the environment', () => {
  const env = { HF_ENDPOINT: 'https://mirror.example', HF_TOKEN: 'a', HF_HUB_OFFLINE: '1' };
  expect(hubSettings({}, env)).toMatchObject({
    endpoint: 'https://mirror.example',
    token: 'a',
    isOffline: true,
  });
  const overrides = { endpoint: 'http://127.0.0.1:80/', token: 'b', offline: false };
  expect(hubSettings(overrides, env)).toMatchObject({
    endpoint: 'http://127.0.0.1:80',
    token: 'b',
    isOffline: false,
  });
});

test.each(['http://example.org', 'ftp://x', 'huggingface.co', '', 'https://user@host'])(
  'the endpoint %j is refused',
  (endpoint) => {
    expect(() => hubSettings({ endpoint }, {})).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  },
);

test('a token of another program is found in its file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-token-'));
  writeFileSync(path.join(folder, 'token'), 'hf_file\n');
  expect(hubSettings({}, { HF_HOME: folder }).token).toBe('hf_file');
  rmSync(folder, { recursive: true });
  expect(hubSettings({}, { HF_HOME: folder }).token).toBeNull();
});

test.each([
  ['http://localhost:1', true],
  ['http://127.8.9.1', true],
  ['http://[::1]', true],
  ['http://127.0.0.1.example.org', false],
  ['http://10.0.0.1', false],
])('%s is this machine: %s', (url, expected) => {
  expect(isLoopback(new URL(url))).toBe(expected);
});
