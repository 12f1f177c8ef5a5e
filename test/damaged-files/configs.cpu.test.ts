import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import { checkModel } from '../../src/pipeline/model/check-model.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import { TINY_MODEL } from '../models/tiny-framepack.ts';
import { DAMAGES, memberDamages } from './damages.ts';

const CONFIGS = [
  'framepack.json',
  'transformer/config.json',
  'text_encoder/config.json',
  'text_encoder_2/config.json',
  'image_encoder/config.json',
  'vae/config.json',
];
/** Facts that a run shows to the user or that only limit it: pixels do not depend on them. */
const INVISIBLE = ['name', 'magRatios', 'modes', 'defaults', 'preview', 'prompt.paddedLength'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'damaged-configs-'));
  cpSync(TINY_MODEL, folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Everything that frames depend on and that a configuration says. */
async function effect(): Promise<string> {
  const model = await ModelFolder.open(folder);
  const { llama, ...configs } = (await checkModel(model)).configs;
  const { maxPositions: _, ...text } = llama;
  const { prompt, ...info } = model.info;
  const visible = Object.entries({
    ...info,
    ...Object.fromEntries(Object.entries(prompt).map(([key, value]) => [`prompt.${key}`, value])),
  }).filter(([key]) => !INVISIBLE.includes(key));
  return JSON.stringify({ visible, configs, text });
}

test.each(CONFIGS)('%s is an error or changes nothing', async (name) => {
  const expected = await effect();
  const original = readFileSync(join(folder, name), 'utf8');
  const others = CONFIGS.filter((other) => other !== name).map((other): [string, string] => [
    `as ${other}`,
    readFileSync(join(folder, other), 'utf8'),
  ]);
  const damages: [string, string][] = [
    ...Object.entries(DAMAGES).map(([what, damage]): [string, string] => [what, damage(original)]),
    ...others,
    ...memberDamages(original),
  ];
  const wrong: string[] = [];
  for (const [what, text] of damages) {
    writeFileSync(join(folder, name), text);
    try {
      if ((await effect()) !== expected) wrong.push(`${what}: another model`);
    } catch (error) {
      if (error instanceof FramePackError && error.code === 'ERR_CHECKPOINT') continue;
      wrong.push(`${what}: ${String(error)}`);
    }
  }
  writeFileSync(join(folder, name), original);
  expect(wrong).toEqual([]);
});
