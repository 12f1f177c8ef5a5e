import { expect, test } from 'vitest';
import { findModelSet } from '../../../../src/hub/model-sets.ts';
import type { FoundModel } from '../../../../src/pipeline/model/locate/found-model.ts';
import {
  partNamed,
  pullCommand,
  refuseIncomplete,
} from '../../../../src/pipeline/model/locate/missing-parts.ts';
import type { PartPaths } from '../../../../src/weights/model-folder.ts';
import { officialInfo } from '../../../../src/weights/official/description.ts';

const HUNYUAN = 'hunyuanvideo-community/HunyuanVideo';
const found: FoundModel = {
  source: 'mine',
  parts: {},
  info: null,
  released: null,
  cacheFolder: 'nowhere',
};
const whole: PartPaths = Object.fromEntries(
  [
    'transformer',
    'vae',
    'text_encoder',
    'text_encoder_2',
    'image_encoder',
    'tokenizer',
    'tokenizer_2',
  ].map((part) => [part, part]),
);

function messageOf(model: FoundModel, missing: readonly string[]): string {
  const left = Object.entries(whole).filter(([part]) => !missing.includes(part));
  try {
    refuseIncomplete(model, Object.fromEntries(left));
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CHECKPOINT' });
    return (error as Error).message;
  }
}

test('a whole model is fine', () => {
  expect(messageOf(found, [])).toBe('');
});

test('all that is missing is named with its option and the command that fetches it', () => {
  expect(messageOf(found, ['vae', 'tokenizer'])).toBe(
    'checkpoint: mine: expected all parts of a model, got no vae (--vae), tokenizer (a folder beside --text-encoder), ' +
      `and not in nowhere; "framepack pull ${HUNYUAN}/tokenizer --cache nowhere && ` +
      `framepack pull ${HUNYUAN}/vae --cache nowhere" would fetch about 0.5 GB into the cache`,
  );
  expect(messageOf(found, ['tokenizer_2'])).toContain('would fetch small files into the cache');
  expect(messageOf(found, ['transformer'])).toMatch(
    /no transformer \(--transformer\), .* a transformer is fetched with "framepack pull lllyasviel\/FramePackI2V_HY .*" or/,
  );
});

test('a model of its own is fetched from nowhere', () => {
  const own = { ...found, info: officialInfo(['i2v'], 'i2v') };
  expect(messageOf(own, ['vae'])).toBe(
    'checkpoint: mine: expected all parts of a model, got no vae (--vae)',
  );
});

test('a released one by one command', () => {
  const set = findModelSet('lllyasviel/FramePackI2V_HY')!;
  const model = { ...found, source: set.repository, released: { set, revision: 'main' } };
  expect(messageOf(model, ['image_encoder'])).toBe(
    `checkpoint: ${set.repository}: expected its files in nowhere, got none of lllyasviel/flux_redux_bfl ` +
      `image_encoder (0.9 GB), feature_extractor; "framepack pull ${set.repository} --cache nowhere" would fetch them, ` +
      'about 0.9 GB',
  );
});

test('names', () => {
  expect([partNamed(''), partNamed('vae')]).toEqual(['transformer', 'vae']);
  expect(pullCommand('a/b', 'cache')).toBe('framepack pull a/b --cache cache');
});
