// What the Worker is bound to. Everything but the database is read by config.ts alone.
declare namespace Cloudflare {
  interface Env {
    DB: D1Database
    /** Only in tests. */
    TEST_MIGRATIONS: import('@cloudflare/vitest-plugin').D1Migration[]
  }
}

/** Vite's, in tests. */
interface ImportMeta {
  glob<T>(pattern: string, options: { eager: true; import: 'default' }): Record<string, T>
}
