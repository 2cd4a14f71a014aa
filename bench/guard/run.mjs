// npm run bench -- guard [part …]: what a guard costs and how soon it knows. Each part writes its own section of RESULTS.md.
const parts = ['revocations']

const chosen = process.argv.slice(3).filter((word) => !word.startsWith('-'))
for (const part of parts.filter((name) => chosen.length === 0 || chosen.includes(name)))
  await import(`./${part}.mjs`)
