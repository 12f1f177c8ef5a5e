import { z } from 'zod';
import { digestOfFile } from '../../hub/download/digest.ts';
import { Device } from '../../tensor/device.ts';
import { LoraEdits, type ScaledLora } from '../../weights/lora/lora-edits.ts';
import { matchLora } from '../../weights/lora/lora-file.ts';
import { LoraModules, type NetworkLayout } from '../../weights/lora/lora-modules.ts';
import type { ModelFolder } from '../../weights/model-folder.ts';
import { DIT_NAMES } from '../../weights/network-names.ts';
import { NetworkTensors } from '../../weights/network-tensors.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import { throwIfAborted } from '../run-context.ts';

/** A LoRA to merge into the transformer. */
export interface LoraChoice {
  /** Path of its safetensors file. */
  readonly file: string;
  /** Multiplies its changes, -10 to 10; default 1, and 0 is as if it were not there. */
  readonly scale?: number | undefined;
}

const MAX_SCALE = 10;

/** Checks the LoRAs of a request. */
export const lorasSchema: z.ZodType<readonly LoraChoice[]> = z.array(
  z.strictObject({
    file: z.string().min(1),
    scale: z.number().min(-MAX_SCALE).max(MAX_SCALE).optional(),
  }),
);

/** What the LoRAs of a request may be, for messages. */
export const EXPECTED_LORAS: string = `a list of { file, scale }, scale from -${MAX_SCALE} to ${MAX_SCALE}`;

/** What was found about a LoRA before it is merged. */
export interface LoraReport {
  readonly file: string;
  readonly scale: number;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** Tensors of the file that the transformer takes; at least one. */
  readonly numMatched: number;
  /** Names of those that belong to nothing in the transformer, such as a text encoder's. */
  readonly unmatched: readonly string[];
}

/** The LoRAs of a run, checked against the transformer's headers. */
export class RunLoras {
  /** In the order of the request. */
  readonly reports: readonly LoraReport[];
  private readonly loras: readonly ScaledLora[];

  private constructor(reports: readonly LoraReport[], loras: readonly ScaledLora[]) {
    this.reports = reports;
    this.loras = loras;
  }

  /**
   * Matches LoRAs with the transformer of a model; headers are read, and the files for their digests.
   *
   * @throws {@link FramePackError} as `matchLora`; `ERR_ABORTED`.
   */
  static async open(
    folder: ModelFolder,
    choices: readonly LoraChoice[],
    signal?: AbortSignal,
  ): Promise<RunLoras> {
    if (choices.length === 0) return new RunLoras([], []);
    await using device = Device.open('meta');
    const checkpoint = await folder.openWeights(device, 'transformer');
    const network = new NetworkTensors(checkpoint, '', DIT_NAMES);
    const { reports, loras } = await matchLoras(network, choices, signal);
    return new RunLoras(reports, loras);
  }

  /** Tells apart what a network becomes with them; empty when they change nothing. */
  get variant(): string {
    return this.reports
      .filter(({ scale }) => scale !== 0)
      .map(({ sha256, scale }) => `${sha256}:${scale}`)
      .join(' ');
  }

  /** Weights of the transformer with the LoRAs merged while they are taken. */
  async merged(weights: WeightScope, device: Device): Promise<WeightScope> {
    if (this.loras.length === 0) return weights;
    return weights.edited(await LoraEdits.open(device, this.loras));
  }
}

/** LoRAs that fit a transformer; those of scale 0 are only reported. */
export interface MatchedLoras {
  /** In the order of the choices. */
  readonly reports: readonly LoraReport[];
  readonly loras: readonly ScaledLora[];
}

/**
 * Matches LoRAs with a transformer; their headers are read, and the files for their digests.
 *
 * @throws {@link FramePackError} as `matchLora`; `ERR_ABORTED`.
 */
export async function matchLoras(
  network: NetworkLayout,
  choices: readonly LoraChoice[],
  signal?: AbortSignal,
): Promise<MatchedLoras> {
  const modules = new LoraModules(network);
  const reports: LoraReport[] = [];
  const loras: ScaledLora[] = [];
  for (const { file, scale = 1 } of choices) {
    const lora = matchLora(file, network, modules);
    const { numMatched, unmatched } = lora;
    reports.push({ file, scale, sha256: await digestOf(file, signal), numMatched, unmatched });
    if (scale !== 0) loras.push({ lora, scale });
  }
  return { reports, loras };
}

async function digestOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await digestOfFile(file, 'sha256', signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}
