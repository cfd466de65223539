export { digestVerifier, type ReleaseClaim, type ReleaseVerifier } from './release-verifier.ts';
