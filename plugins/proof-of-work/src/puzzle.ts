import { createHash } from 'node:crypto';

/** Many small puzzles instead of a large one: nobody is unlucky for long. */
export const PARTS = 16;
const HIGHEST = 0xffffffff;

/**
 * Each part asks for a number that makes SHA-256 of (digest of the challenge, part, number) begin with so many zero bits. Finding it
 * takes 2^difficulty tries, checking it one.
 */
export function isSolved(challenge: string, difficulty: number, answer: string): boolean {
  const numbers = answer.split('.');
  if (numbers.length !== PARTS) return false;
  const seed = createHash('sha256').update(challenge).digest();
  return numbers.every((text, part) => {
    const number = /^[0-9a-z]{1,7}$/.test(text) ? parseInt(text, 36) : Number.NaN;
    return number <= HIGHEST && zeroBits(hashOf(seed, part, number)) >= difficulty;
  });
}

/** For programs that join, and for tests; browsers have their own in `public/solver.js`. */
export function solve(challenge: string, difficulty: number): string {
  const seed = createHash('sha256').update(challenge).digest();
  return Array.from({ length: PARTS }, (_, part) => {
    let number = 0;
    while (zeroBits(hashOf(seed, part, number)) < difficulty) number += 1;
    return number.toString(36);
  }).join('.');
}

function hashOf(seed: Buffer, part: number, number: number): Buffer {
  const tail = Buffer.alloc(5);
  tail.writeUInt8(part);
  tail.writeUInt32BE(number, 1);
  return createHash('sha256').update(seed).update(tail).digest();
}

function zeroBits(hash: Buffer): number {
  const first = hash.readUInt32BE();
  return first === 0 ? 32 : Math.clz32(first);
}
