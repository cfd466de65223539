/** Which slice of a list is asked for; pages count from 1. */
export interface PageRequest {
  page: number;
  perPage: number;
}

/** Counting stops here: nobody reads past it, and a database should not either. */
export const COUNT_LIMIT = 1000;

export interface Page<T> {
  items: T[];
  page: number;
  perPage: number;
  /** How many there are, at most `COUNT_LIMIT + 1`, which means "1,000+". */
  total: number;
}

export const offsetOf = ({ page, perPage }: PageRequest): number => (page - 1) * perPage;
