// The paths that cost money: one per dialect, each the same story.
import { Hono } from 'hono'
import { DIALECTS } from '../dialects/all.ts'
import { serve } from '../request-story.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const inference = new Hono<AppEnv>()
for (const dialect of DIALECTS) inference.post(dialect.path, (c) => serve(dialect, exchangeOf(c)))
