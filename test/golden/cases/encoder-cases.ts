import { join } from 'node:path';
import { ClipText } from '../../../src/models/clip/clip-text.ts';
import { parseClipTextConfig } from '../../../src/models/clip/config.ts';
import { parseLlamaConfig } from '../../../src/models/llama/config.ts';
import { Llama } from '../../../src/models/llama/llama.ts';
import { parseSiglipVisionConfig } from '../../../src/models/siglip/config.ts';
import { SiglipVision } from '../../../src/models/siglip/siglip-vision.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { type GoldenContext, TapRecorder, upload } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { NETWORK_GATE } from '../report.ts';

/** Manifest entries of this kind: `{ config, tensors }` under the network's name. */
export interface EncoderCase {
  readonly config: unknown;
}

/** The encoders by the name that the manifest gives them. */
export const ENCODER_CASES: Readonly<
  Record<string, (context: GoldenContext, name: string, entry: EncoderCase) => Promise<void>>
> = { llama: runLlama, clip: runClip, siglip: runSiglip };

async function runLlama(context: GoldenContext, name: string, entry: EncoderCase): Promise<void> {
  const { device, dtype, report } = context;
  const config = parseLlamaConfig(entry.config);
  const golden = new GoldenFile(join(context.folder, `${name}.golden.safetensors`));
  const ids = golden.integers('input_ids');
  const gate = NETWORK_GATE[dtype];
  const run = async (hiddenLayer: number, recorder: TapRecorder, state: string): Promise<void> => {
    await scope(async () => {
      const checkpoint = await openWeights(context, name);
      const llama = Llama.load(checkpoint.scope(), config, { hiddenLayer, dtype });
      recorder.tap(state, await llama.forward(ids, { tap: recorder.tap }));
    });
  };
  const recorder = new TapRecorder();
  await run(-1, recorder, 'last_hidden_state');
  await run(-3, recorder, 'hidden_minus3');
  // The tuple's last entry is the normed output, the same values as last_hidden_state.
  const final = `hidden_states.${config.numLayers}`;
  for (const key of golden.names.filter((key) => key !== 'input_ids')) {
    const actual = await recorder.get(key === final ? 'last_hidden_state' : key);
    report.relative(name, key, { actual, expected: golden.floats(key) }, gate);
  }
  await device.synchronize();
}

async function runClip(context: GoldenContext, name: string, entry: EncoderCase): Promise<void> {
  const { dtype, report } = context;
  const golden = new GoldenFile(join(context.folder, `${name}.golden.safetensors`));
  await scope(async () => {
    const checkpoint = await openWeights(context, name);
    const clip = ClipText.load(checkpoint.scope(), parseClipTextConfig(entry.config), dtype);
    const { hidden, pooled } = await clip.forward(golden.integers('input_ids'));
    const results = { last_hidden_state_to_eos: hidden, pooler_output: pooled };
    for (const [key, value] of Object.entries(results)) {
      const pair = { actual: await value.readFloat32(), expected: golden.floats(key) };
      report.relative(name, key, pair, NETWORK_GATE[dtype]);
    }
  });
}

async function runSiglip(context: GoldenContext, name: string, entry: EncoderCase): Promise<void> {
  const { dtype, report } = context;
  const golden = new GoldenFile(join(context.folder, `${name}.golden.safetensors`));
  await scope(async () => {
    const checkpoint = await openWeights(context, name);
    const siglip = SiglipVision.load(
      checkpoint.scope(),
      parseSiglipVisionConfig(entry.config),
      dtype,
    );
    const states = await siglip.forward(upload(context, golden, 'pixel_values'));
    const expected = golden.floats('last_hidden_state');
    const pair = { actual: await states.readFloat32(), expected };
    report.relative(name, 'last_hidden_state', pair, NETWORK_GATE[dtype]);
  });
}

function openWeights(context: GoldenContext, name: string): Promise<Checkpoint> {
  return Checkpoint.open(context.device, join(context.folder, `${name}.weights.safetensors`));
}
