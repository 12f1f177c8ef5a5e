import { FramePackError } from '../errors.ts';

/** What the prompt needs from a tokenizer. */
export interface PromptTokenizer {
  /** Token ids of `text`, begin-of-text included. */
  encode(text: string): number[];
}

/** How a checkpoint wraps and limits a prompt. */
export interface PromptLayout {
  /** Text around the prompt; `{}` stands for the prompt. */
  readonly template: string;
  /** Most ids kept after the template's prefix. */
  readonly maxLength: number;
}

/** A prompt inside its template, as ids for the language model. */
export interface EncodedPrompt {
  /** All ids, prefix included, at most `cropStart + maxLength`. */
  readonly ids: number[];
  /** Number of prefix ids; the hidden states before this position are dropped. */
  readonly cropStart: number;
  /** Ids of the prompt itself that did not fit. */
  readonly numCut: number;
}

const PLACEHOLDER = '{}';

/**
 * Puts the prompt into the template and tokenises the whole, because text at the seam may merge across it.
 * A prompt that is too long loses its end, the template's closing token included.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when the template does not hold exactly one `{}`.
 * @see FramePack `diffusers_helper/hunyuan.py` `encode_prompt_conds` at 97fe5db.
 */
export function encodePrompt(
  tokenizer: PromptTokenizer,
  prompt: string,
  layout: PromptLayout,
): EncodedPrompt {
  const [prefix, suffix, ...rest] = layout.template.split(PLACEHOLDER);
  if (prefix === undefined || suffix === undefined || rest.length > 0) {
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `encodePrompt: template expected exactly one "${PLACEHOLDER}", got "${layout.template}"`,
      { template: layout.template },
    );
  }
  const cropStart = tokenizer.encode(prefix).length;
  const ids = tokenizer.encode(prefix + prompt + suffix);
  const numMarks = tokenizer.encode('').length;
  const numSuffix = tokenizer.encode(suffix).length - numMarks;
  const capacity = cropStart + layout.maxLength;
  const numCut = Math.max(0, ids.length - numSuffix - capacity);
  return { ids: ids.slice(0, capacity), cropStart, numCut };
}
