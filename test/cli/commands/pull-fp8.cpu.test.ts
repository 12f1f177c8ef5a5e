import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WeightFile } from '../../../src/weights/files/weight-file.ts';
import { PullBench } from '../../hub/pull-bench.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { runCli } from '../run-cli.ts';

const WEIGHTS = 'diffusion_pytorch_model.safetensors';
let bench: PullBench;
beforeEach(async () => {
  const bytes = readFileSync(path.join(TINY_MODEL, 'transformer', WEIGHTS));
  bench = await PullBench.start([
    { path: WEIGHTS, bytes, isLfs: true },
    { path: 'other/more.safetensors', bytes: Buffer.from('no weights'), isLfs: true },
  ]);
});
afterEach(() => bench[Symbol.asyncDispose]());

test('pull --fp8 fetches, converts by blocks and tells how to drop the original', async () => {
  const out = path.join(bench.cacheFolder, 'tiny.safetensors');
  const source = `owner/model/${WEIGHTS}`;
  const args = ['pull', source, '--cache', bench.cacheFolder, '--out', out, '--fp8'];
  const { endpoint } = bench.hub;
  const { code, stdout, stderr } = await runCli(args, undefined, { HF_ENDPOINT: endpoint });
  const [folder, file] = stdout.trim().split('\n');
  expect({ code, file }).toEqual({ code: 0, file: out });
  expect(stderr).toContain('66 matrices become fp8');
  const [, original] = /to free 18\.8 MB:\nrm '([^']+)'/.exec(stderr)!;
  expect(path.dirname(original!)).toBe(bench.blobFolder);
  expect(existsSync(path.join(folder!, WEIGHTS))).toBe(true);
  const { metadata } = WeightFile.open(out).header;
  expect(metadata.get('modelspec.title')).toBe('model');
  expect(JSON.parse(metadata.get('framepack_node')!)).toMatchObject([{ fp8: 'block64' }]);
}, 120_000);
