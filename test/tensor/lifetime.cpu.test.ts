import { lifetime } from './lifetime.ts';

lifetime('cpu');
