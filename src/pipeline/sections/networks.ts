import { parseDitConfig } from '../../models/dit/config.ts';
import { Dit } from '../../models/dit/dit.ts';
import { parseVaeConfig } from '../../models/vae/config.ts';
import { VaeVideoDecoder } from '../../models/vae/vae.ts';
import { DECODER_NAME, type Resident, TRANSFORMER_NAME } from '../residency.ts';
import { networkConfig, networkWeights, ownDType, type RunContext } from '../run-context.ts';

/** The transformer of a run with its LoRAs; where it streams, with as many blocks as are to stay. */
export function transformer(context: RunContext): Resident<Dit> {
  const config = networkConfig(context, 'transformer', parseDitConfig);
  const { loras, device, placements } = context;
  const numResident = placements.transformer === 'streams' ? placements.numResident : undefined;
  return {
    name: TRANSFORMER_NAME,
    variant: loras.variant,
    weightBytes: context.folder.weightBytes('transformer'),
    load: async () => {
      const weights = await networkWeights(context, 'transformer');
      const merged = await loras.merged(weights.scope(), device);
      const dit = Dit.load(merged, config, context.dtype, numResident);
      context.observer?.loaded?.();
      return dit;
    },
  };
}

/** The decoder of a run. */
export function videoDecoder(context: RunContext): Resident<VaeVideoDecoder> {
  const config = networkConfig(context, 'vae', parseVaeConfig);
  return {
    name: DECODER_NAME,
    weightBytes: context.folder.weightBytes('vae'),
    load: async () => {
      const weights = await networkWeights(context, 'vae');
      const dtype = ownDType(context, weights);
      const decoder = VaeVideoDecoder.load(weights.scope(), config, { dtype });
      context.observer?.loaded?.();
      return decoder;
    },
  };
}
