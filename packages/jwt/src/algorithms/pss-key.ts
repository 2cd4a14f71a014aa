import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** A hash of RSASSA-PSS: its object identifier's DER, and how many bytes of salt go with it. */
export interface PssHash {
  readonly oid: string
  readonly saltLength: number
}

/**
 * The same RSA key, restricted to RSASSA-PSS with one hash, MGF1 of that hash and exactly `saltLength` bytes of salt
 * (id-RSASSA-PSS, RFC 4055 §3.1). OpenSSL then allows nothing else, and node:crypto needs no options beside the key: from
 * Node 24 on an options object costs half as much as a whole verification. The key has at least 2048 bits.
 */
export function restrictToPss(key: KeyObject, hash: PssHash): KeyObject {
  if (key.type === 'private') {
    const der = key.export({ type: 'pkcs8', format: 'der' })
    return createPrivateKey({ key: withAlgorithm(der, hash), type: 'pkcs8', format: 'der' })
  }
  const der = key.export({ type: 'spki', format: 'der' })
  return createPublicKey({ key: withAlgorithm(der, hash), type: 'spki', format: 'der' })
}

const SEQUENCE = '30'
const NULL = '0500'
/** AlgorithmIdentifier { rsaEncryption, NULL } */
const RSA_ENCRYPTION = Buffer.from(`300d06092a864886f70d010101${NULL}`, 'hex')
const ID_RSASSA_PSS = '06092a864886f70d01010a'
const ID_MGF1 = '06092a864886f70d010108'
/** 0x30, 0x82 and two bytes of length: a key of 2048 bits or more takes no less, one of 16,384 no more. */
const HEADER_BYTES = 4

/** SubjectPublicKeyInfo or PrivateKeyInfo with another AlgorithmIdentifier in it. */
function withAlgorithm(der: Buffer, hash: PssHash): Buffer {
  const at = der.indexOf(RSA_ENCRYPTION)
  const body = Buffer.concat([
    der.subarray(HEADER_BYTES, at),
    Buffer.from(pssAlgorithm(hash), 'hex'),
    der.subarray(at + RSA_ENCRYPTION.length),
  ])
  const header = Buffer.from([0x30, 0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([header, body])
}

/** AlgorithmIdentifier { id-RSASSA-PSS, { hash, { mgf1, hash }, saltLength } }, as hex. */
function pssAlgorithm({ oid, saltLength }: PssHash): string {
  const hash = element(SEQUENCE, oid + NULL)
  const mask = element(SEQUENCE, ID_MGF1 + hash)
  const salt = element('02', byte(saltLength))
  const parameters = element(SEQUENCE, element('a0', hash) + element('a1', mask) + element('a2', salt))
  return element(SEQUENCE, ID_RSASSA_PSS + parameters)
}

/** A DER element of less than 128 bytes. */
function element(tag: string, content: string): string {
  return tag + byte(content.length / 2) + content
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
