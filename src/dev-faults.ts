import { wordsOfFault, type AuthorFault } from './author-log.ts';

/** What went wrong since the plugin was last saved, newest first. */
export class Faults {
  #all: AuthorFault[] = [];

  get all(): readonly AuthorFault[] {
    return this.#all;
  }

  add(fault: AuthorFault): void {
    this.#all = [fault, ...this.#all.filter((one) => wordsOfFault(one) !== wordsOfFault(fault))];
  }

  forget(): void {
    this.#all = [];
  }
}
