import { readFileSync } from 'node:fs'
import { parseSync } from 'oxc-parser'

/**
 * What one source file takes from elsewhere. `specifier` is undefined where the program decides it while it runs.
 * @typedef {{ specifier: string | undefined, line: number }} Import
 * @typedef {{ path: string, imports: Import[], readsEnvironment: number[], nodeGlobals: number[] }} SourceFile
 *
 * @typedef {{ type: string, start: number, [key: string]: any }} Node
 */

/**
 * Reads a file's imports of every kind: statements, re-exports, `import()` as a call and as a type, `require`,
 * `process.getBuiltinModule`; type-only ones included.
 * @param {string} path
 * @returns {SourceFile}
 */
export function readSourceFile(path) {
  const text = readFileSync(path, 'utf8')
  const { program, errors } = parseSync(path, text)
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)

  const lineOf = (/** @type {Node} */ node) => text.slice(0, node.start).split('\n').length
  /** @type {SourceFile} */
  const file = { path, imports: [], readsEnvironment: [], nodeGlobals: [] }
  visit(/** @type {any} */ (program), (node) => {
    const source = importSource(node)
    if (source) file.imports.push({ specifier: literal(source), line: lineOf(node) })
    if (isEnvironment(node)) file.readsEnvironment.push(lineOf(node))
    if (isNodeGlobal(node)) file.nodeGlobals.push(lineOf(node))
  })
  return file
}

/**
 * @param {Node} node
 * @param {(node: Node) => void} look
 */
function visit(node, look) {
  look(node)
  for (const [key, value] of Object.entries(node)) {
    if (!node.computed && (key === 'property' || key === 'key')) continue // a name, not the variable of that name
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === 'object' && typeof child.type === 'string') visit(child, look)
    }
  }
}

/**
 * The expression that says what is imported, when this is an import.
 * @param {Node} node
 * @returns {Node | null | undefined}
 */
function importSource(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source
    case 'TSExternalModuleReference':
      return node.expression
    case 'CallExpression':
      return isRequire(node.callee) ? node.arguments[0] : undefined
  }
}

/** @param {Node} callee */
function isRequire(callee) {
  if (callee.type === 'Identifier') return callee.name === 'require'
  return callee.type === 'MemberExpression' && callee.property.name === 'getBuiltinModule'
}

/** @param {Node} node */
function literal(node) {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/**
 * `process.env`, `process['env']`, `globalThis.process.env`, `const { env } = process`.
 * @param {Node} node
 */
function isEnvironment(node) {
  if (node.type === 'MemberExpression') return isProcess(node.object) && nameOf(node.property) === 'env'
  if (node.type !== 'VariableDeclarator' || node.id.type !== 'ObjectPattern' || !node.init) return false
  return (
    isProcess(node.init) && node.id.properties.some((/** @type {Node} */ one) => nameOf(one.key) === 'env')
  )
}

/** @param {Node} node */
function isProcess(node) {
  return nameOf(node.type === 'MemberExpression' ? node.property : node) === 'process'
}

/** @param {Node | undefined} node */
function nameOf(node) {
  return node?.type === 'Identifier' ? node.name : node?.value
}

/** @param {Node} node */
function isNodeGlobal(node) {
  return node.type === 'Identifier' && (node.name === 'process' || node.name === 'Buffer')
}
