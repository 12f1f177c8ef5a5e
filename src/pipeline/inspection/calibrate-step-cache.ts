import { MagCalibration } from '../../sampling/step-cache/mag-calibration.ts';
import type { GenerateEvent } from '../events.ts';
import { runGeneration } from '../generate.ts';
import { checkRequest, type GenerateRequest } from '../request.ts';

/** Ratios are stored with this many digits; a decision needs fewer. */
const DIGITS = 1e5;

/**
 * Measures the numbers that the step cache `mag` decides by: generates the video of a request without a cache and
 * records how the magnitude of what the blocks add changes from step to step, as the mean over sections. They belong
 * into the checkpoint's `framepack.json` as `mag_ratios`; they hardly depend on prompt, picture and seed.
 *
 * @returns one number for each step of the request.
 * @throws {@link FramePackError} as `generate`.
 */
export async function calibrateStepCache(
  request: GenerateRequest,
  onEvent: (event: GenerateEvent) => void = () => {},
): Promise<number[]> {
  const calibrations: MagCalibration[] = [];
  await runGeneration({ ...checkRequest(request), stepCache: 'tea' }, onEvent, {
    ids: () => {},
    tensor: () => {},
    frames: () => {},
    stepCache: (_, branch) => {
      const calibration = new MagCalibration();
      if (branch === 'positive') calibrations.push(calibration);
      return calibration;
    },
  });
  const numSteps = calibrations[0]!.ratios.length;
  return Array.from({ length: numSteps }, (_, step) => {
    const total = calibrations.reduce((sum, { ratios }) => sum + ratios[step]!, 0);
    return Math.round((total / calibrations.length) * DIGITS) / DIGITS;
  });
}
