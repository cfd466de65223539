import { createHmac, type KeyObject } from 'node:crypto';
import { UnavailableError } from '../shared/errors.ts';
import type { KeyRing, Mac, Sealed } from './key-ring.ts';
import { openBox, sealBox } from './secret-box.ts';

/** One generation of a purpose's keys. */
export interface PurposeKeys {
  generation: number;
  mac: KeyObject;
  seal: KeyObject;
}

/** The keys of one purpose, newest first. The list is replaced when another process has added a generation. */
export class DatabaseKeyRing implements KeyRing {
  #keys: readonly [PurposeKeys, ...PurposeKeys[]];

  constructor(keys: readonly [PurposeKeys, ...PurposeKeys[]]) {
    this.#keys = keys;
  }

  replaceKeys(keys: readonly [PurposeKeys, ...PurposeKeys[]]): void {
    this.#keys = keys;
  }

  mac(purpose: string, text: string): Mac {
    return macUnder(this.#keys[0], purpose, text);
  }

  macs(purpose: string, text: string): Mac[] {
    return this.#keys.map((keys) => macUnder(keys, purpose, text));
  }

  seal(plaintext: string, context: string): Sealed {
    const { generation, seal } = this.#keys[0];
    return {
      keyId: generation,
      ...sealBox(seal, Buffer.from(plaintext, 'utf8'), boundTo(context, generation)),
    };
  }

  open({ keyId, ...box }: Sealed, context: string): string {
    const keys = this.#keys.find(({ generation }) => generation === keyId);
    if (!keys) throw new UnavailableError('secret.unreadable', { params: { keyId } });
    try {
      return openBox(keys.seal, box, boundTo(context, keyId)).toString('utf8');
    } catch (cause) {
      throw new UnavailableError('secret.unreadable', { cause, params: { keyId } });
    }
  }
}

/** What a node with the wrong master has instead: it answers 503 and never "unknown key". */
export class LockedKeyRing implements KeyRing {
  mac(): never {
    throw locked();
  }
  macs(): never {
    throw locked();
  }
  seal(): never {
    throw locked();
  }
  open(): never {
    throw locked();
  }
}

const locked = (): UnavailableError => new UnavailableError('secret.locked', { retryAfter: 60 });

const boundTo = (context: string, keyId: number): string => `${context}|${String(keyId)}`;

const macUnder = ({ generation, mac }: PurposeKeys, purpose: string, text: string): Mac => ({
  keyId: generation,
  digest: createHmac('sha256', mac).update(`${purpose}|${text}`, 'utf8').digest(),
});
