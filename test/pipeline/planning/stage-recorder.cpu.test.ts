import { describe, expect, it } from 'vitest';
import { linear } from '../../../src/ops/linear.ts';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { StageRecorder } from '../../../src/pipeline/planning/stage-recorder.ts';
import { Residency } from '../../../src/pipeline/residency.ts';
import { Device } from '../../../src/tensor/device.ts';
import { empty } from '../../../src/tensor/tensor.ts';

/** An event, as far as the recorder looks at it. */
const event = (facts: object): GenerateEvent => facts as GenerateEvent;
const stage = (name: string, part?: string) => event({ type: 'stage', stage: name, part });

describe('StageRecorder', () => {
  it('tells stages apart by events and counts what repeats', async () => {
    await using device = Device.open('meta');
    const recorder = new StageRecorder(device, new Residency(), {
      sections: [1, 3],
      steps: [1, 4],
    });
    const work = () => {
      using x = empty(device, [1, 256], 'f32');
      using weight = empty(device, [8, 256], 'f32');
      linear(x, weight).dispose();
    };
    const flops = 2 * 256 * 8;
    for (const part of ['text_encoder', 'text_encoder_2', 'image_encoder', 'vae']) {
      recorder.onEvent(stage('load', part));
      using _weights = empty(device, [1024], 'u8');
      recorder.onEvent(stage('encode-text'));
      work();
    }
    for (const section of [0, 1]) {
      recorder.onEvent(stage('load', 'transformer'));
      const weights = empty(device, [4096], 'u8');
      recorder.onLoaded();
      using _noise = empty(device, [512], 'u8');
      recorder.onEvent(stage('sample'));
      for (const step of [1, 2]) {
        work();
        recorder.onEvent(event({ type: 'step', step }));
      }
      weights.dispose();
      recorder.onEvent(stage('load', 'vae'));
      using _decoder = empty(device, [2048], 'u8');
      recorder.onEvent(event({ type: 'stage', stage: 'decode', section }));
      work();
      recorder.onEvent(event({ type: 'section' }));
    }
    const found = recorder.finish().map(({ stage: name, weightBytes, tally }) => {
      return [name, weightBytes, tally.get('product f32')!.flops / flops];
    });
    expect(found).toEqual([
      ['text-encoders', 1024, 2],
      ['image-encoder', 1024, 1],
      ['vae-encode', 1024, 1],
      ['sample', 4096, (1 + 4) * (1 + 3)],
      ['vae-decode', 2048, 1 + 3],
    ]);
    const peaks = recorder.finish().map(({ peakBytes }) => peakBytes);
    // Two operands of 1 and 8 KiB and a result, which takes a step of 256 bytes, beside weights and noise.
    expect(peaks.slice(0, 4)).toEqual([...Array(3).fill(1024 + 9472), 4096 + 512 + 9472]);
  });
});
