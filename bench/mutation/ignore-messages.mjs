// A plugin of Stryker: leaves the wording of errors alone. Their codes are mutated all the same.

/** Functions whose first argument is a sentence for people. */
const SPEAKING = new Set(['malformed', 'invalid', 'unavailable'])

const messages = {
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined
    const { parent } = path
    const isDescription = parent.type === 'ObjectProperty' && parent.key.name === 'description'
    const isSpoken = parent.type === 'CallExpression' && SPEAKING.has(parent.callee.name)
    return isDescription || isSpoken ? 'the wording of an error' : undefined
  },
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'messages', value: messages }]
