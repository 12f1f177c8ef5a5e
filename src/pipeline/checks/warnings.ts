import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';
import type { ModelPart } from '../../weights/model-folder.ts';
import type { LoraReport } from '../inputs/loras.ts';
import { isTrainedSchedule } from '../inputs/schedule.ts';
import type { RunReporter } from '../progress/run-reporter.ts';
import type { ResolvedRequest, VideoRequest } from '../request.ts';

type Warner = Pick<RunReporter, 'warn'>;

const LISTED_NAMES = 4;

/** Warns of inputs that were given and that this run does not hear, one warning each. */
export function warnOfInactiveInputs(
  reporter: Warner,
  request: VideoRequest,
  { cfg }: Pick<ResolvedRequest, 'cfg'>,
): void {
  const { negativePrompt = '', guidanceRescale = 0, out } = request;
  const inactive: [isInactive: boolean, field: string, needs: string][] = [
    [negativePrompt !== '' && cfg === 1, 'negativePrompt', 'cfg above 1'],
    [guidanceRescale !== 0 && cfg === 1, 'guidanceRescale', 'cfg above 1'],
    [request.start !== undefined && request.image !== undefined, 'start', 'no image'],
    [request.crf !== undefined && out === undefined, 'crf', 'out'],
    [request.encoder !== undefined && out === undefined, 'encoder', 'out'],
  ];
  for (const [isInactive, field, needs] of inactive) {
    if (!isInactive) continue;
    reporter.warn('WARN_INACTIVE_INPUT', `${field} has no effect: it needs ${needs}`);
  }
}

/** Warns that the weights do not know the schedule that they will be used with. */
export function warnOfSchedule(
  reporter: Warner,
  settings: Pick<ResolvedRequest, 'mode' | 'schedule'>,
  info: CheckpointInfo,
): void {
  if (isTrainedSchedule(settings, info)) return;
  const message = `${info.name} was not trained with the schedule ${settings.schedule}: the video may be worse`;
  reporter.warn('WARN_UNTRAINED_SCHEDULE', message);
}

/** Warns that a run begins anew because the device had less memory than the plan went by. */
export function warnOfMemory(reporter: Warner, plannedBytes: number, smallerBytes: number): void {
  const [planned, smaller] = [plannedBytes, smallerBytes].map((bytes) =>
    Math.floor(bytes / 2 ** 20),
  );
  reporter.warn(
    'WARN_MEMORY',
    `memory of the device is full although ${planned} MiB were planned: the run begins anew with ${smaller} MiB`,
  );
}

/** Warns that a prompt, the first or the negative one behind it, is longer than an encoder reads. */
export function warnOfCut(
  reporter: Warner,
  promptIndex: number,
  { encoder, numTokens }: { readonly encoder: string; readonly numTokens: number },
): void {
  const field = promptIndex === 0 ? 'prompt' : 'negativePrompt';
  reporter.warn(
    'WARN_PROMPT_CUT',
    `${field} is cut: ${encoder} reads its first ${numTokens} tokens`,
  );
}

/** Warns that the video becomes pictures. */
export function warnOfPictures(reporter: Warner): void {
  const message =
    'no encoder works here, frames are written as PNG pictures: install ffmpeg with libx264';
  reporter.warn('WARN_PNG_FRAMES', message);
}

/** Warns of tensors in the files of a network that nothing reads. */
export function warnOfLeftOver(
  reporter: Warner,
  part: ModelPart,
  { leftOver }: { readonly leftOver: readonly string[] },
): void {
  if (leftOver.length === 0) return;
  const names = listed(leftOver);
  reporter.warn('WARN_UNUSED_TENSORS', `${part} holds tensors that nothing reads: ${names}`);
}

/** Warns of tensors of a LoRA that have no place in the transformer. */
export function warnOfLora(
  reporter: Warner,
  { file, numMatched, unmatched }: Pick<LoraReport, 'file' | 'numMatched' | 'unmatched'>,
): void {
  if (unmatched.length === 0) return;
  reporter.warn(
    'WARN_LORA_KEYS',
    `lora ${file}: ${numMatched} tensors fit the transformer, ${unmatched.length} do not: ${listed(unmatched)}`,
  );
}

function listed(names: readonly string[]): string {
  const more = names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : '';
  return `${names.slice(0, LISTED_NAMES).join(', ')}${more}`;
}
