import { keep } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A tensor of an earlier call, kept beyond the scope of that call. */
export class Remembered implements Disposable {
  private kept: Tensor | null = null;

  get value(): Tensor | null {
    return this.kept;
  }

  set value(tensor: Tensor | null) {
    this.kept?.dispose();
    this.kept = tensor === null ? null : keep(tensor.retain());
  }

  [Symbol.dispose](): void {
    this.value = null;
  }
}
