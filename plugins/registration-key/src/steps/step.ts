export type Phase = 'before' | 'after';

/** A page that newcomers walk through: of this house, for every key or for those that name it. */
export interface Step {
  id: string;
  entityId: string;
  phase: Phase;
  everywhere: boolean;
  position: number;
  title: string;
  /** Markdown. */
  body: string;
  /** What they tick to go on; empty where reading is enough. */
  agreement: string;
  /** Grows with its words: who agreed to other words agrees anew. */
  edition: number;
  createdAt: number;
  updatedAt: number;
}

/** A step as a newcomer meets it, ours or another plugin's. */
export interface WalkStep {
  id: string;
  phase: Phase;
  title: string;
  body: string;
  agreement: string;
  edition: number;
}

export interface StepDraft {
  phase: Phase;
  everywhere: boolean;
  title: string;
  body: string;
  agreement: string;
}
