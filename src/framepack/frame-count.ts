import { FramePackError } from '../errors.ts';

/** Pixel frames that one latent frame stands for, except the first of a decoded stretch, which stands for one. */
const TEMPORAL_STRIDE = 4;

/** Pixel frames that the causal decoder makes of so many consecutive latent frames. */
export function decodedFrames(numLatents: number): number {
  return TEMPORAL_STRIDE * (numLatents - 1) + 1;
}

/** Latent frames that a stretch of pixel frames is encoded to. */
export function encodedFrames(numFrames: number): number {
  return Math.floor((numFrames + TEMPORAL_STRIDE - 1) / TEMPORAL_STRIDE);
}

/**
 * Sections that a video of so many seconds needs: rounded half to even as the official app does (3 s at 30 fps with
 * windows of 9 is 2.5, so 2), and at least one.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` unless all three are positive and the window a whole number.
 */
export function countSections(seconds: number, fps: number, latentWindowSize: number): number {
  const isValid =
    Number.isFinite(seconds) && Number.isFinite(fps) && Number.isInteger(latentWindowSize);
  if (!isValid || Math.min(seconds, fps, latentWindowSize) <= 0) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `countSections: seconds, fps and latentWindowSize expected positive numbers, got ${seconds}, ${fps}, ${latentWindowSize}`,
      { seconds, fps, latentWindowSize },
    );
  }
  return Math.max(1, roundHalfEven((seconds * fps) / (latentWindowSize * TEMPORAL_STRIDE)));
}

/** Pixel frames of a whole video: each section adds a window, and the picture adds one frame. */
export function videoFrames(numSections: number, latentWindowSize: number): number {
  return TEMPORAL_STRIDE * latentWindowSize * numSections + 1;
}

/** Pixel frames in which the newly decoded stretch and the video so far show the same latent frames. */
export function overlapFrames(latentWindowSize: number): number {
  return decodedFrames(latentWindowSize);
}

/**
 * Gaps between the picture and each section, in windows, in sampling order (end of the video first).
 *
 * For more than four sections the distances are not the true ones: the network was trained on short gaps, so the
 * first section claims 3 and the middle ones 2.
 */
export function sectionPaddings(numSections: number): readonly number[] {
  if (numSections <= 4) return Array.from({ length: numSections }, (_, i) => numSections - 1 - i);
  return [3, ...Array.from({ length: numSections - 3 }, () => 2), 1, 0];
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
