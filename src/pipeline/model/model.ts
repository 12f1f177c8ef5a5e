import { FramePackError } from '../../errors.ts';
import type { GenerateEvent, SectionEvent } from '../events.ts';
import { finishRun } from '../generate.ts';
import { openRunOf } from '../open-run.ts';
import { estimateRun, type RunEstimate } from '../planning/run-estimate.ts';
import { eventsOf } from '../progress/event-queue.ts';
import {
  checkLoadOptions,
  checkVideoRequest,
  type LoadOptions,
  type VideoRequest,
} from '../request.ts';
import { type OpenModel, openModel } from './open-model.ts';
import { Turns } from './turns.ts';

/**
 * Opens a model for several videos. Its networks are loaded when the first video needs them, once, and stay until the
 * model is closed, or until a video needs their room.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT`, `ERR_CHECKPOINT`, or what opening the device throws.
 * @example
 * await using model = await load({ model: 'models/tiny-framepack' });
 * for await (const { firstFrame, frames } of model.frames({ prompt: 'A red ball.' })) show(firstFrame, frames);
 */
export async function load(options: LoadOptions): Promise<Model> {
  return Model.open(options);
}

/** Frames of a video that are final, and their place in it. */
export type SectionFrames = Pick<SectionEvent, 'section' | 'numSections' | 'firstFrame' | 'frames'>;

/** A model that stays open, made by {@link load}. Jobs run one at a time, in the order in which they were started. */
export class Model implements AsyncDisposable {
  readonly #model: OpenModel;
  readonly #turns: Turns = new Turns();
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | undefined;

  private constructor(model: OpenModel) {
    this.#model = model;
  }

  /** The function {@link load}. */
  static async open(options: LoadOptions): Promise<Model> {
    return new Model(await openModel(checkLoadOptions(options)));
  }

  /**
   * As the function `generate`, with the model that is open. The job joins the queue when its first event is asked for.
   *
   * @throws {@link FramePackError} as `generate`; `ERR_DISPOSED` once the model is closed.
   */
  async *generate(request: VideoRequest): AsyncGenerator<GenerateEvent, void, undefined> {
    const checked = checkVideoRequest(request);
    this.#assertOpen();
    const closing = this.#closing.signal;
    const signal = checked.signal ? AbortSignal.any([checked.signal, closing]) : closing;
    yield* eventsOf<GenerateEvent>(signal, (stop, emit) =>
      this.#inTurn(stop, async () => {
        await using run = await openRunOf(this.#model, { ...checked, signal: stop }, emit);
        await finishRun(run);
      }),
    );
  }

  /**
   * The frames of a video as soon as they are final, section by section. Mode `i2v` makes a video from its end, so that
   * its frames come from the back; `firstFrame` is their place.
   *
   * @throws {@link FramePackError} as {@link Model.generate}.
   */
  async *frames(request: VideoRequest): AsyncGenerator<SectionFrames, void, undefined> {
    for await (const event of this.generate(request)) {
      if (event.type !== 'section') continue;
      const { section, numSections, firstFrame, frames } = event;
      yield { section, numSections, firstFrame, frames };
    }
  }

  /**
   * What a video would take, on the device and within the byte budget of this model; nothing is computed or written.
   *
   * @throws {@link FramePackError} as {@link Model.generate} for bad input.
   */
  async estimate(request: VideoRequest): Promise<RunEstimate> {
    const { out, job: _, ...video } = checkVideoRequest(request);
    this.#assertOpen();
    const { budgetBytes, device } = this.#model;
    await using run = await openRunOf(this.#model, video, () => {});
    const options = { budgetBytes, device: device.kind === 'cuda' ? 'cuda' : 'cpu' } as const;
    return await estimateRun(run, options, { out, crf: video.crf });
  }

  /** Stops what runs or waits, and frees everything. Further calls return the same promise. */
  close(): Promise<void> {
    this.#closing.abort(new FramePackError('ERR_DISPOSED', 'generate: the model was closed'));
    this.#closed ??= this.#turns.wait().then(() => this.#model[Symbol.asyncDispose]());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #inTurn(signal: AbortSignal, job: () => Promise<void>): Promise<void> {
    const end = await this.#turns.wait(signal);
    try {
      await job();
    } finally {
      end();
    }
  }

  #assertOpen(): void {
    if (!this.#closing.signal.aborted) return;
    throw new FramePackError(
      'ERR_DISPOSED',
      'generate: model expected to be open, got a closed one',
    );
  }
}
