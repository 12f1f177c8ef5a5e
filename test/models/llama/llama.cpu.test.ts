import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../../src/models/llama/config.ts';
import { Llama } from '../../../src/models/llama/llama.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { tinyConfig, tinyWeights } from '../tiny-framepack.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu');
});
afterEach(() => device.close());

const config = parseLlamaConfig(tinyConfig('text_encoder'));
const IDS = [557, 12, 40, 300, 7, 7, 91];

async function hiddenState(hiddenLayer: number, ids: readonly number[]): Promise<Float32Array> {
  const checkpoint = await tinyWeights(device, 'text_encoder');
  return scope(async () => {
    const llama = Llama.load(checkpoint.scope(), config, { hiddenLayer, dtype: 'f32' });
    return (await llama.forward(ids)).readFloat32();
  });
}

describe('Llama', () => {
  it('loads only the layers below the wanted state', async () => {
    const checkpoint = await tinyWeights(device, 'text_encoder');
    scope(() => Llama.load(checkpoint.scope(), config, { hiddenLayer: -3, dtype: 'f32' }));
    const unused = new Set(
      checkpoint.unused().map((name) => name.split('.').slice(0, 2).join('.')),
    );
    expect(unused).toEqual(new Set(['layers.2', 'layers.3', 'norm.weight']));
  });

  it('counts hidden states from both ends', async () => {
    expect(await hiddenState(-3, IDS)).toEqual(await hiddenState(2, IDS));
    const embedded = await hiddenState(0, IDS);
    expect(embedded).toHaveLength(IDS.length * config.hiddenSize);
    expect(embedded).not.toEqual(await hiddenState(-3, IDS));
  });
});

describe('weights of Llama', () => {
  it('give the same bits with its layers passing through', async () => {
    const checkpoint = await tinyWeights(device, 'text_encoder');
    for (const numResident of [0, 1]) {
      await scope(async () => {
        const options = { hiddenLayer: -3, dtype: 'f32', numResident } as const;
        const llama = Llama.load(checkpoint.scope(), config, options);
        expect(llama.leftOver).toEqual([]);
        const before = device.memory().currentBytes;
        const states = await (await llama.forward(IDS)).readFloat32();
        expect(states).toEqual(await hiddenState(-3, IDS));
        expect(device.memory().currentBytes - before).toBe(4 * states.length);
      });
    }
  });

  it('are read of its embeddings for the rows of the tokens alone', async () => {
    const checkpoint = await tinyWeights(device, 'text_encoder');
    await scope(async () => {
      const llama = Llama.load(checkpoint.scope(), config, { hiddenLayer: 0, dtype: 'f32' });
      expect(device.memory().currentBytes).toBe(0);
      const rows = await (await llama.forward(IDS)).readFloat32();
      const { vocabularySize, hiddenSize } = config;
      const table = checkpoint.take('embed_tokens.weight', [vocabularySize, hiddenSize]);
      const whole = await table.readFloat32();
      const expected = IDS.flatMap((id) => [
        ...whole.subarray(id * hiddenSize, (id + 1) * hiddenSize),
      ]);
      expect([...rows]).toEqual(expected);
      await expect(llama.forward([1, vocabularySize])).rejects.toThrow(/rows\[1\]/);
    });
  });

  it('is causal: later tokens do not change earlier states', async () => {
    const short = await hiddenState(-3, IDS.slice(0, 4));
    const long = await hiddenState(-3, IDS);
    const { hiddenSize } = config;
    for (let i = 0; i < 4 * hiddenSize; i++) expect(long[i]).toBeCloseTo(short[i]!, 4);
    const changed = await hiddenState(-3, [...IDS.slice(0, 3), 5, ...IDS.slice(4)]);
    expect(changed.slice(0, 3 * hiddenSize)).toEqual(long.slice(0, 3 * hiddenSize));
    expect(changed.slice(3 * hiddenSize)).not.toEqual(long.slice(3 * hiddenSize));
  });

  it('calls the pace once a layer and stops when it rejects', async () => {
    const checkpoint = await tinyWeights(device, 'text_encoder');
    let calls = 0;
    const pace = async (): Promise<void> => {
      calls += 1;
      if (calls === 2) throw new Error('enough');
    };
    await scope(async () => {
      const llama = Llama.load(checkpoint.scope(), config, { hiddenLayer: -1, dtype: 'f32' });
      await expect(llama.forward(IDS, { pace })).rejects.toThrow('enough');
    });
    expect(calls).toBe(2);
    expect(device.memory().liveTensors).toBe(0);
  });
});
