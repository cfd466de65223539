import { afterAll } from 'vitest';
import { cleanUpLeftovers } from './cleanup.ts';

afterAll(cleanUpLeftovers);
