/** A folder of a repository with all that lies below it. */
export interface RepositoryFolder {
  /** Empty for the files of the root alone. */
  readonly name: string;
  /** Bytes of the weights, before the hub has been asked; 0 for small files. */
  readonly approximateBytes: number;
}

/** Files of one repository. */
export interface RepositoryPart {
  /** `owner/name`. */
  readonly repository: string;
  readonly folders: readonly RepositoryFolder[];
}

/** A model whose networks lie in several repositories. */
export interface ModelSet {
  /** The repository that names the model; it holds the transformer. */
  readonly repository: string;
  readonly mode: 'i2v' | 'f1';
  readonly parts: readonly RepositoryPart[];
}

const SMALL = 0;

/** Encoders, VAE and tokenizers, the same for all released models. */
export const ENCODERS_AND_VAE: readonly RepositoryPart[] = [
  {
    repository: 'hunyuanvideo-community/HunyuanVideo',
    folders: [
      { name: 'text_encoder', approximateBytes: 15_010_373_632 },
      { name: 'text_encoder_2', approximateBytes: 246_120_960 },
      { name: 'tokenizer', approximateBytes: SMALL },
      { name: 'tokenizer_2', approximateBytes: SMALL },
      { name: 'vae', approximateBytes: 492_957_606 },
    ],
  },
  {
    repository: 'lllyasviel/flux_redux_bfl',
    folders: [
      { name: 'image_encoder', approximateBytes: 856_451_200 },
      { name: 'feature_extractor', approximateBytes: SMALL },
    ],
  },
];

function released(repository: string, mode: ModelSet['mode']): ModelSet {
  const transformer = { repository, folders: [{ name: '', approximateBytes: 25_748_629_632 }] };
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
export function approximateBytes({ parts }: Pick<ModelSet, 'parts'>): number {
  return parts
    .flatMap(({ folders }) => folders)
    .reduce((sum, folder) => sum + folder.approximateBytes, 0);
}
