// `npm run catalogue -- FILE VERSION DATE`: makes scripts/catalogue/catalogue.json from LiteLLM's price list, as docs/prices.md has it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { catalogueText } from './catalogue/format.ts'
import { CatalogueError } from './catalogue/litellm.ts'
import { readCatalogue } from './catalogue/read.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { onReaderGone } from './start/standard-output.ts'

const [file, version, date] = process.argv.slice(2)
if (!file || !version || !date) {
  console.error('usage: npm run catalogue -- <LiteLLM’s JSON> <its version, such as 1.109.1> <the date it was taken, YYYY-MM-DD>')
  process.exit(2)
}

onReaderGone()
try {
  // npm changes to the project's directory and tells where it was called.
  const text = readFileSync(resolve(process.env.INIT_CWD ?? '.', file), 'utf8')
  const { catalogue, leftOut } = readCatalogue(text, { version, date })
  writeFileSync(join(PROJECT_ROOT, 'scripts', 'catalogue', 'catalogue.json'), catalogueText(catalogue))
  for (const { id, why } of leftOut) console.log(`left out: ${id}: ${why}`)
  console.log(`${catalogue.models.length} models, ${leftOut.length} left out.`)
} catch (error) {
  if (!(error instanceof CatalogueError) && !(error instanceof Error && 'code' in error)) throw error
  console.error(`error: ${file}: ${error.message}`)
  process.exitCode = 1
}
