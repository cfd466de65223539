/** Why a hub gave no answer, by the ids that page, command line and documentation share. */
export type HubProblem =
  | 'N01'
  | 'N02'
  | 'N03'
  | 'N04'
  | 'N05'
  | 'N06'
  | 'N07'
  | 'N08'
  | 'N09'
  | 'N10'
  | 'N11'
  | 'N12'
  | 'N13'
  | 'N14'
  | 'N15'
  | 'N17'
  | 'N18'
  | 'H3xx'
  | 'H4xx'
  | 'H404'
  | 'H429'
  | 'H5xx';

const byCode: Readonly<Record<string, HubProblem>> = {
  ENOTFOUND: 'N01',
  EAI_AGAIN: 'N02',
  ETIMEOUT: 'N02',
  ESERVFAIL: 'N02',
  ECONNREFUSED: 'N03',
  UND_ERR_CONNECT_TIMEOUT: 'N04',
  ETIMEDOUT: 'N04',
  EHOSTUNREACH: 'N04',
  ENETUNREACH: 'N04',
  UND_ERR_SOCKET: 'N05',
  ECONNRESET: 'N05',
  EPIPE: 'N05',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'N06',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'N06',
  SELF_SIGNED_CERT_IN_CHAIN: 'N06',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'N07',
  ERR_TLS_CERT_ALTNAME_INVALID: 'N08',
  CERT_HAS_EXPIRED: 'N08',
  CERT_NOT_YET_VALID: 'N08',
  ERR_SSL_WRONG_VERSION_NUMBER: 'N09',
  PROXY_UNREACHABLE: 'N10',
  PROXY_LOGIN: 'N11',
  PROXY_FORBIDS: 'N12',
  PROXY_FAULT: 'N13',
  UND_ERR_HEADERS_TIMEOUT: 'N14',
  UND_ERR_BODY_TIMEOUT: 'N14',
  TimeoutError: 'N14',
  ForbiddenAddressError: 'N18',
  UnsendableError: 'N18',
};

/** The useful word often stands two causes deep. */
export function problemOfError(error: unknown): HubProblem {
  for (let at = error; at instanceof Error; at = at.cause) {
    const known = byCode[codeOf(at)] ?? byCode[at.name];
    if (known !== undefined) return known;
  }
  return 'N05';
}

/** Of something that came back and was no answer. */
export function problemOfStatus(status: number, mediaType: string): HubProblem {
  if (status >= 300 && status < 400) return 'H3xx';
  if (status === 404) return 'H404';
  if (status === 429) return 'H429';
  if (status >= 500) return 'H5xx';
  if (status >= 400) return 'H4xx';
  return mediaType.includes('html') ? 'N15' : 'N17';
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';
