import { fileURLToPath } from 'node:url';
import type { GenerateEvent } from '../../src/pipeline/events.ts';
import { generate } from '../../src/pipeline/generate.ts';
import type { GenerateRequest } from '../../src/pipeline/request.ts';
import { TINY_MODEL } from '../models/tiny-framepack.ts';

/** The demo picture. */
export const PICTURE: string = fileURLToPath(
  new URL('../../assets/picture-1.png', import.meta.url),
);

type TinyRequest = Pick<GenerateRequest, 'prompt'> & {
  readonly model: string;
  readonly image: string;
  readonly seconds: number;
  readonly steps: number;
};

/** The shortest possible run of the tiny checkpoint. */
export const TINY_REQUEST: TinyRequest = {
  model: TINY_MODEL,
  image: PICTURE,
  prompt: 'A yellow ring grows and shrinks over a snowy field.',
  seconds: 1.2,
  steps: 2,
};

/** Frames of a video in time order, from the events of its sections. */
export function framesOf(events: readonly GenerateEvent[]): readonly Uint8Array[] {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error('the last event is not done');
  const placed: Uint8Array[] = [];
  for (const event of events) {
    if (event.type !== 'section') continue;
    for (const [index, frame] of event.frames.entries()) placed[event.firstFrame + index] = frame;
  }
  if (Object.keys(placed).length !== last.numFrames) throw new Error('a frame is missing');
  return placed;
}

/** All events of a run. */
export async function collect(request: GenerateRequest): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(request)) events.push(event);
  return events;
}
