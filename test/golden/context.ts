import type { Device } from '../../src/tensor/device.ts';
import type { FloatDType } from '../../src/tensor/dtype.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import type { GoldenFile } from './golden-file.ts';
import type { Report } from './report.ts';

/** Where a golden folder lies, what runs it and where results go. */
export interface GoldenContext {
  readonly folder: string;
  readonly device: Device;
  readonly dtype: FloatDType;
  readonly report: Report;
}

/** An f32 tensor of the golden file on the device under test. */
export function upload(context: GoldenContext, file: GoldenFile, name: string): Tensor<'f32'> {
  return fromArray(context.device, file.floats(name), file.shape(name), 'f32');
}

/** Gathers tapped values: reading is queued at once, so that the network may free the tensor afterwards. */
export class TapRecorder {
  private readonly pending = new Map<string, Promise<Float32Array>>();

  readonly tap = (name: string, value: Tensor): void => {
    this.pending.set(name, value.readFloat32());
  };

  async get(name: string): Promise<Float32Array> {
    const value = await this.pending.get(name);
    if (!value) throw new Error(`tap ${name}: the network never produced it`);
    return value;
  }
}
