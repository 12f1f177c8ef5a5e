import { deviceSuite } from './device-suite.ts';

deviceSuite();
