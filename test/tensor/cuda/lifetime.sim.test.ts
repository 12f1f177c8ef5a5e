import { lifetime } from '../lifetime.ts';

lifetime('cuda');
