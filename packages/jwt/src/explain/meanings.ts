/** What registered claims mean, in a sentence for people, and where they are defined. */
export const CLAIM_MEANINGS: ReadonlyMap<string, string> = new Map([
  ['iss', 'Issuer: who made and signed the token (RFC 7519 §4.1.1)'],
  ['sub', 'Subject: whom the token is about (RFC 7519 §4.1.2)'],
  ['aud', 'Audience: who may accept the token (RFC 7519 §4.1.3)'],
  ['exp', 'Expires: from this second on the token is refused (RFC 7519 §4.1.4)'],
  ['nbf', 'Not before: until this second the token is refused (RFC 7519 §4.1.5)'],
  ['iat', 'Issued at: when the token was made (RFC 7519 §4.1.6)'],
  ['jti', 'Token id: unique to this token (RFC 7519 §4.1.7)'],
  ['client_id', 'Client: the app that asked for the token (RFC 9068 §2.2)'],
  ['scope', 'Scope: what the token permits (RFC 9068 §2.2.3)'],
  ['roles', 'Roles of the subject (RFC 9068 §2.2.3.1)'],
  ['groups', 'Groups of the subject (RFC 9068 §2.2.3.1)'],
  ['entitlements', 'Entitlements of the subject (RFC 9068 §2.2.3.1)'],
  ['auth_time', 'When the person last proved who they are (OpenID Connect Core §2)'],
  ['acr', 'How strong that proof was (OpenID Connect Core §2)'],
  ['amr', 'How it was proved, such as pwd or otp (RFC 8176)'],
  ['azp', 'Authorized party: the client the ID token was made for (OpenID Connect Core §2)'],
  ['nonce', 'Ties the ID token to one login request (OpenID Connect Core §2)'],
  ['sid', 'Session: the login that the token belongs to (OpenID Connect Front-Channel Logout §3)'],
  ['epoch', 'Account epoch: raising it on the account refuses older tokens (Mapae)'],
  ['cnf', 'Confirmation: only the holder of this key may use the token (RFC 7800, RFC 9449 §6)'],
  ['act', 'Actor: who acts on behalf of the subject (RFC 8693 §4.1)'],
  ['htm', 'HTTP method that the proof is for (RFC 9449 §4.2)'],
  ['htu', 'HTTP URI that the proof is for (RFC 9449 §4.2)'],
  ['ath', 'Hash of the access token that the proof goes with (RFC 9449 §4.2)'],
  ['events', 'What happened, as a security event token (RFC 8417 §2.2)'],
  ['email', 'E-mail address (OpenID Connect Core §5.1)'],
  ['email_verified', 'Whether the e-mail address was confirmed (OpenID Connect Core §5.1)'],
  ['name', 'Full name (OpenID Connect Core §5.1)'],
  ['preferred_username', 'Name to address the person by (OpenID Connect Core §5.1)'],
])

/** What header parameters mean. */
export const HEADER_MEANINGS: ReadonlyMap<string, string> = new Map([
  ['alg', 'Algorithm of the signature (RFC 7515 §4.1.1)'],
  ['typ', 'Type of the token (RFC 7515 §4.1.9)'],
  ['kid', 'Name of the key that signed (RFC 7515 §4.1.4)'],
  ['cty', 'Type of what is inside (RFC 7515 §4.1.10)'],
  ['crit', 'Extensions that must be understood (RFC 7515 §4.1.11)'],
  ['enc', 'Algorithm of the encryption (RFC 7516 §4.1.2)'],
  ['zip', 'Compression (RFC 7516 §4.1.3)'],
  ['jwk', 'A key that the sender enclosed; trusted only in DPoP proofs (RFC 7515 §4.1.3)'],
  ['jku', 'Where the sender says the keys are; never fetched (RFC 7515 §4.1.2)'],
  ['x5u', 'Where the sender says the certificate is; never fetched (RFC 7515 §4.1.5)'],
  ['x5c', 'Certificates that the sender enclosed; not trusted (RFC 7515 §4.1.6)'],
])

/** Claims whose number is a moment. */
export const TIME_CLAIMS: readonly string[] = ['exp', 'nbf', 'iat', 'auth_time', 'updated_at']
