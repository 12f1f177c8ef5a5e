import { expect, test } from 'vitest';
import { parseSource } from '../../src/hub/source.ts';

const HUB = 'https://huggingface.co';

test('a released model is all its repositories', () => {
  const requests = parseSource('lllyasviel/FramePackI2V_HY', HUB);
  expect(requests.map(({ repository }) => repository)).toEqual([
    'lllyasviel/FramePackI2V_HY',
    'hunyuanvideo-community/HunyuanVideo',
    'lllyasviel/flux_redux_bfl',
  ]);
  const [transformer, encoders] = requests;
  expect(transformer!.wants('config.json')).toBe(true);
  expect(transformer!.wants('other/config.json')).toBe(false);
  expect(encoders!.wants('vae/config.json')).toBe(true);
  expect(encoders!.wants('transformer/config.json')).toBe(false);
  expect(encoders!.wants('model_index.json')).toBe(false);
});

test.each([
  ['owner/model', 'main', ['a', 'b/c'], []],
  ['owner/model@v1', 'v1', ['a', 'b/c'], []],
  ['owner/model/b/c', 'main', ['b/c', 'b/c/d'], ['a', 'b', 'b/cc']],
  [`${HUB}/owner/model`, 'main', ['a'], []],
  [`${HUB}/owner/model/blob/dev/b/c`, 'dev', ['b/c'], ['a']],
  [`${HUB}/owner/model/resolve/dev/b/c?download=true`, 'dev', ['b/c'], ['a']],
  [`${HUB}/owner/model/tree/dev`, 'dev', ['a', 'b/c'], []],
])('%s', (source, revision, wanted, unwanted) => {
  const [request] = parseSource(source, HUB);
  expect(request).toMatchObject({ repository: 'owner/model', revision });
  expect(wanted.filter((file) => !request!.wants(file))).toEqual([]);
  expect(unwanted.filter((file) => request!.wants(file))).toEqual([]);
});

test.each([
  '',
  'model',
  '../model',
  'owner/..',
  'owner/',
  '/model',
  'https://example.org/a/b',
  'a b/c',
])('%j is no source', (source) => {
  expect(() => parseSource(source, HUB)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
