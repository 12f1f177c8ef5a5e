import { compareDevices } from './compare-devices.ts';

compareDevices();
