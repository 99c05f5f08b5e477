// What the Worker is bound to. Everything but the database is read by config.ts alone.
declare namespace Cloudflare {
  interface Env {
    DB: D1Database
    /** Optional: a Workers VPC service that reaches Ollama without a public hostname. */
    OLLAMA?: Fetcher
    /** Optional: each request's figures, for Analytics Engine. */
    METRICS?: AnalyticsEngineDataset
    /** Optional: what was deployed. */
    VERSION?: WorkerVersionMetadata
    /** Only in tests. */
    TEST_MIGRATIONS: import('@cloudflare/vitest-plugin').D1Migration[]
  }
}

/** Vite's, in tests. */
interface ImportMeta {
  glob<T>(pattern: string, options: { eager: true; import: 'default' }): Record<string, T>
}
