import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseVaeConfig, type VaeConfig } from '../../../src/models/vae/config.ts';
import { TEMPORAL_TILING, type VaeTiling } from '../../../src/models/vae/tiling.ts';
import { VaeImageEncoder, VaeVideoDecoder } from '../../../src/models/vae/vae.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { type GoldenContext, TapRecorder, upload } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { NETWORK_GATE } from '../report.ts';
import type { EncoderCase } from './encoder-cases.ts';

const GOLDEN = /^vae\.(.+)\.golden\.safetensors$/;

/** Every `vae.<case>.golden.safetensors` of the folder, on the plain and on the shortened way. */
export async function runVaeCases(context: GoldenContext, entry: EncoderCase): Promise<void> {
  const config = parseVaeConfig(entry.config);
  const names = readdirSync(context.folder).flatMap((file) => GOLDEN.exec(file)?.[1] ?? []);
  for (const name of names.sort()) {
    const golden = new GoldenFile(join(context.folder, `vae.${name}.golden.safetensors`));
    if (golden.has(`${name}.moments`)) await runEncode(context, { name, golden, config });
    else {
      await runDecode(context, { name, golden, config }, 'polyphase');
      await runDecode(context, { name, golden, config }, 'plain');
    }
  }
}

interface VaeCase {
  readonly name: string;
  readonly golden: GoldenFile;
  readonly config: VaeConfig;
}

async function runEncode(context: GoldenContext, vaeCase: VaeCase): Promise<void> {
  const { name, golden, config } = vaeCase;
  await scope(async () => {
    const checkpoint = await openVae(context);
    const encoder = VaeImageEncoder.load(checkpoint.scope(), config, context.dtype);
    const recorder = new TapRecorder();
    const options = { tiling: tilingOf(name), tap: tapWithChannelsFirst(recorder) };
    const posterior = await encoder.encode(upload(context, golden, `${name}.in`), options);
    for (const [key, value] of Object.entries(posterior)) recorder.tap(key, value);
    await compareAll(context, vaeCase, { recorder, label: `vae.${name}` });
  });
}

async function runDecode(
  context: GoldenContext,
  vaeCase: VaeCase,
  upsampling: 'polyphase' | 'plain',
): Promise<void> {
  const { name, golden, config } = vaeCase;
  await scope(async () => {
    const checkpoint = await openVae(context);
    const decoder = VaeVideoDecoder.load(checkpoint.scope(), config, {
      dtype: context.dtype,
      upsampling,
    });
    const recorder = new TapRecorder();
    const options = { tiling: tilingOf(name), tap: tapWithChannelsFirst(recorder) };
    const pixels = await decoder.decodeUnscaled(upload(context, golden, `${name}.in`), options);
    recorder.tap('out', pixels);
    await compareAll(context, vaeCase, { recorder, label: `vae.${name} ${upsampling}` });
  });
}

async function compareAll(
  context: GoldenContext,
  { name, golden }: VaeCase,
  run: { recorder: TapRecorder; label: string },
): Promise<void> {
  for (const key of golden.names) {
    const value = key.slice(name.length + 1);
    if (value === 'in') continue;
    const actual = await run.recorder.get(value.replace(/^tap\./, ''));
    const pair = { actual, expected: golden.floats(key) };
    context.report.relative(run.label, value, pair, NETWORK_GATE[context.dtype]);
  }
}

/** The reference keeps channels first; the attention tap is token-major in both. */
function tapWithChannelsFirst(recorder: TapRecorder): TapRecorder['tap'] {
  return (name, value) => {
    recorder.tap(name, value.rank === 5 ? value.permute([0, 4, 1, 2, 3]) : value);
  };
}

/** `..tiled.._64_48` in a case's name: spatial tiles of 64 pixels, stride 48. */
function tilingOf(name: string): VaeTiling {
  const match = /tiled.*_(\d+)_(\d+)$/.exec(name);
  if (!match) return TEMPORAL_TILING;
  return { ...TEMPORAL_TILING, spatial: { tile: Number(match[1]), stride: Number(match[2]) } };
}

function openVae(context: GoldenContext): Promise<Checkpoint> {
  return Checkpoint.open(context.device, join(context.folder, 'vae.weights.safetensors'));
}
