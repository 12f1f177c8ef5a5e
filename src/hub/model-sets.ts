/** Files of one repository. */
export interface RepositoryPart {
  /** `owner/name`. */
  readonly repository: string;
  /** Folders to take, with all that lies below them; the empty name is the files of the root alone. */
  readonly folders: readonly string[];
  /** Bytes of the weights, before the hub has been asked. */
  readonly approximateBytes: number;
}

/** A model whose networks lie in several repositories. */
export interface ModelSet {
  /** The repository that names the model; it holds the transformer. */
  readonly repository: string;
  readonly mode: 'i2v' | 'f1';
  readonly parts: readonly RepositoryPart[];
}

const ENCODERS_AND_VAE: readonly RepositoryPart[] = [
  {
    repository: 'hunyuanvideo-community/HunyuanVideo',
    folders: ['text_encoder', 'text_encoder_2', 'tokenizer', 'tokenizer_2', 'vae'],
    approximateBytes: 15_749_000_000,
  },
  {
    repository: 'lllyasviel/flux_redux_bfl',
    folders: ['image_encoder', 'feature_extractor'],
    approximateBytes: 856_000_000,
  },
];

function released(repository: string, mode: ModelSet['mode']): ModelSet {
  const transformer = { repository, folders: [''], approximateBytes: 25_749_000_000 };
  return { repository, mode, parts: [transformer, ...ENCODERS_AND_VAE] };
}

/**
 * The released models, by the repository of their transformer.
 *
 * @see FramePack, demo_gradio.py and demo_gradio_f1.py at 97fe5db, which load the same repositories
 */
export const MODEL_SETS: readonly ModelSet[] = [
  released('lllyasviel/FramePackI2V_HY', 'i2v'),
  released('lllyasviel/FramePack_F1_I2V_HY_20250503', 'f1'),
];

/** The released model of that name, in any case of letters. */
export function findModelSet(repository: string): ModelSet | undefined {
  return MODEL_SETS.find((set) => set.repository.toLowerCase() === repository.toLowerCase());
}

/** Bytes of the weights of all parts, before the hub has been asked. */
export function approximateBytes({ parts }: ModelSet): number {
  return parts.reduce((sum, part) => sum + part.approximateBytes, 0);
}
