import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { FramePackError } from '../../errors.ts';
import { readTextFile } from '../files/text-file.ts';

/** Metadata of a safetensors file in which diffusers keeps the configuration of an adapter. */
const ADAPTER_METADATA = 'lora_adapter_metadata';
/** Files of PEFT and diffusion-pipe, one beside the other. */
const PEFT_WEIGHTS = 'adapter_model.safetensors';
const PEFT_CONFIG = 'adapter_config.json';
const MAX_CONFIG_BYTES = 1_000_000;

const adapterSchema = z.object({
  r: z.number().optional(),
  lora_alpha: z.number().optional(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
});

type AdapterConfig = z.infer<typeof adapterSchema>;

/**
 * What is said about alpha outside the tensors: in diffusers' `lora_adapter_metadata`, or in the `adapter_config.json` of
 * PEFT beside an `adapter_model.safetensors`; each with `lora_alpha`, `alpha_pattern` and `use_rslora`. Ranks, and patterns of ranks, are seen from the tensors.
 *
 * Kohya's `ss_network_alpha` is not heard: its trainers always store alpha as a tensor, and programs that convert their
 * files keep the metadata and fold alpha into the weights.
 */
export class LoraAlpha {
  private readonly config: AdapterConfig;

  /**
   * @param metadata - of the safetensors file.
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the configuration is none; `ERR_UNSUPPORTED` for DoRA and for
   *   patterns that are more than a module's name.
   */
  constructor(metadata: ReadonlyMap<string, string>, file: string) {
    const text = metadata.get(ADAPTER_METADATA) ?? configBeside(file);
    this.config = text === undefined ? {} : parseAdapter(text, file);
    if (this.config.use_dora) {
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `lora: ${file}: expected a LoRA, got DoRA, which rescales the rows of the merged weight (use_dora)`,
        { file },
      );
    }
    for (const pattern of Object.keys(this.config.alpha_pattern ?? {})) {
      if (/^\^?[\w.]+$/.test(pattern)) continue;
      throw new FramePackError(
        'ERR_UNSUPPORTED',
        `lora: ${file}: alpha_pattern expected names of modules, got the expression ${pattern}`,
        { file, pattern },
      );
    }
  }

  /**
   * What the change of a module is multiplied with.
   *
   * @param module - its name in the file, without prefixes.
   * @param rank - of its factors.
   * @param stored - alpha from a tensor of the file, which wins; undefined without one.
   */
  scaleOf(module: string, rank: number, stored: number | undefined): number {
    if (stored !== undefined) return stored / rank;
    const { lora_alpha: whole = rank, alpha_pattern: patterns, use_rslora: isStable } = this.config;
    const own = Object.entries(patterns ?? {}).find(([pattern]) => matches(module, pattern));
    const alpha = own?.[1] ?? whole;
    return alpha / (isStable ? Math.sqrt(rank) : rank);
  }
}

function configBeside(file: string): string | undefined {
  const path = join(dirname(file), PEFT_CONFIG);
  if (basename(file) !== PEFT_WEIGHTS || !existsSync(path)) return undefined;
  return readTextFile(path, MAX_CONFIG_BYTES);
}

/** As PEFT: the end of the name from a dot on, or all of it behind `^`. */
function matches(module: string, pattern: string): boolean {
  if (pattern.startsWith('^')) return module === pattern.slice(1);
  return module === pattern || module.endsWith(`.${pattern}`);
}

function parseAdapter(text: string, file: string): AdapterConfig {
  try {
    const fields = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    // Those of other networks of a pipeline stand beside it.
    const own = Object.entries(fields).map(
      ([name, value]) => [name.replace(/^transformer\./, ''), value] as const,
    );
    return adapterSchema.parse(Object.fromEntries(own));
  } catch (cause) {
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `lora: ${file}: ${ADAPTER_METADATA} or ${PEFT_CONFIG} expected the configuration of an adapter, got something else`,
      { file },
      cause,
    );
  }
}
