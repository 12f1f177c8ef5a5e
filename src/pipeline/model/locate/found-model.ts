import type { ModelSet } from '../../../hub/model-sets.ts';
import type { CheckpointInfo } from '../../../weights/checkpoint-info.ts';
import type { PartPaths } from '../../../weights/model-folder.ts';

/** A released model by its repository. */
export interface ReleasedModel {
  readonly set: ModelSet;
  /** Branch, tag or commit of the repository that names it. */
  readonly revision: string;
}

/** Parts that belong together, and what is known of their model. */
export interface FoundModel {
  /** What to call it in messages: a path or a repository. */
  readonly source: string;
  /** Those that are there; others may be missing. */
  readonly parts: PartPaths;
  /** What the model says about itself; null when it is made of a released one, which does not. */
  readonly info: CheckpointInfo | null;
  /** Where the repository tells which it is. */
  readonly released: ReleasedModel | null;
  /** Hugging Face cache in which the rest of a released model is. */
  readonly cacheFolder: string;
}
