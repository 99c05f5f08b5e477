// One run of the bench, section after section.
import { measureSize } from './bundle-size.ts'
import type { Effort } from './effort.ts'
import { measureLoad } from './load.ts'
import { thisMachine } from './machine.ts'
import { measureMemory } from './memory.ts'
import { commandLine, type Options, type Section } from './options.ts'
import { measurePaced } from './paced.ts'
import { measurePaid } from './paid.ts'
import type { Progress } from './progress.ts'
import { measureReports } from './reports.ts'
import type { Results } from './results.ts'
import { measureRows } from './row-counts.ts'
import { measureScale } from './scale.ts'
import { onStage } from './stage.ts'
import { measureStart } from './start-up.ts'

export async function measure(options: Options, effort: Effort, progress: Progress): Promise<Results> {
  const machine = await thisMachine()
  return onStage(options, effort, progress, async (stage) => {
    const section = async <T>(name: Section, run: () => T | Promise<T>): Promise<T | null> => (options.only.includes(name) ? run() : null)
    return {
      date: new Date().toISOString().slice(0, 10),
      command: commandLine(options),
      machine,
      effort,
      load: await section('load', () => measureLoad(stage)),
      paced: await section('paced', () => measurePaced(stage)),
      paid: await section('paid', () => measurePaid(stage)),
      memory: await section('memory', () => measureMemory(stage)),
      scale: await section('scale', () => measureScale(stage)),
      reports: await section('reports', () => measureReports(stage)),
      rows: await section('rows', () => measureRows(stage)),
      size: await section('size', () => measureSize(stage.bundle)),
      start: await section('start', () => measureStart(stage)),
      failures: stage.failures,
    }
  })
}
